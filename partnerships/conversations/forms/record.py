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
#: Limit of rows for next steps in one form.
_MAX_STEPS = 20
#: Limit of characters of a decision, a next step, or an objective, obstacle or opportunity.
_MAX_LINE_LENGTH = 500
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

    The names of some fields contain the id of an organisation. For example, `others_7` has the people of organisation 7
    who have no account, and `points_7_obstacle` has its obstacles. The names of a next step's fields contain the number
    of its row, such as `step_0_text`.
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
        own_organisation: Organisation,
        other_organisations: Sequence[Organisation],
        attendee_ids: Sequence[tuple[int, int]] = (),
        step_count: int = 0,
        cancel: str = "",
        submit: str = "Save conversation",
        **kwargs: Any,
    ) -> None:
        """Build the form for a new record or, with `attendee_ids` and `step_count`, for a record that exists.

        `own_organisation` keeps the record, and `other_organisations` also took part. `attendee_ids` are the ids of the
        person and the organisation of each attendee in the record. `step_count` is the number of its next steps.
        """
        super().__init__(*args, **kwargs)
        self.other_organisations = list(other_organisations)
        self.organisations = [own_organisation, *other_organisations]
        self.row_count = min(step_count + _SPARE_STEPS, _MAX_STEPS)

        partnerships = Partnership.objects.with_party_of(user, *EDITING_ROLES)
        model_choice_field(self, "partnership").queryset = partnerships.order_by("title", "pk")
        # An attendee who has since left their organisation stays in the record.
        possible_people = people_to_name(self.organisations, user).values("pk")
        attendee_person_ids = [person for person, _organisation in attendee_ids]
        people = User.objects.filter(Q(pk__in=possible_people) | Q(pk__in=attendee_person_ids)).order_by("name", "pk")
        attendees = model_choice_field(self, "attendees")
        attendees.queryset = people
        # The names are read once, also for the owners of next steps.
        attendees.choices = [(person.pk, attendees.label_from_instance(person)) for person in people]
        self._people = people
        self._organisation_ids_by_person = _organisation_ids_by_person(people, self.organisations, attendee_ids)

        self.fields["key"].initial = uuid.uuid4
        for organisation in self.organisations:
            self._add_organisation_fields(organisation)
        self._add_step_fields(people)
        self.helper = Helper(self, *self._sections(), submit=submit, cancel=cancel or reverse("conversations:list"))

    def _add_organisation_fields(self, organisation: Organisation) -> None:
        """Add the fields of one organisation: its people without an account, and its points of each kind."""
        self.fields[f"others_{organisation.pk}"] = forms.CharField(
            label=f"Other people from {organisation.display_name}",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="Put each person on their own line, with their name, a comma and their job title.",
        )
        for kind, (label, hint) in _LABEL_AND_HINT.items():
            self.fields[f"points_{organisation.pk}_{kind}"] = forms.CharField(
                label=f"{label} of {organisation.display_name}",
                required=False,
                max_length=6000,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=hint,
            )

    def _add_step_fields(self, people: QuerySet[User]) -> None:
        """Add the fields of the next steps. The owner of a step is an organisation, or one of its people.

        For example, the choice `7-31` is person 31 of organisation 7, and `7-` is organisation 7 without a person.
        """
        owner_choices: list[Any] = [("", "Choose who")]
        for organisation in self.organisations:
            own_people = [person for person in people if organisation.pk in self._organisation_ids_by_person[person.pk]]
            choices_of_organisation = [
                (f"{organisation.pk}-", f"{organisation.display_name}, person not named"),
                *((f"{organisation.pk}-{person.pk}", person.display_name) for person in own_people),
            ]
            owner_choices.append((organisation.display_name, choices_of_organisation))
        for row in range(self.row_count):
            self.fields[f"step_{row}_text"] = forms.CharField(
                label=f"Next step {row + 1}", required=False, max_length=_MAX_LINE_LENGTH
            )
            self.fields[f"step_{row}_who"] = forms.ChoiceField(
                label=f"Owner of next step {row + 1}", required=False, choices=owner_choices
            )
            self.fields[f"step_{row}_due_on"] = DayField(label=f"Due date of next step {row + 1}", required=False)

    def _sections(self) -> list[Section]:
        """Return the sections of the form. Fields that few records need are in collapsed sections."""
        sections = [
            Section("When and who", "subject", "state", "held_on", "format", "attendees"),
            Fold(
                "People who are not listed",
                *[f"others_{organisation.pk}" for organisation in self.organisations],
                hint="These people do not need an account. Their names appear in the record.",
            ),
            Section("What was said", "said", "decisions", "theme", "partnership"),
            Fold("Private note", "private_note"),
        ]
        for organisation in self.organisations:
            heading = f"Objectives, obstacles and opportunities of {organisation.display_name}"
            sections.append(Fold(heading, *self._names_of_points(organisation)))
        sections.append(
            Section(
                "Next steps",
                *self._names_of_step(0),
                "next_contact_on",
                hint="When you circulate the record, each next step becomes an action with an owner and a due date.",
            )
        )
        # The fields of the first next step are in the section above.
        sections += [Fold(f"Next step {row + 1}", *self._names_of_step(row)) for row in range(1, self.row_count)]
        sections.append(Fold("What other organisations see", "attribution"))
        return sections

    def _names_of_step(self, row: int) -> list[str]:
        """Return the names of the fields of a next step. Rows are counted from 0."""
        return [f"step_{row}_text", f"step_{row}_who", f"step_{row}_due_on"]

    def _names_of_points(self, organisation: Organisation) -> list[str]:
        """Return the names of the fields for the points of an organisation."""
        return [f"points_{organisation.pk}_{kind}" for kind in _LABEL_AND_HINT]

    def clean(self) -> dict[str, Any]:
        """Limit the length of each decision and point. Require all three fields of a next step if one is filled."""
        data = super().clean() or {}
        names = ["decisions"]
        for organisation in self.organisations:
            names += self._names_of_points(organisation)
        for name in names:
            if any(len(line) > _MAX_LINE_LENGTH for line in _lines(data.get(name, ""))):
                self.add_error(name, f"Keep each line under {_MAX_LINE_LENGTH} characters.")
        for row in range(self.row_count):
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
            organisations=self.other_organisations,
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
        """Return the attendees: people with an account, and people whose names were typed for an organisation.

        A person who acts for several of the organisations is recorded for the first.
        """
        attendees = []
        for person in self.cleaned_data["attendees"]:
            ids = self._organisation_ids_by_person[person.pk]
            organisations_of_person = [organisation for organisation in self.organisations if organisation.pk in ids]
            attendees.append(AttendeeInput(organisation=organisations_of_person[0], person=person))
        for organisation in self.organisations:
            for line in _lines(self.cleaned_data[f"others_{organisation.pk}"]):
                name, _comma, job_title = line.partition(",")
                attendees.append(
                    AttendeeInput(organisation, name=name.strip()[:150], job_title=job_title.strip()[:150])
                )
        return attendees

    def _points(self) -> list[PointInput]:
        """Return the points of every organisation, one for each line."""
        points = []
        for organisation in self.organisations:
            for kind in _LABEL_AND_HINT:
                lines = _lines(self.cleaned_data[f"points_{organisation.pk}_{kind}"])
                points += [PointInput(organisation, kind, line) for line in lines]
        return points

    def _next_steps(self) -> list[NextStepInput]:
        """Return the next steps that have a text, in the order of the form."""
        organisation_by_key = {str(organisation.pk): organisation for organisation in self.organisations}
        person_by_key = {str(person.pk): person for person in self._people}
        steps = []
        for row in range(self.row_count):
            if not self.cleaned_data[f"step_{row}_text"]:
                continue
            organisation_key, _hyphen, person_key = self.cleaned_data[f"step_{row}_who"].partition("-")
            steps.append(
                NextStepInput(
                    organisation=organisation_by_key[organisation_key],
                    owner=person_by_key.get(person_key),
                    text=self.cleaned_data[f"step_{row}_text"],
                    due_on=self.cleaned_data[f"step_{row}_due_on"],
                )
            )
        return steps


