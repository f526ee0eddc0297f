"""The schema of terms, built from the declarations of a kind."""

from __future__ import annotations

import datetime as dt
from functools import partial
from types import MappingProxyType
from typing import Any

from partnerships.agreements.terms.checks import problems_of
from partnerships.agreements.terms.declarations import (
    Declarations,
    FieldDeclaration,
    TableDeclaration,
)
from partnerships.documents import Collection, Field, Item, Schema, read_whole
from partnerships.documents.comparing.wording import value_in_words
from partnerships.documents.values import read_line

__all__ = ["build_schema", "problems_of"]

#: Characters of a clause (about fifteen pages) and of any other longer text.
MAX_CLAUSE, MAX_TEXT = 50_000, 10_000
#: Shapes whose change is never minor.
_SUBSTANTIVE = frozenset({"date", "money", "percent", "days", "party", "number", "year"})
_DEFAULTS: dict[str, Any] = {"flag": False, "number": None, "days": None}


def _read_day(value: Any) -> str:
    text = read_line(value)
    if not text:
        return ""
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError(f"“{text}” is not a whole date: give the day, the month and the year.") from error


_READERS: dict[str, Any] = {
    "date": _read_day,
    "number": partial(read_whole, least=0, limit=2**40),
    "party": read_line,
}


def _field(declared: FieldDeclaration, *, names_row: bool = False, max_text: int = MAX_TEXT) -> Field:
    shape = declared["shape"]
    return Field(
        declared["code"],
        declared["label"],
        shape,
        choices=MappingProxyType(dict(declared.get("choices", []))),
        default=_DEFAULTS.get(shape, ""),
        required=names_row,
        max_length=max_text if shape == "text" else 500,
        read=_READERS.get(shape),
        hint=declared.get("help", ""),
        substantive=shape in _SUBSTANTIVE,
    )


def _collection(declared: TableDeclaration) -> Collection:
    is_clause = declared["code"] == "clauses"
    fields = tuple(
        _field(field, names_row=not place, max_text=MAX_CLAUSE if is_clause else MAX_TEXT)
        for place, field in enumerate(declared["fields"])
    )
    one = declared["one"]
    return Collection(
        declared["code"],
        one,
        one[:1].upper() + one[1:],
        fields[0].code,
        fields,
        plural=declared["label"],
        details=partial(_details, fields[1:]),
    )


def _details(fields: tuple[Field, ...], item: Item) -> str:
    """The first short values of a row beside its name."""
    short = (field for field in fields if field.shape not in ("text", "flag") and item[field.code] not in (None, ""))
    return ", ".join(value_in_words(field, item[field.code]) for field in list(short)[:2])


def build_schema(declarations: Declarations | dict[str, Any]) -> Schema:
    """The schema of terms with these declarations."""
    about = tuple(_field(field) for field in declarations["about"])
    return Schema("terms document", about, tuple(_collection(table) for table in declarations["tables"]))
