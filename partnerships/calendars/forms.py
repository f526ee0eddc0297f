"""The form in which people choose what their calendar shows."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.calendars.models import CalendarAddress
from partnerships.kit.calendars import CalendarKind
from partnerships.kit.forms import Form, Helper


class KindsForm(Form):
    """Kinds of date, all of them until somebody chooses.

    It makes an address, or changes one.
    """

    kinds = forms.MultipleChoiceField(
        label="What the calendar shows",
        choices=CalendarKind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one kind of date."},
    )

    def __init__(self, *args: Any, address: CalendarAddress | None, chooses: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not chooses:  # a saved view has the dates of its rows
            del self.fields["kinds"]
            self.helper = Helper(self, submit="Make a new address" if address else "Make calendar address")
            return
        if self.initial.get("kinds") is None:
            self.initial["kinds"] = list(CalendarKind.values)
        self.helper = Helper(
            self,
            submit="Save choice" if address else "Make calendar address",
            secondary=("renew", "Make a new address") if address else None,
        )
