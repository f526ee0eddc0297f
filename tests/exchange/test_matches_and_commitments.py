"""From a match to a promise kept: found for those who may see both sides, put aside for good, committed and met."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.origins import read_from
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Status
from partnerships.exchange.queries import new_matches_for
from partnerships.exchange.queries.candidates import best_for_reader
from tests.exchange.conftest import shared
from tests.world import World


def test_matches_are_told_to_both_sides_and_hinted_to_nobody_else(ask: Entry, world: World, now: dt.datetime) -> None:
    offer = shared(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="A level site for modular homes",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        areas=[world.fareham],
    )
    today = timezone.localdate(now)

    assert services.match_due_entries(now=now) == 2
    assert services.match_due_entries(now=now) == 0

    for person, counterpart in ((world.amina, offer), (world.vera, offer), (world.ben, ask)):
        assert [match.counterpart for match in new_matches_for(person, world.now)] == [counterpart]
    for stranger in (world.chidi, world.hana, world.dee):
        assert new_matches_for(stranger, world.now) == []
        assert best_for_reader(ask, stranger, today) == []

    services.dismiss_match(
        entry=ask, counterpart=offer, organisation=world.larkhaven, reason="Too wet.", author=world.amina, now=now
    )
    services.edit_entry(entry=offer, author=world.ben, now=now, title="A dry level site for modular homes")
    services.match_due_entries(now=now)

    assert new_matches_for(world.amina, world.now) == []
    assert best_for_reader(ask, world.amina, today) == []
    assert [match.counterpart for match in new_matches_for(world.ben, world.now)] == [ask]


def test_a_commitment_between_others_meets_nobodys_ask(ask: Entry, world: World, now: dt.datetime) -> None:
    response = services.respond(
        entry=ask, organisation=world.westmarch, text="All of it.", quantity=Decimal(60), author=world.ben, now=now
    )
    services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)

    with pytest.raises(commitments.UnableToPropose, match="between its two sides"):
        commitments.propose_commitment(
            giver=world.westmarch,
            receiver=world.harbour,
            text="Land for somebody else",
            quantity=Decimal(60),
            unit="homes",
            owner=world.ben,
            due_on=dt.date(2031, 1, 1),
            partnership=None,
            author=world.ben,
            now=now,
            came_from=read_from(f"response-{response.pk}"),
        )

    assert not ask.fulfilments.exists()


def test_an_ask_is_committed_when_both_confirm_and_met_when_its_quantity_is(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    response = services.respond(
        entry=ask, organisation=world.westmarch, text="All of it.", quantity=Decimal(60), author=world.ben, now=now
    )
    services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)
    promise = commitments.propose_commitment(
        giver=world.westmarch,
        receiver=world.larkhaven,
        text="Land for 60 homes",
        quantity=Decimal(60),
        unit="homes",
        owner=world.ben,
        due_on=dt.date(2031, 1, 1),
        partnership=world.partnership,
        author=world.ben,
        now=now,
        confirm=True,
        came_from=read_from(f"response-{response.pk}"),
    )
    ask.refresh_from_db()
    assert ask.status == Status.ACCEPTED

    commitments.confirm_commitment(
        commitment=promise, organisation=world.larkhaven, author=world.amina, revision=promise.revision, now=now
    )
    ask.refresh_from_db()
    assert ask.status == Status.COMMITTED

    promise.refresh_from_db()
    commitments.record_progress(
        commitment=promise, status=CommitmentStatus.DONE, author=world.ben, now=now, delivered=Decimal(60)
    )
    promise.refresh_from_db()
    commitments.verify_delivery(commitment=promise, author=world.amina, now=now)
    ask.refresh_from_db()
    assert (ask.status, ask.is_over) == (Status.MET, True)


def test_that_two_work_together_is_told_to_the_two_alone(world: World, now: dt.datetime) -> None:
    ask = shared(world.larkhaven, world.amina, now, areas=[world.fareham])
    offer = shared(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="A level site for modular homes",
        areas=[world.fareham],
    )
    today = timezone.localdate(now)

    told = {
        name: [
            (one.entry_id, "you already work together" in one.fit.reasons)
            for one in best_for_reader(ask, getattr(world, name), today)
        ]
        for name in ("amina", "ben", "chidi")
    }

    assert told == {"amina": [(offer.pk, True)], "ben": [(offer.pk, True)], "chidi": [(offer.pk, False)]}
