"""Matches have the right points and reasons, and places the right keys."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from partnerships.commitments import quantities
from partnerships.commitments.quantities import quantity_words
from partnerships.exchange.matching import (
    MAX_POINTS_APART,
    MIN_POINTS,
    MatchSide,
    SharedTraits,
    distinctive_lexemes,
    names_in_words,
    score_pair,
    written_words,
)
from partnerships.exchange.reach import (
    Places,
    anywhere_key,
    area_of_key,
    covered_areas,
    far_keys,
    matching_keys,
    near_keys,
)

#: The period of the asks, and the areas that an ask and an offer have in common.
SPRING = {"start": dt.date(2027, 3, 1), "end": dt.date(2027, 5, 31)}
HERE = SharedTraits(areas=("Fareham", "Gosport"))


@pytest.fixture(autouse=True)
def units_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the codes of units as their labels, because these tests read no database."""
    monkeypatch.setattr(quantities._UnitWords, "of", staticmethod(lambda unit: (unit, unit)))


def ask(**changes: object) -> MatchSide:
    """Return an ask for 60 homes in spring, with these changes."""
    return MatchSide(**({**SPRING, "quantity": Decimal(60), "unit": "homes"} | changes))  # type: ignore[arg-type]


def offer(**changes: object) -> MatchSide:
    """Return an offer of 40 homes from January on, with these changes."""
    return MatchSide(**({"start": dt.date(2027, 1, 1), "quantity": Decimal(40), "unit": "homes"} | changes))  # type: ignore[arg-type]


def test_a_match_gives_its_reasons_in_words() -> None:
    score = score_pair(ask(), offer(), SharedTraits(areas=("Fareham", "Gosport"), words=("modular",), partners=True))

    assert score.reasons == (
        "same theme",
        "both about Fareham and Gosport",
        "available before it is needed",
        "40 of the 60 homes asked for",
        "both mention modular",
        "you already work together",
    )


def test_a_perfect_match_has_100_points() -> None:
    common = SharedTraits(areas=("Fareham",), words=("modular", "harbour", "terrace", "depot"), partners=True)

    score = score_pair(ask(), offer(quantity=Decimal(60)), common)

    assert score.points == 100


def test_the_same_place_gets_more_points_than_the_same_region() -> None:
    points_for_place, points_for_region, points_for_neither = (
        score_pair(ask(), offer(), common).points for common in (HERE, SharedTraits(same_region=True), SharedTraits())
    )

    assert points_for_place > points_for_region > points_for_neither


@pytest.mark.parametrize(
    ("period", "reason"),
    [
        ({"start": dt.date(2027, 3, 1), "end": dt.date(2027, 5, 31)}, "available for the whole time"),
        ({"start": dt.date(2027, 4, 1)}, "available for part of the time"),
        ({"end": dt.date(2027, 4, 1)}, "available for part of the time"),
        ({"start": None, "end": dt.date(2027, 2, 28)}, "the offer ends before it is needed"),
        ({"start": dt.date(2027, 6, 1)}, "the offer begins after it is needed"),
    ],
)
def test_the_reasons_say_how_the_periods_overlap(period: dict[str, object], reason: str) -> None:
    score = score_pair(ask(), offer(**period), HERE)

    assert reason in score.reasons


def test_a_pair_whose_periods_do_not_overlap_is_not_a_match() -> None:
    perfect_otherwise = SharedTraits(
        areas=("Fareham",), words=("modular", "harbour", "terrace", "depot"), partners=True
    )

    points = score_pair(ask(), offer(start=dt.date(2028, 1, 1)), perfect_otherwise).points

    assert points <= MAX_POINTS_APART < MIN_POINTS


def test_the_last_day_of_an_offer_counts_as_available() -> None:
    score = score_pair(ask(start=dt.date(2027, 3, 1)), offer(start=None, end=dt.date(2027, 3, 1)), HERE)

    assert "available for part of the time" in score.reasons


