"""People of other parties see confirmed returns with small counts masked."""

from __future__ import annotations

import pytest
from django.db import InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from partnerships.nominations import services
from partnerships.nominations.models import ReturnLine, ReturnRecord
from partnerships.nominations.queries import masked_result_of, masked_trend_of, result_of, returns_of, trend_of
from partnerships.nominations.queries.records import masked_counts
from tests.nominations.quarters import (
    collection_year,
    confirm_all_lines,
    confirmed_return,
    days_after,
    next_quarter,
    place_of,
    reloaded,
    sent_return,
)
from tests.support.core_files import InventedLetting, invent
from tests.world import World

#: Other parties see no count below this.
MIN_SHOWN = 5
#: The cells of a CORE export that make a letting a relet of a home with two bedrooms.
RELET_WITH_TWO_BEDROOMS = {
    "unittype_gn": "1",  # not a bedsit
    "beds": "2",
    "rsnvac": "5",  # one of the reasons for a relet
    "first_time_property_let_as_social_housing": "0",
}


def relets_with_two_bedrooms(world: World, count: int) -> list[InventedLetting]:
    """Return lettings that are all relets of homes with two bedrooms, so that only one line has lettings."""
    lettings = invent(place_of(world), count, year=collection_year(), odd=False)
    for letting in lettings:
        letting.cells |= RELET_WITH_TWO_BEDROOMS
    return lettings


def test_other_parties_see_no_lines_of_a_return_before_it_is_confirmed(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    assert masked_result_of(nominations_return) == []


def test_other_parties_see_no_small_count_of_a_confirmed_return(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    lines = masked_result_of(nominations_return)

    shown_counts = [count for line in lines for count in (line.lettings, line.nominated) if count is not None]
    assert any(line.lettings < MIN_SHOWN for line in result_of(nominations_return).lines)
    assert shown_counts
    assert min(shown_counts) >= MIN_SHOWN


def test_other_parties_see_the_totals_of_a_confirmed_return(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    lines = masked_result_of(nominations_return)

    [(_quarter, masked_total)] = masked_trend_of(agreement)
    assert lines[-1].words == "All lettings"
    assert lines[-1] == masked_total
    assert {line.words: line.lettings for line in lines}["Relets, all sizes"] is not None
    assert [quarter_result.result.total for quarter_result in trend_of(returns_of(agreement))] == [
        result_of(nominations_return).total
    ]


def test_other_parties_cannot_tell_which_lines_are_empty(world: World) -> None:
    lettings = relets_with_two_bedrooms(world, 30)
    nominations_return = confirmed_return(world, world.things["nominations"], lettings)

    lines = masked_result_of(nominations_return)

    (line_with_lettings,) = result_of(nominations_return).lines
    # Totals have no agreed share.
    empty_lines = {
        line.words: line for line in lines if line.share is not None and line.words != line_with_lettings.words
    }
    assert line_with_lettings.words == "Relets, 2 bedrooms"
    assert line_with_lettings.lettings == 30
    assert set(empty_lines) == {
        "First lets, studio",
        "First lets, 1 bedroom",
        "First lets, 2 bedrooms",
        "First lets, 3 bedrooms",
        "First lets, 4 or more bedrooms",
        "Relets, studio",
        "Relets, 1 bedroom",
        "Relets, 3 bedrooms",
        "Relets, 4 or more bedrooms",
    }
    assert {(line.lettings, line.nominated) for line in empty_lines.values()} == {(None, None)}
    assert {line.share for words, line in empty_lines.items() if words.startswith("First lets")} == {100}


def test_masked_trend_needs_the_same_queries_for_two_quarters_as_for_one(world: World) -> None:
    agreement = world.things["nominations"]
    confirmed_return(world, agreement)
    with CaptureQueriesContext(connection) as queries_for_one:
        masked_trend_of(agreement)
    confirmed_return(world, agreement, quarter=next_quarter().next())

    with CaptureQueriesContext(connection) as queries_for_two:
        trend = masked_trend_of(agreement)

    assert len(trend) == 2
    assert len(queries_for_two) == len(queries_for_one)


def test_other_parties_go_on_reading_the_record_while_a_return_is_corrected(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    lines_before = masked_result_of(nominations_return)
    line = next(line for line in nominations_return.lines.order_by("pk") if line.lettings > line.nominated)

    services.reopen_return(
        nominations_return=nominations_return, reason="A home was left out.", author=world.ben, now=days_after()
    )
    lines_during = masked_result_of(reloaded(nominations_return))
    services.complete_return(
        nominations_return=nominations_return, figures={}, figures_seen={}, author=world.amina, now=days_after()
    )
    ReturnLine.objects.filter(pk=line.pk).update(lettings=line.lettings + 9)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())
    confirm_all_lines(world, reloaded(nominations_return))
    lines_after = masked_result_of(reloaded(nominations_return))

    assert lines_before == lines_during
    masked_names = {line.words for line in lines_before if line.lettings is None}
    assert masked_names <= {line.words for line in lines_after if line.lettings is None}
    assert reloaded(nominations_return).confirmations == 2


def test_records_cannot_be_changed(world: World) -> None:
    records = ReturnRecord.objects.filter(nominations_return=confirmed_return(world, world.things["nominations"]))

    with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
        records.update(masked=[])

    assert records.get().masked


def test_records_cannot_be_deleted(world: World) -> None:
    records = ReturnRecord.objects.filter(nominations_return=confirmed_return(world, world.things["nominations"]))

    with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
        records.delete()

    assert records.get().masked


def test_a_count_made_small_by_a_correction_does_not_follow_from_earlier_totals() -> None:
    def lines(nominated: int, lettings: int) -> list[ReturnLine]:
        all_lines = [
            ReturnLine(bedrooms=size, is_first_let=is_first_let, nominated=20, lettings=40)
            for size in ("studio", "1", "2", "3", "4")
            for is_first_let in (True, False)
        ]
        all_lines[3].nominated = nominated
        all_lines[3].lettings = lettings
        return all_lines

    first_record = ReturnRecord(masked=masked_counts(lines(6, 26), None))
    corrected_counts = {tuple(cell): count for *cell, count in masked_counts(lines(4, 24), first_record)}

    small_cell = ("1", "relets", "nominees")
    assert {tuple(cell): count for *cell, count in first_record.masked}[small_cell] == 6
    covering_cells = [
        cell
        for cell in corrected_counts
        if all(value in (None, small_value) for value, small_value in zip(cell, small_cell, strict=True))
    ]
    assert {corrected_counts[cell] for cell in covering_cells} == {None}
    assert corrected_counts["1", "relets", "others"] == 20
