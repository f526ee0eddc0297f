"""Memberships pass on with a succession or a merge, and histories show where each of them went."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations import services
from partnerships.organisations.models import Handover, Membership, Organisation, Role, Succession
from partnerships.people.models import User
from tests.commitments.promises import agree
from tests.organisations.handing_over import (
    accept_lines,
    propose_and_accept_everything,
    propose_lines,
    record_merger,
    record_undoing,
    take_effect,
)
from tests.support.moments import today
from tests.world import World, join


def test_memberships_that_start_later_pass_on(world: World) -> None:
    future_membership = join(world.vera, world.westmarch, "editor", timezone.now())
    Membership.objects.filter(pk=future_membership.pk).update(starts_on=today() + dt.timedelta(30))
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    new_membership = Membership.objects.get(organisation=world.harbour, person=world.vera)
    assert new_membership.starts_on == today() + dt.timedelta(30)


def test_pending_memberships_do_not_pass_on(world: World) -> None:
    services.invite_member(
        organisation=world.westmarch, email="new@westmarch.example", role="viewer", author=world.ben, now=timezone.now()
    )
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    assert not Membership.objects.filter(organisation=world.harbour, accepted_at=None).exists()


def test_the_history_of_a_record_shows_that_it_was_returned(world: World) -> None:
    promise = agree(world)
    succession = record_merger(world)
    propose_lines(world, succession, "commitments", promise.pk)
    accept_lines(world, succession)
    take_effect(succession)
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    events = Event.objects.filter(kind="organisation.passed_on", target_kind="commitment", target_id=promise.pk)
    _passing_on, passing_back = events.order_by("pk")
    assert passing_back.data["before"] == {"organisation": "Harbour Community Trust"}
    assert passing_back.data["after"] == {"organisation": "Westmarch Borough Council"}
    assert Handover.objects.get().state == "accepted"


def test_a_predecessors_lead_who_is_a_viewer_of_the_successor_becomes_its_lead(world: World) -> None:
    viewer_membership = join(world.ben, world.harbour, "viewer", timezone.now())
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    viewer_membership.refresh_from_db()
    assert viewer_membership.role == "lead"


def test_a_viewer_who_became_a_lead_is_a_viewer_again_once_the_succession_is_undone(world: World) -> None:
    viewer_membership = join(world.ben, world.harbour, "viewer", timezone.now())
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)
    undoing_succession = record_undoing(succession)

    take_effect(undoing_succession)

    viewer_membership.refresh_from_db()
    assert viewer_membership.role == "viewer"
    assert viewer_membership.ends_on is None


@pytest.fixture
def merger_of_people(world: World) -> Succession:
    """Return the merger of Westmarch into Harbour. Vera is an editor of Westmarch and a viewer of Harbour."""
    join(world.vera, world.westmarch, Role.EDITOR, world.now - dt.timedelta(days=1))
    join(world.vera, world.harbour, Role.VIEWER, world.now - dt.timedelta(days=1))
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    return succession


def last_membership_event(person: User, organisation: Organisation) -> Event:
    """Return the last event about a person's membership of an organisation."""
    events = Event.objects.filter(target_kind="membership", within_id=organisation.pk, data__person=person.pk)
    return events.order_by("-pk")[0]


def test_the_history_of_a_predecessor_shows_that_its_memberships_ended(
    world: World, merger_of_people: Succession
) -> None:
    take_effect(merger_of_people)

    event = last_membership_event(world.ben, world.westmarch)
    assert event.kind == "membership.ended"
    assert event.data["before"] == {"role": "lead"}


def test_the_history_of_a_successor_shows_that_memberships_were_added(
    world: World, merger_of_people: Succession
) -> None:
    take_effect(merger_of_people)

    event = last_membership_event(world.ben, world.harbour)
    assert event.kind == "membership.added"
    assert event.data["after"] == {"role": "lead"}


def test_the_history_of_a_successor_shows_that_a_member_got_a_stronger_role(
    world: World, merger_of_people: Succession
) -> None:
    take_effect(merger_of_people)

    event = last_membership_event(world.vera, world.harbour)
    assert event.kind == "membership.role_changed"
    assert event.data["before"] == {"role": "viewer"}
    assert event.data["after"] == {"role": "editor"}


@pytest.mark.parametrize(
    ("person", "organisation", "kind"),
    [
        ("ben", "westmarch", "membership.added"),
        ("vera", "westmarch", "membership.added"),
        ("ben", "harbour", "membership.ended"),
        ("vera", "harbour", "membership.role_changed"),
    ],
)
def test_memberships_that_pass_back_are_in_the_history(
    world: World, merger_of_people: Succession, person: str, organisation: str, kind: str
) -> None:
    take_effect(merger_of_people)
    undoing_succession = record_undoing(merger_of_people)

    take_effect(undoing_succession)

    event = last_membership_event(getattr(world, person), getattr(world, organisation))
    assert event.kind == kind


def test_the_history_of_a_merge_shows_the_moved_memberships(world: World) -> None:
    services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )

    event = last_membership_event(world.nadia, world.harbour)
    assert event.kind == "membership.added"
    assert event.data["before"] == {"organisation": "Riverside Design"}
    assert event.actor_id == world.dee.pk
    assert event.data["after"]["role"] == "lead"


def test_the_history_of_a_merge_has_pending_memberships_but_no_ended_ones(world: World) -> None:
    ended_membership = join(world.vera, world.riverside, Role.EDITOR, world.now - dt.timedelta(days=9))
    services.end_membership(membership=ended_membership, author=world.nadia, now=timezone.now())
    pending_membership = services.invite_member(
        organisation=world.riverside,
        email="newcomer@riverside.example",
        name="Newcomer",
        role=Role.VIEWER,
        author=world.nadia,
        now=timezone.now(),
    )

    services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )

    events = Event.objects.filter(within_id=world.harbour.pk, target_kind="membership")
    assert not events.filter(target_id=ended_membership.pk).exists()
    assert events.get(target_id=pending_membership.pk).kind == "membership.invited"
