"""The fast queries give the same results as slow reference queries in random worlds."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.db.models import Count
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match
from partnerships.exchange.queries.board import Filters, board, card_of, read
from partnerships.exchange.queries.candidates import AreaNames, best_for_both, best_for_reader
from partnerships.exchange.queries.matches import count_matches
from partnerships.exchange.queries.permission_sql import readable_to, reader_of
from partnerships.exchange.rights import may_read_both
from partnerships.exchange.services.matches import match_due_entries
from partnerships.kit.database import rows_of
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from tests.exchange import reference
from tests.exchange.conftest import draft
from tests.world import World

TITLES = ("Modular homes", "A level site", "Surveyors for modular sites", "Solar roofs for terraces", "Homes and sites")


def fill(world: World, rng: random.Random) -> dict[Organisation, User]:
    """Make forty random asks and offers, while a party leaves, and return the leads by their organisations."""
    leads = {
        world.larkhaven: world.amina,
        world.westmarch: world.ben,
        world.tidewater: world.chidi,
        world.harbour: world.hana,
    }
    organisations_by_partnership = {
        world.partnership: (world.larkhaven, world.westmarch, world.tidewater),
        world.other_partnership: (world.tidewater, world.harbour),
    }
    now = world.now + dt.timedelta(days=2)
    agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(
        party=world.party(world.tidewater), accept=True, reason="", author=world.chidi, now=now
    )
    for number in range(40):
        organisation = rng.choice(list(leads))
        partnership = rng.choice(
            [
                partnership_id
                for partnership_id, parties in organisations_by_partnership.items()
                if organisation in parties
            ]
        )
        audience = rng.choice([Audience.NETWORK, Audience.PARTNERSHIP, Audience.NAMED])
        if organisation == world.westmarch and number >= 20 and audience == Audience.PARTNERSHIP:
            audience = Audience.NETWORK
        start = timezone.localdate(now) + dt.timedelta(days=rng.randrange(60))
        entry = draft(
            organisation,
            leads[organisation],
            now,
            direction=rng.choice(list(Direction)),
            title=rng.choice(TITLES),
            theme=rng.choice(["land", "planning"]),
            audience=audience,
            partnership=partnership if audience == Audience.PARTNERSHIP else None,
            addressees=rng.sample([lead for lead in leads if lead != organisation], 2)
            if audience == Audience.NAMED
            else (),
            areas=rng.choice([[], [world.fareham], [world.gosport, world.fareham]]),
            available_from=rng.choice([None, start]),
            available_until=rng.choice([None, start + dt.timedelta(days=30)]),
            quantity=rng.choice([None, 20, 60]),
        )
        if rng.random() < 0.85:
            entry = services.share_entry(entry=entry, author=leads[organisation], now=now)
            if rng.random() < 0.1:
                services.withdraw_entry(entry=entry, reason="No more.", author=leads[organisation], now=now)
        now += dt.timedelta(minutes=5)
        if number == 20:
            agreements.leave_partnership(
                party=world.party(world.westmarch), reason="Moved on.", author=world.ben, now=now
            )
    Membership.objects.filter(person=world.eddie).update(ends_on=timezone.localdate())
    return leads


@pytest.fixture(params=[1, 2], ids=["one world", "another"])
def crowded_world(world: World, request: pytest.FixtureRequest) -> World:
    """Return a world with many entries, matches and dismissals."""
    rng = random.Random(request.param)
    leads = fill(world, rng)
    match_due_entries(now=timezone.now())
    matches = Match.objects.select_related("ask__organisation", "offer").order_by("pk")
    for number, match in enumerate(matches):
        author = leads[match.ask.organisation]
        if number % 4 == 0 and may_read_both(match.ask, match.offer, author):
            services.dismiss_match(
                entry=match.ask,
                counterpart=match.offer,
                organisation=match.ask.organisation,
                reason="Not for us.",
                author=author,
                now=timezone.now(),
            )
    return world


def test_fast_queries_find_and_count_what_the_reference_queries_do(crowded_world: World) -> None:
    today = timezone.localdate()
    all_entries = list(Entry.objects.order_by("pk"))
    world = crowded_world

    people = (world.amina, world.eddie, world.vera, world.ben, world.chidi, world.nadia, world.dee, world.sol)
    for user in (*people, User(pk=0, is_active=False)):
        reader = reader_of(user)
        sql, values = readable_to(reader)
        readable_ids = set(Entry.objects.visible_to(user).values_list("pk", flat=True))
        assert {pk for (pk,) in rows_of(f"SELECT id FROM exchange_entry WHERE {sql}", values)} == readable_ids, user

        for filters in (Filters(), Filters(words="modular", themes=("land",), statuses=("withdrawn", "shared"))):
            expected_entries = board(user, filters).for_listing().order_by("-shared_at", "-pk")
            results = read(reader, filters, 100).sides
            for direction in Direction:
                assert results[direction] == [
                    card_of(entry) for entry in expected_entries.filter(direction=direction)
                ], (
                    user,
                    filters,
                )
        for filters in (Filters(), Filters(words="homes")):
            assert read(reader, filters, 0).counts.themes == reference.themes_on_board(user, filters), (user, filters)

        count_by_entry = count_matches(reader, all_entries)
        for entry in all_entries:
            if entry.pk in readable_ids and entry.is_open:
                assert count_by_entry[entry.pk] == reference.matches_of(entry, user), (user, entry)
        for entry in all_entries[user.pk % 3 :: 3]:
            if entry.pk in readable_ids and entry.is_open:
                assert best_for_reader(entry, user, today) == reference.best_for_reader(entry, user, today), (
                    user,
                    entry,
                )

    open_entries = [entry for entry in all_entries if entry.is_open]
    counterparts_by_entry = best_for_both(open_entries, today, AreaNames())
    assert {pk: set(results) for pk, results in counterparts_by_entry.items()} == {
        entry.pk: reference.best_for_both(entry, today) for entry in open_entries
    }
    assert any(counterparts_by_entry.values())
    assert Entry.objects.filter(audience=Audience.PARTNERSHIP, partnership=world.partnership).exists()
    assert not Match.objects.values("ask", "offer").annotate(times=Count("pk")).filter(times__gt=1).exists()
