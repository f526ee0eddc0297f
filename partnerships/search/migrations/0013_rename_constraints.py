"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("search", "0012_index_names_apart")]

    operations = [
        RenameConstraints(
            {
                "searchentry": {"one_search_entry_a_part": "unique_search_entry_per_part"},
            }
        ),
        migrations.RenameIndex("word", old_name="search_word_alike", new_name="search_word_trgm"),
    ]
