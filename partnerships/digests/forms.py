"""Forms for preferences, stakeholders, addresses and reasons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.urls import reverse
from django.utils import timezone

from partnerships.digests.models import Frequency, NoticeDelivery, Preference, Weekday
from partnerships.digests.schedule import EVERY_DAY, HOME, local_day
from partnerships.kit import forms as kit
from partnerships.kit.bank_holidays import NATIONS
from partnerships.kit.choice_fields import FixedChoices, choice_field, model_choice_field
from partnerships.kit.forms import DayField, Form, Helper, Section
from partnerships.kit.lead_times import LeadTimesField
from partnerships.organisations.models import Organisation
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.models import ReminderKind, User

_HOURS = [(hour, f"{hour:02d}:00") for hour in range(24)]
_MORE_HOURS = [("", "None"), *_HOURS]
#: Help texts of groups of notices.
_GROUP_HINTS = {
    NoticeGroup.REMINDERS: "A date of a commitment, partnership, report or signature is approaching or has passed.",
    NoticeGroup.MENTIONS: "A colleague is waiting for your answer.",
    NoticeGroup.MEETINGS: "You are invited to a meeting, or its details, agenda or minutes change.",
}
#: The label of each kind of reminder, and a help text about choosing no day.
_LEAD_TIMES = {
    ReminderKind.COMMITMENTS: ("Commitments that you own", "If you choose none, you get no reminders."),
    ReminderKind.DATES: (
        "Dates of partnerships that you lead for your organisation",
        "If you choose none, we remind you on the days that each party chose for its leads.",
    ),
    ReminderKind.REPORTS: (
        "Progress reports that your organisation must submit",
        "If you choose none, you hear only about late reports.",
    ),
    ReminderKind.SIGNATURES: (
        "Signatures that you are asked for",
        "If you choose none, we first remind you after the deadline. After it, or without one, we remind you weekly.",
    ),
    ReminderKind.ASKS: ("Asks and offers that close without an answer", "If you choose none, you get no reminders."),
}
#: The names of the fields for notices begin with this, followed by the group of notices.
_WAY_PREFIX = "way_"
#: The names of the fields for reminders begin with this, followed by the kind of reminder.
_LEAD_PREFIX = "lead_"
#: The value of the choice "Never". It is needed because no chosen day means the days that each party chose.
_NEVER = -1


def _zones() -> list[tuple[str, str]]:
    """Return the choices of time zone, London first."""
    continents = ("Europe/", "America/", "Asia/", "Africa/", "Australia/")
    zones = sorted(zone for zone in available_timezones() if zone.startswith(continents) and zone != HOME)
    # For example, "America/New_York" becomes "America: New York".
    labels = [zone.replace("_", " ").replace("/", ": ", 1) for zone in zones]
    return [(HOME, "London"), *zip(zones, labels, strict=True)]


def _further_hour_field(label: str) -> forms.TypedChoiceField:
    """Return the field for a second or third hour of the day."""
    hint = "We use this only for your summary of notices."
    return forms.TypedChoiceField(
        label=label, choices=_MORE_HOURS, coerce=int, empty_value=None, required=False, help_text=hint
    )


class PreferenceForm(Form):
    """How often and when a person wants digests, notices and reminders."""

    frequency = forms.ChoiceField(label="How often", choices=Frequency.choices, widget=forms.RadioSelect)
    hour = forms.TypedChoiceField(
        label="Time of day", choices=_HOURS, coerce=int, help_text="Does not apply to digests sent “At once”."
    )
    second_hour = _further_hour_field("Second time of day")
    third_hour = _further_hour_field("Third time of day")
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
        help_text="If you choose none, you can get emails every day. Urgent emails come on any day.",
    )
    working_days_of = forms.ChoiceField(
        label="Working days only",
        required=False,
        choices=[
            ("", "No, any day"),
            *((nation, f"Yes, with the bank holidays of {name}") for nation, name in NATIONS.items()),
        ],
        help_text="We send no digests or summaries at weekends and on bank holidays, whichever days you chose above.",
    )
    tells_matches = forms.BooleanField(
        label="Include new matches",
        required=False,
        help_text="When one of your organisation’s asks or offers has a new match.",
    )
    paused_from = DayField(
        label="Pause from",
        required=False,
        help_text="Enter the first day without emails. Leave this empty to start at once.",
    )
    paused_until = DayField(
        label="Pause until",
        required=False,
        help_text="You get no digests before this day, then one with everything that changed. Only urgent emails are "
        "still sent.",
    )
    time_zone = forms.ChoiceField(label="Your time zone", choices=FixedChoices(_zones))

    def __init__(
        self,
        *args: Any,
        person: User,
        preference: Preference,
        ways: Mapping[str, str] | None = None,
        lead_times: Mapping[str, Collection[int] | None] | None = None,
        submit: str = "Save choices",
        **kwargs: Any,
    ) -> None:
        """Set up the fields; stakeholders get no fields for matches, notices and reminders.

        `ways` maps each group of notices to the way in which the person gets them. `lead_times` maps each kind of
        reminder to the numbers of days before a date on which the person gets them.
        """
        kwargs.setdefault("initial", _initial_preferences(person, preference))
        super().__init__(*args, **kwargs)
        if person.is_stakeholder:
            for name in ("tells_matches", "second_hour", "third_hour"):
                del self.fields[name]
            self.helper = Helper(self, *self.fields, submit=submit)
            return
        digest_fields = ("frequency", "weekday", "tells_matches")
        time_fields = [name for name in self.fields if name not in digest_fields]
        way_fields = self._add_ways(ways or {})
        reminder_fields = self._add_lead_times(lead_times or {})
        self.helper = Helper(
            self,
            Section("How you get notices", *way_fields),
            Section("Digests of what you follow", *digest_fields),
            Section("When you get emails", *time_fields),
            Section("When you get reminders", *reminder_fields),
            submit=submit,
        )

    def _add_ways(self, ways: Mapping[str, str]) -> list[str]:
        """Add a choice for each group of notices, and return the names of the fields."""
        names = []
        for group, way in ways.items():
            name = f"{_WAY_PREFIX}{group}"
            names.append(name)
            self.fields[name] = forms.ChoiceField(
                label=NoticeGroup(group).label,
                choices=NoticeDelivery.choices,
                initial=way,
                # A page opened before an update may submit the form without this field; then the choice is unchanged.
                required=not self.is_bound or name in self.data,
                help_text=_GROUP_HINTS.get(NoticeGroup(group), ""),
            )
        return names

    def _add_lead_times(self, lead_times: Mapping[str, Collection[int] | None]) -> list[str]:
        """Add a field for each kind of reminder, and return the names of the fields.

        A hidden field says that the form offered lead times. A form that was opened before an update may have none.
        """
        marker = f"{_LEAD_PREFIX}offered"
        self.fields[marker] = forms.CharField(required=False, initial="yes", widget=forms.HiddenInput)
        names = [marker]
        for kind, days in lead_times.items():
            name = f"{_LEAD_PREFIX}{kind}"
            names.append(name)
            self.fields[name] = _lead_times_field(ReminderKind(kind), days)
        return names

    @property
    def preferences(self) -> dict[str, Any]:
        """Return the chosen values, as arguments of the service `prefer`."""
        data = self.cleaned_data
        names = ("frequency", "hour", "weekday", "working_days_of", "paused_from", "paused_until", "time_zone")
        arguments = {name: data[name] for name in names}
        arguments["days"] = _bits(data["days"]) or EVERY_DAY  # no chosen day means every day
        if "tells_matches" in self.fields:
            arguments["tells_matches"] = data["tells_matches"]
            more_hours = {data["second_hour"], data["third_hour"]} - {None, data["hour"]}
            arguments["more_hours"] = _bits(more_hours)
        return arguments

    @property
    def ways(self) -> dict[str, str]:
        """Return the chosen way of each group of notices."""
        fields = self.cleaned_data.items()
        return {name.removeprefix(_WAY_PREFIX): way for name, way in fields if name.startswith(_WAY_PREFIX) and way}

    @property
    def lead_times(self) -> dict[str, list[int] | None] | None:
        """Return the chosen lead times of each kind of reminder; None if the form did not offer them.

        For dates of partnerships, an empty list means no reminders, and None means the days that each party chose.
        """
        if not self.cleaned_data.get(f"{_LEAD_PREFIX}offered"):
            return None
        days_by_kind: dict[str, list[int] | None] = {
            kind: self.cleaned_data[f"{_LEAD_PREFIX}{kind}"] for kind in _LEAD_TIMES
        }
        days_for_dates = days_by_kind[ReminderKind.DATES]
        if days_for_dates == [_NEVER]:
            days_by_kind[ReminderKind.DATES] = []
        elif not days_for_dates:
            days_by_kind[ReminderKind.DATES] = None
        return days_by_kind

    def clean(self) -> dict[str, Any]:
        """Check the days of a pause, and that “Never” is not chosen together with days."""
        data: dict[str, Any] = super().clean() or {}
        self._check_pause(data)
        dates_field = f"{_LEAD_PREFIX}{ReminderKind.DATES}"
        days_for_dates = data.get(dates_field) or []
        if _NEVER in days_for_dates and len(days_for_dates) > 1:
            self.add_error(dates_field, "Choose days or “Never”, but not both.")
        return data

    def _check_pause(self, data: dict[str, Any]) -> None:
        """Check that a pause begins before it ends, and that it ends in the future in the person's own time zone."""
        pause_start, pause_end = data.get("paused_from"), data.get("paused_until")
        zone = data.get("time_zone")
        if pause_end and zone and pause_end <= local_day(timezone.now(), zone):
            self.add_error("paused_until", "Enter a day in the future, or leave this empty to get digests now.")
        if pause_start and not pause_end and "paused_until" not in self.errors:
            self.add_error("paused_until", "Enter the day on which the pause ends.")
        elif pause_start and pause_end and pause_start >= pause_end:
            self.add_error("paused_from", "Enter a day before “Pause until”.")


