"""Build the schema of terms from the declarations of a kind of partnership."""

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
    with_retired_fields,
)
from partnerships.documents import Collection, Content, Field, Item, Problem, Schema, read_whole
from partnerships.documents.comparing.wording import value_in_words
from partnerships.documents.values import read_field, read_line

__all__ = ["build_schema", "declarations_with", "labels_of_fields", "problems_of", "starter_error", "without_values"]

#: The most characters that a clause may have, which is about fifteen pages.
MAX_CLAUSE = 50_000
#: The most characters that any other longer text of the terms may have.
MAX_TEXT = 10_000
#: Any change of a field with one of these shapes is substantive.
_SUBSTANTIVE = frozenset({"date", "money", "percent", "days", "party", "number", "year"})
_DEFAULTS: dict[str, Any] = {"flag": False, "number": None, "days": None}


def _read_day(value: Any) -> str:
    """Return an ISO date, or an empty text for an empty value."""
    text = read_line(value)
    if not text:
        return ""
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError(f"“{text}” is not a complete date. Enter the day, month and year.") from error


_READERS: dict[str, Any] = {
    "date": _read_day,
    "number": partial(read_whole, minimum=0, maximum=2**40),
    "party": read_line,
}


#: Hint for a required field. A draft can be saved without it, but nobody can sign the terms.
NEEDED = "Needed before anyone can sign."


def _field(declared: FieldDeclaration, *, names_row: bool = False, max_text: int = MAX_TEXT) -> Field:
    """Return the field of a schema for a declared field.

    A draft can be saved without a declared field, even if nobody can then sign it. Only the field that names a row must
    always be filled in.
    """
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
    """Return the collection for a table of the terms."""
    is_clause = declared["code"] == "clauses"
    # The first column names the row.
    fields = tuple(
        _field(field, names_row=index == 0, max_text=MAX_CLAUSE if is_clause else MAX_TEXT)
        for index, field in enumerate(declared["fields"])
    )
    name_of_row = declared["one"]
    return Collection(
        code=declared["code"],
        singular=name_of_row,
        label=name_of_row[:1].upper() + name_of_row[1:],
        title_field=fields[0].code,
        fields=fields,
        irregular_plural=declared["label"],
        details=partial(_details, fields[1:]),
    )


def _details(fields: tuple[Field, ...], item: Item) -> str:
    """Return the first two short values of a row in words, to show beside its name."""
    short_fields = [
        field for field in fields if field.shape not in ("text", "flag") and item[field.code] not in (None, "")
    ]
    return ", ".join(value_in_words(field, item[field.code]) for field in short_fields[:2])


def build_schema(declarations: Declarations | dict[str, Any]) -> Schema:
    """Return the schema of terms that have these declarations."""
    return Schema(
        "terms document",
        about=tuple(_field(field) for field in declarations["about"]),
        collections=tuple(_collection(table) for table in declarations["tables"]),
        about_heading="Particulars",
    )


def declarations_with(current_declarations: Declarations, earlier: Declarations, content: Content) -> Declarations:
    """Return today's declarations, with everything that content written with earlier declarations still needs.

    Retired fields and tables, and choices that were dropped, are kept where the content uses them. A field keeps its
    earlier shape if its value is not valid for the new shape. For example, a field was a line of text and is now a
    number. Content with "about ten" keeps the line of text. A table keeps its earlier first column if a row is empty in
    the new first column, because the first column names each row.
    """
    declarations = with_retired_fields(current_declarations, earlier, content)
    earlier_fields = {field["code"]: field for field in earlier["about"]}
    earlier_tables = {table["code"]: table for table in earlier["tables"]}
    fields = [
        _widened_field(field, earlier_fields.get(field["code"]), [content["about"].get(field["code"])])
        for field in declarations["about"]
    ]
    tables = [
        _widened_table(table, earlier_tables.get(table["code"]), content.get(table["code"], []))
        for table in declarations["tables"]
    ]
    return {**declarations, "about": fields, "tables": tables}


def _widened_table(current: TableDeclaration, earlier: TableDeclaration | None, rows: list[Item]) -> TableDeclaration:
    """Return today's table, with the least change that lets it contain these rows."""
    if earlier is None or current == earlier or not rows:
        return current
    earlier_columns = {column["code"]: column for column in earlier["fields"]}
    columns = [
        _widened_field(column, earlier_columns.get(column["code"]), [row.get(column["code"]) for row in rows])
        for column in current["fields"]
    ]
    # The first column names each row, so no row may be empty there.
    if any(row.get(columns[0]["code"]) in (None, "") for row in rows):
        earlier_name_column = earlier["fields"][0]["code"]
        columns.sort(key=lambda column: column["code"] != earlier_name_column)
    return {**current, "fields": columns}


def _widened_field(current: FieldDeclaration, earlier: FieldDeclaration | None, values: list[Any]) -> FieldDeclaration:
    """Return today's field, with the least change that lets it contain these values."""
    if earlier is None or current == earlier or all(_accepts(current, value) for value in values):
        return current
    if current["shape"] == earlier["shape"] == "choice":
        choices = current.get("choices", [])
        current_codes = {code for code, _ in choices}
        dropped_choices = [
            [code, label] for code, label in earlier.get("choices", []) if code in values and code not in current_codes
        ]
        return {**current, "choices": [*choices, *dropped_choices]}
    return {**earlier, "label": current["label"], "required": current.get("required", False)}


def _accepts(declared: FieldDeclaration, value: Any) -> bool:
    """Return whether a value is valid for a field."""
    field = _field(declared)
    try:
        read_field(field, field.default if value is None else value)
    except ValueError:
        return False
    return True


def starter_error(declared: FieldDeclaration, value: str) -> str:
    """Return why a first draft cannot start with this value, or "" if it can."""
    try:
        read_field(_field(declared), value)
    except ValueError as error:
        return str(error)
    return ""


def without_values(schema: Schema, content: Content, problems: tuple[Problem, ...]) -> Content:
    """Return content without the values that have problems.

    If the value that names a row has a problem, the whole row is left out.
    """
    paths = {tuple(problem.path.split("/")) for problem in problems}
    remaining: Content = {
        "about": {code: value for code, value in content["about"].items() if ("about", code) not in paths}
    }
    for table_code, collection in schema.collection_by_code.items():
        remaining_rows = []
        # Paths count the rows from 1.
        for row_number, row in enumerate(content.get(table_code, ()), 1):
            row_path = (table_code, str(row_number))
            if (*row_path, collection.title_field) not in paths:
                remaining_rows.append({code: value for code, value in row.items() if (*row_path, code) not in paths})
        remaining[table_code] = remaining_rows
    return remaining


def labels_of_fields(schema: Schema, problems: tuple[Problem, ...]) -> str:
    """Return the labels of the fields with these problems, each once, such as “Purpose”, “Quorum”."""
    labels = []
    for problem in problems:
        part, *_, code = problem.path.split("/")
        fields_by_code = schema.about_by_code if part == "about" else schema.collection_by_code[part].field_by_code
        labels.append(f"“{fields_by_code[code].label}”")
    return ", ".join(dict.fromkeys(labels))
