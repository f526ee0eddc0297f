"""Lines of homes of a site."""

from __future__ import annotations

from typing import Any

from django import forms

from partnerships.kit.forms import Form
from partnerships.plans.content import NEEDS, TENURES, Item

BLANK_LINES = 4


MAX_LINES = 400


class HomesLineForm(Form):
    """One line of homes: a combination and a count."""

    tenure = forms.ChoiceField(
        choices=[(code, label[0].upper() + label[1:]) for code, label in TENURES.items()], required=False
    )
    bedrooms = forms.TypedChoiceField(
        choices=[("", "Not known"), ("0", "Studio"), *((str(count), str(count)) for count in range(1, 9))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    needs = forms.ChoiceField(
        choices=[(code, label.removesuffix(" needs").capitalize()) for code, label in NEEDS.items()], required=False
    )
    year = forms.RegexField(
        r"^\d{4}([-/–]\d{2})?$",
        required=False,
        error_messages={"invalid": "Enter the year as 2027, or 2027-28 for a financial year"},
    )
    count = forms.IntegerField(min_value=0, max_value=100_000, required=False, label="Homes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = str(self.prefix or "0").rpartition("-")[2]
        place = int(number) + 1 if number.isdecimal() else 1
        labels = {"tenure": "Tenure", "bedrooms": "Bedrooms", "needs": "Needs type", "year": "Year", "count": "Homes"}
        for name, field in self.fields.items():
            select = isinstance(field, forms.ChoiceField)
            attributes = {
                "class": "govuk-select" if select else "govuk-input govuk-input--width-5",
                "aria-label": f"{labels[name]}, line {place}",
            }
            if name == "count":
                attributes |= {"inputmode": "numeric", "data-homes-count": ""}
            if self.is_bound and self.errors.get(name):
                attributes["class"] += " govuk-select--error" if select else " govuk-input--error"
            field.widget.attrs.update(attributes)


class HomesLines(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The lines of homes of a site."""

    def value(self) -> dict[str, list[Item]]:
        """The lines that have homes, once valid."""
        return {"homes": [line for line in self.cleaned_data if line.get("count")]}


HomesFormSet = forms.formset_factory(
    HomesLineForm, formset=HomesLines, extra=0, max_num=MAX_LINES, absolute_max=MAX_LINES
)
