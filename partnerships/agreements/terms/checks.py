"""Checks of the terms of a partnership before they can be signed."""

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
#: The terms may require from one day to two years of notice.
NOTICE_DAYS = range(1, 731)


def problems_of(declarations: Declarations, content: Content, *, party_count: int | None = None) -> list[Problem]:
    """Return the problems that must be solved before these terms can be signed.

    `party_count` is the number of parties that take part. None skips the checks that need this number.
    """
    return [
        *_missing_values(declarations, content),
        *_failed_checks(declarations, content, party_count),
        *_impossible_notice(content),
    ]


def _impossible_notice(content: Content) -> Iterator[Problem]:
    """Yield a problem if the column of a partnership cannot store the notice period.

    Without this check, the last signature would fail.
    """
    notice = content["about"].get("notice_days")
    if notice is not None and notice not in NOTICE_DAYS:
        message = f"Enter {NOTICE_DAYS[0]} to {NOTICE_DAYS[-1]} days’ notice, or leave this empty if there is none."
        yield Problem("about/notice_days", message)


def _is_empty(value: Any) -> bool:
    """Return whether nothing was entered. The number 0 is a value, and a box that is not ticked is none."""
    return value is None or value is False or value == ""


def _missing_values(declarations: Declarations, content: Content) -> Iterator[Problem]:
    """Yield a problem for each required field or table that is empty."""
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
    """Return the name of a row, such as `the lot “Small sites”`, from its first column."""
    name_column = table["fields"][0]["code"]
    return f"the {table['one']} “{row.get(name_column)}”"


@dataclass(frozen=True, slots=True)
class _Check:
    """A declared check with the fields and values that it reads.

    Without a table, the only row is `about`, the fields of the terms themselves.
    """

    about: Item
    table: TableDeclaration | None
    rows: list[Item]
    field: FieldDeclaration
    second_field: FieldDeclaration | None
    party_count: int | None

    @property
    def label(self) -> str:
        """Return the label of the field, and of its table if it is a column."""
        label = f"“{self.field['label']}”"
        return f"{label} in “{self.table['label']}”" if self.table else label

    def value(self, row: Item) -> Any:
        """Return the value of the field in a row."""
        return row.get(self.field["code"])

    def second_value(self, row: Item) -> Any:
        """Return the value of the second field in a row, or None if the check has no second field."""
        return row.get(self.second_field["code"]) if self.second_field else None

    def path(self, row: Item) -> str:
        """Return the path of the field in a row, as problems name it."""
        code = self.field["code"]
        return f"{self.table['code']}/{row['key']}/{code}" if self.table else f"about/{code}"

    def in_row(self, row: Item) -> str:
        """Return the end of a sentence that names the row, or "" for the terms themselves."""
        return f" in {_row_name(self.table, row)}" if self.table else ""


def _failed_checks(declarations: Declarations, content: Content, party_count: int | None) -> Iterator[Problem]:
    """Yield the problems that the checks of the kind find."""
    for declaration in declarations["checks"]:
        check = _build_check(declarations, content, declaration, party_count)
        # A field may have been retired after its check was declared.
        if check is not None:
            yield from _CHECKS[declaration["check"]](check)


def _build_check(
    declarations: Declarations, content: Content, declaration: CheckDeclaration, party_count: int | None
) -> _Check | None:
    """Return the check with its fields and rows, or None if one of its fields was retired."""
    fields_of_terms = {field["code"]: field for field in declarations["about"]}
    table_code = declaration.get("table", "")
    table = next((table for table in declarations["tables"] if table["code"] == table_code), None)
    if table_code and table is None:
        return None

    fields = {field["code"]: field for field in table["fields"]} if table else fields_of_terms
    field = fields.get(declaration["field"])
    # The check "total_not_above" compares a column with a field of the terms.
    second_fields = fields_of_terms if declaration["check"] == "total_not_above" else fields
    second_code = declaration.get("other", "")
    second_field = second_fields.get(second_code)
    if field is None or (second_code and second_field is None):
        return None

    return _Check(
        about=content["about"],
        table=table,
        rows=content.get(table_code, []) if table else [content["about"]],
        field=field,
        second_field=second_field,
        party_count=party_count,
    )


def _total(check: _Check) -> Decimal:
    """Return the sum of the column."""
    return sum((Decimal(str(check.value(row) or 0)) for row in check.rows), Decimal(0))


