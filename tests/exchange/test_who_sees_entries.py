"""Only people with the right can read, edit and answer an ask or offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from partnerships.activity.queries import timeline
from partnerships.agreements import services as agreements
from partnerships.agreements.models import PartyRole
from partnerships.exchange import services
from partnerships.exchange.models import Audience, Entry, Receipt, Response, entry_readers
from partnerships.exchange.queries import board as boards
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Organisation, Role
from partnerships.people.models import User
from tests.exchange.conftest import draft, shared_entry
from tests.world import World


def short_names_of_readers(entry: Entry, world: World) -> set[str]:
    """Return the short names of the people who can read the entry."""
    people = [
        world.amina,
        world.eddie,
        world.vera,
        world.lena,
        world.ben,
        world.chidi,
        world.hana,
        world.dee,
        world.sol,
    ]
    return {
        person.get_short_name() for person in people if Entry.objects.visible_to(person).filter(pk=entry.pk).exists()
    }


#: The people of Larkhaven, those of Westmarch, and all who have an account.
LARKHAVEN = {"Amina", "Eddie", "Vera"}
WESTMARCH = {"Ben"}
ACCOUNTS = LARKHAVEN | WESTMARCH | {"Lena", "Chidi", "Hana", "Dee"}


@pytest.mark.parametrize(
    "sharing",
    [
        pytest.param(lambda world: {"audience": Audience.NETWORK}, id="for the network"),
        pytest.param(lambda world: {"audience": Audience.NAMED, "addressees": [world.westmarch]}, id="by name"),
    ],
)
def test_only_its_own_organisation_sees_a_draft(
    world: World, now: dt.datetime, sharing: Callable[[World], dict[str, Any]]
) -> None:
    entry = draft(world.larkhaven, world.amina, now, **sharing(world))

    assert short_names_of_readers(entry, world) == LARKHAVEN


def test_named_partners_and_its_own_organisation_see_an_entry(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch])

    assert short_names_of_readers(entry, world) == LARKHAVEN | WESTMARCH


def test_parties_see_an_entry_for_their_partnership(ask: Entry, world: World) -> None:
    assert short_names_of_readers(ask, world) == LARKHAVEN | WESTMARCH


def test_everyone_with_an_account_sees_an_entry_for_the_network(world: World, now: dt.datetime) -> None:
    entry = shared_entry(world.larkhaven, world.amina, now)

    assert short_names_of_readers(entry, world) == ACCOUNTS


def test_the_readers_of_an_entry_are_those_who_can_see_it(ask: Entry, world: World, now: dt.datetime) -> None:
    entry_by_name = shared_entry(
        world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.tidewater]
    )
    entry_for_network = shared_entry(world.larkhaven, world.amina, now)
    draft_entry = draft(world.westmarch, world.ben, now)

    for entry in (ask, entry_by_name, entry_for_network, draft_entry):
        readers = set(entry_readers(entry))
        people_who_see_it = {
            user for user in User.objects.all() if Entry.objects.visible_to(user).filter(pk=entry.pk).exists()
        }
        assert readers == people_who_see_it


@pytest.fixture
def day_after_leaving(ask: Entry, world: World, now: dt.datetime) -> dt.datetime:
    """Let Tidewater join the partnership and Westmarch leave it. Return a time one day after Westmarch has left."""
    left_at = now + dt.timedelta(days=1)
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
    agreements.leave_partnership(party=world.party(world.westmarch), reason="Moved on.", author=world.ben, now=left_at)
    return left_at + dt.timedelta(days=1)


@pytest.mark.usefixtures("day_after_leaving")
def test_a_former_party_reads_an_older_ask_but_cannot_answer_it(ask: Entry, world: World) -> None:
    assert "Ben" in short_names_of_readers(ask, world)
    assert not Entry.objects.answerable_by(world.ben).filter(pk=ask.pk).exists()


def test_a_former_party_does_not_see_a_newer_ask(world: World, day_after_leaving: dt.datetime) -> None:
    new_ask = shared_entry(
        world.larkhaven, world.amina, day_after_leaving, audience=Audience.PARTNERSHIP, partnership=world.partnership
    )

    assert "Ben" not in short_names_of_readers(new_ask, world)


def test_a_former_party_does_not_see_newer_events_of_an_older_ask(
    ask: Entry, world: World, day_after_leaving: dt.datetime
) -> None:
    services.acknowledge_entry(entry=ask, organisation=world.tidewater, author=world.chidi, now=day_after_leaving)

    events = timeline(user=world.ben, kind="entry", record_id=ask.pk)

    assert [event.kind for event in events] == ["ask.shared"]


def test_a_former_party_no_longer_reads_an_older_ask_that_is_reworded(
    ask: Entry, world: World, day_after_leaving: dt.datetime
) -> None:
    services.edit_entry(entry=ask, author=world.amina, now=day_after_leaving, title="Reworded since")

    assert "Ben" not in short_names_of_readers(ask, world)


def test_an_invited_party_sees_no_entries_before_it_accepts(ask: Entry, world: World, now: dt.datetime) -> None:
    agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )

    assert "Chidi" not in short_names_of_readers(ask, world)


def test_editors_and_leads_can_edit_an_entry_and_viewers_cannot(ask: Entry, world: World) -> None:
    names_of_editors = {
        person.get_short_name()
        for person in (world.amina, world.eddie, world.vera, world.ben, world.chidi)
        if Entry.objects.editable_by(person).filter(pk=ask.pk).exists()
    }

    assert names_of_editors == {"Amina", "Eddie"}


def short_names_of_answerers(entry: Entry, world: World) -> set[str]:
    """Return the short names of the people who can answer the entry."""
    people = [world.amina, world.eddie, world.vera, world.ben, world.chidi, world.hana, world.dee]
    return {
        person.get_short_name() for person in people if Entry.objects.answerable_by(person).filter(pk=entry.pk).exists()
    }


def test_parties_can_answer_an_ask_of_their_partnership(ask: Entry, world: World) -> None:
    assert short_names_of_answerers(ask, world) == {"Ben"}


def test_other_organisations_can_answer_an_ask_to_the_network(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)

    assert short_names_of_answerers(ask, world) == {"Ben", "Chidi", "Hana"}


def test_only_organisations_asked_by_name_can_answer(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.harbour])

    assert short_names_of_answerers(ask, world) == {"Hana"}


def test_a_viewer_reads_but_does_not_answer(ask: Entry, world: World, now: dt.datetime) -> None:
    will = User.objects.create_user("will@westmarch.example", "a-quiet-estuary", name="Will West")
    organisations.add_membership(
        organisation=world.westmarch, person=will, role=Role.VIEWER, author=None, now=world.now
    )

    assert Entry.objects.visible_to(will).filter(pk=ask.pk).exists()
    assert not Entry.objects.answerable_by(will).filter(pk=ask.pk).exists()


@pytest.fixture
def tidewater_as_observer(world: World, now: dt.datetime) -> Organisation:
    """Return Tidewater, which observes the partnership of Larkhaven and Westmarch."""
    agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role=PartyRole.OBSERVER,
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(
        party=world.party(world.tidewater), accept=True, reason="", author=world.chidi, now=now
    )
    return world.tidewater


@pytest.mark.usefixtures("tidewater_as_observer")
def test_an_observer_reads_an_ask(ask: Entry, world: World) -> None:
    assert "Chidi" in short_names_of_readers(ask, world)


@pytest.mark.usefixtures("tidewater_as_observer")
def test_an_observer_is_not_offered_to_answer_an_ask(ask: Entry, world: World) -> None:
    assert not Entry.objects.answerable_by(world.chidi).filter(pk=ask.pk).exists()


def test_an_observer_cannot_answer_an_ask(
    ask: Entry, world: World, now: dt.datetime, tidewater_as_observer: Organisation
) -> None:
    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.respond(entry=ask, organisation=tidewater_as_observer, text="We could.", author=world.chidi, now=now)


def test_an_observer_cannot_be_asked_in_the_partnership(
    world: World, now: dt.datetime, tidewater_as_observer: Organisation
) -> None:
    with pytest.raises(services.UnableToWriteEntry, match="parties to Estuary Partnership that are not observers"):
        draft(
            world.larkhaven,
            world.amina,
            now,
            audience=Audience.NAMED,
            partnership=world.partnership,
            addressees=[tidewater_as_observer],
        )


def test_an_observer_cannot_ask_the_partnership(
    world: World, now: dt.datetime, tidewater_as_observer: Organisation
) -> None:
    with pytest.raises(services.UnableToWriteEntry, match="or is only an observer"):
        draft(tidewater_as_observer, world.chidi, now, audience=Audience.PARTNERSHIP, partnership=world.partnership)


@pytest.fixture
def answered_and_declined_ask(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask by name, which Westmarch has answered and Tidewater has declined."""
    entry = shared_entry(
        world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch, world.tidewater]
    )
    services.respond(
        entry=entry, organisation=world.westmarch, text="Twenty at the quay.", quantity=20, author=world.ben, now=now
    )
    services.decline_entry(
        entry=entry, organisation=world.tidewater, reason="No land left.", author=world.chidi, now=now
    )
    return entry


