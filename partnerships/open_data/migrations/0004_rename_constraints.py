"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("open_data", "0003_reword_more_help_texts")]

    operations = [
        RenameConstraints(
            {
                "publication": {
                    "one_publication_in_force": "unique_current_publication_per_standard",
                    "publication_ends_after_it_begins": "publication_does_not_end_before_start",
                },
                "record": {"record_of_one_thing": "published_record_has_one_subject"},
            }
        ),
    ]
