"""Dates as precise as they are known."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from partnerships.kit.dates import MONTHS, PartialDate
from partnerships.kit.forms import DayInput


class PartialDateInput(DayInput):
    """Day, month and year in three boxes.

    The day, or the day and the month, may be empty.
    """

    def decompress(self, value: dt.date | str | None) -> list[Any]:
        """The boxes' contents for a stored partial date.

        "2027", "2027-04", "2027-04-11".
        """
        if not isinstance(value, str) or not value:
            return [None, None, None]
        partial = PartialDate.parse(value)
        return [partial.day, partial.month, partial.year]


class PartialDateField(forms.MultiValueField):
    """A date as precise as it is known.

    Cleans to "2027", "2027-04", "2027-04-11" or "".
    """

    widget = PartialDateInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            fields=[forms.CharField(required=False, max_length=20) for _ in range(3)],
            require_all_fields=False,
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        """The partial date. Error messages name the field."""
        day, month, year = (str(part or "").strip() for part in (value or ("", "", "")))
        if not day and not month and not year:
            return ""
        names = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
        names |= {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
        number = str(names.get(month.lower(), month))
        if not year or (day and not month):
            missing = "a year" if not year else "a month"
            raise ValidationError(f"{self.label} must include {missing}", code="incomplete")
        try:
            text = "-".join(part.zfill(width) for part, width in ((year, 4), (number, 2), (day, 2)) if part)
            return str(PartialDate.parse(text))
        except ValueError as error:
            raise ValidationError(f"{self.label} must be a real date, like 27 3 2027", code="invalid") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the boxes hold another date than before."""
        before = [str(part or "") for part in self.widget().decompress(initial)]
        return [str(part or "").strip() for part in (data or ("", "", ""))] != before
