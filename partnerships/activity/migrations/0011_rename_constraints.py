"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("activity", "0010_reword_help_of_contexts")]

    operations = [
        RenameConstraints(
            {
                "subject": {"one_subject_per_record": "unique_subject_per_record"},
                "change": {"one_change_per_number": "unique_change_number_per_subject"},
            }
        ),
    ]
