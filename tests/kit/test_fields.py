"""A field of a form is written as the component of GOV.UK Frontend that suits it, without a template."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.safestring import SafeString, mark_safe
from lxml import html as lxml_html

from partnerships.kit.forms import Form, ScaleSelect
from partnerships.kit.templatetags.govuk_fields import govuk_field
from partnerships.kit.value_fields import DayField

HOSTILE = "<b onclick='x'>A & B</b>"


def _written(field: forms.Field, sent: dict[str, str] | None = None, **options: Any) -> Any:
    """Return the element of a field, within a form that was sent these values or none."""
    form = type("Asked", (Form,), {"asked": field})(sent)
    return lxml_html.fromstring(str(govuk_field(form["asked"], **options)))


def _words(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_the_control_refers_to_its_label_its_hint_and_its_error() -> None:
    field = _written(forms.CharField(label="Title", help_text="As on the deed."), {"asked": ""})

    (control,) = field.iter("input")
    (label,) = field.iter("label")
    assert (label.get("for"), _words(label)) == (control.get("id"), "Title")
    described_by = [field.get_element_by_id(name) for name in control.get("aria-describedby").split()]
    assert [_words(element) for element in described_by] == ["As on the deed.", "Error: Enter the title."]
    assert "govuk-form-group--error" in field.get("class")
    assert "govuk-input--error" in control.get("class")


def test_radios_stand_in_a_fieldset_whose_legend_is_the_label() -> None:
    choices = [("yes", "Yes"), ("no", "No")]
    field = _written(forms.ChoiceField(label="Do you agree?", choices=choices, widget=forms.RadioSelect))

    (fieldset,) = field.iter("fieldset")
    (legend,) = fieldset.iter("legend")
    assert _words(legend) == "Do you agree?"
    assert [radio.get("value") for radio in fieldset.iter("input")] == ["yes", "no"]
    assert [_words(label) for label in fieldset.iter("label")] == ["Yes", "No"]


def test_a_scale_has_its_radios_side_by_side() -> None:
    field = _written(forms.ChoiceField(label="How well?", choices=[("1", "1")], widget=ScaleSelect))

    assert field.find_class("cg-scale")


def test_a_filter_has_small_radios_and_checkboxes() -> None:
    several = forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple)

    assert _written(several, small=True).find_class("govuk-checkboxes--small")
    assert _written(forms.BooleanField(), small=True).find_class("govuk-checkboxes--small")
    assert not _written(forms.BooleanField()).find_class("govuk-checkboxes--small")


def test_a_label_says_that_a_field_is_optional_only_where_the_form_marks_it() -> None:
    optional, needed = forms.CharField(label="Note", required=False), forms.CharField(label="Note")

    assert _words(next(_written(optional, mark_optional=True).iter("label"))) == "Note (optional)"
    assert _words(next(_written(needed, mark_optional=True).iter("label"))) == "Note"
    assert _words(next(_written(optional).iter("label"))) == "Note"


def test_a_text_area_says_how_many_characters_it_takes() -> None:
    field = _written(forms.CharField(max_length=300, widget=forms.Textarea))

    (count,) = field.find_class("govuk-character-count__message")
    (control,) = field.iter("textarea")
    assert _words(count) == "You can enter up to 300 characters"
    assert count.get("id") in control.get("aria-describedby").split()


def test_a_password_can_be_shown() -> None:
    field = _written(forms.CharField(widget=forms.PasswordInput))

    (button,) = field.iter("button")
    (control,) = field.iter("input")
    assert button.get("aria-controls") == control.get("id")
    assert (button.get("type"), button.get("aria-label")) == ("button", "Show password")


def test_a_date_has_an_address_that_says_how_its_text_is_understood() -> None:
    field = _written(DayField(label="Starts"), {"asked": "31 March 2027"})

    (control,) = field.iter("input")
    assert control.get("value") == "31 March 2027"
    assert control.get("hx-get") == "/read-date/"
    assert "cg-date__read" in control.getnext().get("class")


def test_a_hint_of_django_that_is_html_stays_html() -> None:
    hint = lazy(lambda: mark_safe("<ul><li>At least 12 characters.</li></ul>"), SafeString)()

    assert list(_written(forms.CharField(help_text=hint)).iter("li"))


def test_words_of_people_never_become_markup() -> None:
    shapes: list[forms.Field] = [
        forms.CharField(label=HOSTILE, help_text=HOSTILE),
        forms.BooleanField(label=HOSTILE, help_text=HOSTILE),
        forms.ChoiceField(label=HOSTILE, help_text=HOSTILE, choices=[(HOSTILE, HOSTILE)], widget=forms.RadioSelect),
        DayField(label=HOSTILE, help_text=HOSTILE),
    ]
    for field in shapes:
        assert not list(_written(field, {"asked": HOSTILE}).iter("b"))
