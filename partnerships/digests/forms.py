"""Forms of digests: preferences, stakeholders, addresses and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.urls import reverse
from django.utils import timezone

from partnerships.digests.models import Frequency, Preference, SubscriptionStatus, Weekday
from partnerships.digests.schedule import local_day
from partnerships.kit import forms as kit
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

_HOURS = [(hour, f"{hour:02d}:00") for hour in range(24)]


def _zones() -> list[tuple[str, str]]:
    named = sorted(
        zone
        for zone in available_timezones()
        if zone.startswith(("Europe/", "America/", "Asia/", "Africa/", "Australia/"))
    )
    others = ((zone, zone.replace("_", " ").replace("/", ": ", 1)) for zone in named if zone != "Europe/London")
    return [("Europe/London", "London"), *others]


class PreferenceForm(Form):
    """How often and when somebody wants digests."""

    frequency = forms.ChoiceField(label="How often", choices=Frequency.choices, widget=forms.RadioSelect)
    hour = forms.TypedChoiceField(label="Time of day", choices=_HOURS, coerce=int, help_text="Not used for “At once”.")
    weekday = forms.TypedChoiceField(
        label="Day of the week",
        choices=Weekday.choices,
        coerce=int,
        help_text="Not used for “At once” and “Daily”. Monthly means the first such day of a month.",
    )
    working_days_only = forms.BooleanField(
        label="Working days only",
        required=False,
        help_text="No digests at weekends or on bank holidays in England and Wales.",
    )
    tells_matches = forms.BooleanField(
        label="Include new matches",
        required=False,
        help_text="When an ask matches an offer, and one of them is your organisation's.",
    )
    paused_until = DayField(
        label="Pause until",
        required=False,
        help_text="You get no digests before this day, then one with everything that changed.",
    )
    time_zone = forms.ChoiceField(label="Your time zone")

    def __init__(self, *args: Any, person: User, preference: Preference, submit: str = "Save", **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "frequency": preference.frequency,
                "hour": preference.hour,
                "weekday": preference.weekday,
                "working_days_only": preference.working_days_only,
                "tells_matches": preference.tells_matches,
                "paused_until": preference.pause_at(timezone.now(), person.time_zone),
                "time_zone": person.time_zone,
            },
        )
        super().__init__(*args, **kwargs)
        if person.is_stakeholder:
            del self.fields["tells_matches"]
        zone = self.fields["time_zone"]
        if isinstance(zone, forms.ChoiceField):
            zone.choices = _zones()
        self.helper = Helper(self, submit=submit)

    def clean(self) -> dict[str, Any]:
        """A pause must end in the future, in the person's own time zone."""
        data: dict[str, Any] = super().clean() or {}
        until, zone = data.get("paused_until"), data.get("time_zone")
        if until and zone and until <= local_day(timezone.now(), zone):
            self.add_error("paused_until", "“Pause until” must be in the future; leave it empty to get digests now")
        return data


class AddressForm(Form):
    """The address that new links are sent to."""

    email = forms.EmailField(
        label="Your email address",
        max_length=254,
        help_text="The address your digests are sent to.",
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send new links")


class CorrectAddressForm(Form):
    """The right address of a stakeholder."""

    email = forms.EmailField(label="New email address", max_length=254)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send confirmation email", cancel=cancel)


class FollowForm(Form):
    """Getting the changes of a public plan by email."""

    email = forms.EmailField(
        label="Your email address", max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    frequency = forms.ChoiceField(
        label="How often", choices=Frequency.choices, initial=Frequency.WEEKLY, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send confirmation email", cancel=cancel)


class StakeholderForm(Form):
    """A stakeholder to ask; they read the reason in each digest."""

    email = forms.EmailField(label="Their email address", max_length=254)
    name = forms.CharField(label="Their name", max_length=150, required=False)
    why = forms.CharField(
        label="Why they get digests",
        max_length=200,
        required=False,
        help_text="Shown to them in every digest. For example, “you chair the tenant panel”.",
    )
    frequency = forms.ChoiceField(
        label="How often", choices=[("", "Their own preference"), *Frequency.choices], required=False
    )
    organisation = forms.ModelChoiceField(label="On behalf of", queryset=Organisation.objects.none(), empty_label=None)

    def __init__(self, *args: Any, organisations: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organisation"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = organisations
        self.helper = Helper(self, submit="Ask them to confirm", cancel=cancel)


class StakeholderFilter(Form):
    """Filters for the page of stakeholders and its CSV file."""

    q = forms.CharField(
        label="Name or address",
        required=False,
        max_length=254,
        help_text="People who have not confirmed can only be found by address.",
    )
    about = forms.ChoiceField(label="About", required=False)
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "Any status"), *SubscriptionStatus.choices]
    )

    def __init__(self, *args: Any, things: Sequence[tuple[str, Sequence[tuple[str, str]]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        about = self.fields["about"]
        if isinstance(about, forms.ChoiceField):
            about.choices = [("", "Anything"), *things]

    @property
    def chosen(self) -> dict[str, str]:
        """The filters chosen; none if one of them is invalid."""
        data = self.cleaned_data if self.is_valid() else {}
        return {"words": data.get("q", ""), "about": data.get("about", ""), "status": data.get("status", "")}


class EndForm(kit.ReasonForm):
    """Why an organisation ends a stakeholder's digests."""

    danger = True
    reason = forms.CharField(
        label="Why?",
        max_length=150,
        help_text="Shown to your colleagues in the list of stakeholders. The person can ask for a copy.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, submit="Stop digests", cancel=cancel, **kwargs)

    def said_by(self, name: str) -> str:
        """The reason as stored, after the organisation's name."""
        return f"Ended by {name[:120]}: {self.cleaned_data['reason']}"


class ReasonForm(kit.ReasonForm):
    """Why an administrator looks at somebody's digest; it is recorded."""

    reason = forms.CharField(
        label="Why do you need to see it?",
        max_length=300,
        help_text="Your reason and name are recorded. The person can see in their account that you looked, and when.",
    )

    def __init__(self, *args: Any, submit: str = "Show email", cancel: str = "", **kwargs: Any) -> None:
        super().__init__(*args, submit=submit, cancel=cancel or reverse("digests:ledger"), **kwargs)
