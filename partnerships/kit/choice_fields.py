"""Fields of a form whose choices are set for each request, with their types."""

from __future__ import annotations

from typing import Any

from django import forms


def choice_field(form: forms.BaseForm, name: str) -> forms.ChoiceField:
    """The field of this name, which has choices."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    return field


def model_choice_field(form: forms.BaseForm, name: str) -> forms.ModelChoiceField[Any]:
    """The field of this name, which has a queryset; one that takes several rows is one too."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    return field
