"""The fast queries give the same results as slow reference queries in random worlds."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.db.models import Count
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match
from partnerships.exchange.queries.board import Filters, board_entries, card_of, read_board
from partnerships.exchange.queries.candidates import best_for_both, best_for_reader
from partnerships.exchange.queries.matches import count_matches
from partnerships.exchange.queries.permission_sql import readable_to, reader_of
from partnerships.exchange.queries.places import AreaNames
from partnerships.exchange.rights import may_read_both
from partnerships.exchange.services.matches import match_due_entries
from partnerships.kit.database import rows_of
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from tests.exchange import reference
from tests.exchange.conftest import draft
from tests.support.kept_rows import build_once
from tests.world import World, make_world

TITLES = ("Modular homes", "A level site", "Surveyors for modular sites", "Solar roofs for terraces", "Homes and sites")


#: The number of random asks and offers, and the one after which Westmarch leaves the partnership.
ENTRIES = 40
LAST_ENTRY_BEFORE_LEAVING = 20


def add_random_entries(world: World, rng: random.Random) -> None:
    """Add forty random asks and offers. Westmarch leaves its partnership in between, and Eddie his organisation."""
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
    for number in range(ENTRIES):
        add_random_entry(world, rng, now, westmarch_has_left=number >= LAST_ENTRY_BEFORE_LEAVING)
        now += dt.timedelta(minutes=5)
        if number == LAST_ENTRY_BEFORE_LEAVING:
            agreements.leave_partnership(
                party=world.party(world.westmarch), reason="Moved on.", author=world.ben, now=now
            )
    Membership.objects.filter(person=world.eddie).update(ends_on=timezone.localdate())


def leads_of(world: World) -> dict[Organisation, User]:
    """Return the leads of the organisations that have entries."""
    return {
        world.larkhaven: world.amina,
        world.westmarch: world.ben,
        world.tidewater: world.chidi,
        world.harbour: world.hana,
    }


def add_random_entry(world: World, rng: random.Random, now: dt.datetime, *, westmarch_has_left: bool) -> None:
    """Draft a random ask or offer; most are shared, and some of these withdrawn."""
    leads = leads_of(world)
    organisation = rng.choice(list(leads))
    author = leads[organisation]
    audience = rng.choice([Audience.NETWORK, Audience.PARTNERSHIP, Audience.NAMED])
    if organisation == world.westmarch and westmarch_has_left and audience == Audience.PARTNERSHIP:
        audience = Audience.NETWORK
    partnership = None
    addressees = []
    if audience == Audience.PARTNERSHIP:
        partnership = rng.choice(partnerships_of(world, organisation))
    if audience == Audience.NAMED:
        addressees = rng.sample([other for other in leads if other != organisation], 2)
    start = timezone.localdate(now) + dt.timedelta(days=rng.randrange(60))

    entry = draft(
        organisation,
        author,
        now,
        direction=rng.choice(list(Direction)),
        title=rng.choice(TITLES),
        theme=rng.choice(["land", "planning"]),
        audience=audience,
        partnership=partnership,
        addressees=addressees,
        areas=rng.choice([[], [world.fareham], [world.gosport, world.fareham]]),
        available_from=rng.choice([None, start]),
        available_until=rng.choice([None, start + dt.timedelta(days=30)]),
        quantity=rng.choice([None, 20, 60]),
    )
    if rng.random() < 0.85:
        entry = services.share_entry(entry=entry, author=author, now=now)
        if rng.random() < 0.1:
            services.withdraw_entry(entry=entry, reason="No more.", author=author, now=now)


def partnerships_of(world: World, organisation: Organisation) -> list[Partnership]:
    """Return the partnerships that an organisation is a party of, before Westmarch leaves one."""
    parties_by_partnership = {
        world.partnership: (world.larkhaven, world.westmarch, world.tidewater),
        world.other_partnership: (world.tidewater, world.harbour),
    }
    return [partnership for partnership, parties in parties_by_partnership.items() if organisation in parties]


def one_world() -> World:
    """Return a world with many entries, matches and dismissals."""
    return crowd(make_world(), seed=1)


def another_world() -> World:
    """Return a world with other entries, matches and dismissals."""
    return crowd(make_world(), seed=2)


@pytest.fixture(params=[one_world, another_world])
def crowded_world(db: None, request: pytest.FixtureRequest) -> World:
    """Return a crowded world. Its rows are kept for the other tests of this module."""
    return build_once(request.param)


def crowd(world: World, *, seed: int) -> World:
    """Add random entries, match them, and dismiss every fourth match that its asker may read."""
    leads = leads_of(world)
    add_random_entries(world, random.Random(seed))
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


def readers(world: World) -> list[User]:
    """Return people with different rights, and somebody who is signed out."""
    people = [world.amina, world.eddie, world.vera, world.ben, world.chidi, world.nadia, world.dee, world.sol]
    return [*people, User(pk=0, is_active=False)]


def readable_open_entries(reader: User) -> list[Entry]:
    """Return the open entries that a person may read."""
    return [entry for entry in Entry.objects.visible_to(reader).order_by("pk") if entry.is_open]


def test_random_world_has_entries_of_a_partnership_and_no_match_twice(crowded_world: World) -> None:
    assert Entry.objects.filter(audience=Audience.PARTNERSHIP, partnership=crowded_world.partnership).exists()
    assert not Match.objects.values("ask", "offer").annotate(times=Count("pk")).filter(times__gt=1).exists()


def test_fast_condition_permits_what_visible_to_permits(crowded_world: World) -> None:
    for user in readers(crowded_world):
        sql, values = readable_to(reader_of(user))
        readable_ids = {pk for (pk,) in rows_of(f"SELECT id FROM exchange_entry WHERE {sql}", values)}

        assert readable_ids == set(Entry.objects.visible_to(user).values_list("pk", flat=True)), user


@pytest.mark.parametrize(
    "filters",
    [Filters(), Filters(words="modular", themes=("land",), statuses=("withdrawn", "shared"))],
    ids=["all", "filtered"],
)
def test_fast_board_has_the_cards_of_the_reference_board(crowded_world: World, filters: Filters) -> None:
    for user in readers(crowded_world):
        cards_by_direction = read_board(reader_of(user), filters, 100).sides
        expected_entries = board_entries(user, filters).for_listing().order_by("-shared_at", "-pk")

        for direction in Direction:
            expected_cards = [card_of(entry) for entry in expected_entries.filter(direction=direction)]
            assert cards_by_direction[direction] == expected_cards, user


@pytest.mark.parametrize("filters", [Filters(), Filters(words="homes")], ids=["all", "filtered"])
def test_fast_board_counts_themes_as_the_reference_board_does(crowded_world: World, filters: Filters) -> None:
    for user in readers(crowded_world):
        assert read_board(reader_of(user), filters, 0).counts.themes == reference.themes_on_board(user, filters), user


def test_fast_counts_of_matches_are_those_of_the_reference_query(crowded_world: World) -> None:
    all_entries = list(Entry.objects.order_by("pk"))

    for user in readers(crowded_world):
        count_by_entry = count_matches(reader_of(user), all_entries)
        for entry in readable_open_entries(user):
            assert count_by_entry[entry.pk] == reference.matches_of(entry, user), (user, entry)


def test_best_matches_for_a_reader_are_those_of_the_reference_query(crowded_world: World) -> None:
    today = timezone.localdate()

    for user in readers(crowded_world):
        # A third of the entries for each reader, because the reference query is slow.
        for entry in readable_open_entries(user)[user.pk % 3 :: 3]:
            expected = reference.best_for_reader(entry, user, today)
            assert best_for_reader(entry, user, today) == expected, (user, entry)


def test_best_matches_for_both_sides_are_those_of_the_reference_query(crowded_world: World) -> None:
    today = timezone.localdate()
    open_entries = [entry for entry in Entry.objects.order_by("pk") if entry.is_open]

    counterparts_by_entry = best_for_both(open_entries, today, AreaNames())

    assert any(counterparts_by_entry.values())
    assert {pk: set(counterparts) for pk, counterparts in counterparts_by_entry.items()} == {
        entry.pk: reference.best_for_both(entry, today) for entry in open_entries
    }
