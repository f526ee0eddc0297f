"""The search index, the queue of rows that have changed since, texts of files, and words for corrections."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Mod
from django.db.models.lookups import Exact

#: The id in `readers` that means everyone who can sign in.
EVERYONE = 0
#: One in this many entries is in the sample in which search counts how common a word is.
SAMPLED = 128


class SearchEntry(models.Model):
    """The words by which search finds one record, or one part of a record.

    Ids of organisations and partnerships are plain numbers, not foreign keys. The index is computed from the records
    and can be rebuilt at any time.
    """

    #: The code of the record's source. `part` is empty if the entry is about the whole record.
    source = models.CharField(max_length=12)
    object_id = models.BigIntegerField()
    part = models.CharField(max_length=120, blank=True)

    # What people can filter and sort by.
    kind = models.CharField(max_length=12)
    partnership_id = models.BigIntegerField(null=True)
    organisation_id = models.BigIntegerField(null=True)
    day = models.DateField(null=True)

    # What results show.
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=300)
    #: The version from which the words come.
    number = models.BigIntegerField(default=0)

    # Who might read the entry. This only excludes most entries. The rights on the record of each result are checked
    # when a person searches.
    #: Whether only readers inside the record's organisations may see the words.
    hidden = models.BooleanField(default=False)
    #: The ids of organisations, negative ids of people, and `EVERYONE`.
    readers = ArrayField(models.BigIntegerField(), default=list)
    for_everyone = models.BooleanField(default=False)
    #: When the embargo of the words ends.
    opens_at = models.DateTimeField(null=True)

    # What search looks for.
    codes = ArrayField(models.CharField(max_length=200), default=list)
    words = SearchVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "object_id", "part"], name="unique_search_entry_per_part"),
        ]
        indexes = [
            # With `fastupdate`, changes would be added to a pending list that every search has to read.
            GinIndex(fields=["words", "readers"], name="search_entry_words", fastupdate=False),
            # Entries that everybody may read, and a sample of them. A search uses only these to decide how to look for
            # words, so that entries which the person may not read change nothing.
            GinIndex(fields=["words"], name="search_entry_public", fastupdate=False, condition=Q(for_everyone=True)),
            GinIndex(
                fields=["words"],
                name="search_entry_sample",
                fastupdate=False,
                condition=Q(Exact(Mod(F("id"), SAMPLED), 0), for_everyone=True),
            ),
            models.Index(
                F("kind"),
                F("day").desc(nulls_last=True),
                F("id").desc(),
                name="search_entry_newest",
                condition=Q(for_everyone=True),
            ),
            # Finds names of people with a similar spelling, which are never stored as a `Word`.
            GinIndex(
                OpClass(F("title"), name="gin_trgm_ops"),
                name="search_entry_names",
                condition=Q(source__in=["holder", "person"]),
            ),
        ]

    def __str__(self) -> str:
        # The title is left out, because logs must not contain what partners wrote.
        return f"{self.source} {self.object_id} {self.part}".strip()


class Stale(models.Model):
    """A line of the queue, which means that the records that depend on a changed row must be indexed again.

    A trigger adds the line in the transaction of the change. Usually `source_column` is "table.column", and `value` is
    the id in that column. For example, "plans_plan.id" and 12 mean that plan 12 has changed. `source_column` may also
    be the code of a source, such as "plan". `value` is then the id of its record.
    """

    source_column = models.CharField(max_length=80)
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.source_column} {self.value}"


class FileText(models.Model):
    """The text of a file, by its SHA-256. `problem` is the reason why a file could not be read, or ""."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    text = models.TextField(blank=True)
    problem = models.CharField(max_length=40, blank=True)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Text of {self.sha256}"


class Word(models.Model):
    """A word that occurs in an entry, for spelling corrections. Names of people are never stored here."""

    word = models.CharField(max_length=30, primary_key=True)

    class Meta:
        indexes = [GinIndex(OpClass(F("word"), name="gin_trgm_ops"), name="search_word_trgm")]

    def __str__(self) -> str:
        return self.word
