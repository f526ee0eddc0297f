"""Forms for conversations; one form holds a whole record."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from crispy_forms.utils import render_field
from django import forms
from django.db.models import Q, QuerySet
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from partnerships.agreements.models import Partnership
from partnerships.conversations.models import (
    Attribution,
    Conversation,
    Format,
    Point,
    PointKind,
    PrivateNote,
    Status,
)
from partnerships.conversations.queries import people_of
from partnerships.conversations.services import AttendeeGiven, NextStepGiven, PointGiven, Record
from partnerships.exchange.models import Theme
from partnerships.kit import forms as kit
from partnerships.kit.forms import AutocompleteSelectMultiple, DayField, Form, Helper, Section
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User

#: Empty rows for next steps, besides those already there.
_SPARE_STEPS = 3
_MAX_STEPS = 20
_POINT_LENGTH = 500
_PRIVATE = "Read by your own organisation only, on this page. It is never sent, searched or exported."
_WORDS = {
    PointKind.OBJECTIVE: ("Objectives", "What it wants to achieve. One a line."),
    PointKind.OBSTACLE: ("Obstacles", "What stands in the way. One a line; each can become an ask."),
    PointKind.OPPORTUNITY: ("Opportunities", "Gains nobody has claimed yet. One a line; each can become an offer."),
}


class Fold(Section):
    """Collapsed section of rarely used fields.

    Open if a field has a value or an error.
    """

    def render(self, form: forms.BaseForm, context: Context, **kwargs: Any) -> SafeString:
        """The section as HTML; called by crispy-forms."""
        inner = format_html_join("", "{}", ((render_field(field, form, context),) for field in self.fields))
        is_open = any(_is_filled(form, str(name)) or str(name) in form.errors for name in self.fields)
        words = {"heading": self.heading, "hint": self.hint, "inner": inner, "open": is_open}
        return render_to_string("conversations/_fold.html", words)


def _is_filled(form: forms.BaseForm, name: str) -> bool:
    """Whether a field differs from its value in a new record."""
    value = form[name].value()
    if isinstance(value, list | tuple):
        return any(value)
    return bool(value) and value != form.fields[name].initial


class ConversationForm(Form):
    """A whole record: who, when, what was said, points and next steps."""

    subject = forms.CharField(label="What it was about", max_length=200)
    partnership = forms.ModelChoiceField(
        label="Partnership", queryset=Partnership.objects.none(), required=False, empty_label="None"
    )
    state = forms.ChoiceField(
        label="Has it taken place?",
        widget=forms.RadioSelect,
        choices=[("held", "Yes, it was held"), ("planned", "No, it is planned")],
    )
    held_on = DayField(label="Date of the conversation")
    format = forms.ChoiceField(label="How", choices=Format.choices)
    theme = forms.ChoiceField(label="Theme", required=False, choices=[("", "None in particular"), *Theme.choices])
    attendees = forms.ModelMultipleChoiceField(
        label="Who took part",
        queryset=User.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple,
        help_text="Begin to type a name. Whoever is not found is added by name below.",
    )
    said = forms.CharField(
        label="What was said", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 8})
    )
    private_note = forms.CharField(
        label="Private note",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_PRIVATE,
    )
    next_contact_on = DayField(label="Date of the next contact", required=False)
    attribution = forms.ChoiceField(
        label="How readers of other organisations learn who was there and who said what",
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
        submit: str = "Save this conversation",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.keeper, self.others = keeper, list(others)
        self.sides = [keeper, *others]
        self.steps = min(steps + _SPARE_STEPS, _MAX_STEPS)
        # An attendee who has left their organisation since stays in the record.
        known = people_of(self.sides, user).values("pk")
        people = User.objects.filter(Q(pk__in=known) | Q(pk__in=[person for person, _ in seated])).order_by(
            "name", "pk"
        )
        self._bodies = _bodies_of(people, self.sides, seated)
        self._choose("partnership", Partnership.objects.present_for(user, *EDITING_ROLES).order_by("title", "pk"))
        self._choose("attendees", people)
        self._people = people
        self.fields["key"].initial = uuid.uuid4
        for side in self.sides:
            self._add_side(side)
        self._add_steps(people)
        self.helper = Helper(self, *self._sections(), submit=submit, cancel=cancel or reverse("conversations:list"))

    def _choose(self, name: str, rows: QuerySet[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def _add_side(self, side: Organisation) -> None:
        self.fields[f"others_{side.pk}"] = forms.CharField(
            label=f"Others of {side.display_name}",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="One a line: the name, and after a comma the job title.",
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
        choices: list[Any] = [("", "Nobody yet")]
        for side in self.sides:
            mine = [person for person in people if side.pk in self._bodies[person.pk]]
            named = [(f"{side.pk}-{person.pk}", person.display_name) for person in mine]
            choices.append((side.display_name, [(f"{side.pk}-", f"{side.display_name}, person not named"), *named]))
        for row in range(self.steps):
            self.fields[f"step_{row}_text"] = forms.CharField(
                label=f"Next step {row + 1}", required=False, max_length=_POINT_LENGTH
            )
            self.fields[f"step_{row}_who"] = forms.ChoiceField(
                label=f"Who does next step {row + 1}", required=False, choices=choices
            )
            self.fields[f"step_{row}_due_on"] = DayField(label=f"Date next step {row + 1} is due", required=False)

    def _sections(self) -> list[Section]:
        """Sections: who, when and what was said first; the rest is collapsed."""
        steps = [[f"step_{row}_{part}" for part in ("text", "who", "due_on")] for row in range(self.steps)]
        return [
            Section("When and who", "subject", "state", "held_on", "format", "attendees"),
            Fold(
                "People who are not in the list",
                *(f"others_{side.pk}" for side in self.sides),
                hint="They need no account. Their names stand in the record.",
            ),
            Section("What was said", "said", "theme", "partnership"),
            Fold("A private note", "private_note"),
            *(
                Fold(
                    f"What {side.display_name} wants, what stands in its way, what it could gain",
                    *(f"points_{side.pk}_{kind}" for kind in _WORDS),
                )
                for side in self.sides
            ),
            Section(
                "What comes next",
                *steps[0],
                "next_contact_on",
                hint="Each next step becomes an action with its owner and date once the record is circulated.",
            ),
            *(Fold(f"Next step {row}", *fields) for row, fields in enumerate(steps[1:], start=2)),
            Fold("Who is named to readers of other organisations", "attribution"),
        ]

    def clean(self) -> dict[str, Any]:
        """Validate points and next steps."""
        cleaned = super().clean() or {}
        for side in self.sides:
            for kind in _WORDS:
                name = f"points_{side.pk}_{kind}"
                if any(len(line) > _POINT_LENGTH for line in _lines(cleaned.get(name, ""))):
                    self.add_error(name, f"Keep each line under {_POINT_LENGTH} characters")
        for row in range(self.steps):
            text = cleaned.get(f"step_{row}_text", "")
            for part, words in (("who", "Choose who does it"), ("due_on", "Enter the day it is due")):
                name = f"step_{row}_{part}"
                if text and not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, words)
            if not text and (cleaned.get(f"step_{row}_who") or cleaned.get(f"step_{row}_due_on")):
                self.add_error(f"step_{row}_text", "Say what is to be done")
        return cleaned

    @property
    def record(self) -> Record:
        """The record that a valid form describes."""
        given = self.cleaned_data
        return Record(
            subject=given["subject"],
            held_on=given["held_on"],
            planned=given["state"] == "planned",
            format=given["format"],
            organisations=self.others,
            partnership=given["partnership"],
            theme=given["theme"],
            said=given["said"],
            attribution=given["attribution"],
            next_contact_on=given["next_contact_on"],
            attendees=self._attendees(),
            points=self._points(),
            next_steps=self._next_steps(),
            private_note=given["private_note"],
        )

    def _attendees(self) -> list[AttendeeGiven]:
        seats = []
        for person in self.cleaned_data["attendees"]:
            body = next(side for side in self.sides if side.pk in self._bodies[person.pk])
            seats.append(AttendeeGiven(organisation=body, person=person))
        for side in self.sides:
            for line in _lines(self.cleaned_data[f"others_{side.pk}"]):
                name, _, job_title = line.partition(",")
                seats.append(AttendeeGiven(side, name=name.strip()[:150], job_title=job_title.strip()[:150]))
        return seats

    def _points(self) -> list[PointGiven]:
        return [
            PointGiven(side, kind, line)
            for side in self.sides
            for kind in _WORDS
            for line in _lines(self.cleaned_data[f"points_{side.pk}_{kind}"])
        ]

    def _next_steps(self) -> list[NextStepGiven]:
        sides = {str(side.pk): side for side in self.sides}
        people = {str(person.pk): person for person in self._people}
        steps = []
        for row in range(self.steps):
            if not self.cleaned_data[f"step_{row}_text"]:
                continue
            side, _, person = self.cleaned_data[f"step_{row}_who"].partition("-")
            steps.append(
                NextStepGiven(
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


def _bodies_of(
    people: QuerySet[User], sides: Sequence[Organisation], seated: Sequence[tuple[int, int]]
) -> dict[int, set[int]]:
    """Sides that each person acts for, or acted for when added as attendee."""
    bodies: dict[int, set[int]] = {}
    for person, organisation in seated:
        bodies.setdefault(person, set()).add(organisation)
    current = Membership.objects.current().filter(organisation__in=[side.pk for side in sides], person__in=people)
    for person, organisation in current.values_list("person_id", "organisation_id"):
        bodies.setdefault(person, set()).add(organisation)
    return bodies


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


class ChooseForm(Form):
    """Choose whom the conversation was with, before the main form."""

    others = forms.ModelMultipleChoiceField(
        label="Your partners",
        queryset=Organisation.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple,
        help_text="Organisations that share a partnership with yours. Choose one or more.",
    )
    chosen = forms.BooleanField(required=False, widget=forms.HiddenInput)
    partnership = forms.IntegerField(required=False, widget=forms.HiddenInput)
    keeper = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, partners: QuerySet[Organisation], parties: Mapping[int, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["others"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        if parties:
            # Parties of one partnership are few: show them as checkboxes with their roles.
            field.widget = forms.CheckboxSelectMultiple()
            field.label = "Who took part besides you"
            field.help_text = "Only those who took part read the record and are asked to agree to it."
            field.choices = [(pk, words) for pk, words in parties.items()]
        else:
            field.queryset = partners
        self.helper = Helper(self, submit="Continue", method="get")

    def add_prefix(self, field_name: str) -> str:
        """Names of fields in addresses: `with` and `for` are Python keywords."""
        return {"others": "with", "keeper": "for"}.get(field_name, field_name)


class CorrectionForm(Form):
    """A suggested correction."""

    text = forms.CharField(
        label="What should be put right",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Quote the words you mean and write what they should be. Every side of the conversation sees this.",
    )

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Suggest this correction", cancel=conversation.get_absolute_url())


class AnswerForm(Form):
    """Accept or refuse a correction."""

    verdict = forms.ChoiceField(
        label="Is it taken up?",
        widget=forms.RadioSelect,
        choices=[("yes", "Yes, the record says so now"), ("no", "No")],
    )
    answer = forms.CharField(
        label="Answer",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed when it is not taken up: say why.",
    )

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Give this answer", cancel=conversation.get_absolute_url())

    def clean(self) -> dict[str, Any]:
        """Require a reason for refusing."""
        cleaned = super().clean() or {}
        if cleaned.get("verdict") == "no" and not cleaned.get("answer", "").strip():
            self.add_error("answer", "Say why it is not taken up")
        return cleaned


class AgreeForm(Form):
    """Agree to the record for one side."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, conversation: Conversation, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = conversation.revision
        self.helper = Helper(
            self, submit=f"Agree for {organisation.display_name}", cancel=conversation.get_absolute_url()
        )


