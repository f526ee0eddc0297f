"""The filters of the board and the list of asks and offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from partnerships.exchange.models import Direction, Status, Theme
from partnerships.exchange.queries.board import Filters
from partnerships.kit.choice_fields import choice_field
from partnerships.kit.forms import Form
from partnerships.kit.record_fields import RecordSelect
from partnerships.organisations.models import Area

_STATUSES = [(code, label) for code, label in Status.choices if code != Status.DRAFT]


def choices_with_counts() -> dict[str, list[tuple[str, str]]]:
    """Return the choices of the fields that show a count beside each choice, by the name of the field."""
    return {"direction": Direction.choices, "theme": Theme.all_choices(), "status": _STATUSES}


class FilterForm(Form):
    """The filters of the board."""

    q = forms.CharField(label="Keywords", required=False, max_length=200)
    direction = forms.MultipleChoiceField(
        label="Asks and offers", required=False, choices=Direction, widget=forms.CheckboxSelectMultiple
    )
    theme = forms.MultipleChoiceField(
        label="Theme", required=False, choices=Theme.all_choices, widget=forms.CheckboxSelectMultiple
    )
    organisation = forms.CharField(label="Organisation", required=False, max_length=200)
    area = forms.ModelChoiceField(
        label="Area",
        required=False,
        queryset=Area.objects.filter(valid_to=None).order_by("name", "pk"),
        empty_label="Anywhere",
        widget=RecordSelect(named_by="name"),
    )
    standing = forms.BooleanField(label="Standing offers only", required=False)
    status = forms.MultipleChoiceField(
        label="Status",
        required=False,
        choices=_STATUSES,
        widget=forms.CheckboxSelectMultiple,
        help_text="If you choose none, you see all open asks and offers.",
    )
    oldest = forms.BooleanField(label="No answer yet, oldest first", required=False)
    waiting = forms.IntegerField(
        label="Days without an answer, more than",
        required=False,
        min_value=0,
        max_value=9_999,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-4"}),
    )

    def filters(self) -> Filters:
        """Return the chosen filters; no filters if the form is invalid."""
        return filters_of(self.cleaned_data) if self.is_valid() else Filters()

    def show_counts(self, counts: Mapping[str, str]) -> None:
        """Show a count beside each choice. `counts` has them by the id of the element (`count-theme-land`)."""
        for name, choices in choices_with_counts().items():
            choice_field(self, name).choices = [
                (code, _label_with_count(label, f"count-{name}-{code}", counts)) for code, label in choices
            ]


def filters_of(chosen: Mapping[str, Any]) -> Filters:
    """Return the filters in the cleaned data of a form. A missing value filters nothing."""
    return Filters(
        words=chosen.get("q", "").strip(),
        directions=tuple(chosen.get("direction", ())),
        themes=tuple(chosen.get("theme", ())),
        statuses=tuple(chosen.get("status", ())),
        organisation=chosen.get("organisation", "").strip(),
        area=chosen["area"].pk if chosen.get("area") else None,
        standing=chosen.get("standing", False),
        oldest=chosen.get("oldest", False),
        waiting=chosen.get("waiting"),
    )


def _label_with_count(label: str, element: str, counts: Mapping[str, str]) -> SafeString:
    """Return a label such as "Land (12)". The count has an id, so that the page can replace it."""
    return format_html('{} (<span id="{}">{}</span>)', label, element, counts[element])
