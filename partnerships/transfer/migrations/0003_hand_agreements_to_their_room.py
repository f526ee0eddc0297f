"""Rename the tables of developer agreements for their own room, whose first migration takes them over.

The link to the import run becomes a plain number in the same column. The triggers of row history are created again
there.
"""

import pgtrigger.migrations
from django.db import migrations, models

TABLES = ("agreementpromise", "agreementpromiseevent", "developeragreement", "developeragreementevent")
TRACKED = ("agreementpromise", "developeragreement")
TRIGGERS = ("insert_insert", "update_update", "delete_delete")


class Migration(migrations.Migration):
    dependencies = [("transfer", "0002_history_of_agreements_and_doubts")]

    operations = [
        *(pgtrigger.migrations.RemoveTrigger(model, trigger) for model in TRACKED for trigger in TRIGGERS),
        migrations.AlterField("developeragreement", "run", models.BigIntegerField(db_column="run_id")),
        migrations.AlterField("developeragreementevent", "run", models.BigIntegerField(db_column="run_id")),
        *(migrations.AlterModelTable(model, f"developer_agreements_{model}") for model in TABLES),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("AgreementPromiseEvent"),
                migrations.DeleteModel("DeveloperAgreementEvent"),
                migrations.DeleteModel("AgreementPromise"),
                migrations.DeleteModel("DeveloperAgreement"),
            ]
        ),
    ]
