"""The fields of the terms that lists and other rooms read as columns.

The terms hold dates and money as text. The columns of a partnership are written when a version comes into force.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from partnerships.documents import Content
from partnerships.kit.dates import long_date

#: Columns with the shape of their value; a kind of partnership need not have all of them.
COLUMNS: Mapping[str, str] = {
    "purpose": "text",
    "legally_binding": "flag",
    "starts_on": "date",
    "review_on": "date",
    "ends_on": "date",
    "goes_on": "flag",
    "notice_days": "number",
    "quorum": "number",
    "meeting_frequency": "text",
    "reports_to": "text",
    "annual_budget": "money",
    "liabilities": "text",
}
#: Characters that fit in a column.
_LENGTHS = {"meeting_frequency": 80, "reports_to": 200}


def column_values(content: Content) -> dict[str, Any]:
    """The columns for a content; fields that its kind does not have are empty."""
    about = content["about"]
    values = {name: _value(name, shape, about.get(name)) for name, shape in COLUMNS.items()}
    values["terms_of_reference"] = clauses_as_text(content)
    values["contribution"] = contributions_as_text(content)
    return values


def _value(name: str, shape: str, value: Any) -> Any:
    if shape == "flag":
        return bool(value)
    if shape == "text":
        return str(value or "")[: _LENGTHS.get(name)]
    if value in (None, ""):
        return None
    if shape == "number":
        return int(value)
    return day(value) if shape == "date" else money(value)


def day(value: Any) -> dt.date | None:
    """A whole date; None for a month, a year or nothing."""
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def ends_before(content: Content, start: dt.date) -> bool:
    """Whether the end date of terms is before a day, and they do not go on after it."""
    ends_on = day(content["about"].get("ends_on"))
    return ends_on is not None and ends_on < start and not content["about"].get("goes_on")


def dates_out_of_order(content: Content) -> str:
    """The dates of terms that no partnership can hold, in a sentence. Empty if there are none."""
    about = content["about"]
    start = day(about.get("starts_on"))
    for code, words in (("ends_on", "end date"), ("review_on", "review date")):
        later = day(about.get(code))
        if start is not None and later is not None and later < start:
            return f"The {words}, {long_date(later)}, would be before the start date, {long_date(start)}."
    return ""


def money(value: Any) -> Decimal | None:
    """An amount in pounds; None where there is none."""
    try:
        return Decimal(str(value).replace(",", "")) if value not in (None, "") else None
    except InvalidOperation:
        return None


def clauses_as_text(content: Content) -> str:
    """The clauses as one text, each under its title."""
    return "\n\n".join(f"{item['title']}\n\n{item['body']}".strip() for item in content.get("clauses", ()))


def contributions_as_text(content: Content) -> str:
    """One line for each contribution."""
    lines = []
    for item in content.get("contributions", ()):
        parts = [str(item.get("party") or ""), str(item.get("year") or "")]
        amount = money(item.get("money"))
        contributed = [f"£{amount:,.0f}"] if amount else []
        contributed += [str(item["in_kind"])] if item.get("in_kind") else []
        lines.append(f"{', '.join(part for part in parts if part)}: {'; '.join(contributed)}".strip(": "))
    return "\n".join(line for line in lines if line)


def content_from_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """A raw content that says what the columns say.

    The text of the terms becomes one clause, and the contribution another.
    """
    about = {name: _raw(shape, values[name]) for name, shape in COLUMNS.items() if values.get(name) not in (None, "")}
    clauses = []
    if str(values.get("terms_of_reference") or "").strip():
        clauses.append({"key": "terms", "title": "Terms", "body": values["terms_of_reference"]})
    if str(values.get("contribution") or "").strip():
        clauses.append({"key": "contribution", "title": "Contribution", "body": values["contribution"]})
    return {"about": about, "clauses": clauses}


def _raw(shape: str, value: Any) -> Any:
    return value.isoformat() if shape == "date" else str(value) if shape == "money" else value
