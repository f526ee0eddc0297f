"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("lists", "0006_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "savedview": {
                    "one_saved_view_a_name": "unique_saved_view_name_per_owner",
                    "saved_view_shared_with_one": "saved_view_has_at_most_one_audience",
                },
                "defaultview": {"one_default_view_a_list": "unique_default_view_per_list"},
                "listfile": {"list_file_made_is_there": "made_list_file_has_content"},
                "follow": {"one_follow_a_view": "unique_follow_per_view"},
            }
        ),
    ]
