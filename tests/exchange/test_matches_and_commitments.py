"""Both sides see a match, and make a commitment from it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import pytest
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.origins import parse_origin_record
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match, Status
from partnerships.exchange.queries import new_matches_for
from partnerships.exchange.queries.candidates import best_for_reader
from partnerships.exchange.queries.matches import matches_for
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Area
from partnerships.people.models import User
from tests.exchange.conftest import shared_entry
from tests.support.successions import follow
from tests.world import World, area


def offer_site(world: World, now: dt.datetime) -> Entry:
    """Share Westmarch's offer, which fits Larkhaven's ask."""
    return shared_entry(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="A level site for modular homes",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        areas=[world.fareham],
    )


@pytest.fixture
def matched_offer(ask: Entry, world: World, now: dt.datetime) -> Entry:
    """Return Westmarch's offer, which is matched with Larkhaven's ask."""
    offer = offer_site(world, now)
    services.match_due_entries(now=now)
    return offer


def counterparts(person: User, world: World) -> list[Entry]:
    """Return the entries that the person sees as new matches."""
    return [match.counterpart for match in new_matches_for(person, world.now)]


@pytest.mark.usefixtures("ask")
def test_new_entries_are_matched(world: World, now: dt.datetime) -> None:
    offer_site(world, now)

    matched_count = services.match_due_entries(now=now)

    assert matched_count == 2


@pytest.mark.usefixtures("ask", "matched_offer")
def test_matched_entries_are_not_matched_again(now: dt.datetime) -> None:
    matched_count = services.match_due_entries(now=now)

    assert matched_count == 0


def test_both_sides_see_a_match(ask: Entry, matched_offer: Entry, world: World) -> None:
    assert counterparts(world.amina, world) == [matched_offer]
    assert counterparts(world.vera, world) == [matched_offer]
    assert counterparts(world.ben, world) == [ask]


@pytest.mark.parametrize("name", ["chidi", "hana", "dee"])
def test_nobody_else_sees_a_match(ask: Entry, matched_offer: Entry, world: World, now: dt.datetime, name: str) -> None:
    stranger = getattr(world, name)

    assert counterparts(stranger, world) == []
    assert best_for_reader(ask, stranger, timezone.localdate(now)) == []


def test_a_dismissed_match_stays_dismissed_for_one_side_when_the_offer_changes(
    ask: Entry, matched_offer: Entry, world: World, now: dt.datetime
) -> None:
    services.dismiss_match(
        entry=ask,
        counterpart=matched_offer,
        organisation=world.larkhaven,
        reason="Too wet.",
        author=world.amina,
        now=now,
    )
    services.edit_entry(entry=matched_offer, author=world.ben, now=now, title="A dry level site for modular homes")

    services.match_due_entries(now=now)

    assert counterparts(world.amina, world) == []
    assert best_for_reader(ask, world.amina, timezone.localdate(now)) == []
    assert counterparts(world.ben, world) == [ask]


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


@pytest.fixture
def proposed_promise(ask: Entry, world: World, now: dt.datetime) -> Commitment:
    """Return a commitment that meets the ask; Westmarch has confirmed it, and Larkhaven has not."""
    response = services.respond(
        entry=ask, organisation=world.westmarch, text="All of it.", quantity=Decimal(60), author=world.ben, now=now
    )
    services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)
    return commitments.propose_commitment(
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


@pytest.fixture
def confirmed_promise(proposed_promise: Commitment, world: World, now: dt.datetime) -> Commitment:
    """Return the commitment after Larkhaven has confirmed it too."""
    return commitments.confirm_commitment(
        commitment=proposed_promise,
        organisation=world.larkhaven,
        author=world.amina,
        revision=proposed_promise.revision,
        now=now,
    )


def test_an_ask_is_accepted_until_both_confirm_a_commitment(ask: Entry, proposed_promise: Commitment) -> None:
    ask.refresh_from_db()

    assert ask.status == Status.ACCEPTED


def test_an_ask_is_committed_when_both_confirm_a_commitment(ask: Entry, confirmed_promise: Commitment) -> None:
    ask.refresh_from_db()

    assert ask.status == Status.COMMITTED


def test_an_ask_is_met_when_its_commitment_is_delivered(
    ask: Entry, confirmed_promise: Commitment, world: World, now: dt.datetime
) -> None:
    commitments.record_progress(
        commitment=confirmed_promise, status=CommitmentStatus.DONE, author=world.ben, now=now, delivered=Decimal(60)
    )
    confirmed_promise.refresh_from_db()

    commitments.verify_delivery(commitment=confirmed_promise, author=world.amina, now=now)

    ask.refresh_from_db()
    assert ask.status == Status.MET
    assert ask.is_over


@pytest.mark.parametrize(("name", "sees_partners"), [("amina", True), ("ben", True), ("chidi", False)])
def test_only_the_two_organisations_see_that_they_work_together(
    world: World, now: dt.datetime, name: str, sees_partners: bool
) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham])
    offer = shared_entry(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="A level site for modular homes",
        areas=[world.fareham],
    )

    (counterpart,) = best_for_reader(ask, getattr(world, name), timezone.localdate(now))

    assert counterpart.entry_id == offer.pk
    assert ("you already work together" in counterpart.score.reasons) == sees_partners


@pytest.fixture
def ask_in_fareham(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask for land in Fareham."""
    return shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham])


