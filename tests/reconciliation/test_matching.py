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
    """Return a name of a body with the days of its use."""
    return DatedName(text, fold_name(text), begins=begins, ends=ends)


def council(name: str, *other_names: DatedName, pk: int = 10, gss: str = "", **fields: Any) -> Body:
    """Return a council, which counts as a public body, with its names and GSS code."""
    numbers = (DatedNumber("gss", gss),) if gss else ()
    fields = {"types": ("council", "council-nmd"), "is_public": True} | fields
    return Body(pk=pk, name=name, names=(dated_name(name), *other_names), numbers=numbers, **fields)


def provider(name: str, *other_names: DatedName, pk: int = 20, **fields: Any) -> Body:
    """Return a registered provider, which is no public body."""
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


#: A council of the same name as its successor.
FORMER_MERELAND = council("Mereland Council", pk=6, ends=REORGANISED_ON, is_ended=True)


@pytest.mark.parametrize(
    ("date", "body"),
    [
        pytest.param("2018-05-01", FORMER_MERELAND, id="before 2019"),
        pytest.param("2020", MERELAND, id="after 2019"),
    ],
)
def test_date_decides_between_namesakes_of_two_times(date: str, body: Body) -> None:
    [best_verdict, *_] = ask("Mereland Council", MERELAND, FORMER_MERELAND, date=date)

    assert best_verdict.body == body
    assert best_verdict.is_match


def test_body_that_did_not_exist_at_the_date_is_no_match() -> None:
    [verdict] = ask("Mereland Council", MERELAND, date="2018-05-01")

    assert not verdict.existed
    assert not verdict.is_match
    assert verdict.points == 75.0


#: A provider that changed its name in 2019.
RENAMED = provider("Mere Homes", dated_name("Old Mere Homes", ends=REORGANISED_ON))


def test_name_that_was_in_use_at_the_date_is_a_match() -> None:
    [verdict] = ask("Old Mere Homes", RENAMED, date="2019-03-31")

    assert verdict.is_match
    assert verdict.points == 100.0


def test_name_that_was_not_in_use_at_the_date_is_no_match() -> None:
    [verdict] = ask("Old Mere Homes", RENAMED, date="2021-01-01")

    assert not verdict.is_match
    assert verdict.points == 90.0


def test_ended_body_comes_after_a_present_one() -> None:
    present = council("Northmere Council", pk=8)

    verdicts = ask("Northmere", NORTHMERE, present)

    assert [verdict.body for verdict in verdicts] == [present, NORTHMERE]
    assert not verdicts[0].is_match


def test_place_alone_is_not_certain() -> None:
    [verdict] = ask("Mereland", MERELAND)

    assert not verdict.is_match
    assert verdict.points == 90.0


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(Question("Mereland", types=frozenset({"council"})), id="by its type"),
        pytest.param(Question("Mereland Borough Council"), id="by its words"),
    ],
)
def test_place_is_certain_if_a_council_is_meant(question: Question) -> None:
    [verdict] = rank_candidates(question, [MERELAND], {})

    assert verdict.is_match
    assert verdict.points == 90.0


def test_place_of_several_bodies_is_not_certain() -> None:
    verdicts = ask("Mereland Borough Council", MERELAND, council("Mereland County Council", pk=9))

    assert not any(verdict.is_match for verdict in verdicts)


@pytest.mark.parametrize(
    ("date", "is_match"),
    [pytest.param("", False, id="without a date"), pytest.param("2020-01-01", True, id="after the other body ended")],
)
def test_short_name_that_is_the_place_of_another_body_is_certain_only_with_a_date(date: str, is_match: bool) -> None:
    unitary = council("Fenshire Council", dated_name("Fenshire"), pk=15, begins=REORGANISED_ON)
    county = council("Fenshire County Council", pk=16, ends=REORGANISED_ON, is_ended=True)

    [best_verdict, *_] = ask("Fenshire", unitary, county, date=date)

    assert best_verdict.body == unitary
    assert best_verdict.is_match is is_match


def test_other_type_is_no_candidate() -> None:
    question = Question("Mereland Council", types=frozenset({"lep"}))

    verdicts = rank_candidates(question, [MERELAND], {})

    assert verdicts == []


def test_number_instead_of_a_name_is_a_match() -> None:
    [verdict] = ask("e07000001", FENMOOR)

    assert verdict.is_match


def test_number_without_a_name_is_a_match() -> None:
    [verdict] = ask("", FENMOOR, gss="E07000001")

    assert verdict.is_match


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
    ("quantifier", "codes", "bodies"),
    [
        ("any", ("E07000001", "E07000002"), [FENMOOR]),
        ("all", ("E07000001", "E07000002"), []),
        ("none", ("E07000002",), [FENMOOR]),
        ("none", ("E07000001",), []),
    ],
)
def test_required_condition_leaves_out_bodies_that_do_not_fit(
    quantifier: str, codes: tuple[str, ...], bodies: list[Body]
) -> None:
    condition = Condition("gss", codes, required=True, quantifier=quantifier)

    verdicts = rank_candidates(Question("Fenmoor Council", conditions=(condition,)), [FENMOOR], {})

    assert [verdict.body for verdict in verdicts] == bodies


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
    verdicts = ask("Harbour", MERELAND, similarity=0.2)

    assert verdicts == []


@pytest.mark.parametrize(
    ("text", "first_day", "last_day"),
    [
        ("2019", dt.date(2019, 1, 1), dt.date(2019, 12, 31)),
        ("2019-02", dt.date(2019, 2, 1), dt.date(2019, 2, 28)),
        ("2019-04-01", dt.date(2019, 4, 1), dt.date(2019, 4, 1)),
        ("2019-04-01T00:00:00Z", dt.date(2019, 4, 1), dt.date(2019, 4, 1)),
        ("1/4/2019", dt.date(2019, 4, 1), dt.date(2019, 4, 1)),
    ],
)
def test_dates_are_read_as_lists_write_them(text: str, first_day: dt.date, last_day: dt.date) -> None:
    period = read_period(text)

    assert period == Period(first_day, last_day)


@pytest.mark.parametrize("text", ["", "soon", "2019-13", "32/1/2019", "0000", "99999"])
def test_text_that_is_not_a_date_is_not_read(text: str) -> None:
    period = read_period(text)

    assert period is None
