"""Rival successions are refused, and successions are undone only in the right order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.kit.dates import known_day
from partnerships.organisations.lineage import responsible_body_for
from partnerships.organisations.models import Organisation, Succession
from partnerships.organisations.responsibility import NoSingleBody
from partnerships.organisations.services import (
    NewTie,
    UnableToChangeSuccession,
    UnableToRecordSuccession,
    change_succession_status,
    create_organisation,
    dissolve,
    record_succession,
    take_effect,
    ties_between,
    undo_succession,
)
from tests.organisations.test_successions import record_merger, reloaded
from tests.support.at_once import run_at_once
from tests.support.moments import today
from tests.world import World


def test_an_order_made_is_not_recorded_beside_a_rival_proposal(world: World) -> None:
    record_merger(world, status="proposed", place="Estuary", proposal="One body")
    arguments: dict[str, Any] = {
        "kind": "absorb",
        "vests_on": known_day(today()),
        "author": world.dee,
        "now": timezone.now(),
    }

    with pytest.raises(UnableToChangeSuccession, match="One body"):
        record_succession(
            ties=ties_between([world.larkhaven], [world.harbour]),
            status="order_made",
            place="estuary",
            proposal="Join the trust",
            **arguments,
        )

    assert Succession.objects.count() == 1


def test_one_succession_of_a_proposal_is_undone_while_another_of_it_is_pending(world: World) -> None:
    place_and_proposal: dict[str, Any] = {"place": "Estuary", "proposal": "Two bodies"}
    merger = record_merger(world, **place_and_proposal)
    pending_succession = record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour]),
        author=world.dee,
        now=timezone.now(),
        **place_and_proposal,
    )
    take_effect(succession=merger, author=None, now=timezone.now())

    undoing_succession = undo_succession(
        succession=merger,
        vests_on=known_day(today()),
        status="order_made",
        reason="The court quashed it.",
        author=world.dee,
        now=timezone.now(),
    )

    assert [
        take_effect(succession=succession, author=None, now=timezone.now())
        for succession in (undoing_succession, pending_succession)
    ] == [True, True]
    assert not reloaded(world.larkhaven).is_ended
    assert reloaded(world.westmarch).is_ended


@pytest.fixture
def undoing_of_pending_merger(world: World) -> Succession:
    """Return the succession that undoes a merger, which has not taken effect itself."""
    return undo_succession(
        succession=record_merger(world),
        vests_on=known_day(today()),
        status="order_made",
        reason="The court quashed it.",
        author=world.dee,
        now=timezone.now(),
    )


def test_an_undoing_does_not_take_effect_before_the_succession(undoing_of_pending_merger: Succession) -> None:
    with pytest.raises(UnableToChangeSuccession, match="has not taken effect"):
        take_effect(succession=undoing_of_pending_merger, author=None, now=timezone.now())


def test_a_succession_cannot_be_cancelled_while_an_undoing_is_pending(
    world: World, undoing_of_pending_merger: Succession
) -> None:
    assert undoing_of_pending_merger.undoes is not None

    with pytest.raises(UnableToChangeSuccession, match="Cancel that succession first"):
        change_succession_status(
            succession=undoing_of_pending_merger.undoes,
            to="cancelled",
            reason="The court quashed it.",
            author=world.dee,
            now=timezone.now(),
        )


def test_an_undoing_takes_effect_after_the_succession(world: World, undoing_of_pending_merger: Succession) -> None:
    assert undoing_of_pending_merger.undoes is not None

    results = [
        take_effect(succession=succession, author=None, now=timezone.now())
        for succession in (undoing_of_pending_merger.undoes, undoing_of_pending_merger)
    ]

    assert results == [True, True]
    assert not reloaded(world.larkhaven).is_ended


def test_a_predecessor_that_began_after_the_vesting_day_is_named(world: World, client: Client) -> None:
    Organisation.objects.filter(pk=world.tidewater.pk).update(valid_from=today() + dt.timedelta(30))
    succession = record_merger(world)
    client.force_login(world.dee)

    response = client.post(reverse("organisations:take-effect", args=[succession.pk]), {"reason": "Its day has come."})

    assert response.status_code == 422
    assert (
        "Tidewater Housing Group: The organisation cannot end before its first day. Enter a later day."
        in response.content.decode()
    )
    assert not reloaded(world.larkhaven).is_ended


def test_undoing_does_not_end_a_successor_whose_first_day_is_unknown(world: World) -> None:
    Organisation.objects.filter(pk=world.harbour.pk).update(valid_from=None)
    arguments: dict[str, Any] = {"status": "order_made", "author": world.dee, "now": timezone.now()}
    replacement = record_succession(
        kind="replace",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.harbour]),
        **arguments,
    )
    take_effect(succession=replacement, author=None, now=timezone.now())

    undoing_succession = undo_succession(
        succession=replacement, vests_on=known_day(today()), reason="The court quashed it.", **arguments
    )
    take_effect(succession=undoing_succession, author=None, now=timezone.now())

    assert [reloaded(body).is_ended for body in (world.larkhaven, world.harbour)] == [False, False]
    answer = responsible_body_for(function="landlord", organisation=world.harbour, day=today())
    assert answer.body == world.harbour.pk


def test_a_renamed_body_that_ended_later_is_no_longer_responsible(world: World) -> None:
    day = today() - dt.timedelta(20)
    rename = record_succession(
        kind="rename",
        status="order_made",
        vests_on=known_day(day),
        ties=ties_between([world.larkhaven], [world.larkhaven]),
        new_name="Skylark Homes",
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=rename, author=None, now=timezone.now())
    dissolve(organisation=world.larkhaven, on=today(), author=None, now=timezone.now())

    answer_before, answer_after = (
        responsible_body_for(function="landlord", organisation=world.larkhaven, day=today() - dt.timedelta(days))
        for days in (1, 0)
    )

    assert answer_before.body == world.larkhaven.pk
    assert answer_after.body is None
    assert answer_after.reason == NoSingleBody.NOBODY


def test_the_page_of_a_body_that_continues_does_not_say_that_it_was_dissolved(world: World, client: Client) -> None:
    arguments: dict[str, Any] = {
        "status": "effective",
        "vests_on": known_day(today()),
        "author": world.dee,
        "now": timezone.now(),
    }
    record_succession(
        kind="merge", ties=ties_between([world.larkhaven, world.tidewater], [world.larkhaven]), **arguments
    )
    record_succession(kind="function_transfer", ties=[NewTie(world.harbour, None, function="housing")], **arguments)
    client.force_login(world.vera)

    larkhaven_page, harbour_page = (
        " ".join(client.get(body.get_absolute_url()).content.decode().split())
        for body in (world.larkhaven, world.harbour)
    )

    assert "Was dissolved" not in larkhaven_page + harbour_page
    assert "Replaced" in larkhaven_page
    assert "Gave up housing" in harbour_page


def test_a_share_is_shown_in_per_cent_as_it_was_entered(world: World, client: Client) -> None:
    succession = record_merger(world, status="proposed")
    client.force_login(world.dee)
    post_fields = {"predecessor": "Larkhaven Homes", "successor": "Skylark Homes", "role": "successor", "share": "100"}

    client.post(
        reverse("organisations:add-tie", args=[succession.pk]),
        post_fields | {"geography": "LAD 2025", "reason": "All of it."},
    )
    page = client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()

    assert "100% (LAD 2025)" in page


def test_the_page_of_an_organisation_marks_undone_successions(world: World, client: Client) -> None:
    arguments: dict[str, Any] = {
        "reason": "A rehearsal.",
        "status": "order_made",
        "author": world.dee,
        "now": timezone.now(),
    }
    merger = record_merger(world)
    client.force_login(world.vera)

    def page() -> str:
        return " ".join(strip_tags(client.get(world.larkhaven.get_absolute_url()).content.decode()).split())

    take_effect(succession=merger, author=None, now=timezone.now())
    text_before = page()
    undoing_succession = undo_succession(succession=merger, vests_on=known_day(today()), **arguments)
    text_after_undoing = page()
    undo_succession(succession=undoing_succession, vests_on=known_day(today()), **arguments)
    text_after_repeating = page()

    assert "undone since" not in text_before
    assert "(merged, undone since)" in text_after_undoing
    assert "(merged, undone since)" not in text_after_repeating


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_undo_a_succession_at_once_record_one() -> None:
    predecessor, successor = (
        create_organisation(name=name, kind="council", author=None, now=timezone.now()) for name in ("Old", "New")
    )
    arguments: dict[str, Any] = {
        "vests_on": known_day(today()),
        "status": "order_made",
        "author": None,
        "now": timezone.now(),
    }
    succession = record_succession(kind="absorb", ties=ties_between([predecessor], [successor]), **arguments)

    def undo_on(day: dt.date) -> Succession:
        undoing_arguments = arguments | {"vests_on": known_day(day)}
        return undo_succession(succession=succession, reason="The court quashed it.", **undoing_arguments)

    outcomes = run_at_once(lambda: undo_on(today()), lambda: undo_on(today() + dt.timedelta(days=1)))

    assert {type(outcome) for outcome in outcomes} == {Succession, UnableToRecordSuccession}
