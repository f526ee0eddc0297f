"""Lists of words that administrators edit: kinds, themes, units.

A row has a code, which never changes, and a label, which may. Each process keeps the rows for `KEPT_FOR` seconds, so
that labels and choices cost a page no queries; a change shows at once in the process that saved it, and in the others
when their copies expire.
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

#: Seconds for which a process keeps the rows of a list.
KEPT_FOR = 30

CODE_HELP = "Stored with each record, in exports and in addresses; it cannot be changed later."
_CODE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
CODE = RegexValidator(
    r"\A[a-z][a-z0-9_]*\Z",
    "Use a to z in lower case, digits and underscores, and start with a to z, such as data_sharing.",
)

_kept: dict[type[models.Model], tuple[float, dict[str, Any]]] = {}


def is_code(text: str) -> bool:
    """Whether a text can be a code."""
    return _CODE.fullmatch(text) is not None


class Vocabulary(models.Model):
    """A word with a code, in a list that administrators edit.

    Retired words (not active) are no longer offered, but what uses them keeps them and shows their label.
    """

    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[CODE],
        help_text=CODE_HELP,
    )
    label = models.CharField(max_length=120, help_text="What people read in forms, filters, emails and exports.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Place in lists: lower numbers come first.")
    active = models.BooleanField(
        "offered", default=True, help_text="Untick to retire it: nobody can choose it any more; old records keep it."
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it, and drop this process's copy of the list."""
        super().save(*args, **kwargs)
        forget(type(self))
        # Another thread may have read the old rows again before the commit.
        transaction.on_commit(lambda: forget(type(self)), robust=True)

    @classmethod
    def kept_rows(cls) -> models.QuerySet[Self]:
        """The rows to keep, with what belongs to them."""
        return cls._default_manager.all()

    @classmethod
    def by_code(cls) -> dict[str, Self]:
        """All rows by code, in order; do not change them."""
        kept_at, rows = _kept.get(cls, (0.0, {}))
        if not kept_at or time.monotonic() - kept_at > KEPT_FOR:
            rows = {row.code: row for row in cls.kept_rows().order_by("position", "label", "pk")}
            _kept[cls] = (time.monotonic(), rows)
        return rows

    @classmethod
    def label_of(cls, code: str) -> str:
        """The label of a code; the code itself where there is no such row."""
        row = cls.by_code().get(code)
        return row.label if row else code

    @classmethod
    def choices(cls, *, keep: Collection[str] = ()) -> list[tuple[str, str]]:
        """Codes and labels that a form offers, and those in `keep` that are retired."""
        return [(row.code, row.label) for row in cls.by_code().values() if row.active or row.code in keep]

    @classmethod
    def all_choices(cls) -> list[tuple[str, str]]:
        """Codes and labels for a filter, with retired ones, which old records still have."""
        return [(row.code, row.label) for row in cls.by_code().values()]


def forget(*lists: type[models.Model]) -> None:
    """Drop this process's copies: of these lists, or of all."""
    for item_list in lists or tuple(_kept):
        _kept.pop(item_list, None)


class VocabularyField(models.CharField):  # type: ignore[type-arg]  # pghistory builds it without arguments
    """The code of a word of a `Vocabulary` ("exchange.Theme").

    For columns that raw SQL and triggers read. Rows are never deleted and codes never change, so the code always has a
    label.
    """

    def __init__(self, *args: Any, vocabulary: str = "", **kwargs: Any) -> None:
        self.vocabulary = vocabulary
        super().__init__(*args, **{"max_length": 40, **kwargs})

    def deconstruct(self) -> Any:
        """With the name of the list."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "vocabulary": self.vocabulary}

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Give the model `get_<name>_display`, as a field with choices has."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, f"get_{name}_display", lambda record: self.label_of(getattr(record, name)))

    def label_of(self, code: str) -> str:
        """The label of a code; "" for none."""
        words: type[Vocabulary] = apps.get_model(self.vocabulary)
        return words.label_of(code) if code else ""

    @property
    def flatchoices(self) -> list[tuple[str, str]]:
        """All codes and labels, for lists and filters of Django admin."""
        words: type[Vocabulary] = apps.get_model(self.vocabulary)
        return words.all_choices()


class _Kept(ForwardManyToOneDescriptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """Gives the row that a record points to from the copy in this process."""

    def get_object(self, instance: models.Model) -> Any:
        row = self.field.related_model.by_code().get(getattr(instance, self.field.attname))
        return super().get_object(instance) if row is None else row


class VocabularyKey(models.ForeignKey):  # type: ignore[type-arg]  # pghistory builds it without arguments
    """A foreign key to a `Vocabulary` by code; following it makes no query."""

    forward_related_accessor_class = _Kept
