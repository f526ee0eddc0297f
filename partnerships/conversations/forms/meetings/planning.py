"""Forms to set the meeting cycle and to plan a meeting."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.conversations.cycle import MAX_INTERVAL, POSITIONS, WEEKDAYS, Cycle, Unit
from partnerships.conversations.models import CycleUnit, Format, HolidayChoice, Meeting, MeetingCycle
from partnerships.conversations.queries.meetings import NextMeeting
from partnerships.conversations.services import Guest, MeetingPlan, Sitting
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.dates import long_date
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form, Helper, Section
from partnerships.people.models import User

GUESTS_HINT = "Put each person on their own line, with their name, a comma and their job title."


class TimeField(forms.TimeField):
    """A time in 24 hours, such as 14:30."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "For example, 10:30 or 14:00")
        super().__init__(
            input_formats=["%H:%M", "%H.%M"],
            widget=forms.TimeInput(format="%H:%M", attrs={"class": "govuk-input--width-5"}),
            error_messages={"invalid": "Enter a time, for example 14:00."},
            **kwargs,
        )


def minutes_field() -> forms.IntegerField:
    """Return a field for the length of a meeting."""
    return forms.IntegerField(
        label="Length in minutes",
        min_value=5,
        max_value=24 * 60,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"}),
    )


class CycleForm(Form):
    """The form to set how often, when and where a partnership meets."""

    interval = forms.IntegerField(
        label="How many weeks or months between meetings?",
        min_value=1,
        max_value=MAX_INTERVAL,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
        help_text="For example, every 3 months is quarterly, and every 6 months is twice a year.",
    )
    unit = forms.ChoiceField(label="Weeks or months?", widget=forms.RadioSelect, choices=CycleUnit.choices)
    position = forms.TypedChoiceField(
        label="Which week of the month?",
        required=False,
        coerce=int,
        empty_value="",
        choices=[("", "Not monthly"), *((number, word.capitalize()) for number, word in POSITIONS.items())],
        help_text="Answer this only for a monthly meeting, for example the first Tuesday.",
    )
    weekday = forms.TypedChoiceField(label="Weekday", coerce=int, choices=list(enumerate(WEEKDAYS)))
    starts_on = DayField(label="Start date", help_text="We count the weeks or months from this date.")
    time = TimeField(label="Time")
    minutes = minutes_field()
    format = forms.ChoiceField(label="Type of meeting", choices=Format.choices)
    place = forms.CharField(label="Place", required=False, max_length=200)
    link = forms.URLField(label="Link to join", required=False, max_length=500, assume_scheme="https")
    on_holiday = forms.ChoiceField(
        label="If a date is a bank holiday", widget=forms.RadioSelect, choices=HolidayChoice.choices
    )

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(
            self,
            Section("How often", "interval", "unit", "weekday", "position", "starts_on"),
            Section("Time and place", "time", "minutes", "format", "place", "link"),
            Section("Bank holidays", "on_holiday"),
            submit="Save meeting cycle",
            cancel=cancel,
        )

    def clean(self) -> dict[str, Any]:
        """Require the week of the month for a cycle in months, and ignore it for a cycle in weeks."""
        data = super().clean() or {}
        if data.get("unit") == CycleUnit.MONTHS and not data.get("position"):
            self.add_error("position", "Choose which week of the month.")
        if data.get("unit") == CycleUnit.WEEKS:
            data["position"] = 0
        return data

    @property
    def cycle(self) -> Cycle:
        """Return the cycle that a valid form describes."""
        data = self.cleaned_data
        return Cycle(
            unit=Unit(data["unit"]),
            interval=data["interval"],
            weekday=data["weekday"],
            position=data["position"],
            starts_on=data["starts_on"],
        )

    @property
    def sitting(self) -> Sitting:
        """Return the time and place of each meeting."""
        data = self.cleaned_data
        return Sitting(
            time=data["time"], minutes=data["minutes"], format=data["format"], place=data["place"], link=data["link"]
        )


def initial_of_cycle(meeting_cycle: MeetingCycle | None, proposed: Cycle | None, today: dt.date) -> dict[str, Any]:
    """Return the form's initial values, from the present cycle or from the one that the terms propose."""
    cycle = meeting_cycle.cycle if meeting_cycle is not None else proposed
    initial: dict[str, Any] = {
        "on_holiday": HolidayChoice.LATER,
        "minutes": 60,
        "time": dt.time(10),
        "starts_on": today,
    }
    if cycle is not None:
        initial |= {
            "unit": cycle.unit.value,
            "interval": cycle.interval,
            "weekday": cycle.weekday,
            "position": cycle.position or "",
            "starts_on": cycle.starts_on,
        }
    if meeting_cycle is not None:
        names = ("time", "minutes", "format", "place", "link", "on_holiday")
        initial |= {name: getattr(meeting_cycle, name) for name in names}
    return initial


