"""Forms to name and share a saved view, and to request a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import Form, Helper
from partnerships.lists.models import SavedView
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User


class NameForm(Form):
    """Name a view."""

    name = forms.CharField(label="Name of the view", max_length=100)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save view", cancel=cancel)


class MakeFileForm(Form):
    """Confirm that a worker should make a file. The form has no fields."""

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Make file", cancel=cancel)


class ShareForm(Form):
    """Choose the organisation or partnership with which to share a view.

    The choices are those for which the person is an editor.
    """

    shared_with = forms.ChoiceField(
        label="Who can use the view?",
        required=False,
        widget=forms.RadioSelect,
        help_text="Each person sees only the rows that they can read.",
    )

    def __init__(self, *args: Any, view: SavedView, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organisations = Organisation.objects.of_person(person, *EDITING_ROLES).order_by("name", "pk")
        partnerships = Partnership.objects.with_party_of(person, *EDITING_ROLES).order_by("title", "pk")[:200]
        self._record_by_value: dict[str, Organisation | Partnership] = {}
        for organisation in organisations:
            self._record_by_value[f"organisation-{organisation.pk}"] = organisation
        for partnership in partnerships:
            self._record_by_value[f"partnership-{partnership.pk}"] = partnership
        field = choice_field(self, "shared_with")
        field.choices = [("", "Only me"), *((value, str(record)) for value, record in self._record_by_value.items())]
        field.initial = ""
        if view.organisation_id:
            field.initial = f"organisation-{view.organisation_id}"
        elif view.partnership_id:
            field.initial = f"partnership-{view.partnership_id}"
        self.helper = Helper(self, submit="Save who can use the view", cancel=reverse("lists:views"))

    @property
    def chosen_audience(self) -> Organisation | Partnership | None:
        """Return the organisation or partnership with which to share the view, or None for “Only me”."""
        return self._record_by_value.get(self.cleaned_data["shared_with"])
