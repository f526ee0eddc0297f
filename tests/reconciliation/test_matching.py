"""Which body a name means, and when that is certain; pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from partnerships.kit.names import fold_name
from partnerships.reconciliation.matching import Body, Named, Numbered, judge
from partnerships.reconciliation.questions import Condition, Period, Question
from partnerships.reconciliation.reading import read_period

CHANGED = dt.date(2019, 4, 1)


def named(text: str, begins: dt.date | None = None, ends: dt.date | None = None) -> Named:
    return Named(text, fold_name(text), begins, ends)


def body(pk: int, name: str, *others: Named, number: str = "", **fields: Any) -> Body:
    """A council, unless `types` says otherwise."""
    numbers = (Numbered("gss", number),) if number else ()
    fields = {"types": ("council", "council-nmd"), "is_public": True} | fields
    return Body(pk=pk, name=name, names=(named(name), *others), numbers=numbers, **fields)


def on(day: str) -> Period:
    period = read_period(day)
    assert period is not None
    return period


OLD = body(1, "Northmere Borough Council", ends=CHANGED, is_ended=True)
NEW = body(2, "Mereland Council", begins=CHANGED, types=("council", "council-ua"))


def test_same_name_is_a_certain_match() -> None:
    [first] = judge(Question("mereland  COUNCIL"), [NEW], {})

    assert (first.match, first.points) == (True, 100.0)


def test_legal_suffix_makes_no_other_name() -> None:
    provider = body(3, "Bridge Homes Limited", types=("registered_provider",), is_public=False)

    [first] = judge(Question("Bridge Homes"), [provider], {})

    assert (first.match, first.points) == (True, 98.0)


def test_two_bodies_of_one_name_are_never_certain() -> None:
    found = judge(Question("Mereland Council"), [NEW, body(4, "Mereland Council")], {})

    assert [one.match for one in found] == [False, False]


def test_names_that_differ_in_the_suffix_only_are_not_certain() -> None:
    found = judge(
        Question("Bridge Homes"),
        [body(3, "Bridge Homes Limited", is_public=False), body(5, "Bridge Homes", is_public=False)],
        {},
    )

    assert [(one.body.pk, one.match) for one in found] == [(5, False), (3, False)]


def test_date_decides_between_namesakes_of_two_times() -> None:
    before = body(6, "Mereland Council", ends=CHANGED, is_ended=True)

    then = judge(Question("Mereland Council", period=on("2018-05-01")), [NEW, before], {})
    later = judge(Question("Mereland Council", period=on("2020")), [NEW, before], {})

    assert (then[0].body.pk, then[0].match) == (6, True)
    assert (later[0].body.pk, later[0].match) == (2, True)


def test_body_that_did_not_exist_then_is_no_match() -> None:
    [first] = judge(Question("Mereland Council", period=on("2018-05-01")), [NEW], {})

    assert (first.match, first.there, first.points) == (False, False, 75.0)


def test_name_that_was_not_in_use_then_is_no_match() -> None:
    renamed = body(7, "Mere Homes", named("Old Mere Homes", ends=CHANGED), is_public=False)

    [late] = judge(Question("Old Mere Homes", period=on("2021-01-01")), [renamed], {})
    [then] = judge(Question("Old Mere Homes", period=on("2019-03-31")), [renamed], {})

    assert (late.match, late.points) == (False, 90.0)
    assert (then.match, then.points) == (True, 100.0)


def test_ended_body_comes_after_a_present_one() -> None:
    other = body(8, "Northmere Council")

    found = judge(Question("Northmere"), [OLD, other], {})

    assert [one.body.pk for one in found] == [8, 1]
    assert not found[0].match


def test_place_alone_is_certain_only_if_a_council_is_meant() -> None:
    alone = judge(Question("Mereland"), [NEW], {})
    as_type = judge(Question("Mereland", types=frozenset({"council"})), [NEW], {})
    in_words = judge(Question("Mereland Borough Council"), [NEW], {})

    assert [found[0].match for found in (alone, as_type, in_words)] == [False, True, True]
    assert {found[0].points for found in (alone, as_type, in_words)} == {90.0}


def test_place_of_several_bodies_is_not_certain() -> None:
    found = judge(Question("Mereland Borough Council"), [NEW, body(9, "Mereland County Council")], {})

    assert not any(one.match for one in found)


def test_short_name_that_is_the_place_of_another_body_is_not_certain_without_a_date() -> None:
    unitary = body(15, "Fenshire Council", named("Fenshire"), begins=CHANGED)
    county = body(16, "Fenshire County Council", ends=CHANGED, is_ended=True)

    undated = judge(Question("Fenshire"), [unitary, county], {})
    dated = judge(Question("Fenshire", period=on("2020-01-01")), [unitary, county], {})

    assert (undated[0].body.pk, undated[0].match) == (15, False)
    assert (dated[0].body.pk, dated[0].match) == (15, True)


def test_other_type_is_no_candidate() -> None:
    assert judge(Question("Mereland Council", types=frozenset({"lep"})), [NEW], {}) == []


def test_number_alone_finds_its_body() -> None:
    numbered = body(10, "Fenmoor Council", number="E07000001")

    [as_text] = judge(Question("e07000001"), [numbered], {})
    [as_property] = judge(Question(conditions=(Condition("gss", ("E07000001",)),)), [numbered], {})

    assert as_text.match
    assert as_property.match


def test_number_of_another_body_stops_a_match() -> None:
    numbered = body(10, "Fenmoor Council", number="E07000001")

    [first] = judge(Question("Fenmoor Council", conditions=(Condition("gss", ("E07000009",)),)), [numbered], {})

    assert (first.match, first.points) == (False, 75.0)


def test_number_with_a_quite_different_name_is_a_candidate_only() -> None:
    numbered = body(10, "Fenmoor Council", number="E07000001")

    [first] = judge(Question("Larkhaven Homes", conditions=(Condition("gss", ("E07000001",)),)), [numbered], {})

    assert (first.match, first.points) == (False, 60.0)


def test_number_chooses_between_namesakes() -> None:
    one, other = body(11, "Mereland Council", number="E07000001"), body(12, "Mereland Council", number="E07000002")

    found = judge(Question("Mereland Council", conditions=(Condition("gss", ("E07000002",)),)), [one, other], {})

    assert (found[0].body.pk, found[0].match) == (12, True)


def test_area_chooses_between_namesakes() -> None:
    one, other = (
        body(13, "Bridge Homes", places=frozenset({"leeds"})),
        body(14, "Bridge Homes", places=frozenset({"hull"})),
    )

    found = judge(Question("Bridge Homes", conditions=(Condition("area", ("Hull",)),)), [one, other], {})

    assert (found[0].body.pk, found[0].match) == (14, True)


@pytest.mark.parametrize(
    ("quantifier", "values", "wanted"),
    [("any", ("E1", "E2"), 1), ("all", ("E1", "E2"), 0), ("none", ("E2",), 1), ("none", ("E1",), 0)],
)
def test_required_condition_filters(quantifier: str, values: tuple[str, ...], wanted: int) -> None:
    condition = Condition("gss", values, required=True, quantifier=quantifier)

    assert (
        len(judge(Question("Fenmoor Council", conditions=(condition,)), [body(10, "Fenmoor Council", number="E1")], {}))
        == wanted
    )


def test_similar_spelling_is_a_candidate_and_never_a_match() -> None:
    [first] = judge(Question("Merelnd Cuoncil"), [NEW], {2: 0.8})

    assert (first.match, first.points) == (False, 68.0)


def test_name_with_a_note_after_it_is_a_candidate_and_never_a_match() -> None:
    [first] = judge(Question("Mereland Council (local plan review)"), [NEW], {})

    assert (first.match, first.points > 60) == (False, True)


@pytest.mark.parametrize("text", ["Mere, London Borough of - Local Plan 2033", "Mere BC (joint plan part 1)"])
def test_note_may_follow_another_form_of_a_councils_name(text: str) -> None:
    [first] = judge(Question(text), [body(17, "London Borough of Mere")], {})

    assert (first.match, first.points > 60) == (False, True)


def test_place_of_a_body_that_had_this_very_name_is_not_certain() -> None:
    united = body(18, "Northmere and Fenmoor Council", named("Northmere"), begins=CHANGED)

    in_words = judge(Question("Northmere Borough Council", period=on("2020-01-01")), [united, OLD], {})
    bare = judge(
        Question("Northmere", period=on("2020-01-01")), [united, body(1, "X", named("Northmere"), ends=CHANGED)], {}
    )

    assert [(found[0].body.pk, found[0].match) for found in (in_words, bare)] == [(18, False), (18, False)]


def test_unlike_name_is_no_candidate() -> None:
    assert judge(Question("Harbour"), [NEW], {2: 0.2}) == []


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
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert read_period(text) is None
