"""The figure of an area comes from its own rows, or from the rows of areas before it."""

from __future__ import annotations

from decimal import Decimal

from partnerships.housing_figures.measures import Series, period_words
from partnerships.housing_figures.summing import NOTHING, Basis, Part, figure_of_area


def part(value: int | None, status: str = "published", **more: object) -> Part:
    return Part(None if value is None else Decimal(value), status, **more)  # type: ignore[arg-type]


def test_own_value_counts_and_those_before_do_not() -> None:
    figure = figure_of_area([part(936, "revised")], {"Allerdale": figure_of_area([part(247)], {})})

    assert figure.value == 936
    assert figure.basis == Basis.OWN
    assert figure.note == "revised"


def test_rows_of_one_code_are_added_with_a_note() -> None:
    figure = figure_of_area([part(3619), part(5326), part(2642)], {})

    assert figure.value == 11587
    assert figure.note == "the sum of several rows of the table"


def test_figures_of_predecessors_are_added_through_every_step() -> None:
    taunton = figure_of_area(
        [part(None, "not_published")], {"Taunton Deane": figure_of_area([part(5)], {}), "West": NOTHING}
    )
    whole = {
        "Taunton Deane": figure_of_area([part(5)], {}),
        "West Somerset": figure_of_area([part(4, "provisional")], {}),
    }
    later = figure_of_area([part(None, "not_published")], whole)

    figure = figure_of_area([], {"Mendip": figure_of_area([part(10)], {}), "Somerset West and Taunton": later})

    assert figure.value == 19
    assert figure.basis == Basis.PREDECESSORS
    assert figure.note == "the sum of Mendip, Taunton Deane and West Somerset; provisional"
    assert taunton.value is None
    assert taunton.note == "we cannot add this up, because nothing is published for West"


def test_value_of_a_joint_plan_is_never_added() -> None:
    joint = figure_of_area([part(5292, is_joint=True)], {})

    assert joint.value == 5292
    assert joint.note == "for the whole area of a joint plan"
    assert figure_of_area([], {"Norwich": joint, "Broadland": joint}).value is None


def test_nothing_is_said_where_nothing_is_published() -> None:
    unpublished = figure_of_area([part(None, "withheld")], {"Mendip": NOTHING})

    assert unpublished.value is None
    assert unpublished.status == "withheld"
    assert unpublished.note == ""
    assert figure_of_area([part(3), part(None)], {}).basis == Basis.INCOMPLETE


def test_words_of_predecessors_are_named() -> None:
    figure = figure_of_area([], {"Eden": figure_of_area([part(None, words="None")], {}), "Barrow": NOTHING})

    assert figure.words == "Eden: None"


def test_years_read_as_each_series_writes_them() -> None:
    assert period_words(Series.NET_ADDITIONS, 1999, 2000) == "1999-00"
    assert period_words(Series.DELIVERY_TEST, 2020, 2023) == "2020-21 to 2022-23"
    assert period_words(Series.WAITING_LISTS, 2025, 2025) == "2025"
    assert period_words(Series.REQUIREMENTS, 2011, 2029) == "2011 to 2029"
