"""The filter of the board."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from partnerships.exchange.models import Direction, Status, Theme
from partnerships.exchange.queries.board import Filters
from partnerships.kit.forms import Form
from partnerships.organisations.models import Area

_STATUSES = [(code, label) for code, label in Status.choices if code != Status.DRAFT]


def counted() -> dict[str, list[tuple[str, str]]]:
    """The fields with a count beside each choice, with their choices."""
    return {"direction": Direction.choices, "theme": Theme.all_choices(), "status": _STATUSES}


class _AreaSelect(forms.Select):
    """A select of about 350 areas, written as plain HTML.

    Django's template for each option is slower than the page's queries.
    """

    def use_required_attribute(self, initial: Any) -> bool:
        """Never: to find out, Django would read all areas once more."""
        return False

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The select with its options."""
        chosen = str(value or "")
        options = "".join(
            f'<option value="{escape(key)}"{" selected" if key == chosen else ""}>{escape(label)}</option>'
            for key, label in ((str(key), str(label)) for key, label in self.choices)
        )
        written = flatatt(self.build_attrs(self.attrs, attrs))
        return format_html('<select name="{}"{}>{}</select>', name, written, mark_safe(options))  # noqa: S308  # escaped above


class FilterForm(Form):
    """What to show on the board."""

    q = forms.CharField(label="Keywords", required=False, max_length=200)
    direction = forms.MultipleChoiceField(
        label="Asks and offers", required=False, choices=Direction, widget=forms.CheckboxSelectMultiple
    )
    theme = forms.MultipleChoiceField(
        label="Theme", required=False, choices=Theme.all_choices, widget=forms.CheckboxSelectMultiple
    )
    organisation = forms.CharField(label="Organisation", required=False, max_length=200)
    area = forms.TypedChoiceField(label="Area", required=False, coerce=int, empty_value=None, widget=_AreaSelect)
    standing = forms.BooleanField(label="Standing offers only", required=False)
    status = forms.MultipleChoiceField(
        label="Status",
        required=False,
        choices=_STATUSES,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none to see everything that is open.",
    )
    oldest = forms.BooleanField(label="No answer yet, oldest first", required=False)
    waiting = forms.IntegerField(
        label="No answer for more than (days)",
        required=False,
        min_value=0,
        max_value=9_999,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-4"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        area = self.fields["area"]
        if isinstance(area, forms.ChoiceField):
            # A function, so that areas are read only when the field is shown or checked.
            area.choices = _areas_to_choose

    def filters(self) -> Filters:
        """The filters that were chosen; none where the form is invalid."""
        return filters_of(self.cleaned_data) if self.is_valid() else Filters()

    def show_counts(self, counts: Mapping[str, str]) -> None:
        """Show beside each choice the count for its element (`count-theme-land`)."""
        for name, choices in counted().items():
            field = self.fields[name]
            if isinstance(field, forms.MultipleChoiceField):
                field.choices = [(code, _counted(label, f"count-{name}-{code}", counts)) for code, label in choices]


def filters_of(chosen: Mapping[str, Any]) -> Filters:
    """The filters of a form's values; those that are missing filter nothing."""
    return Filters(
        words=chosen.get("q", "").strip(),
        directions=tuple(chosen.get("direction", ())),
        themes=tuple(chosen.get("theme", ())),
        statuses=tuple(chosen.get("status", ())),
        organisation=chosen.get("organisation", "").strip(),
        area=chosen.get("area"),
        standing=chosen.get("standing", False),
        oldest=chosen.get("oldest", False),
        waiting=chosen.get("waiting"),
    )


def _counted(label: str, element: str, counts: Mapping[str, str]) -> SafeString:
    return format_html('{} (<span id="{}">{}</span>)', label, element, counts[element])


def _areas_to_choose() -> list[tuple[Any, str]]:
    areas = Area.objects.filter(valid_to=None).order_by("name", "pk").values_list("pk", "name")
    return [("", "Anywhere"), *areas]