@pytest.fixture
def dismissed_offer(ask_in_fareham: Entry, world: World, now: dt.datetime) -> Entry:
    """Return Westmarch's offer of clerks, which does not fit the ask and which Larkhaven has dismissed."""
    offer = shared_entry(
        world.westmarch, world.ben, now, direction=Direction.OFFER, title="Clerks", theme="data", statement=""
    )
    services.dismiss_match(
        entry=ask_in_fareham,
        counterpart=offer,
        organisation=world.larkhaven,
        reason="No.",
        author=world.amina,
        now=now,
    )
    return offer


def test_a_dismissed_pair_that_does_not_fit_is_not_shown(world: World, dismissed_offer: Entry) -> None:
    assert matches_for(world.ben) == []


def test_a_dismissed_pair_is_shown_to_the_other_side_once_it_fits(
    world: World, now: dt.datetime, ask_in_fareham: Entry, dismissed_offer: Entry
) -> None:
    later = now + dt.timedelta(days=9)
    services.edit_entry(
        entry=dismissed_offer, author=world.ben, now=later, theme="land", title="Level site for modular homes"
    )

    services.match_due_entries(now=later)

    assert [match.counterpart for match in new_matches_for(world.ben, now)] == [ask_in_fareham]


def test_a_dismissed_pair_that_no_longer_fits_has_no_reasons(
    world: World, now: dt.datetime, dismissed_offer: Entry
) -> None:
    later = now + dt.timedelta(days=9)
    services.edit_entry(
        entry=dismissed_offer, author=world.ben, now=later, theme="land", title="Level site for modular homes"
    )
    services.match_due_entries(now=later)
    services.edit_entry(entry=dismissed_offer, author=world.ben, now=later, theme="data")

    services.match_due_entries(now=later)

    assert Match.objects.get().reasons == []
    assert matches_for(world.ben) == []


def test_unchanged_places_of_open_entries_are_not_refreshed(world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham])

    refreshed_count = services.refresh_places(now=now)

    assert refreshed_count == 0


class MovedEntries(NamedTuple):
    """An ask about Fareham, and two offers that are about the same place once Fareham has a successor and a parent."""

    ask: Entry
    offer_in_county: Entry
    offer_of_successor: Entry


