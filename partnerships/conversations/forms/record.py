"""The form of a whole record."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.conversations.forms.folding import Fold
from partnerships.conversations.forms.notes import PRIVATE
from partnerships.conversations.models import Attribution, Conversation, Format, PointKind, PrivateNote, Status
from partnerships.conversations.queries import people_of
from partnerships.conversations.services import AttendeeInput, NextStepInput, PointInput, Record
from partnerships.exchange.models import Theme
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form, Helper, Section
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User

#: Empty rows for new next steps.
_SPARE_STEPS = 3
#: Limit of next steps in one conversation.
_MAX_STEPS = 20
#: Limit of characters of an objective, obstacle or opportunity.
_POINT_LENGTH = 500
_WORDS = {
    PointKind.OBJECTIVE: ("Objectives", "What the organisation wants to achieve. Put each objective on its own line."),
    PointKind.OBSTACLE: (
        "Obstacles",
        "What is in the way. Put each obstacle on its own line. You can turn an obstacle into an ask.",
    ),
    PointKind.OPPORTUNITY: (
        "Opportunities",
        "What the organisation could gain. Put each opportunity on its own line. You can turn one into an offer.",
    ),
}


class ConversationForm(Form):
    """A whole record: who, when, what was said, points and next steps."""

    subject = forms.CharField(label="Subject", max_length=200)
    partnership = forms.ModelChoiceField(
        label="Partnership", queryset=Partnership.objects.none(), required=False, empty_label="None"
    )
    state = forms.ChoiceField(
        label="Has the conversation taken place?",
        widget=forms.RadioSelect,
        choices=[("held", "Yes"), ("planned", "No, it is planned")],
    )
    held_on = DayField(label="Date")
    format = forms.ChoiceField(label="Type of meeting", choices=Format.choices)
    theme = forms.ChoiceField(label="Theme", required=False, choices=lambda: [("", "No theme"), *Theme.choices()])
    attendees = forms.ModelMultipleChoiceField(
        label="Who took part",
        queryset=User.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple,
        help_text="Start typing a name. If a person is not in the list, add them under “People who are not listed”.",
    )
    said = forms.CharField(
        label="What was said", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 8})
    )
    decisions = forms.CharField(
        label="Decisions",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Put each decision on its own line.",
    )
    private_note = forms.CharField(
        label="Private note",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=PRIVATE,
    )
    next_contact_on = DayField(label="Next contact", required=False)
    attribution = forms.ChoiceField(
        label="What other organisations see",
        widget=forms.RadioSelect,
        choices=Attribution.choices,
        initial=Attribution.NAMED.value,
    )
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        user: User,
        keeper: Organisation,
        others: Sequence[Organisation],
        seated: Sequence[tuple[int, int]] = (),
        steps: int = 0,
        cancel: str = "",
        submit: str = "Save conversation",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.keeper, self.others = keeper, list(others)
        self.sides = [keeper, *others]
        self.steps = min(steps + _SPARE_STEPS, _MAX_STEPS)
        # An attendee who has left their organisation since stays in the record.
        possible_people = people_of(self.sides, user).values("pk")
        people = User.objects.filter(Q(pk__in=possible_people) | Q(pk__in=[person for person, _ in seated])).order_by(
            "name", "pk"
        )
        self._sides_by_person = _sides_by_person(people, self.sides, seated)
        self._choose("partnership", Partnership.objects.present_for(user, *EDITING_ROLES).order_by("title", "pk"))
        self._choose("attendees", people)
        self._people = people
        self.fields["key"].initial = uuid.uuid4
        for side in self.sides:
            self._add_side(side)
        self._add_steps(people)
        self.helper = Helper(self, *self._sections(), submit=submit, cancel=cancel or reverse("conversations:list"))

    def _choose(self, name: str, rows: QuerySet[Any]) -> None:
        model_choice_field(self, name).queryset = rows

    def _add_side(self, side: Organisation) -> None:
        self.fields[f"others_{side.pk}"] = forms.CharField(
            label=f"Other people from {side.display_name}",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="Put each person on their own line: name, comma, job title.",
        )
        for kind, (label, hint) in _WORDS.items():
            self.fields[f"points_{side.pk}_{kind}"] = forms.CharField(
                label=f"{label} of {side.display_name}",
                required=False,
                max_length=6000,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=hint,
            )

    def _add_steps(self, people: QuerySet[User]) -> None:
        choices: list[Any] = [("", "Choose who")]
        for side in self.sides:
            own_people = [person for person in people if side.pk in self._sides_by_person[person.pk]]
            named = [(f"{side.pk}-{person.pk}", person.display_name) for person in own_people]
            choices.append((side.display_name, [(f"{side.pk}-", f"{side.display_name}, person not named"), *named]))
        for row in range(self.steps):
            self.fields[f"step_{row}_text"] = forms.CharField(
                label=f"Next step {row + 1}", required=False, max_length=_POINT_LENGTH
            )
            self.fields[f"step_{row}_who"] = forms.ChoiceField(
                label=f"Owner of next step {row + 1}", required=False, choices=choices
            )
            self.fields[f"step_{row}_due_on"] = DayField(label=f"Due date of next step {row + 1}", required=False)

    def _sections(self) -> list[Section]:
        """The sections of the form; fields that few records need are collapsed."""
        steps = [[f"step_{row}_{part}" for part in ("text", "who", "due_on")] for row in range(self.steps)]
        return [
            Section("When and who", "subject", "state", "held_on", "format", "attendees"),
            Fold(
                "People who are not listed",
                *(f"others_{side.pk}" for side in self.sides),
                hint="These people do not need an account. Their names appear in the record.",
            ),
            Section("What was said", "said", "decisions", "theme", "partnership"),
            Fold("Private note", "private_note"),
            *(
                Fold(
                    f"Objectives, obstacles and opportunities of {side.display_name}",
                    *(f"points_{side.pk}_{kind}" for kind in _WORDS),
                )
                for side in self.sides
            ),
            Section(
                "Next steps",
                *steps[0],
                "next_contact_on",
                hint="When you circulate the record, each next step becomes an action with an owner and a due date.",
            ),
            *(Fold(f"Next step {row}", *fields) for row, fields in enumerate(steps[1:], start=2)),
            Fold("What other organisations see", "attribution"),
        ]

    def clean(self) -> dict[str, Any]:
        """Validate points and next steps."""
        cleaned = super().clean() or {}
        for name in ("decisions", *(f"points_{side.pk}_{kind}" for side in self.sides for kind in _WORDS)):
            if any(len(line) > _POINT_LENGTH for line in _lines(cleaned.get(name, ""))):
                self.add_error(name, f"Keep each line under {_POINT_LENGTH} characters")
        for row in range(self.steps):
            text = cleaned.get(f"step_{row}_text", "")
            for part, words in (("who", "Choose an owner"), ("due_on", "Enter a due date")):
                name = f"step_{row}_{part}"
                if text and not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, words)
            if not text and (cleaned.get(f"step_{row}_who") or cleaned.get(f"step_{row}_due_on")):
                self.add_error(f"step_{row}_text", "Say what needs to be done")
        return cleaned

    @property
    def record(self) -> Record:
        """The record that a valid form describes."""
        data = self.cleaned_data
        return Record(
            subject=data["subject"],
            held_on=data["held_on"],
            planned=data["state"] == "planned",
            format=data["format"],
            organisations=self.others,
            partnership=data["partnership"],
            theme=data["theme"],
            said=data["said"],
            decisions=_lines(data["decisions"]),
            attribution=data["attribution"],
            next_contact_on=data["next_contact_on"],
            attendees=self._attendees(),
            points=self._points(),
            next_steps=self._next_steps(),
            private_note=data["private_note"],
        )

    def _attendees(self) -> list[AttendeeInput]:
        seats = []
        for person in self.cleaned_data["attendees"]:
            organisation = next(side for side in self.sides if side.pk in self._sides_by_person[person.pk])
            seats.append(AttendeeInput(organisation=organisation, person=person))
        for side in self.sides:
            for line in _lines(self.cleaned_data[f"others_{side.pk}"]):
                name, _, job_title = line.partition(",")
                seats.append(AttendeeInput(side, name=name.strip()[:150], job_title=job_title.strip()[:150]))
        return seats

    def _points(self) -> list[PointInput]:
        return [
            PointInput(side, kind, line)
            for side in self.sides
            for kind in _WORDS
            for line in _lines(self.cleaned_data[f"points_{side.pk}_{kind}"])
        ]

    def _next_steps(self) -> list[NextStepInput]:
        """The steps with text, in the order of the form."""
        sides = {str(side.pk): side for side in self.sides}
        people = {str(person.pk): person for person in self._people}
        steps = []
        for row in range(self.steps):
            if not self.cleaned_data[f"step_{row}_text"]:
                continue
            side, _, person = self.cleaned_data[f"step_{row}_who"].partition("-")
            steps.append(
                NextStepInput(
                    organisation=sides[side],
                    owner=people.get(person),
                    text=self.cleaned_data[f"step_{row}_text"],
                    due_on=self.cleaned_data[f"step_{row}_due_on"],
                )
            )
        return steps


def _lines(text: str) -> list[str]:
    """The lines that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _sides_by_person(
    people: QuerySet[User], sides: Sequence[Organisation], seated: Sequence[tuple[int, int]]
) -> dict[int, set[int]]:
    """The ids of the sides that each person acts for now, or acted for when added as an attendee."""
    sides_by_person: dict[int, set[int]] = {}
    for person, organisation in seated:
        sides_by_person.setdefault(person, set()).add(organisation)
    current = Membership.objects.current().filter(organisation__in=[side.pk for side in sides], person__in=people)
    for person, organisation in current.values_list("person_id", "organisation_id"):
        sides_by_person.setdefault(person, set()).add(organisation)
    return sides_by_person


