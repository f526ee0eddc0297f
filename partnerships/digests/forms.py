"""Forms of digests: preferences, stakeholders, addresses and reasons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.urls import reverse
from django.utils import timezone

from partnerships.digests.models import Frequency, Preference, Way, Weekday
from partnerships.digests.schedule import EVERY_DAY, local_day
from partnerships.kit import forms as kit
from partnerships.kit.bank_holidays import NATIONS
from partnerships.kit.forms import DayField, Form, Helper, Section
from partnerships.kit.lead_times import LeadTimesField
from partnerships.organisations.models import Organisation
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.models import ReminderKind, User

_HOURS = [(hour, f"{hour:02d}:00") for hour in range(24)]
_MORE_HOURS = [("", "None"), *_HOURS]
#: Hints on the page of choices.
_GROUP_HINTS = {
    NoticeGroup.REMINDERS: "Dates of commitments, partnerships, reports and signatures, coming up or past.",
    NoticeGroup.MENTIONS: "Somebody is waiting for your answer.",
    NoticeGroup.MEETINGS: "Invitations, changes, agendas and minutes.",
}
#: What people are reminded of, and what happens if they choose no day.
_LEAD_TIMES = {
    ReminderKind.COMMITMENTS: ("Commitments that you own", "Choose none to get no reminders."),
    ReminderKind.DATES: (
        "Dates of partnerships that you lead for your organisation",
        "Choose none to be reminded on the days that each party chose for its leads.",
    ),
    ReminderKind.REPORTS: (
        "Progress reports that your organisation must submit",
        "Choose none to hear only about late reports.",
    ),
    ReminderKind.SIGNATURES: (
        "Signatures that you are asked for",
        "Choose none to be reminded only after the deadline. After it, or without one, we remind you once a week.",
    ),
    ReminderKind.ASKS: ("Asks and offers about to close without an answer", "Choose none to get no reminders."),
}
#: How the names of these fields begin.
_LEAD = "lead_"
#: The choice to get no reminders of dates, since no choice means what each party chose.
_NEVER = -1


@cache
def _zones() -> list[tuple[str, str]]:
    """The time zones of people's settings; read from disk once a process."""
    timezones = sorted(
        zone
        for zone in available_timezones()
        if zone.startswith(("Europe/", "America/", "Asia/", "Africa/", "Australia/"))
    )
    other_zones = (
        (zone, zone.replace("_", " ").replace("/", ": ", 1)) for zone in timezones if zone != "Europe/London"
    )
    return [("Europe/London", "London"), *other_zones]