def _amount_in_words(amount: Decimal) -> str:
    """Return an amount such as "1,250" or "33.3"."""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _adds_up_to_100(check: _Check) -> Iterator[Problem]:
    """Yield a problem if the percentages of a column do not add up to 100."""
    if check.table is None or not check.rows:
        return
    total = _total(check)
    # Three times 33.33 must pass, so each row may be a hundredth out.
    tolerance = Decimal("0.01") * len(check.rows)
    if abs(total - HUNDRED) > tolerance:
        percentage = _amount_in_words(total)
        yield Problem(check.table["code"], f"{check.label} adds up to {percentage}%. It must add up to 100%.")


def _not_after(check: _Check) -> Iterator[Problem]:
    """Yield a problem for each row whose first date is after its second date."""
    if check.second_field is None:
        return
    for row in check.rows:
        first_date, second_date = check.value(row), check.second_value(row)
        if first_date and second_date and first_date > second_date:
            message = (
                f"“{check.field['label']}” is after “{check.second_field['label']}”{check.in_row(row)}. "
                "Change one of the two dates."
            )
            yield Problem(check.path(row), message)


def _each_once(check: _Check) -> Iterator[Problem]:
    """Yield a problem for each value, or pair of values, that several rows have. Empty rows are ignored."""
    codes = [field["code"] for field in (check.field, check.second_field) if field]

    def key_of(row: Item) -> tuple[str, ...]:
        return tuple(str(row.get(code) or "").casefold() for code in codes)

    rows = [row for row in check.rows if not all(_is_empty(row.get(code)) for code in codes)]
    counts = Counter(key_of(row) for row in rows)
    reported_values = set()
    for row in rows:
        values = key_of(row)
        if counts[values] > 1 and values not in reported_values:
            reported_values.add(values)
            values_in_words = ", ".join(str(row.get(code) or "not given") for code in codes)
            yield Problem(check.path(row), f"{check.label} has “{values_in_words}” more than once. Remove the repeats.")


def _not_above_parties(check: _Check) -> Iterator[Problem]:
    """Yield a problem for each row with a number above the number of parties."""
    if check.party_count is None:
        return
    for row in check.rows:
        value = check.value(row)
        if value is not None and value > check.party_count:
            parties = "1 party" if check.party_count == 1 else f"{check.party_count} parties"
            message = f"{check.label} is {value}, but there are only {parties}. Lower it, or invite more organisations."
            yield Problem(check.path(row), message)


def _needs(check: _Check) -> Iterator[Problem]:
    """Yield a problem for each row that has the first value but not the second."""
    if check.second_field is None:
        return
    for row in check.rows:
        if not _is_empty(check.value(row)) and _is_empty(check.second_value(row)):
            message = (
                f"Fill in “{check.second_field['label']}”{check.in_row(row)}, or leave “{check.field['label']}” empty."
            )
            yield Problem(check.path(row), message)


def _differ(check: _Check) -> Iterator[Problem]:
    """Yield a problem for each row whose two values are the same."""
    if check.second_field is None:
        return
    for row in check.rows:
        value = check.value(row)
        if not _is_empty(value) and value == check.second_value(row):
            message = (
                f"“{check.field['label']}” and “{check.second_field['label']}” are the same{check.in_row(row)}. "
                "Change one of them."
            )
            yield Problem(check.path(row), message)


def _total_not_above(check: _Check) -> Iterator[Problem]:
    """Yield a problem if the total of a column is above a field of the terms."""
    if check.second_field is None or check.table is None:
        return
    limit = check.second_value(check.about)
    if _is_empty(limit):
        return
    total = _total(check)
    if total > Decimal(str(limit)):
        currency = "£" if check.field["shape"] == "money" else ""
        message = (
            f"{check.label} adds up to {currency}{_amount_in_words(total)}, which is more than "
            f"“{check.second_field['label']}”, {currency}{_amount_in_words(Decimal(str(limit)))}. "
            f"Lower these, or raise “{check.second_field['label']}”."
        )
        yield Problem(check.table["code"], message)


_CHECKS: dict[str, Callable[[_Check], Iterator[Problem]]] = {
    "adds_up_to_100": _adds_up_to_100,
    "not_after": _not_after,
    "each_once": _each_once,
    "not_above_parties": _not_above_parties,
    "needs": _needs,
    "total_not_above": _total_not_above,
    "differ": _differ,
}
