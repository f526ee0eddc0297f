"""People of other parties see confirmed returns with small counts masked."""

from __future__ import annotations

import pytest
from django.db import InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from partnerships.nominations import services
from partnerships.nominations.models import Decision, NominationsReturn, ReturnLine, ReturnRecord
from partnerships.nominations.queries import masked_result_of, masked_trend_of, result_of, returns_of, trend_of
from partnerships.nominations.queries.records import masked_counts
from tests.nominations.quarters import (
    afterwards,
    collection_year,
    confirmed_return,
    decide_lines,
    place_of,
    reloaded,
    sent_return,
)
from tests.support.core_files import invent
from tests.world import World


def test_other_parties_see_no_small_count_of_a_settled_return(world: World) -> None:
    agreement = world.things["nominations"]
    assert masked_result_of(sent_return(world, agreement)) == []

    nominations_return = agreement.returns.for_pages().get()
    decide_lines(
        world,
        nominations_return,
        dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), (Decision.CONFIRMED, "")),
    )
    nominations_return = reloaded(nominations_return)

    lines = masked_result_of(nominations_return)
    shown_counts = [figure for line in lines for figure in (line.lettings, line.nominated) if figure is not None]
    result = result_of(nominations_return)
    assert shown_counts
    assert min(shown_counts) >= 5
    assert any(line.lettings < 5 for line in result.lines)
    assert lines[-1].words == "All lettings"
    assert {line.words: line.lettings for line in lines}["Relets, all sizes"] in shown_counts
    assert [line for _, line in masked_trend_of(agreement)] == [lines[-1]]
    assert [quarter_result.result.total for quarter_result in trend_of(returns_of(agreement))] == [result.total]


def test_other_parties_cannot_tell_which_lines_are_empty(world: World) -> None:
    lettings = invent(place_of(world), 30, year=collection_year(), odd=False)
    for letting in lettings:
        letting.cells |= {
            "unittype_gn": "1",
            "beds": "2",
            "rsnvac": "5",
            "first_time_property_let_as_social_housing": "0",
        }
    nominations_return = confirmed_return(world, world.things["nominations"], lettings)

    lines = masked_result_of(nominations_return)

    (line_with_lettings,) = result_of(nominations_return).lines
    empty_lines = [line for line in lines if line.share is not None and line.words != line_with_lettings.words]
    assert line_with_lettings.lettings == 30
    assert len(empty_lines) == 9
    assert {(line.lettings, line.nominated) for line in empty_lines} == {(None, None)}
    assert [line.share for line in empty_lines if line.words.startswith("First")] == [100] * 5


def test_the_trend_of_other_parties_needs_the_same_queries_for_each_length(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    with CaptureQueriesContext(connection) as queries_for_one:
        masked_trend_of(agreement)
    next_return = NominationsReturn.objects.create(
        agreement=agreement, starts_on=nominations_return.quarter.next().starts_on, begun_at=afterwards()
    )
    first_record = nominations_return.records.get()
    ReturnRecord.objects.create(
        nominations_return=next_return,
        number=1,
        content={**first_record.content, "starts_on": next_return.starts_on.isoformat()},
        masked=first_record.masked,
        sent_at=first_record.sent_at,
        confirmed_at=first_record.confirmed_at,
    )
    with CaptureQueriesContext(connection) as queries_for_two:
        trend = masked_trend_of(agreement)

    assert len(trend) == 2
    assert len(queries_for_one) == len(queries_for_two)


def test_other_parties_go_on_reading_the_record_while_a_return_is_corrected(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    lines_before = masked_result_of(nominations_return)
    line = next(line for line in nominations_return.lines.order_by("pk") if line.lettings > line.nominated)

    services.reopen_return(
        nominations_return=nominations_return, reason="A home was left out.", author=world.ben, now=afterwards()
    )
    lines_during = masked_result_of(reloaded(nominations_return))
    services.complete_return(
        nominations_return=nominations_return, figures={}, figures_seen={}, author=world.amina, now=afterwards()
    )
    ReturnLine.objects.filter(pk=line.pk).update(lettings=line.lettings + 9)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=afterwards())
    nominations_return = reloaded(nominations_return)
    decide_lines(
        world,
        nominations_return,
        dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), (Decision.CONFIRMED, "")),
    )
    lines_after = masked_result_of(reloaded(nominations_return))

    assert lines_before == lines_during
    masked_names = {line.words for line in lines_before if line.lettings is None}
    assert masked_names <= {line.words for line in lines_after if line.lettings is None}
    assert reloaded(nominations_return).confirmations == 2


def test_records_cannot_be_changed_or_deleted(world: World) -> None:
    records = ReturnRecord.objects.filter(nominations_return=confirmed_return(world, world.things["nominations"]))

    with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
        records.update(masked=[])
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
