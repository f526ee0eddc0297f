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
    with_retired,
)
from partnerships.documents import Collection, Content, Field, Item, Problem, Schema, read_whole
from partnerships.documents.comparing.wording import value_in_words
from partnerships.documents.values import read_field, read_line

__all__ = ["build_schema", "declarations_with", "left_out", "problems_of", "starter_fault", "without"]

#: Characters of a clause: about fifteen pages.
MAX_CLAUSE = 50_000
#: Characters of any other longer text of terms.
MAX_TEXT = 10_000
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
        raise ValueError(f"“{text}” is not a complete date: enter the day, month and year.") from error


_READERS: dict[str, Any] = {
    "date": _read_day,
    "number": partial(read_whole, least=0, limit=2**40),
    "party": read_line,
}


#: What the form says of a field without which nobody can sign; a draft can be saved without it.
NEEDED = "Needed before anyone can sign."


def _field(declared: FieldDeclaration, *, names_row: bool = False, max_text: int = MAX_TEXT) -> Field:
    shape, hint = declared["shape"], declared.get("help", "")
    if declared.get("required") and not names_row:
        hint = f"{hint} {NEEDED}".strip()
    return Field(
        declared["code"],
        declared["label"],
        shape,
        choices=MappingProxyType(dict(declared.get("choices", []))),
        default=_DEFAULTS.get(shape, ""),
        required=names_row,
        max_length=max_text if shape == "text" else 500,
        read=_READERS.get(shape),
        hint=hint,
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
        code=declared["code"],
        one=one,
        label=one[:1].upper() + one[1:],
        title=fields[0].code,
        fields=fields,
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
    return Schema("terms document", about, tuple(_collection(table) for table in declarations["tables"]), "Particulars")


def declarations_with(now: Declarations, before: Declarations, content: Content) -> Declarations:
    """The declarations of today, and what a content needs of those it was written with.

    Fields and tables that were retired, choices that were dropped, the earlier shape of a field whose value does not
    fit the new one, and the column that named a row where a row has no value in the new one.
    """
    merged = with_retired(now, before, content)
    earlier = {field["code"]: field for field in before["about"]}
    tables = {table["code"]: table for table in before["tables"]}
    return {
        **merged,
        "about": [
            _taking(one, earlier.get(one["code"]), [content["about"].get(one["code"])]) for one in merged["about"]
        ],
        "tables": [
            _table_taking(one, tables.get(one["code"]), content.get(one["code"], [])) for one in merged["tables"]
        ],
    }


def _table_taking(now: TableDeclaration, before: TableDeclaration | None, rows: list[Item]) -> TableDeclaration:
    if before is None or now == before or not rows:
        return now
    earlier = {field["code"]: field for field in before["fields"]}
    fields = [
        _taking(column, earlier.get(column["code"]), [row.get(column["code"]) for row in rows])
        for column in now["fields"]
    ]
    if any(row.get(fields[0]["code"]) in (None, "") for row in rows):
        fields.sort(key=lambda field: field["code"] != before["fields"][0]["code"])
    return {**now, "fields": fields}


def _taking(now: FieldDeclaration, before: FieldDeclaration | None, values: list[Any]) -> FieldDeclaration:
    """A field as today, changed as little as these values need."""
    if before is None or now == before or all(_takes(now, value) for value in values):
        return now
    if now["shape"] == before["shape"] == "choice":
        known_codes = {code for code, _ in now.get("choices", [])}
        dropped = [pair for pair in before.get("choices", []) if pair[0] in values and pair[0] not in known_codes]
        return {**now, "choices": [*now.get("choices", []), *dropped]}
    return {**before, "label": now["label"], "required": now.get("required", False)}


def _takes(declared: FieldDeclaration, value: Any) -> bool:
    field = _field(declared)
    try:
        read_field(field, field.default if value is None else value)
    except ValueError:
        return False
    return True


def starter_fault(declared: FieldDeclaration, value: str) -> str:
    """Why a first draft could not hold this value, in a sentence. Empty if it can."""
    try:
        read_field(_field(declared), value)
    except ValueError as error:
        return str(error)
    return ""


def without(schema: Schema, content: Content, problems: tuple[Problem, ...]) -> Content:
    """A content without the values that have problems.

    A row goes with the value that names it.
    """
    paths = {tuple(problem.path.split("/")) for problem in problems}
    remaining: Content = {
        "about": {code: one for code, one in content["about"].items() if ("about", code) not in paths}
    }
    for code, collection in schema.collection_by_code.items():
        remaining[code] = [
            {name: one for name, one in row.items() if (code, str(place), name) not in paths}
            for place, row in enumerate(content.get(code, ()), 1)
            if (code, str(place), collection.title) not in paths
        ]
    return remaining


def left_out(schema: Schema, problems: tuple[Problem, ...]) -> str:
    """Labels of the fields with these problems, in quotation marks, each once."""
    labels = {}
    for problem in problems:
        part, *_, code = problem.path.split("/")
        fields_by_code = schema.about_by_code if part == "about" else schema.collection_by_code[part].field_by_code
        labels[f"“{fields_by_code[code].label}”"] = True
    return ", ".join(labels)
