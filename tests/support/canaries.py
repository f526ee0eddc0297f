"""Put a marked word into every text column of every room, to see which columns emails show."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import pgtrigger
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from tests.support.kept_rows import may_turn_triggers_off

#: Rooms whose rows people write. The rows of outbox, digests and activity are numbers and codes about these.
ROOMS = (
    "people",
    "organisations",
    "documents",
    "agreements",
    "commitments",
    "plans",
    "exchange",
    "developer_agreements",
    "conversations",
    "recommendations",
    "answers",
)
#: Text columns with codes, keys and addresses, which code reads and people do not write.
CODES = re.compile(
    r"_key$|^key$|^slug$|token|hash|sha256|password|time_zone|^anchor$|^piece$|content_type|^file$|^unit$|^theme$"
    r"|^kind$|^code$|scheme|^provider|user_agent|_code$|^colour|^currency|^language"
)
_MARK = re.compile(r"zq[a-z]+q[a-z]+z")


@dataclass(frozen=True)
class Column:
    """A text column that people write, with its own word."""

    model: type[models.Model]
    name: str

    @property
    def label(self) -> str:
        """Return the name of the column, such as `exchange.Entry.private_note`."""
        return f"{self.model._meta.label}.{self.name}"

    @property
    def word(self) -> str:
        """Return a word that is only in this column: `zq…q…z`. In the names themselves, q and z are replaced."""
        names = (re.sub("[^a-z]", "", name.lower()) for name in (self.model._meta.label, self.name))
        return f"zq{'q'.join(name.replace('q', 'k').replace('z', 's') for name in names)}z"


def columns() -> list[Column]:
    """Return every text column of the rooms that people write."""
    return [
        Column(model, field.column)
        for model in apps.get_models()
        if model._meta.app_label in ROOMS and not model._meta.proxy and not hasattr(model, "pgh_tracked_model")
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.CharField)
        and not isinstance(field, models.EmailField | models.URLField | models.SlugField)
        and not (field.choices or field.unique or field.primary_key or CODES.search(field.column))
        and (field.max_length is None or field.max_length >= 60)
    ]


def fill(columns_to_fill: Iterable[Column]) -> None:
    """Put each column's word at the beginning of every row's text.

    Empty texts are filled too, unless the database refuses that.
    """
    by_table: dict[type[models.Model], list[Column]] = {}
    for column in columns_to_fill:
        by_table.setdefault(column.model, []).append(column)
    with _without_triggers():
        for model, columns_of_model in by_table.items():
            if model._base_manager.exists() and not _try_to_fill(columns_of_model):
                for column in columns_of_model:
                    if not _try_to_fill([column]):
                        _try_to_fill([column], where=f"{column.name} <> ''")


@contextlib.contextmanager
def _without_triggers() -> Iterator[None]:
    """Run no triggers within the block, which is inside a transaction.

    If the role may not turn triggers off, each of them is called and does nothing. That takes three times as long.
    """
    if not may_turn_triggers_off():
        with pgtrigger.ignore():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def _try_to_fill(columns: list[Column], where: str = "TRUE") -> bool:
    """Fill columns of one table at once. Returns False if the database refuses that."""
    table = columns[0].model._meta
    sets = ", ".join(f'"{column.name}" = left(%s || \' \' || "{column.name}", %s)' for column in columns)
    values = [part for column in columns for part in (column.word, table.get_field(column.name).max_length or 5_000)]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f'UPDATE "{table.db_table}" SET {sets} WHERE {where}', values)
    except IntegrityError:
        return False
    return True


def words_in(text: str) -> Iterator[str]:
    """Yield the marked words in a text, however its lines are broken.

    A token or an encoded file can look like a marked word by chance, so only words of columns count.
    """
    known_words = _words()
    yield from (word for word in _MARK.findall(re.sub(r"=\r?\n", "", text)) if word in known_words)


@cache
def _words() -> frozenset[str]:
    """Return the words of all columns."""
    return frozenset(column.word for column in columns())
