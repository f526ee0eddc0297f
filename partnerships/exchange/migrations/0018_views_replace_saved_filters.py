"""Delete the tables of saved filters, which `lists.0002` has turned into saved views of lists."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0017_units_of_todays_themes")]
    operations = [migrations.DeleteModel("Fit"), migrations.DeleteModel("SavedFilter")]
