"""Fields of a form whose choices are set for each request, with their types."""

from __future__ import annotations

from typing import Any

from django import forms


def choice_field(form: forms.BaseForm, name: str) -> forms.ChoiceField:
    """Return the form's field of this name, typed as a field with choices."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    return field


def model_choice_field(form: forms.BaseForm, name: str) -> forms.ModelChoiceField[Any]:
    """Return the form's field of this name, typed as a field with a queryset.

    A `ModelMultipleChoiceField` also qualifies, because it is a subclass.
    """
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    return field
