"""Filters of the list of conversations."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.agreements.models import Partnership
from partnerships.conversations.models import Status
from partnerships.exchange.models import Theme
from partnerships.kit.forms import Form, Helper
from partnerships.people.models import User


class FilterForm(Form):
    """Filters of the list of conversations."""

    words = forms.CharField(label="Subject or organisation", required=False, max_length=80)
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Any status"), *Status.choices])
    theme = forms.ChoiceField(label="Theme", required=False, choices=lambda: [("", "Any theme"), *Theme.all_choices()])
    partnership = forms.ModelChoiceField(
        label="Partnership", required=False, queryset=Partnership.objects.none(), empty_label="Any partnership"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["partnership"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Partnership.objects.inside_for(user).order_by("title", "pk")
        self.helper = Helper(self, submit="Apply filters", method="get")
