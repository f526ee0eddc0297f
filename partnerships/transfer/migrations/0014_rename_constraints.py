"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("transfer", "0013_reword_more_help_texts")]

    operations = [
        RenameConstraints(
            {
                "importrun": {"only_a_preview_holds_a_file": "finished_import_has_no_content"},
                "knownheading": {"one_meaning_a_heading": "unique_heading_per_publisher"},
                "doubt": {
                    "one_doubt_a_row": "unique_doubt_per_row",
                    "doubt_answer_whole": "doubt_answer_fits_organisation",
                },
            }
        ),
    ]
