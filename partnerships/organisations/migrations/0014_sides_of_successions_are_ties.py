"""The tables of both sides go: their rows are ties."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("organisations", "0013_ties_and_functions")]

    operations = [
        migrations.DeleteModel(name="SuccessionPredecessorEvent"),
        migrations.DeleteModel(name="SuccessionSuccessorEvent"),
        migrations.DeleteModel(name="SuccessionPredecessor"),
        migrations.DeleteModel(name="SuccessionSuccessor"),
    ]
