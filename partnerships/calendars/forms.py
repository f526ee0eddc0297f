"""The form in which people choose the dates that their calendar shows."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.calendars.models import CalendarAddress
from partnerships.kit.calendars import CalendarKind
from partnerships.kit.forms import Form, Helper


class KindsForm(Form):
    """The form to choose the kinds of date that a calendar shows, and to make its address.

    All kinds are ticked at first. The form of a saved view only makes the address, because its calendar shows the dates
    of all its rows.
    """

    kinds = forms.MultipleChoiceField(
        label="What the calendar shows",
        choices=CalendarKind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one kind of date."},
    )

    def __init__(self, *args: Any, address: CalendarAddress | None, has_kinds: bool = True, **kwargs: Any) -> None:
        """Build the form to make an address, or to change or replace the present `address`."""
        super().__init__(*args, **kwargs)
        if not has_kinds:
            del self.fields["kinds"]
            self.helper = Helper(self, submit="Make a new address" if address else "Make calendar address")
            return
        if self.initial.get("kinds") is None:
            self.initial["kinds"] = list(CalendarKind.values)
        if address:
            self.helper = Helper(self, submit="Save choice", secondary=("renew", "Make a new address"))
        else:
            self.helper = Helper(self, submit="Make calendar address")
