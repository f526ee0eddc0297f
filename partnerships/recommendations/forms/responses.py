"""Forms for an organisation's response to a recommendation, and for evidence of it."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.choice_fields import choice_field, model_choice_field
from partnerships.kit.forms import (
    AutocompleteSelect,
    DayField,
    Form,
    Helper,
    Section,
    VerdictForm,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of
from partnerships.people.models import User
from partnerships.recommendations.models import STATUSES_WITH_REASON, Response, ResponseStatus
from partnerships.recommendations.services import ResponseDetails


class _Owner(forms.ModelChoiceField[User]):
    """A field to choose a person by name."""

    def label_from_instance(self, obj: User) -> str:
        """Return the person's name."""
        return obj.display_name


class ResponseForm(VerdictForm):
    """The form for an organisation's response to a recommendation."""

    verdict_field = "status"
    needs_words = {status.value: "Enter a reason." for status in STATUSES_WITH_REASON}

    status = forms.ChoiceField(label="Status", choices=ResponseStatus.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="Why, or what you are doing",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Everyone who is signed in can read the status and this text.",
    )
    owner = _Owner(label="Owner", required=False, queryset=User.objects.none(), empty_label="Nobody yet")
    review_on = DayField(label="Review date", required=False, help_text="We remind the owner on this day.")
    note = forms.CharField(label="Note", required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}))
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, organisation: Organisation, response: Response | None, cancel: str, **kwargs: Any
    ) -> None:
        field_names = ("status", "reason", "owner", "review_on", "note", "revision")
        initial = {name: getattr(response, name) for name in field_names} if response else {"revision": 0}
        kwargs.setdefault("initial", initial)
        super().__init__(*args, **kwargs)
        owner = model_choice_field(self, "owner")
        owner.queryset = people_of(organisation)
        self.helper = Helper(
            self,
            Section("For everyone", "status", "reason"),
            Section(f"For {organisation.display_name} only", "owner", "review_on", "note", "revision"),
            submit="Save response",
            cancel=cancel,
        )

    @property
    def details(self) -> ResponseDetails:
        """Return the response that was entered. The form must be valid."""
        data = self.cleaned_data
        return ResponseDetails(
            status=data["status"],
            reason=data["reason"],
            owner=data["owner"],
            review_on=data["review_on"],
            note=data["note"],
        )


class EvidenceForm(Form):
    """The form to choose a record as evidence for a response."""

    record = forms.ChoiceField(label="Record", widget=AutocompleteSelect)
    words = forms.CharField(
        label="What the record shows",
        required=False,
        max_length=300,
        help_text="Everyone who can read the evidence can read this text too.",
    )

    def __init__(self, *args: Any, label: str, choices: list[tuple[str, str]], cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = choice_field(self, "record")
        record.label, record.choices = label, [("", "Choose one"), *choices]
        self.helper = Helper(self, submit="Add evidence", cancel=cancel)
