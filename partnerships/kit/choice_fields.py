"""Typed access to the choices of form fields, and long lists of choices that never change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django import forms
from django.utils.choices import BaseChoiceIterator


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


class FixedChoices(BaseChoiceIterator):
    """The choices that a function returns. The function is called once in each process.

    This is for long lists, because Django would otherwise check each choice again for each form.
    """

    def __init__(self, read_choices: Callable[[], list[tuple[str, str]]]) -> None:
        """Read the choices when a form first shows or checks them."""
        self._read_choices = cache(read_choices)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._read_choices())
