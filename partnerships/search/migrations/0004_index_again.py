"""Index plans and asks again: versions under embargo, readers of restricted parts, all names of organisations."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0003_texts_of_files"),
        ("exchange", "0015_words_for_search"),
        ("plans", "0017_starters_of_brownfield_land"),
    ]

    operations = [
        migrations.RunSQL(
            f"INSERT INTO search_stale (source_column, value) SELECT '{code}', id FROM {table}",  # noqa: S608 - names of ours
            migrations.RunSQL.noop,
        )
        for code, table in (("plan", "plans_plan"), ("entry", "exchange_entry"))
    ]