def test_a_larger_quantity_gets_more_points_and_another_unit_counts_as_unknown() -> None:
    points_for_all, points_for_part, points_for_other_unit, points_for_unknown = (
        score_pair(ask(), offer(**changes), HERE).points
        for changes in (
            {"quantity": Decimal(90)},
            {"quantity": Decimal(30)},
            {"unit": "hectares"},
            {"quantity": None, "unit": ""},
        )
    )

    assert points_for_all > points_for_part > points_for_other_unit == points_for_unknown


def test_money_is_written_as_money() -> None:
    score = score_pair(
        ask(quantity=Decimal(250_000), unit="pounds"), offer(quantity=Decimal("99000.50"), unit="pounds"), HERE
    )

    assert "£99,000.50 of the £250,000 asked for" in score.reasons


def test_a_quantity_is_written_without_zeros_at_its_end() -> None:
    assert quantity_words(Decimal("1.50"), "hectares") == "1.5 hectares"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["Fareham"], "Fareham"),
        (["Fareham", "Gosport"], "Fareham and Gosport"),
        (["Fareham", "Gosport", "Havant", "Hart", "Rushmoor"], "Fareham, Gosport, Havant and 2 more"),
    ],
    ids=["none", "one", "two", "five"],
)
def test_names_are_joined_with_commas_and_and(names: list[str], words: str) -> None:
    assert names_in_words(names) == words


def test_only_distinctive_words_are_kept() -> None:
    lexemes = distinctive_lexemes(["home", "modular", "polici", "of", "offer", "x9"])

    assert lexemes == ("modular", "polici")


def test_words_are_shown_as_they_were_written() -> None:
    words = written_words(("modular", "polici"), "Modular homes by our policies")

    assert words == ("modular", "policies")


#: Ids of areas: a county with two districts, and an ended area with its successor, in one region.
COUNTY, FAREHAM, GOSPORT, ENDED_AREA, SUCCESSOR, REGION = 1, 2, 3, 4, 5, 9
PLACES = Places(
    parts={COUNTY: [FAREHAM, GOSPORT], REGION: [COUNTY, SUCCESSOR]},
    successors={ENDED_AREA: [SUCCESSOR]},
    region={COUNTY: REGION, FAREHAM: REGION, GOSPORT: REGION, SUCCESSOR: REGION},
)
#: Numbers of two themes. Each key belongs to one theme.
LAND, DATA = 1, 2


def test_a_county_covers_its_districts() -> None:
    assert covered_areas([COUNTY], PLACES) == {COUNTY, FAREHAM, GOSPORT}


def test_a_county_has_the_keys_of_its_districts() -> None:
    assert near_keys(LAND, [COUNTY], PLACES) & near_keys(LAND, [GOSPORT], PLACES)


def test_two_districts_of_a_county_have_no_key_in_common() -> None:
    assert not near_keys(LAND, [FAREHAM], PLACES) & near_keys(LAND, [GOSPORT], PLACES)


def test_an_ended_area_has_the_keys_of_its_successor() -> None:
    assert near_keys(LAND, [ENDED_AREA], PLACES) & near_keys(LAND, [SUCCESSOR], PLACES)


def test_different_themes_have_no_key_in_common() -> None:
    assert not set(matching_keys(LAND, [COUNTY], PLACES)) & set(matching_keys(DATA, [COUNTY], PLACES))


def test_areas_of_one_region_have_the_same_region_keys() -> None:
    assert far_keys(LAND, [FAREHAM], PLACES) == far_keys(LAND, [GOSPORT], PLACES)


def test_an_entry_without_an_area_has_the_key_of_everywhere() -> None:
    assert far_keys(LAND, [], PLACES) == {anywhere_key(LAND)}


def test_region_keys_are_negative_unlike_keys_of_places() -> None:
    assert all(key < 0 for key in far_keys(LAND, [FAREHAM], PLACES))


def test_the_area_of_a_place_key_can_be_read_from_it() -> None:
    assert {area_of_key(key) for key in near_keys(DATA, [FAREHAM], PLACES)} == {FAREHAM}


def test_areas_that_contain_each_other_are_covered_once() -> None:
    places = Places(parts={COUNTY: [FAREHAM], FAREHAM: [COUNTY]})

    assert covered_areas([COUNTY], places) == {COUNTY, FAREHAM}
