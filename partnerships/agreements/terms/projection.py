"""Convert between the content of terms and the columns of a partnership.

Lists and other rooms read the columns, which are written when a version comes into force. In the content, dates and
amounts are text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from partnerships.documents import Content
from partnerships.kit.dates import long_date

#: Shape of each column's value. The terms of some kinds of partnership have only some of these fields.
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
#: How many characters fit in a column.
_MAX_LENGTHS = {"meeting_frequency": 80, "reports_to": 200}


def column_values(content: Content) -> dict[str, Any]:
    """Return the value of each column for some terms. Columns without a field in the terms are emptied."""
    about = content["about"]
    values = {name: _column_value(name, shape, about.get(name)) for name, shape in COLUMNS.items()}
    values["terms_of_reference"] = clauses_as_text(content)
    values["contribution"] = contributions_as_text(content)
    return values


def _column_value(name: str, shape: str, value: Any) -> Any:
    """Return a value of the content as the column stores it."""
    if shape == "flag":
        return bool(value)
    if shape == "text":
        return str(value or "")[: _MAX_LENGTHS.get(name)]
    if value in (None, ""):
        return None
    if shape == "number":
        return int(value)
    return precise_day(value) if shape == "date" else amount_in_pounds(value)


def precise_day(value: Any) -> dt.date | None:
    """Return a date, or None for a month, a year or an empty value."""
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def ends_before(content: Content, start: dt.date) -> bool:
    """Return whether terms end before a day. Terms that continue after their end date do not."""
    ends_on = precise_day(content["about"].get("ends_on"))
    return ends_on is not None and ends_on < start and not content["about"].get("goes_on")


def dates_out_of_order(content: Content) -> str:
    """Return an error about an end or a review before the start, or "".

    The columns of a partnership do not allow such dates.
    """
    about = content["about"]
    start = precise_day(about.get("starts_on"))
    if start is None:
        return ""
    for code, label in (("ends_on", "end date"), ("review_on", "review date")):
        later_day = precise_day(about.get(code))
        if later_day is not None and later_day < start:
            return (
                f"The {label}, {long_date(later_day)}, would be before the start date, {long_date(start)}. "
                "Change one of the two dates."
            )
    return ""


def amount_in_pounds(value: Any) -> Decimal | None:
    """Return an amount in pounds, or None for a value that is empty or not a number."""
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        return None


def clauses_as_text(content: Content) -> str:
    """Return the clauses as one text, each below its title."""
    return "\n\n".join(f"{item['title']}\n\n{item['body']}".strip() for item in content.get("clauses", ()))


def contributions_as_text(content: Content) -> str:
    """Return the contributions as text, with a line such as "Larkhaven, 2027: £1,500; a desk" for each."""
    lines = []
    for item in content.get("contributions", ()):
        party_and_year = [str(item[code]) for code in ("party", "year") if item.get(code)]
        amount = amount_in_pounds(item.get("money"))
        contributions = [f"£{amount:,.0f}"] if amount else []
        if item.get("in_kind"):
            contributions.append(str(item["in_kind"]))
        lines.append(f"{', '.join(party_and_year)}: {'; '.join(contributions)}".strip(": "))
    return "\n".join(line for line in lines if line)


def content_from_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the raw content of terms with the values of the columns.

    The terms of reference become one clause, and the contribution another.
    """
    about = {
        name: _raw_value(shape, values[name]) for name, shape in COLUMNS.items() if values.get(name) not in (None, "")
    }
    clauses = []
    if str(values.get("terms_of_reference") or "").strip():
        clauses.append({"key": "terms", "title": "Terms", "body": values["terms_of_reference"]})
    if str(values.get("contribution") or "").strip():
        clauses.append({"key": "contribution", "title": "Contribution", "body": values["contribution"]})
    return {"about": about, "clauses": clauses}


def _raw_value(shape: str, value: Any) -> Any:
    """Return a value as raw content stores it."""
    if shape == "date":
        return value.isoformat()
    if shape == "money":
        return str(value)
    return value
