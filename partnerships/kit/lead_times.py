"""The form field for the numbers of days before a date on which people are reminded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

#: Numbers of days that are always offered.
USUAL_DAYS = (90, 60, 30, 14, 7, 5, 3, 1, 0)
_LABELS = {1: "The day before", 0: "On the day"}


class LeadTimesField(forms.TypedMultipleChoiceField):
    """Numbers of days before a date, as checkboxes, the longest first."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(coerce=int, required=False, **kwargs)
        self.offer(())

    def offer(self, days: Iterable[int], *last_choices: tuple[int, str]) -> None:
        """Offer these days and the usual ones, then `last_choices`.

        `days` must have all present values, which may be unusual after an import. Saving the form would delete a value
        that is not among the choices.
        """
        offered_days = sorted({*USUAL_DAYS, *days}, reverse=True)
        day_choices = [(day, _LABELS.get(day, f"{day} days before")) for day in offered_days]
        self.choices = [*day_choices, *last_choices]
