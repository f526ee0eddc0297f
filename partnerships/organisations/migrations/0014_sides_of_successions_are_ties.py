"""Delete the tables of predecessors and successors, whose rows are ties now."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("organisations", "0013_ties_and_functions")]

    operations = [
        migrations.DeleteModel(name="SuccessionPredecessorEvent"),
        migrations.DeleteModel(name="SuccessionSuccessorEvent"),
        migrations.DeleteModel(name="SuccessionPredecessor"),
        migrations.DeleteModel(name="SuccessionSuccessor"),
    ]
