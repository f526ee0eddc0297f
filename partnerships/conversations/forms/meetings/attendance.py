"""Forms to say whether one comes, and to record who was there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.conversations.forms.meetings.planning import GUESTS_HINT, guests_in
from partnerships.conversations.models import Answer, Attendance, MeetingSeat
from partnerships.conversations.services import Guest
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelectMultiple, Form, Helper, Section
from partnerships.people.models import User

_EXPECTED = {Answer.COMING.value: Attendance.PRESENT.value, Answer.APOLOGIES.value: Attendance.APOLOGIES.value}


class AnswerMeetingForm(Form):
    """Whether somebody comes."""

    answer = forms.ChoiceField(
        label="Will you come?",
        widget=forms.RadioSelect,
        choices=[(Answer.COMING.value, "Yes"), (Answer.APOLOGIES.value, "No, send apologies")],
    )

    def __init__(self, *args: Any, whose: str = "", cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if whose:
            self.fields["answer"].label = f"Will {whose} come?"
        self.helper = Helper(self, submit="Save answer", cancel=cancel)


class AttendanceForm(Form):
    """Who was there: each person invited, and others."""

    people = forms.ModelMultipleChoiceField(
        label="Others who came",
        queryset=User.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple,
        help_text="People at the partners who were not invited. Start typing a name.",
    )
    guests = forms.CharField(
        label="Other guests",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=GUESTS_HINT,
    )

    def __init__(
        self, *args: Any, seats: Sequence[MeetingSeat], people: QuerySet[User], cancel: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.seats = list(seats)
        model_choice_field(self, "people").queryset = people.exclude(
            pk__in=[seat.person_id for seat in self.seats if seat.person_id]
        )
        sections: dict[str, list[str]] = {}
        for seat in self.seats:
            name = f"seat_{seat.pk}"
            self.fields[name] = forms.ChoiceField(
                label=f"{seat.display_name}, {seat.job_title}" if seat.job_title else seat.display_name,
                widget=forms.RadioSelect,
                choices=Attendance.choices,
                initial=seat.attendance or _EXPECTED.get(seat.answer, ""),
            )
            side = seat.organisation.display_name if seat.organisation else "Guests"
            sections.setdefault(side, []).append(name)
        self.helper = Helper(
            self,
            *(Section(side, *names) for side, names in sections.items()),
            Section("Others", "people", "guests"),
            submit="Save attendance",
            cancel=cancel,
        )

    @property
    def attendance(self) -> dict[int, str]:
        """Attendance by seat (id)."""
        return {seat.pk: self.cleaned_data[f"seat_{seat.pk}"] for seat in self.seats}

    @property
    def other_guests(self) -> list[Guest]:
        """Guests who came without an invitation."""
        return guests_in(self.cleaned_data["guests"])
