"""The index of what people may search, and the queue of what has changed since."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Mod
from django.db.models.lookups import Exact

#: Stands among the readers of an entry for everyone who can sign in.
EVERYONE = 0
#: One entry in this many stands for the others where search counts how common words are.
SAMPLED = 128


class SearchEntry(models.Model):
    """Words of one record, or of one part of it, under which it is found.

    `source` and `object_id` say which record (see `sources`), `part` which part of it. `readers` holds everybody who
    might read it: ids of organisations, ids of people below zero, and `EVERYONE`. It narrows a search down and grants
    nothing: each result is checked against the record's own `visible_to`. `number` is the version that the words come
    from, `hidden` says that only readers inside may see them, `opens_at` is the end of their embargo. Organisation and
    partnership are plain numbers, because the index is computed from records and nothing depends on it.
    """

    source = models.CharField(max_length=12)
    object_id = models.BigIntegerField()
    part = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=12)
    partnership_id = models.BigIntegerField(null=True)
    organisation_id = models.BigIntegerField(null=True)
    day = models.DateField(null=True)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=300)
    number = models.BigIntegerField(default=0)
    hidden = models.BooleanField(default=False)
    readers = ArrayField(models.BigIntegerField(), default=list)
    for_everyone = models.BooleanField(default=False)
    opens_at = models.DateTimeField(null=True)
    codes = ArrayField(models.CharField(max_length=200), default=list)
    words = SearchVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "object_id", "part"], name="one_search_entry_a_part"),
        ]
        indexes = [
            # Without a pending list, whose reading would slow down every search after a change.
            GinIndex(fields=["words", "readers"], name="search_entry_words", fastupdate=False),
            # What everybody may read, and a sample of it: what others hold must not change how it is looked for.
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
            # Names of people, to find those of a similar spelling; they are in no list of words.
            GinIndex(
                OpClass(F("title"), name="gin_trgm_ops"),
                name="search_entry_names",
                condition=Q(source__in=["holder", "person"]),
            ),
        ]

    def __str__(self) -> str:
        # Without its title: it repeats words of partners.
        return f"{self.source} {self.object_id} {self.part}".strip()


class Stale(models.Model):
    """A row that has changed, so that what is indexed of it is out of date.

    Triggers write it in the transaction of the change. `source_column` is a table and its column, `value` the id in
    it.
    """

    source_column = models.CharField(max_length=80)
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.source_column} {self.value}"


class FileText(models.Model):
    """The text of a document's file, by the file's SHA-256.

    `problem` says why it could not be read.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    text = models.TextField(blank=True)
    problem = models.CharField(max_length=40, blank=True)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Text of {self.sha256}"


class Word(models.Model):
    """A word that some entry has, to find words of a similar spelling.

    Never from names of people.
    """

    word = models.CharField(max_length=30, primary_key=True)

    class Meta:
        indexes = [GinIndex(OpClass(F("word"), name="gin_trgm_ops"), name="search_word_alike")]

    def __str__(self) -> str:
        return self.word
