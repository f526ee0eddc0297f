"""Our code writes selects and inputs many times as fast as Django's templates, with the same result."""

from __future__ import annotations

import datetime as dt
import re
from itertools import product
from typing import Any

import pytest
from django import forms
from django.test.html import parse_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from partnerships.kit.templatetags.govuk_fields import govuk_widget

HOSTILE = "<b onclick='x'>\"A & B\"</b>"
PLAIN = [("", "Choose"), (1, "One"), ("2", gettext_lazy("Two")), (HOSTILE, HOSTILE), (4, mark_safe("<i>Four</i>"))]
GROUPED = [(None, "Any"), (HOSTILE, [("a", "A"), ("b", HOSTILE)]), ("", [("c", "C")]), ("Empty", []), ("a", "A again")]


class WithOwnOptions(forms.Select):
    """A select that creates its options itself, like the selects that search while a person types."""

    def create_option(self, name: str, value: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return an option with one more attribute."""
        option = super().create_option(name, value, *arguments, **options)
        return option | {"attrs": {**option["attrs"], "data-own": str(value)}}


@pytest.mark.parametrize("kind", [forms.Select, forms.SelectMultiple, WithOwnOptions])
def test_a_select_is_what_django_would_write(kind: type[forms.Select]) -> None:
    is_multiple = kind is forms.SelectMultiple
    values: list[Any] = [None, [], ["a", "c"], [1, "2", HOSTILE]] if is_multiple else [None, "", 1, "1", "a", HOSTILE]
    other_arguments: list[dict[str, Any]] = [{}, {"disabled": True}, {"required": False}, {"help_text": HOSTILE}]
    for choices, initial, arguments in product((PLAIN, GROUPED), values, other_arguments):
        field = (forms.MultipleChoiceField if is_multiple else forms.ChoiceField)(
            choices=choices, initial=initial, widget=kind(attrs={"data-of": HOSTILE, "hidden": True}), **arguments
        )
        bound_field = type("Asked", (forms.Form,), {"chosen": field})()["chosen"]

        ours = govuk_widget(bound_field)
        djangos = bound_field.as_widget(attrs={"class": "govuk-select"})

        assert parse_html(ours) == parse_html(djangos), (choices, initial, arguments)
        assert ours.count("<i>") == djangos.count("<i>")
        assert "<b" not in ours


@pytest.mark.parametrize(
    "field",
    [
        forms.CharField(initial=HOSTILE, help_text=HOSTILE, max_length=40),
        forms.CharField(widget=forms.TextInput(attrs={"data-of": HOSTILE, "hidden": True, "disabled": False})),
        forms.CharField(initial="never shown", widget=forms.PasswordInput),
        forms.IntegerField(initial=7, min_value=1, max_value=9),
        forms.DateField(initial=dt.date(2027, 4, 1)),
        forms.TimeField(initial=dt.time(9, 30), widget=forms.TimeInput(format="%H:%M")),
        forms.EmailField(required=False),
        forms.FileField(),
        forms.BooleanField(initial=True),
        forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs={"id": "own"})),
    ],
)
@pytest.mark.parametrize("sent", [None, {"asked": HOSTILE}, {"asked": ""}])
def test_an_input_is_what_django_would_write(field: forms.Field, sent: dict[str, str] | None) -> None:
    bound_field = type("Asked", (forms.Form,), {"asked": field})(sent)["asked"]

    ours = govuk_widget(bound_field)

    (own_class,) = re.findall(r'class="([^"]*)"', ours)
    assert parse_html(ours) == parse_html(bound_field.as_widget(attrs={"class": own_class}))
    assert "<b" not in ours
