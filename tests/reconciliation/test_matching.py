"""A name means the right body, and a match is certain only when it is, without the database.

In 2019, Northmere Borough Council ended and Mereland Council began.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from partnerships.kit.names import fold_name
from partnerships.reconciliation.matching import Body, DatedName, DatedNumber, Verdict, rank_candidates
from partnerships.reconciliation.questions import Condition, Period, Question
from partnerships.reconciliation.reading import read_period

REORGANISED_ON = dt.date(2019, 4, 1)


def dated_name(text: str, *, begins: dt.date | None = None, ends: dt.date | None = None) -> DatedName:
    return DatedName(text, fold_name(text), begins=begins, ends=ends)


def council(name: str, *other_names: DatedName, pk: int = 10, gss: str = "", **fields: Any) -> Body:
    numbers = (DatedNumber("gss", gss),) if gss else ()
    fields = {"types": ("council", "council-nmd"), "is_public": True} | fields
    return Body(pk=pk, name=name, names=(dated_name(name), *other_names), numbers=numbers, **fields)


def provider(name: str, *other_names: DatedName, pk: int = 20, **fields: Any) -> Body:
    return council(name, *other_names, pk=pk, types=("registered_provider",), is_public=False, **fields)


NORTHMERE = council("Northmere Borough Council", pk=1, ends=REORGANISED_ON, is_ended=True)
MERELAND = council("Mereland Council", pk=2, begins=REORGANISED_ON, types=("council", "council-ua"))
FENMOOR = council("Fenmoor Council", pk=3, gss="E07000001")


def ask(text: str, *bodies: Body, date: str = "", gss: str = "", similarity: float = 0.0) -> list[Verdict]:
    """Return the verdicts on a name as at a date, with a GSS code beside the name."""
    question = Question(
        text=text,
        period=_period(date) if date else None,
        conditions=(Condition("gss", (gss,)),) if gss else (),
    )
    return rank_candidates(question, bodies, {body.pk: similarity for body in bodies})


def _period(date: str) -> Period:
    period = read_period(date)
    assert period is not None
    return period


def test_same_name_is_a_certain_match() -> None:
    [verdict] = ask("mereland  COUNCIL", MERELAND)

    assert verdict.is_match
    assert verdict.points == 100.0


def test_a_legal_suffix_does_not_make_a_different_name() -> None:
    [verdict] = ask("Bridge Homes", provider("Bridge Homes Limited"))

    assert verdict.is_match
    assert verdict.points == 98.0


def test_two_bodies_of_one_name_are_never_certain() -> None:
    verdicts = ask("Mereland Council", MERELAND, council("Mereland Council", pk=4))

    assert [verdict.is_match for verdict in verdicts] == [False, False]


def test_names_that_differ_only_in_the_suffix_are_not_certain() -> None:
    with_suffix = provider("Bridge Homes Limited", pk=21)
    without_suffix = provider("Bridge Homes", pk=22)

    verdicts = ask("Bridge Homes", with_suffix, without_suffix)

    assert [verdict.body for verdict in verdicts] == [without_suffix, with_suffix]
    assert not any(verdict.is_match for verdict in verdicts)


def test_date_decides_between_namesakes_of_two_times() -> None:
    predecessor = council("Mereland Council", pk=6, ends=REORGANISED_ON, is_ended=True)

    verdicts_before = ask("Mereland Council", MERELAND, predecessor, date="2018-05-01")
    verdicts_after = ask("Mereland Council", MERELAND, predecessor, date="2020")

    assert verdicts_before[0].body == predecessor
    assert verdicts_before[0].is_match
    assert verdicts_after[0].body == MERELAND
    assert verdicts_after[0].is_match


def test_body_that_did_not_exist_at_the_date_is_no_match() -> None:
    [verdict] = ask("Mereland Council", MERELAND, date="2018-05-01")

    assert not verdict.existed
    assert not verdict.is_match
    assert verdict.points == 75.0


def test_name_that_was_not_in_use_at_the_date_is_no_match() -> None:
    renamed = provider("Mere Homes", dated_name("Old Mere Homes", ends=REORGANISED_ON))

    [verdict_before] = ask("Old Mere Homes", renamed, date="2019-03-31")
    [verdict_after] = ask("Old Mere Homes", renamed, date="2021-01-01")

    assert verdict_before.is_match
    assert verdict_before.points == 100.0
    assert not verdict_after.is_match
    assert verdict_after.points == 90.0


def test_ended_body_comes_after_a_present_one() -> None:
    present = council("Northmere Council", pk=8)

    verdicts = ask("Northmere", NORTHMERE, present)

    assert [verdict.body for verdict in verdicts] == [present, NORTHMERE]
    assert not verdicts[0].is_match


def test_place_alone_is_certain_only_if_a_council_is_meant() -> None:
    of_type = Question("Mereland", types=frozenset({"council"}))

    [place_only] = ask("Mereland", MERELAND)
    [with_type] = rank_candidates(of_type, [MERELAND], {})
    [with_word] = ask("Mereland Borough Council", MERELAND)

    assert [verdict.is_match for verdict in (place_only, with_type, with_word)] == [False, True, True]
    assert {verdict.points for verdict in (place_only, with_type, with_word)} == {90.0}


def test_place_of_several_bodies_is_not_certain() -> None:
    verdicts = ask("Mereland Borough Council", MERELAND, council("Mereland County Council", pk=9))

    assert not any(verdict.is_match for verdict in verdicts)


def test_short_name_that_is_the_place_of_another_body_is_not_certain_without_a_date() -> None:
    unitary = council("Fenshire Council", dated_name("Fenshire"), pk=15, begins=REORGANISED_ON)
    county = council("Fenshire County Council", pk=16, ends=REORGANISED_ON, is_ended=True)

    verdicts_without_date = ask("Fenshire", unitary, county)
    verdicts_with_date = ask("Fenshire", unitary, county, date="2020-01-01")

    assert verdicts_without_date[0].body == unitary
    assert not verdicts_without_date[0].is_match
    assert verdicts_with_date[0].body == unitary
    assert verdicts_with_date[0].is_match


def test_other_type_is_no_candidate() -> None:
    question = Question("Mereland Council", types=frozenset({"lep"}))

    assert rank_candidates(question, [MERELAND], {}) == []


def test_number_alone_finds_its_body() -> None:
    [as_text] = ask("e07000001", FENMOOR)
    [as_property] = ask("", FENMOOR, gss="E07000001")

    assert as_text.is_match
    assert as_property.is_match


def test_number_of_another_body_stops_a_match() -> None:
    [verdict] = ask("Fenmoor Council", FENMOOR, gss="E07000009")

    assert not verdict.is_match
    assert verdict.points == 75.0


def test_number_with_a_quite_different_name_is_a_candidate_only() -> None:
    [verdict] = ask("Larkhaven Homes", FENMOOR, gss="E07000001")

    assert not verdict.is_match
    assert verdict.points == 60.0


def test_number_chooses_between_namesakes() -> None:
    namesake = council("Fenmoor Council", pk=12, gss="E07000002")

    verdicts = ask("Fenmoor Council", FENMOOR, namesake, gss="E07000002")

    assert verdicts[0].body == namesake
    assert verdicts[0].is_match


def test_area_chooses_between_namesakes() -> None:
    in_leeds = provider("Bridge Homes", pk=13, places=frozenset({"leeds"}))
    in_hull = provider("Bridge Homes", pk=14, places=frozenset({"hull"}))
    question = Question("Bridge Homes", conditions=(Condition("area", ("Hull",)),))

    verdicts = rank_candidates(question, [in_leeds, in_hull], {})

    assert verdicts[0].body == in_hull
    assert verdicts[0].is_match


@pytest.mark.parametrize(
    ("quantifier", "values", "fits"),
    [
        ("any", ("E07000001", "E07000002"), True),
        ("all", ("E07000001", "E07000002"), False),
        ("none", ("E07000002",), True),
        ("none", ("E07000001",), False),
    ],
)
def test_required_condition_leaves_out_bodies_that_do_not_fit(
    quantifier: str, values: tuple[str, ...], fits: bool
) -> None:
    condition = Condition("gss", values, required=True, quantifier=quantifier)

    verdicts = rank_candidates(Question("Fenmoor Council", conditions=(condition,)), [FENMOOR], {})

    assert [verdict.body for verdict in verdicts] == ([FENMOOR] if fits else [])


def test_similar_spelling_is_a_candidate_and_never_a_match() -> None:
    [verdict] = ask("Merelnd Cuoncil", MERELAND, similarity=0.8)

    assert not verdict.is_match
    assert verdict.points == 68.0


def test_name_with_a_note_after_it_is_a_candidate_and_never_a_match() -> None:
    [verdict] = ask("Mereland Council (local plan review)", MERELAND)

    assert not verdict.is_match
    assert verdict.points > 60


@pytest.mark.parametrize("text", ["Mere, London Borough of - Local Plan 2033", "Mere BC (joint plan part 1)"])
def test_note_may_follow_another_form_of_a_councils_name(text: str) -> None:
    [verdict] = ask(text, council("London Borough of Mere"))

    assert not verdict.is_match
    assert verdict.points > 60


@pytest.mark.parametrize(
    ("text", "former"),
    [
        ("Northmere Borough Council", NORTHMERE),
        ("Northmere", council("X", dated_name("Northmere"), pk=1, ends=REORGANISED_ON)),
    ],
)
def test_place_of_a_body_that_had_this_very_name_is_not_certain(text: str, former: Body) -> None:
    united = council("Northmere and Fenmoor Council", dated_name("Northmere"), pk=18, begins=REORGANISED_ON)

    verdicts = ask(text, united, former, date="2020-01-01")

    assert verdicts[0].body == united
    assert not verdicts[0].is_match


def test_unlike_name_is_no_candidate() -> None:
    assert ask("Harbour", MERELAND, similarity=0.2) == []


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2019", "2019-01-01", "2019-12-31"),
        ("2019-02", "2019-02-01", "2019-02-28"),
        ("2019-04-01", "2019-04-01", "2019-04-01"),
        ("2019-04-01T00:00:00Z", "2019-04-01", "2019-04-01"),
        ("1/4/2019", "2019-04-01", "2019-04-01"),
    ],
)
def test_dates_are_read_as_lists_write_them(text: str, first: str, last: str) -> None:
    assert read_period(text) == Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


@pytest.mark.parametrize("text", ["", "soon", "2019-13", "32/1/2019", "0000", "99999"])
def test_text_that_is_not_a_date_is_not_read(text: str) -> None:
    assert read_period(text) is None
