"""The form to choose the other organisations in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelectMultiple, Form, Helper
from partnerships.organisations.choices import OrganisationsField
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.organisations.naming import with_former_names


class ChooseOrganisationsForm(Form):
    """The form to choose the other organisations in a conversation, before the form of its record.

    The form is sent by GET, so that its fields become parameters in the URL of the record's form. The person chooses
    among the parties of one partnership or, without a partnership, among all partners.
    """

    others = OrganisationsField(
        label="Your partners",
        queryset=Organisation.objects.none(),
        required=False,
        widget=AutocompleteSelectMultiple,
        help_text="Choose one or more organisations in a partnership with yours.",
    )
    chosen = forms.BooleanField(required=False, widget=forms.HiddenInput)
    partnership = forms.IntegerField(required=False, widget=forms.HiddenInput)
    own_organisation = forms.IntegerField(required=False, widget=forms.HiddenInput)
    came_from = forms.CharField(required=False, widget=forms.HiddenInput)
    state = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, partners: OrganisationQuerySet, parties: Mapping[int, str] | None = None, **kwargs: Any
    ) -> None:
        """Build the form. `parties` has the labels of the partnership's organisations, by their ids."""
        super().__init__(*args, **kwargs)
        field = model_choice_field(self, "others")
        if parties:
            # Parties of one partnership are few: show them as checkboxes with their roles.
            field.widget = forms.CheckboxSelectMultiple()
            field.label = "Who else took part"
            field.help_text = "Only organisations that took part can read the record. We ask them to agree to it."
            field.choices = list(parties.items())
        else:
            field.queryset = with_former_names(partners)
        self.helper = Helper(self, submit="Continue", method="get")

    def add_prefix(self, field_name: str) -> str:
        """Return the URL parameter of a field.

        The parameters `with`, `for` and `from` are reserved words in Python, so the fields have other names.
        """
        return {"others": "with", "own_organisation": "for", "came_from": "from"}.get(field_name, field_name)