@pytest.mark.parametrize(
    ("name", "sees_answer"),
    [("amina", True), ("vera", True), ("ben", True), ("chidi", False), ("hana", False), ("dee", False)],
)
@pytest.mark.usefixtures("answered_and_declined_ask")
def test_only_the_two_sides_of_an_answer_see_it(world: World, name: str, sees_answer: bool) -> None:
    responses = Response.objects.visible_to(getattr(world, name))

    assert responses.exists() == sees_answer


@pytest.mark.parametrize(
    ("name", "sees_decline"),
    [("amina", True), ("vera", True), ("ben", False), ("chidi", True), ("hana", False), ("dee", False)],
)
@pytest.mark.usefixtures("answered_and_declined_ask")
def test_only_the_two_sides_of_a_decline_see_it(world: World, name: str, sees_decline: bool) -> None:
    receipts = Receipt.objects.visible_to(getattr(world, name)).filter(organisation=world.tidewater)

    assert receipts.exists() == sees_decline


def test_an_organisation_sees_its_own_event_and_no_answer_of_others(
    answered_and_declined_ask: Entry, world: World
) -> None:
    events = timeline(user=world.chidi, kind="entry", record_id=answered_and_declined_ask.pk)

    kinds = [event.kind for event in events]
    assert "ask.declined" in kinds
    assert "ask.answered" not in kinds