class PreferenceForm(Form):
    """How often and when somebody wants digests."""

    frequency = forms.ChoiceField(label="How often", choices=Frequency.choices, widget=forms.RadioSelect)
    hour = forms.TypedChoiceField(
        label="Time of day", choices=_HOURS, coerce=int, help_text="Does not apply to digests sent “At once”."
    )
    second_hour = forms.TypedChoiceField(
        label="Second time of day",
        choices=_MORE_HOURS,
        coerce=int,
        empty_value=None,
        required=False,
        help_text="For your summary of notices only.",
    )
    third_hour = forms.TypedChoiceField(
        label="Third time of day",
        choices=_MORE_HOURS,
        coerce=int,
        empty_value=None,
        required=False,
        help_text="For your summary of notices only.",
    )
    weekday = forms.TypedChoiceField(
        label="Day of the week",
        choices=Weekday.choices,
        coerce=int,
        help_text="Does not apply to “At once” and “Daily”. Monthly means the first of these days in a month.",
    )
    days = forms.TypedMultipleChoiceField(
        label="Days on which you can get emails",
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none for every day. Urgent emails come on any day.",
    )
    working_days_of = forms.ChoiceField(
        label="Working days only",
        required=False,
        choices=[
            ("", "No, any day"),
            *((nation, f"Yes, with the bank holidays of {name}") for nation, name in NATIONS.items()),
        ],
        help_text="No digests or summaries at weekends and on bank holidays, whichever days you chose above.",
    )
    tells_matches = forms.BooleanField(
        label="Include new matches",
        required=False,
        help_text="When an ask matches an offer, and one of them is your organisation's.",
    )
    paused_from = DayField(
        label="Pause from", required=False, help_text="The first day without emails. Leave empty to start at once."
    )
    paused_until = DayField(
        label="Pause until",
        required=False,
        help_text="You get no digests before this day, then one with everything that changed. Only urgent emails are "
        "still sent.",
    )
    time_zone = forms.ChoiceField(label="Your time zone")

    def __init__(
        self,
        *args: Any,
        person: User,
        preference: Preference,
        ways: Mapping[str, str] | None = None,
        lead_times: Mapping[str, Collection[int] | None] | None = None,
        submit: str = "Save",
        **kwargs: Any,
    ) -> None:
        """A stakeholder gets only the fields that stakeholders can choose."""
        zone = person.time_zone
        kwargs.setdefault(
            "initial",
            {
                "frequency": preference.frequency,
                "hour": preference.hour,
                "weekday": preference.weekday,
                "working_days_of": preference.working_days_of,
                "tells_matches": preference.tells_matches,
                "days": preference.days_chosen,
                **dict(zip(("second_hour", "third_hour"), preference.more_hours_chosen, strict=False)),
                "paused_from": preference.paused_from if preference.pause_ahead(timezone.now(), zone) else None,
                "paused_until": preference.pause_to_come(timezone.now(), zone),
                "time_zone": person.time_zone,
            },
        )
        super().__init__(*args, **kwargs)
        zones = self.fields["time_zone"]
        if isinstance(zones, forms.ChoiceField):
            zones.choices = _zones()
        when = [name for name in self.fields if name != "tells_matches"]
        if person.is_stakeholder:
            for name in ("tells_matches", "second_hour", "third_hour"):
                del self.fields[name]
                when = [field for field in when if field != name]
            self.helper = Helper(self, *when, submit=submit)
            return
        self._add_notices(ways or {})
        self._add_lead_times(lead_times or {})
        notices = [name for name in self.fields if name.startswith("way_")]
        self.helper = Helper(
            self,
            Section("How you get notices", *notices),
            Section("Digests of what you follow", "frequency", "weekday", "tells_matches"),
            Section("When you get emails", *[name for name in when if name not in ("frequency", "weekday")]),
            Section("When you get reminders", *[name for name in self.fields if name.startswith(_LEAD)]),
            submit=submit,
        )

    def _add_notices(self, ways: Mapping[str, str]) -> None:
        """Add a choice for each group of notices."""
        for group, way in ways.items():
            self.fields[f"way_{group}"] = forms.ChoiceField(
                label=NoticeGroup(group).label,
                choices=Way.choices,
                initial=way,
                # A form without this field, sent from an old page, changes nothing.
                required=not self.is_bound or f"way_{group}" in self.data,
                help_text=_GROUP_HINTS.get(NoticeGroup(group), ""),
            )

    def _add_lead_times(self, lead_times: Mapping[str, Collection[int] | None]) -> None:
        """Add the lead times of each kind of reminder."""
        self.fields[f"{_LEAD}offered"] = forms.CharField(required=False, initial="yes", widget=forms.HiddenInput)
        for kind, days in lead_times.items():
            label, help_text = _LEAD_TIMES[ReminderKind(kind)]
            field = LeadTimesField(label=label, help_text=help_text, initial=list(days or ()))
            field.offer(days or ())
            if kind == ReminderKind.DATES:
                field.offer(days or (), (_NEVER, "Never"))
                field.initial = [_NEVER] if days == [] else field.initial
            self.fields[f"{_LEAD}{kind}"] = field

    @property
    def preferences(self) -> dict[str, Any]:
        """The arguments of `prefer`."""
        data = self.cleaned_data
        names = ("frequency", "hour", "weekday", "working_days_of", "paused_from", "paused_until", "time_zone")
        chosen = {name: data[name] for name in names}
        chosen["days"] = sum(1 << day for day in set(data["days"])) or EVERY_DAY
        if "tells_matches" in self.fields:
            chosen["tells_matches"] = data["tells_matches"]
            more = {data["second_hour"], data["third_hour"]} - {None, data["hour"]}
            chosen["more_hours"] = sum(1 << hour for hour in more)
        return chosen

    @property
    def ways(self) -> dict[str, str]:
        """The way chosen for each group of notices."""
        chosen = {name.removeprefix("way_"): way for name, way in self.cleaned_data.items() if name.startswith("way_")}
        return {group: way for group, way in chosen.items() if way}

    @property
    def lead_times(self) -> dict[str, list[int] | None] | None:
        """The lead times of each kind of reminder. None if the form did not offer them."""
        if not self.cleaned_data.get(f"{_LEAD}offered"):
            return None
        chosen: dict[str, list[int] | None] = {kind: self.cleaned_data[f"{_LEAD}{kind}"] for kind in _LEAD_TIMES}
        dates = chosen[ReminderKind.DATES]
        chosen[ReminderKind.DATES] = [] if dates == [_NEVER] else dates or None
        return chosen

    def clean(self) -> dict[str, Any]:
        """A pause must end in the future, in the person's own time zone."""
        data: dict[str, Any] = super().clean() or {}
        until, zone = data.get("paused_until"), data.get("time_zone")
        if until and zone and until <= local_day(timezone.now(), zone):
            self.add_error("paused_until", "“Pause until” must be in the future; leave it empty to get digests now")
        start = data.get("paused_from")
        if start and not until and "paused_until" not in self.errors:
            self.add_error("paused_until", "Enter the day on which the pause ends")
        elif start and until and start >= until:
            self.add_error("paused_from", "“Pause from” must be before “Pause until”")
        dates = data.get(f"{_LEAD}{ReminderKind.DATES}") or []
        if _NEVER in dates and len(dates) > 1:
            self.add_error(f"{_LEAD}{ReminderKind.DATES}", "Choose days or “Never”, not both")
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
    """The list's own filters of stakeholders."""

    q = forms.CharField(
        label="Name or address",
        required=False,
        max_length=254,
        help_text="People who have not confirmed can only be found by address.",
    )
    about = forms.ChoiceField(label="About", required=False)

    def __init__(self, *args: Any, things: Callable[[], Sequence[tuple[str, Any]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        about = self.fields["about"]
        if isinstance(about, forms.ChoiceField):
            # A function, so that they are read only when the field is shown or checked, and then once.
            read = cache(things)
            about.choices = lambda: [("", "Anything"), *read()]


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
