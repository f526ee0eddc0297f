"""Create the index of search, its queue, and its words for spelling corrections."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Stale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_column", models.CharField(max_length=80)),
                ("value", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=12)),
                ("object_id", models.BigIntegerField()),
                ("part", models.CharField(blank=True, max_length=120)),
                ("kind", models.CharField(max_length=12)),
                ("partnership_id", models.BigIntegerField(null=True)),
                ("organisation_id", models.BigIntegerField(null=True)),
                ("day", models.DateField(null=True)),
                ("title", models.CharField(max_length=300)),
                ("text", models.TextField(blank=True)),
                ("path", models.CharField(max_length=300)),
                ("number", models.BigIntegerField(default=0)),
                ("hidden", models.BooleanField(default=False)),
                (
                    "readers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("for_everyone", models.BooleanField(default=False)),
                (
                    "codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["words", "readers"], name="search_entry_words"
                    ),
                    models.Index(
                        models.F("kind"),
                        models.OrderBy(models.F("day"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("for_everyone", True)),
                        name="search_entry_newest",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "object_id", "part"), name="one_search_entry_a_part")
                ],
            },
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                ("word", models.CharField(max_length=30, primary_key=True, serialize=False)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(models.F("word"), name="gin_trgm_ops"),
                        name="search_word_alike",
                    )
                ],
            },
        ),
    ]
