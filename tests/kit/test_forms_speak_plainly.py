"""Forms: dates in three boxes, errors with remedies, removable filters."""

from __future__ import annotations

import datetime as dt

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.http import QueryDict

from partnerships.kit.forms import DayField, Helper, Section, active_filters, error_words
from tests.support.pages import collapse


class AskForm(forms.Form):
    """A minimal ask."""

    title = forms.CharField(label="Title", help_text="In one line.")
    needed_by = DayField(label="Needed by", required=False)
    theme = forms.ChoiceField(label="Theme", choices=[("", "Choose"), ("land", "Land")])
    known = forms.BooleanField(label="My organisation knows")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        self.helper = Helper(self, Section("What", "title", "theme"), "needed_by", "known", submit="Share", cancel="/")


class FilterForm(forms.Form):
    """The filters of a list."""

    q = forms.CharField(label="Keyword", required=False)
    kind = forms.MultipleChoiceField(choices=[("ask", "Ask"), ("offer", "Offer")], required=False)


def _needed_by(day: str, month: str, year: str) -> AskForm:
    return AskForm(
        {
            "title": "Rooms",
            "theme": "land",
            "known": "on",
            "needed_by_day": day,
            "needed_by_month": month,
            "needed_by_year": year,
        }
    )


@pytest.mark.parametrize("month", ["3", "03", "March", "mar"])
def test_month_may_be_a_number_or_a_name(month: str) -> None:
    form = _needed_by("27", month, "2027")

    assert form.is_valid()
    assert form.cleaned_data["needed_by"] == dt.date(2027, 3, 27)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("30", "2", "2027"), "Needed by must be a real date, like 27 3 2027"),
        (("27", "3", "27"), "Needed by must be a real date, like 27 3 2027"),
        (("27", "", "2027"), "Needed by must include a month"),
        (("27", "", ""), "Needed by must include a month and a year"),
        (("x", "y", "z"), "Needed by must be a real date, like 27 3 2027"),
    ],
)
def test_invalid_date_is_refused_with_the_name_of_its_field(parts: tuple[str, str, str], words: str) -> None:
    form = _needed_by(*parts)

    assert form.errors["needed_by"] == [words]


def test_optional_date_left_empty_is_none() -> None:
    form = _needed_by("", "", "")

    assert form.is_valid()
    assert form.cleaned_data["needed_by"] is None


def test_typed_values_are_shown_again_with_the_error() -> None:
    form = _needed_by("31", "11", "2027")

    page = collapse(render_crispy_form(form))

    assert 'name="needed_by_day" id="id_needed_by_0" value="31"' in page


def test_missing_answer_says_what_to_do() -> None:
    form = AskForm({})

    form.is_valid()

    assert error_words(form["title"]) == ["Enter the title"]
    assert error_words(form["theme"]) == ["Choose the theme"]
    assert error_words(form["known"]) == ["Tick “My organisation knows” to continue"]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("In one line", "Enter an answer to “In one line”"),
        ("On behalf of", "Enter an answer to “On behalf of”"),
        ("Their email address", "Enter their email address"),
        ("Choose a password", "Choose a password"),
    ],
)
def test_label_that_is_not_a_noun_is_quoted(label: str, words: str) -> None:
    form = forms.Form({})
    form.fields["it"] = forms.CharField(label=label)

    assert error_words(form["it"]) == [words]


def test_hint_and_error_are_linked_to_their_field() -> None:
    page = render_crispy_form(AskForm({}))

    assert 'aria-describedby="id_title_helptext id_title_error"' in page
    assert 'id="id_title_helptext"' in page
    assert 'id="id_title_error"' in page


def test_hostile_labels_and_values_are_shown_as_text() -> None:
    form = AskForm({"title": '"><script>alert(1)</script>', "theme": "<b>"})
    form.fields["title"].help_text = "<img src=x>"

    page = render_crispy_form(form)

    assert "<script>" not in page
    assert "<img" not in page


def test_optional_fields_are_marked_and_required_ones_are_not() -> None:
    page = render_crispy_form(AskForm())

    assert page.count("(optional)") == 1


def test_each_filter_can_be_removed_alone_and_paging_restarts() -> None:
    parameters = QueryDict("q=homes&kind=ask&kind=offer&after=77")

    chips = active_filters(FilterForm(parameters), parameters)

    assert [(chip.label, chip.href) for chip in chips] == [
        ("Keyword: homes", "?kind=ask&kind=offer"),
        ("Ask", "?q=homes&kind=offer"),
        ("Offer", "?q=homes&kind=ask"),
    ]


def test_invalid_filters_give_no_chips() -> None:
    parameters = QueryDict("kind=neither")

    assert active_filters(FilterForm(parameters), parameters) == []
