"""What people fill in about digests: how often, whom to add, why to look."""

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
    """How often somebody wants digests, and when."""

    frequency = forms.ChoiceField(label="How often", choices=Frequency.choices, widget=forms.RadioSelect)
    hour = forms.TypedChoiceField(label="At what time", choices=_HOURS, coerce=int, help_text="Not for “At once”.")
    weekday = forms.TypedChoiceField(
        label="On which day",
        choices=Weekday.choices,
        coerce=int,
        help_text="Not for “At once” and “Daily”. Monthly means the first such day of a month.",
    )
    working_days_only = forms.BooleanField(
        label="On working days only",
        required=False,
        help_text="Not at weekends, nor on bank holidays in England and Wales.",
    )
    tells_matches = forms.BooleanField(
        label="Tell me of new matches too",
        required=False,
        help_text="When an ask and an offer fit and one of them is your organisation's.",
    )
    paused_until = DayField(
        label="Pause until", required=False, help_text="Nothing comes before this day; then one digest catches up."
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
        """A pause ends on a day to come, by the calendar of the person's own zone."""
        data: dict[str, Any] = super().clean() or {}
        until, zone = data.get("paused_until"), data.get("time_zone")
        if until and zone and until <= local_day(timezone.now(), zone):
            self.add_error("paused_until", "“Pause until” must be a day to come; leave it empty to get digests now")
        return data


class AddressForm(Form):
    """Where a letter with new links goes."""

    email = forms.EmailField(
        label="Your email address",
        max_length=254,
        help_text="The one that digests go to.",
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send me new links")


class CorrectAddressForm(Form):
    """The right address of a stakeholder."""

    email = forms.EmailField(label="New email address", max_length=254)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Ask at the new address", cancel=cancel)


class FollowForm(Form):
    """Who wants the changes of a public plan by email, and how often."""

    email = forms.EmailField(
        label="Your email address", max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    frequency = forms.ChoiceField(
        label="How often", choices=Frequency.choices, initial=Frequency.WEEKLY, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send me the letter", cancel=cancel)


class StakeholderForm(Form):
    """Whom to add, and why: the person reads the reason in each digest."""

    email = forms.EmailField(label="Their email address", max_length=254)
    name = forms.CharField(label="Their name", max_length=150, required=False)
    why = forms.CharField(
        label="Why they get digests",
        max_length=200,
        required=False,
        help_text="They read it in every digest: “you chair the tenant panel”.",
    )
    frequency = forms.ChoiceField(
        label="How often", choices=[("", "As they prefer"), *Frequency.choices], required=False
    )
    organisation = forms.ModelChoiceField(label="On behalf of", queryset=Organisation.objects.none(), empty_label=None)

    def __init__(self, *args: Any, organisations: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organisation"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = organisations
        self.helper = Helper(self, submit="Ask them to confirm", cancel=cancel)


class StakeholderFilter(Form):
    """What narrows the page of stakeholders, and its file; `things` are what they may be about, under headings."""

    q = forms.CharField(
        label="Name or address",
        required=False,
        max_length=254,
        help_text="Who has not said yes yet is found by the address alone.",
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
        """The words, the thing and the status that were chosen; none of them where one is no choice."""
        data = self.cleaned_data if self.is_valid() else {}
        return {"words": data.get("q", ""), "about": data.get("about", ""), "status": data.get("status", "")}


class EndForm(kit.ReasonForm):
    """Why somebody gets no more digests that an organisation asked them to get."""

    danger = True
    reason = forms.CharField(
        label="Why?",
        max_length=150,
        help_text="Your colleagues read it among the stakeholders. So may the person, who can ask for what we hold.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, submit="Stop these digests", cancel=cancel, **kwargs)

    def said_by(self, name: str) -> str:
        """The reason as it is kept: whose it is, then the words, of which none is cut off for a long name."""
        return f"Ended by {name[:120]}: {self.cleaned_data['reason']}"


class ReasonForm(kit.ReasonForm):
    """Why an administrator looks at what somebody is told: written down."""

    reason = forms.CharField(
        label="Why do you need to see it?",
        max_length=300,
        help_text="It is recorded with your name. The person reads in their account that you looked, and when.",
    )

    def __init__(self, *args: Any, submit: str = "Show the letter", cancel: str = "", **kwargs: Any) -> None:
        super().__init__(*args, submit=submit, cancel=cancel or reverse("digests:ledger"), **kwargs)
