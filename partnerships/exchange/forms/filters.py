"""The filter of the board, and the form to save it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from partnerships.exchange.models import Direction, SavedFilter, Status, Theme
from partnerships.exchange.queries.board import Filters
from partnerships.kit.forms import Form, Helper
from partnerships.organisations.models import Area

#: Placeholder for the count beside a choice, filled in by `views/panel.py`.
COUNT_MARK = "⟦{name}:{code}⟧"
_STATUSES = [(code, label) for code, label in Status.choices if code != Status.DRAFT]


class _AreaSelect(forms.Select):
    """A select of about 350 areas, written as plain HTML.

    Django's template for each option is slower than the page's queries.
    """

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The select with its options."""
        given = self.build_attrs(self.attrs, attrs)
        chosen = str(value or "")
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, mark_safe(" selected") if str(key) == chosen else "", label) for key, label in self.choices),
        )
        written = format_html_join("", ' {}="{}"', given.items())
        return format_html('<select name="{}"{}>{}</select>', name, written, options)


class FilterForm(Form):
    """What to show on the board."""

    q = forms.CharField(label="Keywords", required=False, max_length=200)
    direction = forms.MultipleChoiceField(
        label="Asks and offers", required=False, choices=Direction, widget=forms.CheckboxSelectMultiple
    )
    theme = forms.MultipleChoiceField(label="Theme", required=False, choices=Theme, widget=forms.CheckboxSelectMultiple)
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        area = self.fields["area"]
        if isinstance(area, forms.ChoiceField):
            # A function, so that areas are read only when the field is shown or checked.
            area.choices = _areas_to_choose

    def filters(self) -> Filters:
        """The filters that were chosen; none where the form is invalid."""
        if not self.is_valid():
            return Filters()
        data = self.cleaned_data
        return Filters(
            words=data["q"].strip(),
            directions=tuple(data["direction"]),
            themes=tuple(data["theme"]),
            statuses=tuple(data["status"]),
            organisation=data["organisation"].strip(),
            area=data["area"],
            standing=data["standing"],
            oldest=data["oldest"],
        )

    def mark_counts(self) -> None:
        """Put a placeholder for its count beside each choice."""
        for name, choices in (("direction", Direction.choices), ("theme", Theme.choices), ("status", _STATUSES)):
            field = self.fields[name]
            if isinstance(field, forms.MultipleChoiceField):
                field.choices = [
                    (
                        code,
                        format_html(
                            '{} (<span id="count-{}-{}">{}</span>)',
                            label,
                            name,
                            code,
                            COUNT_MARK.format(name=name, code=code),
                        ),
                    )
                    for code, label in choices
                ]


def _areas_to_choose() -> list[tuple[Any, str]]:
    areas = Area.objects.filter(valid_to=None).order_by("name", "pk").values_list("pk", "name")
    return [("", "Anywhere"), *areas]


class SavedFilterForm(forms.ModelForm[SavedFilter]):
    """A name for a filter, and whether to send emails about it."""

    class Meta:
        model = SavedFilter
        fields = ("name", "tells")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit="Save filter", cancel=reverse("exchange:saved"))
