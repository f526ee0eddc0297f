"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("reports", "0007_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "recipient": {"one_recipient_a_schedule": "unique_recipient_per_schedule"},
                "reportfile": {"report_file_made_is_there": "made_report_file_has_content"},
            }
        ),
    ]
