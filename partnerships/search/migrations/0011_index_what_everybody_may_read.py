"""Index the public entries and a sample of them, so that common words are counted without private entries."""

import django.contrib.postgres.indexes
from django.db import migrations, models
from django.db.models.functions import Mod
from django.db.models.lookups import Exact

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    atomic = False  # as the indexes need it
    dependencies = [("search", "0010_what_everybody_may_read")]

    operations = [
        BuildIndexConcurrently(
            "searchentry",
            django.contrib.postgres.indexes.GinIndex(
                fields=["words"],
                name="search_entry_public",
                fastupdate=False,
                condition=models.Q(for_everyone=True),
            ),
        ),
        BuildIndexConcurrently(
            "searchentry",
            django.contrib.postgres.indexes.GinIndex(
                fields=["words"],
                name="search_entry_sample",
                fastupdate=False,
                condition=models.Q(Exact(Mod(models.F("id"), 128), 0), for_everyone=True),
            ),
        ),
    ]