def _lines(text: str) -> list[str]:
    """Return the lines of a text that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _organisation_ids_by_person(
    people: QuerySet[User], organisations: Sequence[Organisation], attendee_ids: Sequence[tuple[int, int]]
) -> dict[int, set[int]]:
    """Return the ids of the organisations for which each person may be recorded, by the person's id.

    These are the organisations for which the person acts now, and those for which the record names them already.
    """
    organisation_ids_by_person: dict[int, set[int]] = {}
    memberships = Membership.objects.current().filter(organisation__in=organisations, person__in=people)
    membership_ids = memberships.values_list("person_id", "organisation_id")
    for person_id, organisation_id in [*attendee_ids, *membership_ids]:
        organisation_ids_by_person.setdefault(person_id, set()).add(organisation_id)
    return organisation_ids_by_person


def initial_of_record(conversation: Conversation, own_note: PrivateNote | None) -> dict[str, Any]:
    """Return the initial values of the form to edit a record. Needs `with_record`.

    A next step that became an action is left out, because people change it on the page of the action.
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
        "attendees": [attendee.person_id for attendee in conversation.attendees.all() if attendee.person_id],
        "decisions": "\n".join(decision.text for decision in conversation.decisions.all()),
        "private_note": own_note.text if own_note else "",
        "revision": conversation.revision,
        **_initial_guests(conversation),
        **_initial_points(conversation),
        **_initial_steps(conversation),
    }


def _initial_guests(conversation: Conversation) -> dict[str, str]:
    """Return the attendees without an account as text for the field of each organisation, one on each line."""
    guests = [attendee for attendee in conversation.attendees.all() if not attendee.person_id]
    initial = {}
    for side in conversation.sides.all():
        lines = [
            f"{guest.name}, {guest.job_title}" if guest.job_title else guest.name
            for guest in guests
            if guest.organisation_id == side.organisation_id
        ]
        initial[f"others_{side.organisation_id}"] = "\n".join(lines)
    return initial


def _initial_points(conversation: Conversation) -> dict[str, str]:
    """Return the points as text for the field of each organisation and kind, one on each line."""
    texts_by_field: dict[str, list[str]] = {}
    for point in conversation.points.all():
        texts_by_field.setdefault(f"points_{point.organisation_id}_{point.kind}", []).append(point.text)
    return {name: "\n".join(texts) for name, texts in texts_by_field.items()}


def _initial_steps(conversation: Conversation) -> dict[str, Any]:
    """Return the fields of the next steps that have not become actions."""
    initial: dict[str, Any] = {}
    steps = [step for step in conversation.next_steps.all() if step.action_id is None]
    for row, step in enumerate(steps):
        initial[f"step_{row}_text"] = step.text
        initial[f"step_{row}_who"] = f"{step.organisation_id}-{step.owner_id or ''}"
        initial[f"step_{row}_due_on"] = step.due_on
    return initial
