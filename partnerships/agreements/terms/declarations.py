"""Declarations: what the terms of a kind of partnership hold, as plain JSON.

A version of the terms stores the declarations with which it was published, and prints with them for ever. Lists keep
the order of reading; `choices` are pairs because JSON in the database does not keep the order of keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Shape: TypeAlias = Literal[
    "line", "text", "date", "flag", "choice", "number", "money", "percent", "days", "party", "year"
]
#: Shapes that administrators choose from, with what they hold.
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
#: Checks that administrators choose from, with what they say.
CHECKS: dict[str, str] = {
    "adds_up_to_100": "The column adds up to 100 %",
    "not_after": "The first date is not after the second",
    "each_once": "No two rows have the same value in the column (and in the second column, if one is named)",
    "not_above_parties": "The number is not above the number of parties",
    "needs": "If the first is given, the second must be given too",
    "total_not_above": "The column's total is not above a field of the terms",
    "differ": "The first and the second are not the same",
}


#: Checks that compare two fields, and those that look at a column.
NEED_OTHER = frozenset({"not_after", "needs", "total_not_above", "differ"})
NEED_TABLE = frozenset({"adds_up_to_100", "each_once", "total_not_above"})


class FieldDeclaration(TypedDict):
    """One field, or one column of a table."""

    code: str
    label: str
    shape: Shape
    help: NotRequired[str]
    required: NotRequired[bool]  # before anybody can sign
    choices: NotRequired[list[list[str]]]  # pairs of code and label


class TableDeclaration(TypedDict):
    """One table: a list of rows. The first column names a row."""

    code: str
    label: str  # of the whole table: "Lots"
    one: str  # one row: "lot"
    fields: list[FieldDeclaration]
    help: NotRequired[str]
    required: NotRequired[bool]  # at least one row, before anybody can sign


class CheckDeclaration(TypedDict):
    """One check before the terms can be signed.

    `table` is empty for fields of the terms themselves.
    """

    check: CheckName
    field: str
    table: NotRequired[str]
    other: NotRequired[str]  # the second field or column


class Declarations(TypedDict):
    """What the terms of one kind hold."""

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


def _field(code: str, label: str, shape: Shape, help: str = "", **more: Any) -> FieldDeclaration:  # noqa: A002 - as stored
    declared: dict[str, Any] = {"code": code, "label": label, "shape": shape, **more}
    return declared | {"help": help} if help else declared  # type: ignore[return-value]  # a dict built in two steps


def _general(*, review_date: bool) -> list[FieldDeclaration]:
    """The fields of all kinds before those of the kind."""
    return [
        _field("purpose", "Purpose", "text", "What the partners want to achieve together."),
        _field("starts_on", "Starts on", "date", "Leave empty to start on the day the last party signs."),
        _field(
            "review_on", "Review on", "date", "The partnership comes up for review on this day.", required=review_date
        ),
        _field("ends_on", "Ends on", "date", "Leave empty if no end is agreed."),
        _field("goes_on", "It continues after the end date until somebody ends it", "flag"),
        _field("notice_days", "Notice to leave or end it", "days"),
        _field("legally_binding", "Legally binding", "flag"),
        _field("governing_law", "Governing law", "choice", choices=_LAW),
        _field("quorum", "Quorum", "number", "How many parties must be present to decide."),
        _field("meeting_frequency", "How often it meets", "line", "Such as: quarterly, on the first Tuesday."),
        _field("reports_to", "Reports to", "line"),
        _field("annual_budget", "Annual budget", "money", "In pounds."),
        _field("liabilities", "Liabilities", "text", "Who is responsible for what if something goes wrong."),
    ]


def general_codes() -> set[str]:
    """The codes of the fields that all kinds have."""
    return {field["code"] for field in _general(review_date=False)}


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
    "help": "Who gives what in each year, in money or in kind.",
    "fields": [
        _field("party", "Party", "party"),
        _field("year", "Year", "year", "2027, or 2027-28 for a financial year."),
        _field("money", "Money", "money", "In pounds."),
        _field("in_kind", "In kind", "line", "Such as land, staff or rooms."),
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
    """The declarations of a kind: what all kinds hold, then its own.

    `review_date` says whether the terms need one before they can be signed.
    """
    return {
        "kind": kind,
        "label": label,
        "about": [*_general(review_date=review_date), *fields],
        "tables": [_CLAUSES, *tables, _CONTRIBUTIONS],
        "checks": [*_CHECKS, *checks],
    }


def with_retired(now: Declarations, before: Declarations, content: dict[str, Any]) -> Declarations:
    """The declarations of today, and what `content` uses of those it was written with.

    An amendment keeps the fields and tables that were retired since, as long as something stands in them.
    """
    present_codes = {field["code"] for field in now["about"]}
    about = [
        *now["about"],
        *(
            field
            for field in before["about"]
            if field["code"] not in present_codes and content["about"].get(field["code"])
        ),
    ]
    today = {table["code"]: table for table in now["tables"]}
    retired = [table for table in before["tables"] if table["code"] not in today and content.get(table["code"])]
    earlier = {table["code"]: table for table in before["tables"]}
    tables = [_with_columns(table, earlier.get(table["code"]), content) for table in [*now["tables"], *retired]]
    return {**now, "about": about, "tables": tables}


def _with_columns(
    table: TableDeclaration, before: TableDeclaration | None, content: dict[str, Any]
) -> TableDeclaration:
    if before is None:
        return table
    present_codes = {field["code"] for field in table["fields"]}
    rows = content.get(table["code"], [])
    retired = [
        column
        for column in before["fields"]
        if column["code"] not in present_codes and any(row.get(column["code"]) for row in rows)
    ]
    return {**table, "fields": [*table["fields"], *retired]}
