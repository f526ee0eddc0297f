"""Both sides see a match, and make a commitment from it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.origins import parse_origin_record
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match, Status
from partnerships.exchange.queries import new_matches_for
from partnerships.exchange.queries.candidates import best_for_reader
from partnerships.exchange.queries.matches import matches_for
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Area
from tests.exchange.conftest import shared_entry
from tests.support.successions import follow
from tests.world import World, area


def test_both_sides_see_a_match_and_nobody_else_does(ask: Entry, world: World, now: dt.datetime) -> None:
    offer = shared_entry(
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


def test_a_commitment_between_others_cannot_meet_an_ask(ask: Entry, world: World, now: dt.datetime) -> None:
    response = services.respond(
        entry=ask, organisation=world.westmarch, text="All of it.", quantity=Decimal(60), author=world.ben, now=now
    )
    services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)

    with pytest.raises(commitments.UnableToPropose, match="must be between"):
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
            came_from=parse_origin_record(f"response-{response.pk}"),
        )

    assert not ask.fulfilments.exists()


def test_an_ask_is_committed_when_both_confirm_and_met_when_delivered(
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
        came_from=parse_origin_record(f"response-{response.pk}"),
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
    assert ask.status == Status.MET
    assert ask.is_over


def test_only_the_two_organisations_see_that_they_work_together(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham])
    offer = shared_entry(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="A level site for modular homes",
        areas=[world.fareham],
    )
    today = timezone.localdate(now)

    counterparts_by_reader = {
        name: [
            (counterpart.entry_id, "you already work together" in counterpart.score.reasons)
            for counterpart in best_for_reader(ask, getattr(world, name), today)
        ]
        for name in ("amina", "ben", "chidi")
    }

    assert counterparts_by_reader == {
        "amina": [(offer.pk, True)],
        "ben": [(offer.pk, True)],
        "chidi": [(offer.pk, False)],
    }


def test_a_dismissed_pair_that_does_not_fit_is_shown_once_it_does(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham])
    offer = shared_entry(
        world.westmarch, world.ben, now, direction=Direction.OFFER, title="Clerks", theme="data", statement=""
    )
    services.dismiss_match(
        entry=ask, counterpart=offer, organisation=world.larkhaven, reason="No.", author=world.amina, now=now
    )

    assert matches_for(world.ben) == []

    later = now + dt.timedelta(days=9)
    services.edit_entry(entry=offer, author=world.ben, now=later, theme="land", title="Level site for modular homes")
    services.match_due_entries(now=later)
    assert [match.counterpart for match in new_matches_for(world.ben, now)] == [ask]

    services.edit_entry(entry=offer, author=world.ben, now=later, theme="data")
    services.match_due_entries(now=later)
    assert Match.objects.get().reasons == []
    assert matches_for(world.ben) == []


def test_open_entries_follow_new_successors_and_parents_of_areas(world: World, now: dt.datetime) -> None:
    solent = area("E07000999", "Solent")
    hampshire = area("E10000014", "Hampshire")
    ask = shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham])
    offer_in_county = shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER, areas=[hampshire])
    offer_of_successor = shared_entry(world.harbour, world.hana, now, direction=Direction.OFFER)
    services.match_due_entries(now=now)

    assert services.refresh_places(now=now) == 0

    today = timezone.localdate(now)
    for organisation, new_area in ((world.tidewater, world.fareham), (world.harbour, solent)):
        organisations.serve_area(organisation=organisation, area=new_area, starts_on=None, author=None, now=now)
    follow([world.tidewater], [world.harbour], on=today, now=now)
    Area.objects.filter(pk=world.fareham.pk).update(valid_to=today, parent=hampshire)
    assert services.refresh_places(now=now) == 3
    assert services.refresh_places(now=now) == 0
    services.match_due_entries(now=now)

    reasons_by_offer = {match.offer_id: match.reasons for match in Match.objects.filter(ask=ask)}
    assert set(reasons_by_offer) == {offer_in_county.pk, offer_of_successor.pk}
    assert reasons_by_offer[offer_in_county.pk][:2] == ["same theme", "both about Fareham and Solent"]
    assert reasons_by_offer[offer_of_successor.pk][:2] == ["same theme", "both about Solent"]


def test_a_new_party_is_matched_with_entries_of_the_partnership(ask: Entry, world: World, now: dt.datetime) -> None:
    offer = shared_entry(
        world.harbour, world.hana, now, direction=Direction.OFFER, title="A level site for modular homes"
    )
    services.match_due_entries(now=now)
    assert matches_for(world.hana) == []
    assert services.refresh_parties(now=now) == 0

    later = now + dt.timedelta(days=2)
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=later,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=later)
    assert services.refresh_parties(now=later) == 2
    services.match_due_entries(now=later + dt.timedelta(minutes=1))

    assert services.refresh_parties(now=later + dt.timedelta(minutes=2)) == 0
    assert [(match.entry, match.counterpart) for match in matches_for(world.hana)] == [(offer, ask)]
