"""Declare the fields, tables and checks in the terms of a kind of partnership, as plain JSON.

A version of the terms stores the declarations with which it was published, so that it always prints the same. Fields
and tables are lists, in the order in which people read them. Choices are pairs of code and label, because the database
does not keep the order of keys in a JSON object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Shape: TypeAlias = Literal[
    "line", "text", "date", "flag", "choice", "number", "money", "percent", "days", "party", "year"
]
#: Shapes of a field that administrators choose from, with their labels.
SHAPES: dict[str, str] = {
    "line": "A line of text",
    "text": "Longer text (Markdown)",
    "date": "A date",
    "flag": "Yes or no",
    "choice": "One of several choices",
    "number": "A whole number",
    "money": "An amount in pounds",
    "percent": "A percentage",
    "days": "A number of days",
    "party": "A party of the partnership",
    "year": "A calendar or financial year",
}
CheckName: TypeAlias = Literal[
    "adds_up_to_100", "not_after", "each_once", "not_above_parties", "needs", "total_not_above", "differ"
]
#: Checks that administrators choose from, with their labels.
CHECKS: dict[str, str] = {
    "adds_up_to_100": "The column adds up to 100%",
    "not_after": "The first date is not after the second",
    "each_once": "No two rows have the same value in the column (and in the second column, if one is named)",
    "not_above_parties": "The number is not above the number of parties",
    "needs": "If the first field is filled in, the second must be filled in too",
    "total_not_above": "The total of the column is not above a field of the terms",
    "differ": "The first field and the second are different",
}

#: Checks that compare two fields.
NEED_OTHER = frozenset({"not_after", "needs", "total_not_above", "differ"})
#: Checks of the column of a table.
NEED_TABLE = frozenset({"adds_up_to_100", "each_once", "total_not_above"})


class FieldDeclaration(TypedDict):
    """A field of the terms, or a column of a table."""

    code: str
    label: str
    shape: Shape
    help: NotRequired[str]
    required: NotRequired[bool]  # must be filled in before anybody can sign
    choices: NotRequired[list[list[str]]]  # pairs of code and label


class TableDeclaration(TypedDict):
    """A table of the terms. The first column names each row."""

    code: str
    label: str  # name of the whole table: "Lots"
    one: str  # name of one row: "lot"
    fields: list[FieldDeclaration]
    help: NotRequired[str]
    required: NotRequired[bool]  # at least one row, before anybody can sign


class CheckDeclaration(TypedDict):
    """A check that the terms must pass before they can be signed."""

    check: CheckName
    field: str
    table: NotRequired[str]  # empty for a field of the terms themselves
    other: NotRequired[str]  # the second field or column


class Declarations(TypedDict):
    """The fields, tables and checks of the terms of a kind."""

    kind: str
    label: str
    about: list[FieldDeclaration]
    tables: list[TableDeclaration]
    checks: list[CheckDeclaration]


#: Codes that no field or table of a kind may have.
RESERVED = ("about", "order", "key", "title", "clauses", "contributions", "terms")

_LAW = [
    ["england_wales", "England and Wales"],
    ["scotland", "Scotland"],
    ["northern_ireland", "Northern Ireland"],
]


def _field(code: str, label: str, shape: Shape, hint: str = "", **options: Any) -> FieldDeclaration:
    """Return the declaration of a field. The options are `required` and `choices`."""
    declared: dict[str, Any] = {"code": code, "label": label, "shape": shape, **options}
    if hint:
        declared["help"] = hint
    return declared  # type: ignore[return-value]  # a dict built in two steps


def _general_fields(*, review_date: bool) -> list[FieldDeclaration]:
    """Return the fields that the terms of every kind have. `review_date` makes the review date required."""
    return [
        _field("purpose", "Purpose", "text", "What the partners want to achieve together."),
        _field("starts_on", "Starts on", "date", "Leave this empty to start on the day the last party signs."),
        _field(
            "review_on", "Review on", "date", "The partnership comes up for review on this day.", required=review_date
        ),
        _field("ends_on", "Ends on", "date", "Leave this empty if no end is agreed."),
        _field("goes_on", "Continues after the end date until a party ends it", "flag"),
        _field("notice_days", "Notice period", "days"),
        _field("legally_binding", "Legally binding", "flag"),
        _field("governing_law", "Governing law", "choice", choices=_LAW),
        _field("quorum", "Quorum", "number", "How many parties must be present to make a decision."),
        _field(
            "meeting_frequency",
            "How often the partnership meets",
            "line",
            "For example, quarterly, on the first Tuesday.",
        ),
        _field("reports_to", "Reports to", "line"),
        _field("annual_budget", "Annual budget", "money", "In pounds."),
        _field("liabilities", "Liabilities", "text", "Who is responsible for what if something goes wrong."),
    ]


def general_codes() -> set[str]:
    """Return the codes of the fields that the terms of every kind have."""
    return {field["code"] for field in _general_fields(review_date=False)}


_CLAUSES: TableDeclaration = {
    "code": "clauses",
    "label": "Clauses",
    "one": "clause",
    "required": True,
    "fields": [_field("title", "Title", "line"), _field("body", "Text", "text")],
}
_CONTRIBUTIONS: TableDeclaration = {
    "code": "contributions",
    "label": "Contributions",
    "one": "contribution",
    "help": "What each party gives in each year, in money or in kind.",
    "fields": [
        _field("party", "Party", "party"),
        _field("year", "Year", "year", "For example, 2027, or 2027-28 for a financial year."),
        _field("money", "Money", "money", "In pounds."),
        _field("in_kind", "In kind", "line", "For example, land, staff or rooms."),
        _field("note", "Note", "line"),
    ],
}
_CHECKS: list[CheckDeclaration] = [
    {"check": "not_after", "field": "starts_on", "other": "ends_on"},
    {"check": "not_after", "field": "starts_on", "other": "review_on"},
    {"check": "not_above_parties", "field": "quorum"},
]


def declare(
    kind: str,
    label: str,
    *,
    review_date: bool = False,
    fields: Iterable[FieldDeclaration] = (),
    tables: Iterable[TableDeclaration] = (),
    checks: Iterable[CheckDeclaration] = (),
) -> Declarations:
    """Return the declarations of a kind. Its own fields, tables and checks are added to those of all kinds.

    With `review_date`, the terms cannot be signed without a review date.
    """
    return {
        "kind": kind,
        "label": label,
        "about": [*_general_fields(review_date=review_date), *fields],
        "tables": [_CLAUSES, *tables, _CONTRIBUTIONS],
        "checks": [*_CHECKS, *checks],
    }


def with_retired_fields(current: Declarations, earlier: Declarations, content: dict[str, Any]) -> Declarations:
    """Return today's declarations, with the retired fields and tables that the content still uses.

    `earlier` are the declarations with which the content was written. For example, an administrator has retired the
    field "Panel size". An amendment of terms that fill it in still has this field.
    """
    current_codes = {field["code"] for field in current["about"]}
    retired_fields = [
        field
        for field in earlier["about"]
        if field["code"] not in current_codes and content["about"].get(field["code"])
    ]
    current_table_codes = {table["code"] for table in current["tables"]}
    retired_tables = [
        table for table in earlier["tables"] if table["code"] not in current_table_codes and content.get(table["code"])
    ]
    earlier_tables = {table["code"]: table for table in earlier["tables"]}
    tables = [
        _with_retired_columns(table, earlier_tables.get(table["code"]), content.get(table["code"], []))
        for table in [*current["tables"], *retired_tables]
    ]
    return {**current, "about": [*current["about"], *retired_fields], "tables": tables}


def _with_retired_columns(
    table: TableDeclaration, earlier: TableDeclaration | None, rows: list[dict[str, Any]]
) -> TableDeclaration:
    """Return a table with the retired columns that its rows still use."""
    if earlier is None:
        return table
    current_codes = {column["code"] for column in table["fields"]}
    retired_columns = [
        column
        for column in earlier["fields"]
        if column["code"] not in current_codes and any(row.get(column["code"]) for row in rows)
    ]
    return {**table, "fields": [*table["fields"], *retired_columns]}
