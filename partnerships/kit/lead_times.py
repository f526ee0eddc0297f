"""The field for how many days before a date to be reminded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

#: The days that are always offered.
USUAL_DAYS = (90, 60, 30, 14, 7, 5, 3, 1, 0)
_WORDS = {1: "The day before", 0: "On the day"}


class LeadTimesField(forms.TypedMultipleChoiceField):
    """Days before a date, as checkboxes, the longest first."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(coerce=int, required=False, **kwargs)
        self.offer(())

    def offer(self, days: Iterable[int], *more: tuple[int, str]) -> None:
        """Offer these days beside the usual ones, then `more`.

        What was chosen elsewhere must be among the choices, or saving the form would drop it.
        """
        offered = sorted({*USUAL_DAYS, *days}, reverse=True)
        self.choices = [*((day, _WORDS.get(day, f"{day} days before")) for day in offered), *more]