@pytest.fixture
def ask_reworded_as_a_draft(world: World, now: dt.datetime) -> Entry:
    """Return an ask that got its title and a private note before it was shared, and a longer note afterwards."""
    entry = draft(world.larkhaven, world.amina, now, title="CANARY working title")
    services.edit_entry(entry=entry, author=world.amina, now=now, title="Land wanted", private_note="CANARY note")
    services.share_entry(entry=entry, author=world.amina, now=now)
    services.edit_entry(entry=entry, author=world.amina, now=now, private_note="CANARY note, more")
    return entry


def test_earlier_text_of_a_draft_is_hidden_from_those_it_is_shared_with(
    ask_reworded_as_a_draft: Entry, world: World
) -> None:
    events = timeline(user=world.ben, kind="entry", record_id=ask_reworded_as_a_draft.pk)

    (event,) = events
    assert "note" not in str(event.data)
    assert "CANARY" not in str(event.data)


def test_its_own_organisation_sees_the_earlier_text_of_a_draft(ask_reworded_as_a_draft: Entry, world: World) -> None:
    events = timeline(user=world.vera, kind="entry", record_id=ask_reworded_as_a_draft.pk)

    assert any("CANARY working title" in str(event.data) for event in events)


@pytest.fixture
def withdrawn_draft(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's draft, which it withdrew before it was shared."""
    entry = draft(world.larkhaven, world.amina, now)
    return services.withdraw_entry(entry=entry, reason="Never mind.", author=world.amina, now=now)


def test_a_withdrawn_draft_stays_visible_to_its_organisation_only(withdrawn_draft: Entry, world: World) -> None:
    assert short_names_of_readers(withdrawn_draft, world) == LARKHAVEN


def test_events_of_a_withdrawn_draft_are_hidden_from_others(withdrawn_draft: Entry, world: World) -> None:
    events = timeline(user=world.ben, kind="entry", record_id=withdrawn_draft.pk)

    assert not events.exists()


@pytest.mark.usefixtures("withdrawn_draft")
def test_a_withdrawn_draft_is_not_on_the_board_of_others(world: World) -> None:
    board = boards.read_board(reader_of(world.ben), boards.Filters(statuses=("withdrawn",)), 10)

    assert board.counts.total == 0


@pytest.fixture
def declined_ask(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask, which Westmarch referred to Ben and declined, and which Tidewater declined too."""
    entry = shared_entry(
        world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=[world.westmarch, world.tidewater]
    )
    services.refer_entry(
        entry=entry, organisation=world.westmarch, person=world.ben, note_to_them="Yours.", author=world.ben, now=now
    )
    services.decline_entry(entry=entry, organisation=world.westmarch, reason="No land.", author=world.ben, now=now)
    services.decline_entry(entry=entry, organisation=world.tidewater, reason="None here.", author=world.chidi, now=now)
    return entry


def events_seen(entry: Entry, user: User) -> list[tuple[str, int | None]]:
    """Return the kind and the organisation of each event of the entry that the person sees."""
    events = timeline(user=user, kind="entry", record_id=entry.pk)
    return [(event.kind, event.organisation_id) for event in events]


def test_organisations_asked_by_name_do_not_see_what_others_did(declined_ask: Entry, world: World) -> None:
    events = events_seen(declined_ask, world.chidi)

    assert not any(organisation_id == world.westmarch.pk for _, organisation_id in events)
    assert ("ask.declined_by_all", None) in events


def test_the_asking_organisation_sees_who_acknowledged_but_no_referral(declined_ask: Entry, world: World) -> None:
    events = events_seen(declined_ask, world.amina)

    assert ("ask.acknowledged", world.westmarch.pk) in events
    assert not any(kind == "ask.referred" for kind, _ in events)


def test_an_asked_organisation_sees_its_own_referral(declined_ask: Entry, world: World) -> None:
    events = events_seen(declined_ask, world.ben)

    assert ("ask.referred", world.westmarch.pk) in events
