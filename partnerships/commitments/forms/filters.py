"""Filters of the list of commitments."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.agreements.columns import offer_partnerships
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Kind
from partnerships.kit.forms import Form, Helper
from partnerships.kit.record_fields import RecordField
from partnerships.people.models import User


class FilterForm(Form):
    """The form to filter the list of commitments.

    The parameters `words`, `side`, `standing` and `register` keep their names, because saved views contain them.
    """

    PARTS = (("", "Given or received"), ("given", "We give"), ("received", "We receive"), ("mine", "I am the owner"))
    STATUSES = (
        ("", "Any status"),
        ("proposed", "Proposed"),
        ("open", "Open"),
        ("overdue", "Overdue"),
        ("risk", "At risk or blocked"),
        ("done", "Done, waiting to be verified"),
        ("verified", "Verified"),
        ("ended", "Cancelled or superseded"),
    )
    words = forms.CharField(label="Text, reference or organisation", required=False, max_length=80)
    side = forms.ChoiceField(label="Our part", required=False, choices=PARTS)
    standing = forms.ChoiceField(label="Status", required=False, choices=STATUSES)
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "Commitments and actions"), *Kind.choices])
    partnership = RecordField(label="Partnership", queryset=Partnership.objects.none(), empty_label="Any partnership")
    register = forms.ChoiceField(
        label="Source",
        required=False,
        choices=[("", "Anywhere"), ("made", "Added here"), ("read", "Imported from a published register")],
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_partnerships(self, user)
        self.helper = Helper(self, submit="Apply filters", method="get")
