"""My work lists the entries that a person has to answer."""

from __future__ import annotations

import datetime as dt

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.queries import WAITING, responses_to_decide, unanswered_for
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.waiting import tasks_from
from tests.exchange.conftest import shared_entry
from tests.world import World


def test_a_referred_ask_waits_for_the_colleague_only_until_they_leave(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.westmarch, world.ben, now, audience=Audience.NAMED, addressees=[world.larkhaven])
    assert list(unanswered_for(world.amina)) == list(unanswered_for(world.eddie)) == [ask]

    services.refer_entry(entry=ask, organisation=world.larkhaven, person=world.eddie, author=world.amina, now=now)

    assert not unanswered_for(world.amina)
    (item,) = tasks_from(WAITING, world.eddie, now)
    assert item.action == f"Answer this ask from {world.westmarch.name}, which {world.amina.name} referred to you"

    membership = Membership.objects.get(person=world.eddie, organisation=world.larkhaven)
    organisations.end_membership(membership=membership, author=world.amina, now=now)

    assert list(unanswered_for(world.amina)) == [ask]
    assert not unanswered_for(world.eddie)


def test_an_ask_waits_for_editors_of_an_asked_organisation_until_it_answers(
    ask: Entry, world: World, now: dt.datetime
) -> None:
    assert list(unanswered_for(world.ben)) == [ask]
    assert not unanswered_for(world.vera)
    assert not unanswered_for(world.chidi)

    services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    assert not unanswered_for(world.ben)
    assert [response.entry for response in responses_to_decide(world.amina)] == [ask]
    assert responses_to_decide(world.vera) == []


def test_an_ask_waits_for_an_organisation_again_after_it_withdraws(ask: Entry, world: World, now: dt.datetime) -> None:
    response = services.respond(entry=ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now)

    services.withdraw_response(response=response, author=world.ben, now=now)

    assert list(unanswered_for(world.ben)) == [ask]


def test_an_ask_to_two_organisations_waits_until_both_have_answered(world: World, now: dt.datetime) -> None:
    organisations.add_membership(organisation=world.tidewater, person=world.ben, role=Role.EDITOR, author=None, now=now)
    addressees = [world.westmarch, world.tidewater]
    ask = shared_entry(world.larkhaven, world.amina, now, audience=Audience.NAMED, addressees=addressees)

    services.respond(entry=ask, organisation=world.westmarch, text="Ten.", quantity=10, author=world.ben, now=now)
    assert list(unanswered_for(world.ben)) == [ask]

    services.decline_entry(entry=ask, organisation=world.tidewater, reason="No land.", author=world.ben, now=now)
    assert not unanswered_for(world.ben)
