"""The form that filters lists of records of partnerships."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.kit.forms import Form
from partnerships.kit.record_fields import RecordField
from partnerships.people.models import User


class WithinForm(Form):
    """Filters by words, by partnership, and by the reader's own organisations. `words` names what the words search."""

    q = forms.CharField(required=False, max_length=200)
    partnership = RecordField(label="Partnership", queryset=Partnership.objects.none(), empty_label="Any partnership")
    mine = forms.BooleanField(label="Only those of my organisations", required=False)

    def __init__(self, parameters: QueryDict, *, user: User, words: str) -> None:
        super().__init__(parameters)
        self.fields["q"].label = words
        offer_partnerships(self, user)
