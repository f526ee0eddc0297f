"""Forms to answer an invitation to a meeting, and to record who was there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.conversations.forms.meetings.planning import GUESTS_HINT, parse_guests
from partnerships.conversations.models import Answer, Attendance, MeetingSeat
from partnerships.conversations.services import Guest
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelectMultiple, Form, Helper, Section
from partnerships.people.models import User

#: The attendance that the form suggests, by the answer to the invitation.
_ATTENDANCE_BY_ANSWER = {
    Answer.COMING.value: Attendance.PRESENT.value,
    Answer.APOLOGIES.value: Attendance.APOLOGIES.value,
}


class AnswerMeetingForm(Form):
    """The form to answer an invitation, for the person who answers or for the person named in `whose`."""

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


def _attendance_field(seat: MeetingSeat) -> forms.ChoiceField:
    """Return the field for the attendance of a person or guest, who is named in its label."""
    label = f"{seat.display_name}, {seat.job_title}" if seat.job_title else seat.display_name
    return forms.ChoiceField(
        label=label,
        widget=forms.RadioSelect,
        choices=Attendance.choices,
        initial=seat.attendance or _ATTENDANCE_BY_ANSWER.get(seat.answer, ""),
    )


class AttendanceForm(Form):
    """The form to record who was there: the people invited, and people and guests who came without an invitation."""

    people = forms.ModelMultipleChoiceField(
        label="Other people who came",
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
        """Build the form: a field for each of the `seats`, by side, and the `people` who can be added."""
        super().__init__(*args, **kwargs)
        self.seats = list(seats)
        invited_ids = [seat.person_id for seat in self.seats if seat.person_id]
        model_choice_field(self, "people").queryset = people.exclude(pk__in=invited_ids)

        field_names_by_side: dict[str, list[str]] = {}
        for seat in self.seats:
            self.fields[f"seat_{seat.pk}"] = _attendance_field(seat)
            side = seat.organisation.display_name if seat.organisation else "Guests"
            field_names_by_side.setdefault(side, []).append(f"seat_{seat.pk}")
        sections = [Section(side, *field_names) for side, field_names in field_names_by_side.items()]
        self.helper = Helper(
            self,
            *sections,
            Section("Other people", "people", "guests"),
            submit="Save attendance",
            cancel=cancel,
        )

    @property
    def attendance(self) -> dict[int, str]:
        """Return the attendance chosen for each seat, by the seat's id."""
        return {seat.pk: self.cleaned_data[f"seat_{seat.pk}"] for seat in self.seats}

    @property
    def other_guests(self) -> list[Guest]:
        """Return the guests who came without an invitation, one for each line of the field."""
        return parse_guests(self.cleaned_data["guests"])
