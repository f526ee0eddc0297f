"""The active filters of a list, each with a link that removes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from partnerships.kit.dates import long_date

#: Parameters that choose a page of a list. Links that change the filters leave these parameters out.
PAGING_PARAMETERS = ("page", "after", "before", "cursor")


@dataclass(frozen=True, slots=True)
class Chip:
    """The label of an active filter, and the query string of the list without this filter."""

    label: str
    href: str


def active_filters(form: forms.BaseForm, parameters: QueryDict) -> list[Chip]:
    """Return a chip for each active filter of a GET form, or no chips if the form is invalid."""
    if not form.is_valid():
        return []
    chips: list[Chip] = []
    for name, field in form.fields.items():
        cleaned = form.cleaned_data.get(name)
        if cleaned in (None, "", False) or not parameters.getlist(form.add_prefix(name)):
            continue
        is_multiple = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
        for value in cleaned if is_multiple else [cleaned]:
            query = _query_without(parameters, form.add_prefix(name), str(field.prepare_value(value)))
            chips.append(Chip(label=_chip_label(field, name, value), href=f"?{query}"))
    return chips


def _query_without(parameters: QueryDict, parameter: str, value: str) -> str:
    """Return the query string of the list's first page without one value of a parameter.

    The parameter disappears if it has no other value.
    """
    remaining = parameters.copy()
    for paging_parameter in PAGING_PARAMETERS:
        remaining.pop(paging_parameter, None)
    values = remaining.getlist(parameter)
    other_values = [other_value for other_value in values if other_value != value]
    if other_values and len(other_values) < len(values):
        remaining.setlist(parameter, other_values)
    else:
        remaining.pop(parameter, None)
    return remaining.urlencode()


def _chip_label(field: forms.Field, name: str, value: Any) -> str:
    """Return the label of a filter's chip, such as “Open” for a choice or “From 1 May 2026” for a day."""
    label = str(field.label or name.replace("_", " ").capitalize())
    if isinstance(field, forms.ModelChoiceField):
        return str(field.label_from_instance(value))
    if isinstance(field, forms.BooleanField):
        return label
    if isinstance(value, dt.date):
        return f"{label} {long_date(value)}"
    if isinstance(field, forms.ChoiceField):
        return _labels_by_value(field.choices).get(str(value), str(value))
    return f"{label}: {value}"


def _labels_by_value(choices: Any) -> Mapping[str, str]:
    """Return the label of each choice by its value, including choices within groups."""
    labels: dict[str, str] = {}
    for value, label in choices:
        if isinstance(label, list | tuple):  # a group, with its name and its choices
            labels |= _labels_by_value(label)
        else:
            labels[str(value)] = str(label)
    return labels
