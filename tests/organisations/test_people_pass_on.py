"""Memberships pass on with a succession or a merge, and histories show where each of them went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations import services
from partnerships.organisations.models import Handover, Membership, Role, Succession
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


def test_memberships_that_start_later_pass_on_and_pending_ones_do_not(world: World) -> None:
    future_membership = join(world.vera, world.westmarch, "editor", timezone.now())
    Membership.objects.filter(pk=future_membership.pk).update(starts_on=today() + dt.timedelta(30))
    services.invite_member(
        organisation=world.westmarch, email="new@westmarch.example", role="viewer", author=world.ben, now=timezone.now()
    )
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    veras_memberships = Membership.objects.filter(organisation=world.harbour, person=world.vera)
    assert [membership.starts_on for membership in veras_memberships] == [today() + dt.timedelta(30)]
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
    passing_on, passing_back = events.order_by("pk")
    assert passing_on.data["after"] == passing_back.data["before"] == {"organisation": world.harbour.name}
    assert passing_back.data["after"] == {"organisation": world.westmarch.name}
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

    take_effect(record_undoing(succession))

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


def membership_events_of(act: Callable[[], object]) -> list[Event]:
    """Return the events of memberships that the call records, in the order of recording."""
    last_event_id = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    act()
    return list(Event.objects.filter(pk__gt=last_event_id, target_kind="membership").order_by("pk"))


def test_memberships_that_pass_on_are_in_the_history_with_their_roles(
    world: World, merger_of_people: Succession
) -> None:
    events = membership_events_of(lambda: take_effect(merger_of_people))

    west, harbour = world.westmarch.pk, world.harbour.pk
    assert [
        (event.kind, event.within_id, event.data["person"], event.data.get("before"), event.data.get("after"))
        for event in events
    ] == [
        ("membership.ended", west, world.ben.pk, {"role": "lead"}, None),
        ("membership.ended", west, world.vera.pk, {"role": "editor"}, None),
        ("membership.role_changed", harbour, world.vera.pk, {"role": "viewer"}, {"role": "editor"}),
        ("membership.added", harbour, world.ben.pk, None, {"role": "lead"}),
    ]


def test_memberships_that_pass_back_are_in_the_history(world: World, merger_of_people: Succession) -> None:
    take_effect(merger_of_people)

    events = membership_events_of(lambda: take_effect(record_undoing(merger_of_people)))

    west, harbour = world.westmarch.pk, world.harbour.pk
    assert {(event.kind, event.within_id, event.data["person"]) for event in events} == {
        ("membership.added", west, world.ben.pk),
        ("membership.added", west, world.vera.pk),
        ("membership.role_changed", harbour, world.vera.pk),
        ("membership.ended", harbour, world.ben.pk),
    }


def test_the_history_of_a_merge_shows_the_moved_memberships(world: World) -> None:
    services.merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )

    events = Event.objects.filter(kind="membership.added", within_id=world.harbour.pk, data__person=world.nadia.pk)
    (event,) = events.filter(data__before={"organisation": world.riverside.name})
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
    assert [event.kind for event in events.filter(target_id=pending_membership.pk)] == ["membership.invited"]