class ConfirmForm(Form):
    """A form with a button only."""

    def __init__(self, *args: Any, submit: str, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit=submit, cancel=cancel)


class ReasonForm(kit.ReasonForm):
    """A reason."""

    danger = True
    reason = forms.CharField(label="Reason", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class NoteForm(Form):
    """A private note."""

    text = forms.CharField(
        label="Private note",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_PRIVATE,
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save this note", cancel=conversation.get_absolute_url())


class BecomeForm(Form):
    """Make an ask of an obstacle, or an offer of an opportunity."""

    title = forms.CharField(label="In one line", max_length=200)
    theme = forms.ChoiceField(label="Theme", choices=[("", "Choose a theme"), *Theme.choices])
    addressees = forms.ModelMultipleChoiceField(
        label="Whom it is addressed to",
        queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody sees it before you share it.",
    )

    def __init__(self, *args: Any, point: Point, able: Sequence[Organisation], cancel: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].help_text = (
            "What would remove the obstacle? Others see this line first."
            if point.direction == "ask"
            else "What you bring to it. Others see this line first."
        )
        self.fields["theme"].initial = point.conversation.theme or None
        if len(able) > 1:
            field = self.fields["addressees"]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = Organisation.objects.filter(pk__in=[body.pk for body in able]).order_by("name", "pk")
            field.initial = [body.pk for body in able]
        else:
            del self.fields["addressees"]
        self.helper = Helper(
            self,
            submit=f"Draft this {point.direction}",
            cancel=cancel or point.conversation.get_absolute_url(),
        )


class FilterForm(Form):
    """Filters of the list of conversations."""

    words = forms.CharField(label="Subject", required=False, max_length=80)
    status = forms.ChoiceField(label="Standing", required=False, choices=[("", "Any"), *Status.choices])
    theme = forms.ChoiceField(label="Theme", required=False, choices=[("", "Any theme"), *Theme.choices])
    partnership = forms.ModelChoiceField(
        label="Partnership", required=False, queryset=Partnership.objects.none(), empty_label="Any partnership"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["partnership"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Partnership.objects.inside_for(user).order_by("title", "pk")
        self.helper = Helper(self, submit="Show these", method="get")
