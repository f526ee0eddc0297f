"""Delete the tables of saved filters, which are views of lists now (`lists.0002`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0017_units_of_todays_themes")]
    operations = [migrations.DeleteModel("Fit"), migrations.DeleteModel("SavedFilter")]