def _bits(numbers: Iterable[int]) -> int:
    """Return the number in which the bits with these numbers are set. Days and hours are stored in this way."""
    return sum(1 << number for number in set(numbers))


def _lead_times_field(kind: ReminderKind, days: Collection[int] | None) -> LeadTimesField:
    """Return the field for a kind of reminder, with the chosen numbers of days before a date.

    For dates of partnerships, no days (`[]`) means never, and None means the days that each party chose.
    """
    label, help_text = _LEAD_TIMES[kind]
    chosen_days = list(days or ())
    field = LeadTimesField(label=label, help_text=help_text, initial=chosen_days)
    if kind != ReminderKind.DATES:
        field.offer(chosen_days)
        return field
    field.offer(chosen_days, (_NEVER, "Never"))
    if days is not None and not chosen_days:
        field.initial = [_NEVER]
    return field


def _initial_preferences(person: User, preference: Preference) -> dict[str, Any]:
    """Return the initial values of the form for preferences."""
    now, zone = timezone.now(), person.time_zone
    return {
        "frequency": preference.frequency,
        "hour": preference.hour,
        "weekday": preference.weekday,
        "working_days_of": preference.working_days_of,
        "tells_matches": preference.tells_matches,
        "days": preference.chosen_days,
        **dict(zip(("second_hour", "third_hour"), preference.chosen_further_hours, strict=False)),
        "paused_from": preference.paused_from if preference.has_future_pause(now, zone) else None,
        "paused_until": preference.pause_end(now, zone),
        "time_zone": zone,
    }


