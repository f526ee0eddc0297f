"""Forms about saved views and files."""

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
    """A name for a view."""

    name = forms.CharField(label="Name of the view", max_length=100)

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save view", cancel=cancel)


class MakeFileForm(Form):
    """Nothing to fill in."""

    def __init__(self, *args: Any, cancel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Make file", cancel=cancel)


class ShareForm(Form):
    """Who a view is shared with."""

    shared_with = forms.ChoiceField(
        label="Who can use it?",
        required=False,
        widget=forms.RadioSelect,
        help_text="Everybody sees only what they can read themselves.",
    )

    def __init__(self, *args: Any, view: SavedView, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organisations = Organisation.objects.of_person(person, *EDITING_ROLES).order_by("name", "pk")
        partnerships = Partnership.objects.present_for(person, *EDITING_ROLES).order_by("title", "pk")[:200]
        self._found: dict[str, Organisation | Partnership] = {
            **{f"organisation-{organisation.pk}": organisation for organisation in organisations},
            **{f"partnership-{partnership.pk}": partnership for partnership in partnerships},
        }
        field = choice_field(self, "shared_with")
        field.choices = [("", "Only me"), *((key, str(one)) for key, one in self._found.items())]
        field.initial = ""
        if view.organisation_id:
            field.initial = f"organisation-{view.organisation_id}"
        elif view.partnership_id:
            field.initial = f"partnership-{view.partnership_id}"
        self.helper = Helper(self, submit="Save who can use it", cancel=reverse("lists:views"))

    @property
    def chosen(self) -> Organisation | Partnership | None:
        """The organisation or partnership that was chosen."""
        return self._found.get(self.cleaned_data["shared_with"])
