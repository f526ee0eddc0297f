"""What is missing or wrong before terms can be signed, one clear sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from partnerships.agreements.terms.declarations import (
    CheckDeclaration,
    Declarations,
    FieldDeclaration,
    TableDeclaration,
)
from partnerships.documents import Content, Item, Problem

HUNDRED = Decimal(100)
#: Limits of the days of notice: at least a day, at most two years.
NOTICE_DAYS = range(1, 731)


def problems_of(declarations: Declarations, content: Content, *, parties: int | None = None) -> list[Problem]:
    """What must be put right before these terms can be signed.

    `parties` is the number of parties that take part; None skips the checks that need it.
    """
    return [*_missing(declarations, content), *_failed(declarations, content, parties), *_without_column(content)]


def _without_column(content: Content) -> Iterator[Problem]:
    """Values that no partnership can hold, so the last signature would fail."""
    notice = content["about"].get("notice_days")
    if notice is not None and notice not in NOTICE_DAYS:
        message = f"Notice can be {NOTICE_DAYS[0]} to {NOTICE_DAYS[-1]} days. Leave it empty if there is no period."
        yield Problem("about/notice_days", message)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == ""


def _missing(declarations: Declarations, content: Content) -> Iterator[Problem]:
    for field in declarations["about"]:
        if field.get("required") and _is_empty(content["about"].get(field["code"])):
            yield Problem(f"about/{field['code']}", f"Fill in “{field['label']}”.")
    for table in declarations["tables"]:
        rows = content.get(table["code"], [])
        if table.get("required") and not rows:
            yield Problem(table["code"], f"Add at least one {table['one']} to “{table['label']}”.")
        for row in rows:
            for field in table["fields"]:
                if field.get("required") and _is_empty(row.get(field["code"])):
                    path = f"{table['code']}/{row['key']}/{field['code']}"
                    yield Problem(path, f"Fill in “{field['label']}” in {_row_name(table, row)}.")


def _row_name(table: TableDeclaration, row: Item) -> str:
    return f"the {table['one']} “{row.get(table['fields'][0]['code'])}”"


@dataclass(frozen=True, slots=True)
class _Checking:
    """One check with what it looks at.

    `rows` are the terms themselves where the check names no table.
    """

    about: dict[str, FieldDeclaration]
    whole: Item
    table: TableDeclaration | None
    rows: list[Item]
    field: FieldDeclaration
    other: FieldDeclaration | None
    parties: int | None

    @property
    def label(self) -> str:
        """The field's label in quotation marks, with its table's."""
        label = f"“{self.field['label']}”"
        return f"{label} in “{self.table['label']}”" if self.table else label

    def place(self, row: Item) -> str:
        """Where a row's field stands."""
        code = self.field["code"]
        return f"{self.table['code']}/{row['key']}/{code}" if self.table else f"about/{code}"

    def inside(self, row: Item) -> str:
        """Where a row is, in words; "" for the terms themselves."""
        return f" in {_row_name(self.table, row)}" if self.table else ""


def _failed(declarations: Declarations, content: Content, parties: int | None) -> Iterator[Problem]:
    for check in declarations["checks"]:
        looking = _looking(declarations, content, check, parties)
        # A field may have been retired after its check was declared.
        if looking is not None:
            yield from _CHECKS[check["check"]](looking)


def _looking(
    declarations: Declarations, content: Content, check: CheckDeclaration, parties: int | None
) -> _Checking | None:
    """What a check reads of the content; None if one of its fields was retired."""
    about = {field["code"]: field for field in declarations["about"]}
    code = check.get("table", "")
    table = next((table for table in declarations["tables"] if table["code"] == code), None)
    if code and table is None:
        return None
    columns = {field["code"]: field for field in table["fields"]} if table else about
    field, other = columns.get(check["field"]), check.get("other", "")
    of_whole = check["check"] == "total_not_above"
    second = (about if of_whole else columns).get(other)
    if field is None or (other and second is None):
        return None
    rows = content.get(code, []) if table else [content["about"]]
    return _Checking(
        about=about, whole=content["about"], table=table, rows=rows, field=field, other=second, parties=parties
    )