class AddressForm(Form):
    """A request for new links, with the address to which digests are sent."""

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
    """The correction of a stakeholder's address."""

    email = forms.EmailField(label="New email address", max_length=254)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Send confirmation email", cancel=cancel)


class FollowForm(Form):
    """A request to follow a public plan by email, without an account."""

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
    """The request to a stakeholder to follow a record; the stakeholder sees the reason in every digest."""

    email = forms.EmailField(label="Their email address", max_length=254)
    name = forms.CharField(label="Their name", max_length=150, required=False)
    why = forms.CharField(
        label="Why they get digests",
        max_length=200,
        required=False,
        help_text="They see this in every digest. For example, “you chair the tenant panel”.",
    )
    frequency = forms.ChoiceField(
        label="How often", choices=[("", "Their own preference"), *Frequency.choices], required=False
    )
    organisation = forms.ModelChoiceField(label="On behalf of", queryset=Organisation.objects.none(), empty_label=None)

    def __init__(self, *args: Any, organisations: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_choice_field(self, "organisation").queryset = organisations
        self.helper = Helper(self, submit="Ask them to confirm", cancel=cancel)


class StakeholderFilter(Form):
    """The filters of the list of stakeholders, besides the filters that all lists have."""

    q = forms.CharField(
        label="Name or address",
        required=False,
        max_length=254,
        help_text="People who have not confirmed can only be found by address.",
    )
    about = forms.ChoiceField(label="About", required=False)

    def __init__(self, *args: Any, things: Callable[[], Sequence[tuple[str, Any]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `choices` is a function, so that records are read only when the field is shown or checked, and at most once.
        read_records = cache(things)
        choice_field(self, "about").choices = lambda: [("", "Anything"), *read_records()]


class EndForm(kit.ReasonForm):
    """The reason for stopping a stakeholder's digests, given by the organisation that asked the stakeholder."""

    danger = True
    reason = forms.CharField(
        label="Why are you stopping these digests?",
        max_length=150,
        help_text="Your colleagues see this in the list of stakeholders. The person can ask for a copy.",
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, submit="Stop digests", cancel=cancel, **kwargs)

    def said_by(self, name: str) -> str:
        """Return the reason as it is stored, after the organisation's name."""
        return f"Ended by {name[:120]}: {self.cleaned_data['reason']}"


class ReasonForm(kit.ReasonForm):
    """The reason why an administrator looks at a person's email; it is recorded."""

    reason = forms.CharField(
        label="Why do you need to see this email?",
        max_length=300,
        help_text="Your reason and name are recorded. The person can see in their account that you looked, and when.",
    )

    def __init__(self, *args: Any, submit: str = "Show email", cancel: str = "", **kwargs: Any) -> None:
        super().__init__(*args, submit=submit, cancel=cancel or reverse("digests:ledger"), **kwargs)
