"""Forms about oneself."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.urls import reverse

from partnerships.kit.forms import AutocompleteSelect, Helper
from partnerships.people.models import User


def _time_zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones()) if "/" in name]


class DetailsForm(forms.Form):
    """What the partners call somebody, and when their day begins."""

    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=_time_zones,
        widget=AutocompleteSelect,
        help_text="Daily and weekly digests go out in the morning there.",
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"name": person.name, "time_zone": person.time_zone})
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save", cancel=reverse("people:account"))
