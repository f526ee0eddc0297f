"""The form to choose when to get reminders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse

from partnerships.commitments.services.reminders import LONGEST_LEAD_TIME
from partnerships.kit.forms import Form, Helper


class RemindersForm(Form):
    """How many days before the due date to send reminders."""

    CHOICES = (
        (60, "60 days before"),
        (30, "30 days before"),
        (14, "14 days before"),
        (7, "7 days before"),
        (3, "3 days before"),
        (1, "the day before"),
        (0, "on the day"),
    )
    days = forms.TypedMultipleChoiceField(
        label="When to remind me",
        coerce=int,
        required=False,
        choices=CHOICES,
        widget=forms.CheckboxSelectMultiple,
        help_text="You get one email for each commitment on each day you choose. Choose none to turn reminders off.",
    )
    other = forms.IntegerField(
        label="Another number of days before",
        required=False,
        min_value=0,
        max_value=LONGEST_LEAD_TIME,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save reminders", cancel=reverse("commitments:list"))

    @property
    def chosen(self) -> list[int]:
        """The days chosen; needs a valid form."""
        other = self.cleaned_data["other"]
        return [*self.cleaned_data["days"], *([] if other is None else [other])]
