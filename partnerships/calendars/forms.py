"""The form in which people choose the dates that their calendar shows."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.calendars.models import CalendarAddress
from partnerships.kit.calendars import CalendarKind
from partnerships.kit.forms import Form, Helper


class KindsForm(Form):
    """Choose the kinds of date that a calendar shows, for a new address or an existing one.

    All kinds are ticked until the person chooses. The calendar of a saved view has no choice (`chooses` is False): it
    shows the dates of the view's rows.
    """

    kinds = forms.MultipleChoiceField(
        label="What the calendar shows",
        choices=CalendarKind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one kind of date."},
    )

    def __init__(self, *args: Any, address: CalendarAddress | None, chooses: bool = True, **kwargs: Any) -> None:
        """Build the form to make the address, or to change or replace `address` if the calendar has one."""
        super().__init__(*args, **kwargs)
        if not chooses:
            del self.fields["kinds"]
            self.helper = Helper(self, submit="Make a new address" if address else "Make calendar address")
            return
        if self.initial.get("kinds") is None:
            self.initial["kinds"] = list(CalendarKind.values)
        if address:
            self.helper = Helper(self, submit="Save choice", secondary=("renew", "Make a new address"))
        else:
            self.helper = Helper(self, submit="Make calendar address")
