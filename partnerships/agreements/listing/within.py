"""The form that filters lists of records within partnerships."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.kit.forms import Form
from partnerships.kit.record_fields import RecordField
from partnerships.people.models import User


class RecordFilterForm(Form):
    """Filter by text, by partnership, and by the reader's own organisations.

    `search_label` is the label of the text field.
    """

    q = forms.CharField(required=False, max_length=200)
    partnership = RecordField(label="Partnership", queryset=Partnership.objects.none(), empty_label="Any partnership")
    mine = forms.BooleanField(label="Only from my organisations", required=False)

    def __init__(self, parameters: QueryDict, *, user: User, search_label: str) -> None:
        super().__init__(parameters)
        self.fields["q"].label = search_label
        offer_partnerships(self, user)
