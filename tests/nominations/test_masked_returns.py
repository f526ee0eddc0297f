"""People of other parties see confirmed returns with small counts masked."""

from __future__ import annotations

import pytest
from django.db import InternalError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from partnerships.nominations import services
from partnerships.nominations.models import NominationsReturn, ReturnLine, ReturnRecord
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
    nominations_return = confirmed_return(world, world.things["nominations"])

    lines = masked_result_of(nominations_return)

    lettings_by_words = {line.words: line.lettings for line in lines}
    assert lines[-1].words == "All lettings"
    assert lettings_by_words["All lettings"] == result_of(nominations_return).total.lettings
    assert lettings_by_words["Relets, all sizes"] is not None


def test_masked_trend_has_the_masked_total_of_each_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    [(quarter, total)] = masked_trend_of(agreement)

    assert quarter == nominations_return.quarter
    assert total == masked_result_of(nominations_return)[-1]


def test_trend_has_the_total_of_each_quarter(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    [quarter_result] = trend_of(returns_of(agreement))

    assert quarter_result.result.total == result_of(nominations_return).total


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


def reopen_as_ben(world: World, nominations_return: NominationsReturn) -> None:
    """Reopen a confirmed return as Ben, so that the provider corrects it."""
    services.reopen_return(
        nominations_return=nominations_return, reason="A home was left out.", author=world.ben, now=days_after()
    )


def test_other_parties_go_on_reading_the_record_while_a_return_is_corrected(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    lines_before = masked_result_of(nominations_return)
    reopen_as_ben(world, nominations_return)
    ReturnLine.objects.filter(nominations_return=nominations_return).update(lettings=F("lettings") + 9)

    lines = masked_result_of(reloaded(nominations_return))

    assert lines == lines_before


def test_counts_that_were_masked_stay_masked_after_a_correction(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    masked_before = words_of_masked_lines(nominations_return)
    reopen_as_ben(world, nominations_return)
    # With nine more lettings, no count is small any more.
    ReturnLine.objects.filter(nominations_return=nominations_return).update(lettings=F("lettings") + 9)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    confirm_all_lines(world, reloaded(nominations_return))

    corrected_return = reloaded(nominations_return)
    assert corrected_return.confirmations == 2
    assert masked_before
    assert masked_before <= words_of_masked_lines(corrected_return)


def words_of_masked_lines(nominations_return: NominationsReturn) -> set[str]:
    """Return the words of the lines whose lettings other parties do not see."""
    return {line.words for line in masked_result_of(nominations_return) if line.lettings is None}


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


def lines_with_one_relet_changed(*, nominated: int, lettings: int) -> list[ReturnLine]:
    """Return a line of each size for first lets and relets. All have 20 nominees, except relets of one bedroom."""
    return [
        ReturnLine(bedrooms=size, is_first_let=is_first_let, nominated=nominated, lettings=lettings)
        if (size, is_first_let) == ("1", False)
        else ReturnLine(bedrooms=size, is_first_let=is_first_let, nominated=20, lettings=40)
        for size in ("studio", "1", "2", "3", "4")
        for is_first_let in (True, False)
    ]


def test_a_count_made_small_by_a_correction_does_not_follow_from_earlier_totals() -> None:
    first_record = ReturnRecord(masked=masked_counts(lines_with_one_relet_changed(nominated=6, lettings=26), None))

    corrected_cells = masked_counts(lines_with_one_relet_changed(nominated=4, lettings=24), first_record)

    small_cell = ("1", "relets", "nominees")
    first_counts = {tuple(cell): count for *cell, count in first_record.masked}
    corrected_counts = {tuple(cell): count for *cell, count in corrected_cells}
    # A total has None in place of what it adds up: each total over the small cell must be masked like the cell itself.
    covering_cells = [
        cell
        for cell in corrected_counts
        if all(value in (None, small_value) for value, small_value in zip(cell, small_cell, strict=True))
    ]
    assert first_counts[small_cell] == 6
    assert {corrected_counts[cell] for cell in covering_cells} == {None}
    assert corrected_counts["1", "relets", "others"] == 20
