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
from partnerships.conversations.queries import people_to_name
from partnerships.conversations.services import AttendeeInput, NextStepInput, PointInput, Record
from partnerships.exchange.models import Theme
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form, Helper, Section
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User

#: The form shows this many empty rows for new next steps.
_SPARE_STEPS = 3
#: The most rows for next steps in one form.
_MAX_STEPS = 20
#: Limit of characters of an objective, obstacle or opportunity.
_POINT_LENGTH = 500
#: The label and the hint of the field for each kind of point.
_LABEL_AND_HINT = {
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
    """The form of a conversation record: who took part, when, what was said, points and next steps.

    The keeper is the organisation whose record it is, and `others` are the other organisations that took part. Together
    they are the sides. The names of a side's fields contain its id: `others_7` has the people without an account of
    organisation 7, and `points_7_obstacle` its obstacles. The fields of a next step contain the number of its row.
    """

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
        attendee_ids: Sequence[tuple[int, int]] = (),
        steps: int = 0,
        cancel: str = "",
        submit: str = "Save conversation",
        **kwargs: Any,
    ) -> None:
        """Build the form for a new record or, with `attendee_ids` and `steps`, for a record that exists.

        `attendee_ids` has the ids of a person and an organisation for each attendee already in the record. `steps` is
        the number of next steps already in the record.
        """
        super().__init__(*args, **kwargs)
        self.keeper = keeper
        self.others = list(others)
        self.sides = [keeper, *others]
        self.steps = min(steps + _SPARE_STEPS, _MAX_STEPS)

        partnerships = Partnership.objects.with_party_of(user, *EDITING_ROLES)
        model_choice_field(self, "partnership").queryset = partnerships.order_by("title", "pk")
        # An attendee who has since left their organisation stays in the record.
        possible_people = people_to_name(self.sides, user).values("pk")
        attendee_person_ids = [person for person, _ in attendee_ids]
        people = User.objects.filter(Q(pk__in=possible_people) | Q(pk__in=attendee_person_ids)).order_by("name", "pk")
        attendees = model_choice_field(self, "attendees")
        attendees.queryset = people
        # The names are read once, also for the owners of next steps.
        attendees.choices = [(person.pk, attendees.label_from_instance(person)) for person in people]
        self._people = people
        self._sides_by_person = _sides_by_person(people, self.sides, attendee_ids)

        self.fields["key"].initial = uuid.uuid4
        for side in self.sides:
            self._add_side(side)
        self._add_steps(people)
        self.helper = Helper(self, *self._sections(), submit=submit, cancel=cancel or reverse("conversations:list"))

    def _add_side(self, side: Organisation) -> None:
        """Add the fields of one side: people without an account, and points of each kind."""
        self.fields[f"others_{side.pk}"] = forms.CharField(
            label=f"Other people from {side.display_name}",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="Put each person on their own line: name, comma, job title.",
        )
        for kind, (label, hint) in _LABEL_AND_HINT.items():
            self.fields[f"points_{side.pk}_{kind}"] = forms.CharField(
                label=f"{label} of {side.display_name}",
                required=False,
                max_length=6000,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=hint,
            )

    def _add_steps(self, people: QuerySet[User]) -> None:
        """Add the rows of next steps; an owner is a side, or a person who acts for a side.

        A choice of owner is `<side's id>-<person's id>`, and `<side's id>-` if the person is not named.
        """
        choices: list[Any] = [("", "Choose who")]
        for side in self.sides:
            choices_of_side = [(f"{side.pk}-", f"{side.display_name}, person not named")]
            members = [person for person in people if side.pk in self._sides_by_person[person.pk]]
            choices_of_side += [(f"{side.pk}-{person.pk}", person.display_name) for person in members]
            choices.append((side.display_name, choices_of_side))
        for row in range(self.steps):
            self.fields[f"step_{row}_text"] = forms.CharField(
                label=f"Next step {row + 1}", required=False, max_length=_POINT_LENGTH
            )
            self.fields[f"step_{row}_who"] = forms.ChoiceField(
                label=f"Owner of next step {row + 1}", required=False, choices=choices
            )
            self.fields[f"step_{row}_due_on"] = DayField(label=f"Due date of next step {row + 1}", required=False)

    def _sections(self) -> list[Section]:
        """Return the sections of the form; fields that few records need are collapsed."""
        sections = [
            Section("When and who", "subject", "state", "held_on", "format", "attendees"),
            Fold(
                "People who are not listed",
                *[f"others_{side.pk}" for side in self.sides],
                hint="These people do not need an account. Their names appear in the record.",
            ),
            Section("What was said", "said", "decisions", "theme", "partnership"),
            Fold("Private note", "private_note"),
        ]
        for side in self.sides:
            point_names = [f"points_{side.pk}_{kind}" for kind in _LABEL_AND_HINT]
            sections.append(Fold(f"Objectives, obstacles and opportunities of {side.display_name}", *point_names))
        sections.append(
            Section(
                "Next steps",
                *self._names_of_step(0),
                "next_contact_on",
                hint="When you circulate the record, each next step becomes an action with an owner and a due date.",
            )
        )
        # The fields of the first next step are in the section above.
        sections += [Fold(f"Next step {row + 1}", *self._names_of_step(row)) for row in range(1, self.steps)]
        sections.append(Fold("What other organisations see", "attribution"))
        return sections

    def _names_of_step(self, row: int) -> list[str]:
        """Return the names of the fields of a next step. Rows are counted from 0."""
        return [f"step_{row}_text", f"step_{row}_who", f"step_{row}_due_on"]

    def clean(self) -> dict[str, Any]:
        """Limit the length of each decision and point. Require all three fields of a next step if one is filled."""
        data = super().clean() or {}
        point_names = [f"points_{side.pk}_{kind}" for side in self.sides for kind in _LABEL_AND_HINT]
        for name in ("decisions", *point_names):
            if any(len(line) > _POINT_LENGTH for line in _lines(data.get(name, ""))):
                self.add_error(name, f"Keep each line under {_POINT_LENGTH} characters.")
        for row in range(self.steps):
            self._check_step(data, row)
        return data

    def _check_step(self, data: dict[str, Any], row: int) -> None:
        """Require an owner and a date for a next step with a text, and a text for one with an owner or a date."""
        text_name, owner_name, date_name = self._names_of_step(row)
        if not data.get(text_name):
            if data.get(owner_name) or data.get(date_name):
                self.add_error(text_name, "Enter what needs to be done.")
            return
        if not data.get(owner_name) and owner_name not in self.errors:
            self.add_error(owner_name, "Choose an owner for this step.")
        if not data.get(date_name) and date_name not in self.errors:
            self.add_error(date_name, "Enter a due date.")

    @property
    def record(self) -> Record:
        """Return the record that a valid form describes."""
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
        """Return the attendees: people with an account, and people whose names were typed for a side."""
        attendees = []
        for person in self.cleaned_data["attendees"]:
            organisation = next(side for side in self.sides if side.pk in self._sides_by_person[person.pk])
            attendees.append(AttendeeInput(organisation=organisation, person=person))
        for side in self.sides:
            for line in _lines(self.cleaned_data[f"others_{side.pk}"]):
                name, _, job_title = line.partition(",")
                attendees.append(AttendeeInput(side, name=name.strip()[:150], job_title=job_title.strip()[:150]))
        return attendees

    def _points(self) -> list[PointInput]:
        """Return the points of every side, one for each line."""
        return [
            PointInput(side, kind, line)
            for side in self.sides
            for kind in _LABEL_AND_HINT
            for line in _lines(self.cleaned_data[f"points_{side.pk}_{kind}"])
        ]

    def _next_steps(self) -> list[NextStepInput]:
        """Return the next steps that have a text, in the order of the form."""
        sides_by_key = {str(side.pk): side for side in self.sides}
        people_by_key = {str(person.pk): person for person in self._people}
        steps = []
        for row in range(self.steps):
            if not self.cleaned_data[f"step_{row}_text"]:
                continue
            side_key, _, person_key = self.cleaned_data[f"step_{row}_who"].partition("-")
            steps.append(
                NextStepInput(
                    organisation=sides_by_key[side_key],
                    owner=people_by_key.get(person_key),
                    text=self.cleaned_data[f"step_{row}_text"],
                    due_on=self.cleaned_data[f"step_{row}_due_on"],
                )
            )
        return steps


