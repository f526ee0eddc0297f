"""Forms for notices and for reminders of dates."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from partnerships.agreements.models import LONGEST_LEAD_TIME, DateKind
from partnerships.kit.dates import long_date
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.kit.lead_times import LeadTimesField


class NoticeForm(Form):
    """Give notice for a party: its last day, and why."""

    last_day = DayField(label="Last day", required=False)
    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The partners can read this.",
    )

    def __init__(self, *args: Any, earliest: dt.date, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_day"].help_text = (
            f"You still take part on this day. The earliest day is {long_date(earliest)}. If you leave this "
            "empty, we use that day."
        )
        self.helper = Helper(self, submit="Give notice", cancel=cancel, danger=True)


class DateRemindersForm(Form):
    """Choose the dates about which a party's leads get reminders, and how many days before."""

    dates = forms.MultipleChoiceField(
        label="Which dates?",
        required=False,
        choices=DateKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose no dates to turn reminders off.",
    )
    days = LeadTimesField(
        label="When?",
        help_text="If several dates fall on one day, we send one email. "
        "We remind people who chose their own days on those days instead.",
    )
    other = forms.IntegerField(
        label="Another number of days before",
        required=False,
        min_value=0,
        max_value=LONGEST_LEAD_TIME,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
    )

    def __init__(self, *args: Any, days: list[int], dates: list[str], cancel: str, **kwargs: Any) -> None:
        """Build the form. `days` and `dates` are the saved choices, `cancel` is the address of the page before."""
        kwargs.setdefault("initial", {"days": days, "dates": dates})
        super().__init__(*args, **kwargs)
        lead_times = self.fields["days"]
        assert isinstance(lead_times, LeadTimesField)
        lead_times.offer(days)
        self.helper = Helper(self, submit="Save reminders", cancel=cancel)

    @property
    def chosen_days(self) -> list[int]:
        """Return the chosen lead times in days, including the number typed into the field `other`."""
        chosen_days: list[int] = list(self.cleaned_data["days"])
        typed_days = self.cleaned_data["other"]
        if typed_days is not None:
            chosen_days.append(typed_days)
        return chosen_days
