"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("spreadsheets", "0004_reword_help_texts")]

    operations = [
        RenameConstraints(
            {
                "upload": {
                    "upload_is_for_a_record": "upload_has_record",
                    "upload_over_holds_no_file": "finished_upload_has_no_content",
                },
                "ownheading": {"one_meaning_an_own_heading": "unique_own_heading_per_organisation"},
            }
        ),
        migrations.RenameIndex("upload", old_name="upload_at_work", new_name="upload_in_progress"),
    ]
