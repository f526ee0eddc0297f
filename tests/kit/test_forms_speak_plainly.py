"""Forms read dates and amounts as people write them, and their errors name remedies."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from partnerships.kit.active_filters import active_filters
from partnerships.kit.dates import NotADate
from partnerships.kit.forms import (
    AmountField,
    CountField,
    DayField,
    Helper,
    MoneyField,
    PartialDateField,
    Section,
    error_words,
)
from partnerships.kit.written import read_date
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


def _needed_by(text: str) -> AskForm:
    """Return the form of an ask with this text as its day."""
    return AskForm({"title": "Rooms", "theme": "land", "known": "on", "needed_by": text})


@pytest.mark.parametrize(
    "text", ["27 3 2027", "27/03/2027", "27.3.27", "27 Mar 2027", "Saturday 27 March 2027", "27th of March, 2027"]
)
def test_a_day_is_read_as_people_write_it(text: str) -> None:
    form = _needed_by(text)

    assert form.is_valid()
    assert form.cleaned_data["needed_by"] == dt.date(2027, 3, 27)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30/2/2027", "Needed by is not clear. “30/2/2027” is not a real date. Enter 27 March 2027"),
        ("27 March", "Needed by is not clear. Add the year. Enter 27 March 2027 or 27/3/2027."),
        ("March 2027", "Needed by is not clear. Add the day, for example 31 March 2027."),
        ("Q3 2027", "Needed by is not clear. Add the day, for example 30 September 2027."),
        ("soon", "Needed by is not clear. Enter 27 March 2027 or 27/3/2027."),
    ],
)
def test_an_unclear_day_is_refused_with_its_name_and_the_remedy(text: str, words: str) -> None:
    assert words in _needed_by(text).errors["needed_by"][0]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2027", "2027"),
        ("March 2027", "2027-03"),
        ("3/2027", "2027-03"),
        ("Q3 2027", "2027-09"),
        ("Q3 2027/28", "2027-12"),
        ("2027-28 Q4", "2028-03"),
        ("11 April 2027", "2027-04-11"),
        ("", ""),
    ],
)
def test_a_date_may_be_a_month_a_quarter_or_a_year(text: str, stored: str) -> None:
    assert PartialDateField(label="Forecast", required=False).clean(text) == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2027/04/03", "2027-04-03"),  # not 4 March
        ("2027-4-3", "2027-04-03"),
        ("2027 04 03", "2027-04-03"),
        ("Mar-27", "2027-03"),  # as Excel shows March 2027
        ("Nov '26", "2026-11"),
        ("Q3-2027", "2027-09"),
        ("2027-Q3", "2027-09"),
        ("12/9999", "9999-12"),
    ],
)
def test_day_and_month_of_a_date_in_another_order_are_not_swapped(text: str, stored: str) -> None:
    date = read_date(text)

    assert str(date) == stored
    assert date.earliest <= date.latest


@pytest.mark.parametrize("text", ["20270403", "00/03/2027", "0/0/2027", "2027-00", "Mar 27", "2027-13", "15"])
def test_a_date_that_would_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(NotADate):
        read_date(text)


@pytest.mark.parametrize(
    ("text", "months"), [("2027/28", "April 2027 or March 2028"), ("2011/12", "April 2011 or March")]
)
def test_a_financial_year_is_not_a_date(text: str, months: str) -> None:
    with pytest.raises(forms.ValidationError, match=f"its first or last month: {months}"):
        PartialDateField(label="Forecast").clean(text)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_is_refused_in_words(text: str) -> None:
    try:
        date = read_date(text)
    except NotADate:
        return

    assert 1 <= date.year <= 9999
    assert date.earliest <= date.latest


@pytest.mark.parametrize("field", [MoneyField(label="Grant"), AmountField(label="Total", decimal_places=2)])
def test_an_amount_with_too_many_decimals_is_shown_as_it_was_typed(field: AmountField) -> None:
    with pytest.raises(forms.ValidationError, match="must have at most 2 decimal places"):
        field.clean("2.999")

    assert field.prepare_value("2.999") == "2.999"


def test_optional_date_left_empty_is_none() -> None:
    form = _needed_by("")

    assert form.is_valid()
    assert form.cleaned_data["needed_by"] is None


def test_a_date_that_was_understood_is_shown_in_words_with_another_error() -> None:
    form = _needed_by("27/3/27")
    form.add_error("title", "Too short")

    page = collapse(render_crispy_form(form))

    assert 'name="needed_by" value="27 March 2027"' in page


@pytest.mark.parametrize(
    ("text", "amount", "shown"),
    [
        ("£1.8m", "1800000", "£1,800,000"),
        ("1,800,000", "1800000", "£1,800,000"),
        ("£250k", "250000", "£250,000"),
        ("1.8 million", "1800000", "£1,800,000"),
        ("12.5", "12.5", "£12.50"),
        ("£1.8333333m", "1833333.3", "£1,833,333.30"),
    ],
)
def test_money_is_read_as_people_write_it_and_shown_one_way(text: str, amount: str, shown: str) -> None:
    field = MoneyField(label="Grant")

    assert field.clean(text) == Decimal(amount)
    assert field.prepare_value(text) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lots", "Grant must be a number, like £1,800,000, £1.8m or £250k"),
        ("-5", "Grant must be at least 0"),
        ("0.001", "Grant must have at most 2 decimal places"),
        ("1.150", "Grant must have at most 2 decimal places"),
        ("1,5", "Grant must be a number"),
        ("12,50", "Grant must be a number"),
    ],
)
def test_an_unclear_amount_is_refused_with_the_name_of_its_field(text: str, message: str) -> None:
    with pytest.raises(forms.ValidationError, match=message):
        MoneyField(label="Grant").clean(text)


@pytest.mark.parametrize(
    ("text", "shown_text"),
    [
        ("lots", "lots"),
        ("-5", "-£5"),
        ("0.001", "0.001"),
        ("1.150", "1.150"),
        ("1,5", "1,5"),
        ("12,50", "12,50"),
    ],
)
def test_an_unclear_amount_is_shown_again_without_rounding(text: str, shown_text: str) -> None:
    assert MoneyField(label="Grant").prepare_value(text) == shown_text


def test_an_amount_with_an_exponent_is_shown_in_full() -> None:
    assert MoneyField(label="Grant").prepare_value(Decimal("1E+6")) == "£1,000,000"


def test_a_count_may_be_entered_with_commas() -> None:
    assert CountField(label="Homes").clean("1,150") == 1150


def test_a_count_is_shown_with_commas() -> None:
    assert CountField(label="Homes").prepare_value(1150) == "1,150"


def test_a_count_must_be_a_whole_number() -> None:
    with pytest.raises(forms.ValidationError, match="Homes must be a whole number, like 1,150"):
        CountField(label="Homes").clean("1.5")


def test_an_unclear_date_and_a_number_out_of_bounds_name_their_field() -> None:
    class Days(forms.Form):
        since = forms.DateField(label="Since")
        days = forms.IntegerField(label="Days", min_value=0)
        most = forms.IntegerField(label="Most", max_value=9_999)

    form = Days({"since": "soon", "days": "-1", "most": "10000"})
    form.is_valid()

    assert [error_words(form[name]) for name in form.fields] == [
        ["Since must be a date, like 2027-04-11."],
        ["Days must be at least 0."],
        ["Most must be at most 9999."],
    ]


def test_missing_answer_says_what_to_do() -> None:
    form = AskForm({})

    form.is_valid()

    assert error_words(form["title"]) == ["Enter the title."]
    assert error_words(form["theme"]) == ["Choose the theme."]
    assert error_words(form["known"]) == ["Tick “My organisation knows” to continue."]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("In one line", "Enter an answer to “In one line”."),
        ("On behalf of", "Enter an answer to “On behalf of”."),
        ("Their email address", "Enter their email address."),
        ("Choose a password", "Choose a password."),
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
