"""How well an ask and an offer fit: the points, and the reasons in words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from partnerships.commitments.quantities import quantity_words
from partnerships.exchange.matching import (
    NEVER_TOGETHER,
    WORTH_TELLING,
    Ground,
    Half,
    as_written,
    fit,
    listed,
    telling,
)
from partnerships.exchange.reach import Places, anywhere, covered, far_keys, keys, near_keys, place_of

SPRING = {"start": dt.date(2027, 3, 1), "end": dt.date(2027, 5, 31)}
HERE = Ground(areas=("Fareham", "Gosport"))


def ask(**given: object) -> Half:
    return Half(**({**SPRING, "quantity": Decimal(60), "unit": "homes"} | given))  # type: ignore[arg-type]


def offer(**given: object) -> Half:
    return Half(**({"start": dt.date(2027, 1, 1), "quantity": Decimal(40), "unit": "homes"} | given))  # type: ignore[arg-type]


def test_the_reasons_say_it_in_words() -> None:
    found = fit(ask(), offer(), Ground(areas=("Fareham", "Gosport"), words=("modular",), partners=True))

    assert found.reasons == (
        "same theme",
        "both about Fareham and Gosport",
        "available before it is needed",
        "40 of the 60 homes asked for",
        "both mention modular",
        "you already work together",
    )


def test_a_perfect_pair_has_a_hundred_points() -> None:
    ground = Ground(areas=("Fareham",), words=("modular", "harbour", "terrace", "depot"), partners=True)

    assert fit(ask(), offer(quantity=Decimal(60)), ground).points == 100


def test_the_same_place_beats_the_same_region_beats_nowhere() -> None:
    points = [fit(ask(), offer(), ground).points for ground in (HERE, Ground(same_region=True), Ground())]

    assert points == sorted(points, reverse=True)
    assert len(set(points)) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": dt.date(2027, 3, 1), "end": dt.date(2027, 5, 31)}, "available for the whole time"),
        ({"start": dt.date(2027, 4, 1)}, "available for part of the time"),
        ({"end": dt.date(2027, 4, 1)}, "available for part of the time"),
        ({"start": None, "end": dt.date(2027, 2, 28)}, "the offer ends before it is needed"),
        ({"start": dt.date(2027, 6, 1)}, "the offer begins after it is needed"),
    ],
)
def test_the_time_is_told(given: dict[str, object], words: str) -> None:
    assert words in fit(ask(), offer(**given), HERE).reasons


def test_a_pair_that_never_meets_is_not_worth_telling() -> None:
    perfect = Ground(areas=("Fareham",), words=("modular", "harbour", "terrace", "depot"), partners=True)

    points = fit(ask(), offer(start=dt.date(2028, 1, 1)), perfect).points

    assert points <= NEVER_TOGETHER < WORTH_TELLING


def test_the_last_day_of_an_offer_still_counts() -> None:
    found = fit(ask(start=dt.date(2027, 3, 1)), offer(start=None, end=dt.date(2027, 3, 1)), HERE)

    assert "available for part of the time" in found.reasons


def test_more_of_the_quantity_is_better_and_another_unit_counts_as_unknown() -> None:
    limit, some, other, unknown = (
        fit(ask(), offer(**given), HERE).points
        for given in (
            {"quantity": Decimal(90)},
            {"quantity": Decimal(30)},
            {"unit": "hectares"},
            {"quantity": None, "unit": ""},
        )
    )

    assert limit > some > other == unknown


def test_money_is_written_as_money() -> None:
    found = fit(ask(quantity=Decimal(250_000), unit="pounds"), offer(quantity=Decimal("99000.50"), unit="pounds"), HERE)

    assert "£99,000.50 of the £250,000 asked for" in found.reasons
    assert quantity_words(Decimal("1.50"), "hectares") == "1.5 hectares"


def test_names_are_listed_as_people_write_them() -> None:
    assert listed([]) == ""
    assert listed(["Fareham"]) == "Fareham"
    assert listed(["Fareham", "Gosport"]) == "Fareham and Gosport"
    assert listed(["A", "B", "C", "D", "E"]) == "A, B, C and 2 more"


def test_only_telling_words_are_told_as_they_were_written() -> None:
    shared = telling(["home", "modular", "polici", "of", "offer", "x9"])

    assert shared == ("modular", "polici")
    assert as_written(shared, "Modular homes by our policies") == ("modular", "policies")


COUNTY, FAREHAM, GOSPORT, OLD, NEW, REGION = 1, 2, 3, 4, 5, 9
PLACES = Places(
    parts={COUNTY: [FAREHAM, GOSPORT], REGION: [COUNTY, NEW]},
    heirs={OLD: [NEW]},
    region={COUNTY: REGION, FAREHAM: REGION, GOSPORT: REGION, NEW: REGION},
)


def test_a_county_contains_its_districts() -> None:
    assert covered([COUNTY], PLACES) == {COUNTY, FAREHAM, GOSPORT}
    assert near_keys(1, [COUNTY], PLACES) & near_keys(1, [GOSPORT], PLACES)
    assert not near_keys(1, [FAREHAM], PLACES) & near_keys(1, [GOSPORT], PLACES)


def test_a_successor_inherits() -> None:
    assert near_keys(1, [OLD], PLACES) & near_keys(1, [NEW], PLACES)


def test_another_theme_never_meets() -> None:
    assert not set(keys(1, [COUNTY], PLACES)) & set(keys(2, [COUNTY], PLACES))


def test_the_region_is_the_second_tier_and_anywhere_the_last() -> None:
    assert far_keys(1, [FAREHAM], PLACES) == far_keys(1, [GOSPORT], PLACES)
    assert far_keys(1, [], PLACES) == {anywhere(1)}
    assert all(key < 0 for key in far_keys(1, [FAREHAM], PLACES))
    assert {place_of(key) for key in near_keys(7, [FAREHAM], PLACES)} == {FAREHAM}


def test_areas_that_contain_one_another_in_a_circle_do_no_harm() -> None:
    assert covered([1], Places(parts={1: [2], 2: [1]})) == {1, 2}
