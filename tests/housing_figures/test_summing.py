"""What the figure of an area is when it, or areas before it, have rows."""

from __future__ import annotations

from decimal import Decimal

from partnerships.housing_figures.measures import Series, period_words
from partnerships.housing_figures.summing import NOTHING, Basis, Part, said_of


def part(value: int | None, status: str = "published", **more: object) -> Part:
    return Part(None if value is None else Decimal(value), status, **more)  # type: ignore[arg-type]


def test_own_value_counts_and_those_before_do_not() -> None:
    said = said_of([part(936, "revised")], {"Allerdale": said_of([part(247)], {})})

    assert (said.value, said.basis, said.note) == (936, Basis.OWN, "revised")


def test_rows_of_one_code_are_added_and_said_so() -> None:
    said = said_of([part(3619), part(5326), part(2642)], {})

    assert (said.value, said.note) == (11587, "sum of several rows of the table")


def test_figures_of_predecessors_are_added_through_every_step() -> None:
    taunton = said_of([part(None, "not_published")], {"Taunton Deane": said_of([part(5)], {}), "West": NOTHING})
    whole = {"Taunton Deane": said_of([part(5)], {}), "West Somerset": said_of([part(4, "provisional")], {})}
    later = said_of([part(None, "not_published")], whole)

    said = said_of([], {"Mendip": said_of([part(10)], {}), "Somerset West and Taunton": later})

    assert (said.value, said.basis) == (19, Basis.PREDECESSORS)
    assert said.note == "sum of Mendip, Taunton Deane and West Somerset; provisional"
    assert (taunton.value, taunton.note) == (None, "no sum: nothing is published for West")


def test_value_of_a_joint_plan_is_never_added() -> None:
    joint = said_of([part(5292, is_joint=True)], {})

    assert (joint.value, joint.note) == (5292, "of the whole area of a joint plan")
    assert said_of([], {"Norwich": joint, "Broadland": joint}).value is None


def test_nothing_is_said_where_nothing_is_published() -> None:
    unpublished = said_of([part(None, "withheld")], {"Mendip": NOTHING})

    assert (unpublished.value, unpublished.status, unpublished.note) == (None, "withheld", "")
    assert said_of([part(3), part(None)], {}).basis == Basis.INCOMPLETE


def test_words_of_predecessors_are_named() -> None:
    said = said_of([], {"Eden": said_of([part(None, words="None")], {}), "Barrow": NOTHING})

    assert said.words == "Eden: None"


def test_years_read_as_each_series_writes_them() -> None:
    assert period_words(Series.NET_ADDITIONS, 1999, 2000) == "1999-00"
    assert period_words(Series.DELIVERY_TEST, 2020, 2023) == "2020-21 to 2022-23"
    assert period_words(Series.WAITING_LISTS, 2025, 2025) == "2025"
    assert period_words(Series.REQUIREMENTS, 2011, 2029) == "2011 to 2029"
