"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("developer_agreements", "0004_reword_more_help_texts")]

    operations = [
        RenameConstraints(
            {
                "developeragreement": {"one_agreement_a_reference": "unique_developer_agreement_reference"},
            }
        ),
    ]
