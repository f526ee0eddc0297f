"""My work lists the entries that a person has to answer."""

from __future__ import annotations

import datetime as dt

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.queries import TASK_SOURCES, responses_to_decide, unanswered_for
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.waiting import tasks_from
from tests.exchange.conftest import shared_entry
from tests.world import World


def ask_from_westmarch(world: World, now: dt.datetime) -> Entry:
    """Return Westmarch's ask to Larkhaven, which Amina and Eddie may answer."""
    return shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])


def test_an_ask_waits_for_every_editor_and_lead_of_the_organisation(world: World, now: dt.datetime) -> None:
    ask = ask_from_westmarch(world, now)

    assert list(unanswered_for(world.amina)) == [ask]
    assert list(unanswered_for(world.eddie)) == [ask]


def test_a_referred_ask_waits_only_for_the_colleague(world: World, now: dt.datetime) -> None:
    ask = ask_from_westmarch(world, now)

    services.refer_entry(entry=ask, organisation=world.larkhaven, person=world.eddie, author=world.amina, now=now)

    (task,) = tasks_from(TASK_SOURCES, world.eddie, now)
    assert task.action == f"Answer this ask from {world.westmarch.name}, which {world.amina.name} referred to you"
    assert not unanswered_for(world.amina)


def test_a_referred_ask_waits_for_the_others_after_the_colleague_leaves(world: World, now: dt.datetime) -> None:
    ask = ask_from_westmarch(world, now)
    services.refer_entry(entry=ask, organisation=world.larkhaven, person=world.eddie, author=world.amina, now=now)

    membership = Membership.objects.get(person=world.eddie, organisation=world.larkhaven)
    organisations.end_membership(membership=membership, author=world.amina, now=now)

    assert list(unanswered_for(world.amina)) == [ask]
    assert not unanswered_for(world.eddie)


def test_an_ask_waits_only_for_editors_of_the_asked_organisation(ask: Entry, world: World) -> None:
    # Vera only reads for Larkhaven, whose ask it is. Chidi's organisation is not in the partnership.
    assert list(unanswered_for(world.ben)) == [ask]
    assert not unanswered_for(world.vera)
    assert not unanswered_for(world.chidi)


def test_an_answered_ask_waits_for_a_decision_of_the_organisation_that_asked(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    assert not unanswered_for(world.ben)
    assert [response.entry for response in responses_to_decide(world.amina)] == [ask]
    assert responses_to_decide(world.vera) == []


def test_an_ask_waits_for_an_organisation_again_after_it_withdraws(ask: Entry, world: World, now: dt.datetime) -> None:
    response = services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    services.withdraw_response(response=response, author=world.ben, now=now)

    assert list(unanswered_for(world.ben)) == [ask]


def ask_to_both_organisations_of_ben(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to Westmarch and Tidewater. Ben may answer for both."""
    organisations.add_membership(organisation=world.tidewater, person=world.ben, role=Role.EDITOR, author=None, now=now)
    addressees = [world.westmarch, world.tidewater]
    return shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=addressees)


def test_an_ask_still_waits_if_only_one_of_two_organisations_answered(world: World, now: dt.datetime) -> None:
    ask = ask_to_both_organisations_of_ben(world, now)

    services.respond(entry=ask, organisation=world.westmarch, text="Ten.", quantity=10, author=world.ben, now=now)

    assert list(unanswered_for(world.ben)) == [ask]


def test_an_ask_no_longer_waits_once_both_organisations_replied(world: World, now: dt.datetime) -> None:
    ask = ask_to_both_organisations_of_ben(world, now)

    services.respond(entry=ask, organisation=world.westmarch, text="Ten.", quantity=10, author=world.ben, now=now)
    services.decline_entry(entry=ask, organisation=world.tidewater, reason="No land.", author=world.ben, now=now)

    assert not unanswered_for(world.ben)