def _total(looking: _Checking) -> Decimal:
    return sum((Decimal(str(row.get(looking.field["code"]) or 0)) for row in looking.rows), Decimal(0))


def _plain(number: Decimal) -> str:
    return f"{number:,f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:,f}"


def _adds_up_to_100(looking: _Checking) -> Iterator[Problem]:
    total = _total(looking)
    # Thirds do not add up exactly.
    if looking.table and looking.rows and abs(total - HUNDRED) > Decimal("0.01") * len(looking.rows):
        yield Problem(looking.table["code"], f"{looking.label} adds up to {_plain(total)}%: it must add up to 100%.")


def _not_after(looking: _Checking) -> Iterator[Problem]:
    if looking.other is None:
        return
    for row in looking.rows:
        first, second = row.get(looking.field["code"]), row.get(looking.other["code"])
        if first and second and first > second:
            message = f"“{looking.field['label']}” is after “{looking.other['label']}”{looking.inside(row)}."
            yield Problem(looking.place(row), message)


def _each_once(looking: _Checking) -> Iterator[Problem]:
    codes = [field["code"] for field in (looking.field, looking.other) if field]
    rows = [row for row in looking.rows if not all(_is_empty(row.get(code)) for code in codes)]
    counted = Counter(tuple(str(row.get(code) or "").casefold() for code in codes) for row in rows)
    repeated = set()
    for row in rows:
        values = tuple(str(row.get(code) or "").casefold() for code in codes)
        if counted[values] > 1 and values not in repeated:
            repeated.add(values)
            shown = ", ".join(str(row.get(code) or "not given") for code in codes)
            yield Problem(looking.place(row), f"“{shown}” occurs more than once: {looking.label}.")


def _not_above_parties(looking: _Checking) -> Iterator[Problem]:
    for row in looking.rows:
        number = row.get(looking.field["code"])
        if number is not None and looking.parties is not None and number > looking.parties:
            count = f"{looking.parties} part{'y' if looking.parties == 1 else 'ies'}"
            yield Problem(looking.place(row), f"{looking.label} is {number}, but there are only {count}.")


def _needs(looking: _Checking) -> Iterator[Problem]:
    if looking.other is None:
        return
    for row in looking.rows:
        if not _is_empty(row.get(looking.field["code"])) and _is_empty(row.get(looking.other["code"])):
            message = (
                f"Fill in “{looking.other['label']}”{looking.inside(row)}: it is needed with "
                f"“{looking.field['label']}”."
            )
            yield Problem(looking.place(row), message)


def _differ(looking: _Checking) -> Iterator[Problem]:
    if looking.other is None:
        return
    for row in looking.rows:
        first, second = row.get(looking.field["code"]), row.get(looking.other["code"])
        if not _is_empty(first) and first == second:
            message = f"“{looking.field['label']}” and “{looking.other['label']}” are the same{looking.inside(row)}."
            yield Problem(looking.place(row), message)


def _total_not_above(looking: _Checking) -> Iterator[Problem]:
    if looking.other is None or looking.table is None:
        return
    limit = looking.whole.get(looking.other["code"])
    if _is_empty(limit):
        return
    total = _total(looking)
    if total > Decimal(str(limit)):
        sign = "£" if looking.field["shape"] == "money" else ""
        message = (
            f"{looking.label} adds up to {sign}{_plain(total)}: more than “{looking.other['label']}”, "
            f"{sign}{_plain(Decimal(str(limit)))}."
        )
        yield Problem(looking.table["code"], message)


_CHECKS: dict[str, Callable[[_Checking], Iterator[Problem]]] = {
    "adds_up_to_100": _adds_up_to_100,
    "not_after": _not_after,
    "each_once": _each_once,
    "not_above_parties": _not_above_parties,
    "needs": _needs,
    "total_not_above": _total_not_above,
    "differ": _differ,
}
