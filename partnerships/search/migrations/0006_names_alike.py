"""Index the names of people by trigrams, to find similar spellings."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0005_files_of_other_rooms")]

    operations = [
        migrations.AddIndex(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(models.F("title"), name="gin_trgm_ops"),
                condition=models.Q(("source__in", ["holder", "person"])),
                name="search_entry_names",
            ),
        ),
    ]