@pytest.fixture
def moved_entries(world: World, now: dt.datetime) -> MovedEntries:
    """Share an ask and two offers, and then let Solent follow Fareham and Fareham become a part of Hampshire."""
    solent = area("E07000999", "Solent")
    hampshire = area("E10000014", "Hampshire")
    entries = MovedEntries(
        ask=shared_entry(world.larkhaven, world.amina, now, areas=[world.fareham]),
        offer_in_county=shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER, areas=[hampshire]),
        offer_of_successor=shared_entry(world.harbour, world.hana, now, direction=Direction.OFFER),
    )
    services.match_due_entries(now=now)
    today = timezone.localdate(now)
    for organisation, new_area in ((world.tidewater, world.fareham), (world.harbour, solent)):
        organisations.serve_area(organisation=organisation, area=new_area, starts_on=None, author=None, now=now)
    follow([world.tidewater], [world.harbour], on=today, now=now)
    Area.objects.filter(pk=world.fareham.pk).update(valid_to=today, parent=hampshire)
    return entries


@pytest.mark.usefixtures("moved_entries")
def test_open_entries_of_changed_places_are_refreshed(now: dt.datetime) -> None:
    refreshed_count = services.refresh_places(now=now)

    assert refreshed_count == 3


@pytest.mark.usefixtures("moved_entries")
def test_open_entries_of_changed_places_are_refreshed_once(now: dt.datetime) -> None:
    services.refresh_places(now=now)

    refreshed_count = services.refresh_places(now=now)

    assert refreshed_count == 0


def test_open_entries_follow_new_successors_and_parents_of_areas(moved_entries: MovedEntries, now: dt.datetime) -> None:
    services.refresh_places(now=now)

    services.match_due_entries(now=now)

    reasons_by_offer = {match.offer: match.reasons for match in Match.objects.filter(ask=moved_entries.ask)}
    assert set(reasons_by_offer) == {moved_entries.offer_in_county, moved_entries.offer_of_successor}
    assert reasons_by_offer[moved_entries.offer_in_county][:2] == ["same theme", "both about Fareham and Solent"]
    assert reasons_by_offer[moved_entries.offer_of_successor][:2] == ["same theme", "both about Solent"]


@pytest.fixture
def harbours_offer(ask: Entry, world: World, now: dt.datetime) -> Entry:
    """Return Harbour's offer, which fits the ask; Harbour is not yet a party of the partnership that reads it."""
    offer = shared_entry(
        world.harbour, world.hana, now, direction=Direction.OFFER, title="A level site for modular homes"
    )
    services.match_due_entries(now=now)
    return offer


@pytest.mark.usefixtures("harbours_offer")
def test_an_offer_is_not_matched_with_an_ask_that_its_organisation_may_not_read(world: World) -> None:
    assert matches_for(world.hana) == []


@pytest.mark.usefixtures("harbours_offer")
def test_entries_of_an_unchanged_partnership_are_not_refreshed(now: dt.datetime) -> None:
    refreshed_count = services.refresh_parties(now=now)

    assert refreshed_count == 0


@pytest.fixture
def two_days_later(world: World, harbours_offer: Entry, now: dt.datetime) -> dt.datetime:
    """Let Harbour join the partnership two days after its offer, and return that time."""
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
    return later


def test_entries_are_refreshed_when_a_party_joins(two_days_later: dt.datetime) -> None:
    refreshed_count = services.refresh_parties(now=two_days_later)

    assert refreshed_count == 2


def test_entries_are_refreshed_once_after_a_party_joins(two_days_later: dt.datetime) -> None:
    services.refresh_parties(now=two_days_later)
    services.match_due_entries(now=two_days_later + dt.timedelta(minutes=1))

    refreshed_count = services.refresh_parties(now=two_days_later + dt.timedelta(minutes=2))

    assert refreshed_count == 0


def test_a_new_party_is_matched_with_entries_of_the_partnership(
    ask: Entry, harbours_offer: Entry, world: World, two_days_later: dt.datetime
) -> None:
    services.refresh_parties(now=two_days_later)

    services.match_due_entries(now=two_days_later + dt.timedelta(minutes=1))

    (match,) = matches_for(world.hana)
    assert match.entry == harbours_offer
    assert match.counterpart == ask
