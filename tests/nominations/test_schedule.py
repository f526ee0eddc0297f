"""The terms on nominations are read from the content of terms alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from partnerships.nominations.schedule import Bedrooms, NominationTerms, nomination_terms_in

ABOUT: dict[str, Any] = {
    "council": "Westmarch",
    "provider": "Larkhaven",
    "covers": "all",
    "first_lets": "100",
    "relets_studio": "50",
    "relets_1": "50",
    "relets_2": "75",
    "relets_3": "75",
    "relets_4": "66.6667",
    "nominees": 1,
    "days_first_lets": 10,
    "days_relets": 3,
    "refusal_grounds": "- Owes rent\n\n* Wrong size\nNot who the nomination says",
}


def read_terms(**changed: Any) -> NominationTerms:
    """Return the nomination terms of a content in which these fields are changed."""
    agreed = nomination_terms_in({"about": {**ABOUT, **changed}, "schemes": changed.get("schemes", [])})
    assert agreed is not None
    return agreed


def test_shares_are_read_by_bedrooms() -> None:
    agreed = read_terms()

    assert agreed.share(Bedrooms.ONE, first_let=True) == 100
    assert [agreed.share(size, first_let=False) for size in Bedrooms] == [50, 50, 75, 75, Decimal("66.6667")]


def test_days_to_nominate_are_read_for_first_lets_and_relets() -> None:
    agreed = read_terms()

    assert agreed.days(first_let=True) == 10
    assert agreed.days(first_let=False) == 3


def test_grounds_for_refusal_are_the_lines_of_a_list() -> None:
    assert read_terms().refusal_grounds == ("Owes rent", "Wrong size", "Not who the nomination says")


NEEDED_FIGURES = pytest.mark.parametrize("code", ["first_lets", "relets_3", "days_relets", "nominees"])


@NEEDED_FIGURES
def test_terms_with_an_empty_figure_say_nothing(code: str) -> None:
    assert nomination_terms_in({"about": {**ABOUT, code: None}}) is None


@NEEDED_FIGURES
def test_terms_without_a_figure_say_nothing(code: str) -> None:
    about = {name: value for name, value in ABOUT.items() if name != code}

    assert nomination_terms_in({"about": about}) is None


def test_share_of_nothing_is_a_share() -> None:
    assert read_terms(relets_studio="0").share(Bedrooms.STUDIO, first_let=False) == 0


@pytest.mark.parametrize(("number", "studio", "size"), [(0, False, "studio"), (1, True, "studio"), (7, False, "4")])
def test_homes_have_one_of_five_sizes(number: int, studio: bool, size: str) -> None:
    assert Bedrooms.of(number, studio=studio) == size


def test_agreement_on_schemes_may_have_none() -> None:
    assert read_terms(covers="schemes").schemes == ()


def test_schemes_count_only_where_the_agreement_covers_schemes() -> None:
    schemes = [{"name": "Mill Lane", "property_codes": "mill, 0412"}]

    assert read_terms(schemes=schemes).schemes is None


@pytest.mark.parametrize(
    ("property_code", "is_covered"),
    [
        pytest.param(" MILL-07", True, id="begins with the first code, in capitals"),
        pytest.param("04121", True, id="begins with the second code"),
        pytest.param("1MILL", False, id="has a code within it"),
    ],
)
def test_scheme_has_the_homes_whose_property_code_begins_with_one_of_its_codes(
    property_code: str, is_covered: bool
) -> None:
    schemes = [{"name": "Mill Lane", "property_codes": "mill, 0412"}]
    (scheme,) = read_terms(covers="schemes", schemes=schemes).schemes or ()

    assert scheme.has(property_code) is is_covered


def test_scheme_without_property_codes_has_no_homes() -> None:
    schemes = [{"name": "Quay", "property_codes": ""}]
    (scheme,) = read_terms(covers="schemes", schemes=schemes).schemes or ()

    assert not scheme.has("QUAY-1")


def test_terms_in_figures_have_nothing_that_is_not_counted() -> None:
    assert read_terms().not_counted == []


def test_area_in_words_is_not_counted() -> None:
    [sentence] = read_terms(area="West of the river").not_counted

    assert "West of the river" in sentence


def test_homes_of_a_scheme_without_property_codes_are_not_counted() -> None:
    schemes = [{"name": "Mill Lane", "property_codes": "MILL"}, {"name": "Quay", "property_codes": ""}]

    [sentence] = read_terms(covers="schemes", schemes=schemes).not_counted

    assert "Returns do not include homes of Quay" in sentence