class MeetingForm(Form):
    """The form to plan or change a meeting, and to invite people."""

    title = forms.CharField(label="Title", max_length=200)
    day = DayField(label="Date")
    time = TimeField(label="Time")
    minutes = minutes_field()
    format = forms.ChoiceField(label="Type of meeting", choices=Format.choices)
    place = forms.CharField(label="Place", required=False, max_length=200)
    link = forms.URLField(label="Link to join", required=False, max_length=500, assume_scheme="https")
    people = forms.ModelMultipleChoiceField(
        label="People invited",
        queryset=User.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple,
        help_text="Start typing a name. We email an invitation to each person.",
    )
    guests = forms.CharField(
        label="Guests without an account",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"{GUESTS_HINT} We do not email guests.",
    )
    note = forms.CharField(
        label="Note to the people invited", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    reason = forms.CharField(
        label="Reason for the change",
        required=False,
        max_length=300,
        help_text="You must enter a reason if you change the time. Everyone who is invited will see it.",
    )
    on_holiday = forms.BooleanField(label="Meet even though this is a bank holiday", required=False)
    cycle_day = forms.DateField(widget=forms.HiddenInput, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        people: QuerySet[User],
        holidays: Collection[dt.date],
        cancel: str,
        for_existing_meeting: bool = False,
        **kwargs: Any,
    ) -> None:
        """Build the form to plan a meeting, or to change one and say why if `for_existing_meeting` is true.

        The form asks to confirm a bank holiday only if the day is one of the `holidays`.
        """
        super().__init__(*args, **kwargs)
        self.holidays = holidays
        model_choice_field(self, "people").queryset = people
        # The key is the same if the form is sent twice, so that the second time plans no second meeting.
        self.fields["key"].initial = uuid.uuid4
        if not for_existing_meeting:
            del self.fields["reason"]
        if not self._is_on_holiday():
            del self.fields["on_holiday"]
        names = ("title", "day", "on_holiday", "time", "minutes", "format", "place", "link", "reason")
        present_names = [name for name in names if name in self.fields]
        self.helper = Helper(
            self,
            Section("When and where", *present_names),
            Section("Who is invited", "people", "guests", "note"),
            submit="Save meeting" if for_existing_meeting else "Plan meeting",
            cancel=cancel,
        )

    def _is_on_holiday(self) -> bool:
        """Return whether the day in the form is a bank holiday. An empty or invalid day is not."""
        day = self["day"].value()
        if self.is_bound:
            # The value is text that a person entered.
            try:
                day = self.fields["day"].clean(day)
            except forms.ValidationError:
                return False
        return day in self.holidays

    def clean(self) -> dict[str, Any]:
        """Require a tick before a meeting may be planned on a bank holiday."""
        data = super().clean() or {}
        day = data.get("day")
        if day is not None and day in self.holidays and not data.get("on_holiday"):
            self.add_error("day", f"{long_date(day)} is a bank holiday. Choose another date, or tick the box below.")
        return data

    @property
    def plan(self) -> MeetingPlan:
        """Return the plan that a valid form describes."""
        data = self.cleaned_data
        return MeetingPlan(
            title=data["title"],
            starts_at=timezone.make_aware(dt.datetime.combine(data["day"], data["time"])),
            minutes=data["minutes"],
            format=data["format"],
            place=data["place"],
            link=data["link"],
            note=data["note"],
            people=list(data["people"]),
            guests=parse_guests(data["guests"]),
        )


def parse_guests(text: str) -> list[Guest]:
    """Return the guests from lines such as `Una Signed, Surveyor`."""
    guests = []
    for line in text.splitlines():
        if line.strip():
            name, _comma, job_title = line.partition(",")
            guests.append(Guest(name.strip(), job_title.strip()))
    return guests


def initial_of_next_meeting(proposed: NextMeeting | None, title: str, person_ids: Collection[int]) -> dict[str, Any]:
    """Return initial values for planning the next meeting, from the cycle's proposal if there is one."""
    initial: dict[str, Any] = {"title": title, "people": list(person_ids), "time": dt.time(10), "minutes": 60}
    if proposed is None:
        return initial
    starts_at = timezone.localtime(proposed.starts_at)
    return initial | {
        "day": starts_at.date(),
        "time": starts_at.time(),
        "minutes": proposed.minutes,
        "format": proposed.format,
        "place": proposed.place,
        "link": proposed.link,
        "cycle_day": proposed.cycle_day,
    }


def initial_of_meeting(meeting: Meeting) -> dict[str, Any]:
    """Return initial values for changing a meeting, whose seats must have been fetched."""
    starts_at = timezone.localtime(meeting.starts_at)
    seats = list(meeting.seats.all())
    guests = [seat for seat in seats if seat.is_guest]
    guest_lines = [f"{guest.name}, {guest.job_title}" if guest.job_title else guest.name for guest in guests]
    return {
        "title": meeting.title,
        "day": starts_at.date(),
        "time": starts_at.time(),
        "minutes": meeting.minutes,
        "format": meeting.format,
        "place": meeting.place,
        "link": meeting.link,
        "note": meeting.note,
        "people": [seat.person_id for seat in seats if seat.person_id],
        "guests": "\n".join(guest_lines),
    }