def _lines(text: str) -> list[str]:
    """Return the lines of a text that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _sides_by_person(
    people: QuerySet[User], sides: Sequence[Organisation], attendee_ids: Sequence[tuple[int, int]]
) -> dict[int, set[int]]:
    """Return the ids of each person's sides, by the person's id.

    A side counts if the person acts for it now, or acted for it when they were added as an attendee.
    """
    sides_by_person: dict[int, set[int]] = {}
    for person, organisation in attendee_ids:
        sides_by_person.setdefault(person, set()).add(organisation)
    memberships = Membership.objects.current().filter(organisation__in=[side.pk for side in sides], person__in=people)
    for person, organisation in memberships.values_list("person_id", "organisation_id"):
        sides_by_person.setdefault(person, set()).add(organisation)
    return sides_by_person


def initial_of_record(conversation: Conversation, own_note: PrivateNote | None) -> dict[str, Any]:
    """Return initial values for editing a record, whose story must have been fetched.

    A next step that became an action is left out, because it can no longer be edited here.
    """
    return {
        "subject": conversation.subject,
        "partnership": conversation.partnership,
        "held_on": conversation.held_on,
        "format": conversation.format,
        "theme": conversation.theme,
        "said": conversation.said,
        "attribution": conversation.attribution,
        "next_contact_on": conversation.next_contact_on,
        "state": "planned" if conversation.status == Status.PLANNED else "held",
        "attendees": [seat.person_id for seat in conversation.attendees.all() if seat.person_id],
        "decisions": "\n".join(decision.text for decision in conversation.decisions.all()),
        "private_note": own_note.text if own_note else "",
        "revision": conversation.revision,
        **_initial_guests(conversation),
        **_initial_points(conversation),
        **_initial_steps(conversation),
    }


def _initial_guests(conversation: Conversation) -> dict[str, str]:
    """Return the people without an account of each side, one on each line."""
    guests = [seat for seat in conversation.attendees.all() if not seat.person_id]
    initial = {}
    for side in conversation.sides.all():
        lines = [
            f"{seat.name}, {seat.job_title}" if seat.job_title else seat.name
            for seat in guests
            if seat.organisation_id == side.organisation_id
        ]
        initial[f"others_{side.organisation_id}"] = "\n".join(lines)
    return initial


def _initial_points(conversation: Conversation) -> dict[str, str]:
    """Return the points of each side and kind, one on each line."""
    texts_by_field: dict[str, list[str]] = {}
    for point in conversation.points.all():
        texts_by_field.setdefault(f"points_{point.organisation_id}_{point.kind}", []).append(point.text)
    return {name: "\n".join(texts) for name, texts in texts_by_field.items()}


def _initial_steps(conversation: Conversation) -> dict[str, Any]:
    """Return the next steps that have not become actions."""
    initial: dict[str, Any] = {}
    steps = [step for step in conversation.next_steps.all() if step.action_id is None]
    for row, step in enumerate(steps):
        initial[f"step_{row}_text"] = step.text
        initial[f"step_{row}_who"] = f"{step.organisation_id}-{step.owner_id or ''}"
        initial[f"step_{row}_due_on"] = step.due_on
    return initial
