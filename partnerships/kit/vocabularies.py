"""Vocabularies that administrators edit, such as kinds of partnership, themes and units.

Each word is a row with a code, which never changes, and a label, which may change. Each process caches the rows of a
vocabulary for `CACHE_SECONDS`, so that labels and choices need no queries. A change is visible at once in the process
that saved it, and in other processes when their cache expires.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from typing import Any, Self

from django.apps import apps
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor

#: Seconds for which a process caches the rows of a vocabulary.
CACHE_SECONDS = 30

#: The help text of codes in Django admin. A change of this text or of `CODE` needs migrations.
CODE_HELP = "We store this code with each record, in exports and in addresses. You cannot change it later."
#: The form of a code, for `is_code`. The validator `CODE` checks the same in fields.
_CODE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
CODE = RegexValidator(
    r"\A[a-z][a-z0-9_]*\Z",
    "Use a to z in lower case, digits and underscores, and start with a to z, such as data_sharing.",
)

#: For each vocabulary, when its rows were read (`time.monotonic`), and the rows by code.
_cache: dict[type[models.Model], tuple[float, dict[str, Any]]] = {}


def is_code(text: str) -> bool:
    """Return whether a text can be a code."""
    return _CODE.fullmatch(text) is not None


class Vocabulary(models.Model):
    """A word of a vocabulary.

    A retired word (`active` is false) is no longer offered, but records that have the word still show its label.
    """

    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[CODE],
        help_text=CODE_HELP,
    )
    label = models.CharField(max_length=120, help_text="People read this in forms, filters, emails and exports.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower numbers come first in lists.")
    active = models.BooleanField(
        "offered",
        default=True,
        help_text="Untick to retire it. People can then no longer choose it, but old records keep it.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the word, and drop this process's cache of the vocabulary."""
        super().save(*args, **kwargs)
        forget(type(self))
        # The cache is dropped again after the commit, because another thread may have cached the old rows until then.
        transaction.on_commit(lambda: forget(type(self)), robust=True)

    @classmethod
    def rows_to_cache(cls) -> models.QuerySet[Self]:
        """Return the rows to cache. A subclass may add related rows."""
        return cls._default_manager.all()

    @classmethod
    def by_code(cls) -> dict[str, Self]:
        """Return all words by code, in the order of lists. All threads share them, so do not change them."""
        read_at, words = _cache.get(cls, (0.0, {}))
        if not read_at or time.monotonic() - read_at > CACHE_SECONDS:
            words = {word.code: word for word in cls.rows_to_cache().order_by("position", "label", "pk")}
            _cache[cls] = (time.monotonic(), words)
        return words

    @classmethod
    def label_of(cls, code: str) -> str:
        """Return the label of a code, or the code itself if the vocabulary does not have it."""
        word = cls.by_code().get(code)
        return word.label if word else code

    @classmethod
    def choices(cls, *, keep: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return choices for a form, which are the active words, and the retired words with a code in `keep`."""
        return [(word.code, word.label) for word in cls.by_code().values() if word.active or word.code in keep]

    @classmethod
    def all_choices(cls) -> list[tuple[str, str]]:
        """Return choices for a filter, which are all words, because old records may have retired words."""
        return [(word.code, word.label) for word in cls.by_code().values()]


def forget(*vocabularies: type[models.Model]) -> None:
    """Drop this process's cache of these vocabularies, or of all vocabularies if none is given."""
    for vocabulary in vocabularies or tuple(_cache):
        _cache.pop(vocabulary, None)


class VocabularyField(models.CharField):  # type: ignore[type-arg]  # pghistory builds it without arguments
    """A column with the code of a word, for tables that raw SQL and triggers read.

    `vocabulary` is the label of the vocabulary's model, such as "exchange.Theme". Words are never deleted and codes
    never change, so each code has a label.
    """

    def __init__(self, *args: Any, vocabulary: str = "", **kwargs: Any) -> None:
        self.vocabulary = vocabulary
        super().__init__(*args, **{"max_length": 40, **kwargs})

    def deconstruct(self) -> Any:
        """Return the arguments of the field for migrations, with the vocabulary."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "vocabulary": self.vocabulary}

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Add `get_<name>_display` to the model, as Django does for a field with choices."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, f"get_{name}_display", lambda record: self.label_of(getattr(record, name)))

    def label_of(self, code: str) -> str:
        """Return the label of a code, or "" if the code is empty."""
        return self._model().label_of(code) if code else ""

    @property
    def flatchoices(self) -> list[tuple[str, str]]:
        """All choices, for lists and filters of Django admin."""
        return self._model().all_choices()

    def _model(self) -> type[Vocabulary]:
        model: type[Vocabulary] = apps.get_model(self.vocabulary)
        return model


class _CachedWord(ForwardManyToOneDescriptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """The attribute of a record that returns its word from this process's cache instead of the database."""

    def get_object(self, instance: models.Model) -> Any:
        word = self.field.related_model.by_code().get(getattr(instance, self.field.attname))
        return super().get_object(instance) if word is None else word


class VocabularyKey(models.ForeignKey):  # type: ignore[type-arg]  # pghistory builds it without arguments
    """A foreign key to a word by its code. Reading the word needs no query."""

    forward_related_accessor_class = _CachedWord
