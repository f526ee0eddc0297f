"""The form of a working group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from partnerships.exchange.models import Response
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import DayField, Form, Helper
from partnerships.organisations.choices import OrganisationsField
from partnerships.organisations.models import Organisation


class GroupForm(Form):
    """The form to start a working group: its title, purpose, members and end."""

    title = forms.CharField(label="Title", max_length=200)
    purpose = forms.CharField(
        label="Purpose",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Enter what the group should achieve.",
    )
    members = OrganisationsField(
        label="Who else takes part?",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Both organisations in the answer take part anyway.",
    )
    ends_on = DayField(label="End date")
    outlives_parent = forms.BooleanField(label="The group can continue after the partnership ends", required=False)

    def __init__(self, *args: Any, response: Response, others: Sequence[int], cancel: str, **kwargs: Any) -> None:
        """Build the form to start a group from a response. `others` are the organisations (ids) that can be invited."""
        super().__init__(*args, **kwargs)
        self.fields["title"].initial = response.entry.title
        self.fields["purpose"].initial = response.entry.statement
        model_choice_field(self, "members").queryset = Organisation.objects.filter(pk__in=others).order_by("name", "pk")
        if not others:
            del self.fields["members"]
        self.helper = Helper(self, submit="Start working group", cancel=cancel)
