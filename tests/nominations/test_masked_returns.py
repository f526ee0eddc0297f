"""What people of other parties see of confirmed returns: small counts masked."""

from __future__ import annotations

import pytest
from django.db import InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from partnerships.nominations import services
from partnerships.nominations.models import Decision, NominationsReturn, ReturnLine, ReturnRecord
from partnerships.nominations.queries import masked_result_of, masked_trend_of, result_of, trend_of
from partnerships.nominations.queries.records import masked_for
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
    shown = [figure for line in lines for figure in (line.lettings, line.nominated) if figure is not None]
    result = result_of(nominations_return)
    assert shown
    assert min(shown) >= 5
    assert any(line.lettings < 5 for line in result.lines)
    assert lines[-1].words == "All lettings"
    assert {line.words: line.lettings for line in lines}["Relets, all sizes"] in shown
    assert [line for _, line in masked_trend_of(agreement)] == [lines[-1]]
    assert [one.result.total for one in trend_of(agreement)] == [result.total]


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

    (only,) = result_of(nominations_return).lines
    empty = [line for line in lines if line.share is not None and line.words != only.words]
    assert (only.lettings, len(empty)) == (30, 9)
    assert {(line.lettings, line.nominated) for line in empty} == {(None, None)}
    assert [line.share for line in empty if line.words.startswith("First")] == [100] * 5


def test_the_trend_of_other_parties_needs_the_same_queries_for_each_length(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    with CaptureQueriesContext(connection) as one:
        masked_trend_of(agreement)
    other = NominationsReturn.objects.create(
        agreement=agreement, starts_on=nominations_return.quarter.next().starts_on, begun_at=afterwards()
    )
    first = nominations_return.records.get()
    ReturnRecord.objects.create(
        nominations_return=other, number=1, content={**first.content, "starts_on": other.starts_on.isoformat()},
        masked=first.masked, sent_at=first.sent_at, confirmed_at=first.confirmed_at,
    )  # fmt: skip
    with CaptureQueriesContext(connection) as two:
        trend = masked_trend_of(agreement)

    assert len(trend) == 2
    assert len(one) == len(two)


def test_other_parties_go_on_reading_the_record_while_a_return_is_corrected(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    before = masked_result_of(nominations_return)
    line = next(line for line in nominations_return.lines.order_by("pk") if line.lettings > line.nominated)

    services.reopen_return(
        nominations_return=nominations_return, reason="A home was left out.", author=world.ben, now=afterwards()
    )
    during = masked_result_of(reloaded(nominations_return))
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
    after = masked_result_of(reloaded(nominations_return))

    assert before == during
    masked = {one.words for one in before if one.lettings is None}
    assert masked <= {one.words for one in after if one.lettings is None}
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
        many = [
            ReturnLine(bedrooms=size, is_first_let=is_first_let, nominated=20, lettings=40)
            for size in ("studio", "1", "2", "3", "4")
            for is_first_let in (True, False)
        ]
        many[3].nominated, many[3].lettings = nominated, lettings
        return many

    first = ReturnRecord(masked=masked_for(lines(6, 26), None))
    second = {tuple(cell): count for *cell, count in masked_for(lines(4, 24), first)}

    fallen = ("1", "relets", "nominees")
    assert {tuple(cell): count for *cell, count in first.masked}[fallen] == 6
    covering = [cell for cell in second if all(one in (None, its) for one, its in zip(cell, fallen, strict=True))]
    assert {second[cell] for cell in covering} == {None}
    assert second["1", "relets", "others"] == 20