def initial_of(conversation: Conversation, own_note: PrivateNote | None) -> dict[str, Any]:
    """Initial values for editing a record. Needs the story fetched."""
    initial: dict[str, Any] = {
        name: getattr(conversation, name)
        for name in ("subject", "partnership", "held_on", "format", "theme", "said", "attribution", "next_contact_on")
    }
    seats = list(conversation.attendees.all())
    initial |= {
        "state": "planned" if conversation.status == Status.PLANNED else "held",
        "attendees": [seat.person_id for seat in seats if seat.person_id],
        "decisions": "\n".join(decision.text for decision in conversation.decisions.all()),
        "private_note": own_note.text if own_note else "",
        "revision": conversation.revision,
    }
    for side in conversation.sides.all():
        typed = [seat for seat in seats if seat.organisation_id == side.organisation_id and not seat.person_id]
        initial[f"others_{side.organisation_id}"] = "\n".join(
            f"{seat.name}, {seat.job_title}" if seat.job_title else seat.name for seat in typed
        )
    lines: dict[str, list[str]] = {}
    for point in conversation.points.all():
        lines.setdefault(f"points_{point.organisation_id}_{point.kind}", []).append(point.text)
    initial |= {name: "\n".join(texts) for name, texts in lines.items()}
    open_steps = [step for step in conversation.next_steps.all() if step.action_id is None]
    for row, step in enumerate(open_steps):
        initial[f"step_{row}_text"] = step.text
        initial[f"step_{row}_who"] = f"{step.organisation_id}-{step.owner_id or ''}"
        initial[f"step_{row}_due_on"] = step.due_on
    return initial
