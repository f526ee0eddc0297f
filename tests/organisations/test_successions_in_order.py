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
    dissolve,
    record_succession,
    take_effect,
    ties_between,
    undo_succession,
)
from tests.organisations.handing_over import create_council, record_absorption, record_undoing
from tests.organisations.test_successions import record_merger, reloaded
from tests.support.at_once import run_at_once
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.world import World


def test_an_order_made_is_not_recorded_beside_a_rival_proposal(world: World) -> None:
    record_merger(world, status="proposed", place="Estuary", proposal="One body")

    with pytest.raises(UnableToChangeSuccession, match="One body"):
        record_succession(
            kind="absorb",
            status="order_made",
            vests_on=known_day(today()),
            ties=ties_between([world.larkhaven], [world.harbour]),
            place="estuary",
            proposal="Join the trust",
            author=world.dee,
            now=timezone.now(),
        )

    assert Succession.objects.count() == 1


@pytest.fixture
def two_successions_of_a_proposal(world: World) -> tuple[Succession, Succession]:
    """Return two successions of one proposal: one in force, and one pending, with which Westmarch joins Harbour."""
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
    return merger, pending_succession


def test_one_succession_of_a_proposal_is_undone_while_another_is_pending(
    world: World, two_successions_of_a_proposal: tuple[Succession, Succession]
) -> None:
    effective_succession, _pending_succession = two_successions_of_a_proposal
    undoing_succession = record_quashing(world, effective_succession)

    take_effect(succession=undoing_succession, author=None, now=timezone.now())

    assert not reloaded(world.larkhaven).is_ended


def test_a_pending_succession_takes_effect_after_another_of_its_proposal_was_undone(
    world: World, two_successions_of_a_proposal: tuple[Succession, Succession]
) -> None:
    effective_succession, pending_succession = two_successions_of_a_proposal
    undoing_succession = record_quashing(world, effective_succession)
    take_effect(succession=undoing_succession, author=None, now=timezone.now())

    take_effect(succession=pending_succession, author=None, now=timezone.now())

    assert reloaded(world.westmarch).is_ended


def record_quashing(world: World, succession: Succession) -> Succession:
    """Record that a court quashed a succession today, and return the succession that undoes it."""
    return undo_succession(
        succession=succession,
        vests_on=known_day(today()),
        status="order_made",
        reason="The court quashed it.",
        author=world.dee,
        now=timezone.now(),
    )


@pytest.fixture
def pending_merger(world: World) -> Succession:
    """Return a merger that is due today but has not taken effect."""
    return record_merger(world)


@pytest.fixture
def undoing_of_pending_merger(world: World, pending_merger: Succession) -> Succession:
    """Return the succession that undoes the pending merger."""
    return record_quashing(world, pending_merger)


def test_an_undoing_does_not_take_effect_before_the_succession(undoing_of_pending_merger: Succession) -> None:
    with pytest.raises(UnableToChangeSuccession, match="has not taken effect"):
        take_effect(succession=undoing_of_pending_merger, author=None, now=timezone.now())


@pytest.mark.usefixtures("undoing_of_pending_merger")
def test_a_succession_cannot_be_cancelled_while_an_undoing_is_pending(world: World, pending_merger: Succession) -> None:
    with pytest.raises(UnableToChangeSuccession, match="Cancel that succession first"):
        change_succession_status(
            succession=pending_merger,
            to="cancelled",
            reason="The court quashed it.",
            author=world.dee,
            now=timezone.now(),
        )


def test_an_undoing_takes_effect_after_the_succession(
    world: World, pending_merger: Succession, undoing_of_pending_merger: Succession
) -> None:
    take_effect(succession=pending_merger, author=None, now=timezone.now())

    took_effect = take_effect(succession=undoing_of_pending_merger, author=None, now=timezone.now())

    assert took_effect is True
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
    replacement = record_succession(
        kind="replace",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.harbour]),
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=replacement, author=None, now=timezone.now())
    undoing_succession = record_quashing(world, replacement)

    take_effect(succession=undoing_succession, author=None, now=timezone.now())

    answer = responsible_body_for(function="landlord", organisation=world.harbour, day=today())
    assert not reloaded(world.larkhaven).is_ended
    assert not reloaded(world.harbour).is_ended
    assert answer.body == world.harbour.pk


@pytest.fixture
def renamed_and_dissolved_body(world: World) -> Organisation:
    """Return Larkhaven, which was renamed 20 days ago and dissolved today."""
    rename = record_succession(
        kind="rename",
        status="order_made",
        vests_on=known_day(today() - dt.timedelta(20)),
        ties=ties_between([world.larkhaven], [world.larkhaven]),
        new_name="Skylark Homes",
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=rename, author=None, now=timezone.now())
    dissolve(organisation=world.larkhaven, on=today(), author=None, now=timezone.now())
    return world.larkhaven


def test_a_renamed_body_is_responsible_until_it_ends(renamed_and_dissolved_body: Organisation) -> None:
    yesterday = today() - dt.timedelta(1)

    answer = responsible_body_for(function="landlord", organisation=renamed_and_dissolved_body, day=yesterday)

    assert answer.body == renamed_and_dissolved_body.pk


def test_a_renamed_body_that_ended_is_no_longer_responsible(renamed_and_dissolved_body: Organisation) -> None:
    answer = responsible_body_for(function="landlord", organisation=renamed_and_dissolved_body, day=today())

    assert answer.body is None
    assert answer.reason == NoSingleBody.NOBODY


def page_seen_by_vera(world: World, organisation: Organisation) -> str:
    """Return the words of an organisation's page, without line breaks and HTML, as Vera sees it."""
    page = signed_in(world.vera).get(organisation.get_absolute_url()).content.decode()
    return " ".join(strip_tags(page).split())


def test_the_page_of_a_body_that_continues_after_a_merger_does_not_call_it_dissolved(world: World) -> None:
    record_succession(
        kind="merge",
        status="effective",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven, world.tidewater], [world.larkhaven]),
        author=world.dee,
        now=timezone.now(),
    )

    page = page_seen_by_vera(world, world.larkhaven)

    assert "Replaced" in page
    assert "Was dissolved" not in page


def test_the_page_of_a_body_that_gave_up_a_function_does_not_call_it_dissolved(world: World) -> None:
    record_succession(
        kind="function_transfer",
        status="effective",
        vests_on=known_day(today()),
        ties=[NewTie(world.harbour, None, function="housing")],
        author=world.dee,
        now=timezone.now(),
    )

    page = page_seen_by_vera(world, world.harbour)

    assert "Gave up housing" in page
    assert "Was dissolved" not in page


def test_a_share_is_shown_in_per_cent_as_it_was_entered(world: World, client: Client) -> None:
    succession = record_merger(world, status="proposed")
    client.force_login(world.dee)

    client.post(
        reverse("organisations:add-tie", args=[succession.pk]),
        {
            "predecessor": "Larkhaven Homes",
            "successor": "Skylark Homes",
            "role": "successor",
            "share": "100",
            "geography": "LAD 2025",
            "reason": "All of it.",
        },
    )

    page = client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()
    assert "100% (LAD 2025)" in page


@pytest.fixture
def merger_in_force(pending_merger: Succession) -> Succession:
    """Return the merger after it has taken effect."""
    take_effect(succession=pending_merger, author=None, now=timezone.now())
    return pending_merger


@pytest.mark.usefixtures("merger_in_force")
def test_the_page_of_an_organisation_does_not_mark_a_succession_in_force(world: World) -> None:
    page = page_seen_by_vera(world, world.larkhaven)

    assert "undone since" not in page


def test_the_page_of_an_organisation_marks_an_undone_succession(world: World, merger_in_force: Succession) -> None:
    record_quashing(world, merger_in_force)

    page = page_seen_by_vera(world, world.larkhaven)

    assert "(merged, undone since)" in page


def test_the_page_of_an_organisation_does_not_mark_a_repeated_succession(
    world: World, merger_in_force: Succession
) -> None:
    undoing_succession = record_quashing(world, merger_in_force)
    record_quashing(world, undoing_succession)

    page = page_seen_by_vera(world, world.larkhaven)

    assert "(merged, undone since)" not in page


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_undo_a_succession_at_once_record_one() -> None:
    succession = record_absorption(create_council("Old"), create_council("New"))

    outcomes = run_at_once(
        lambda: record_undoing(succession, today()),
        lambda: record_undoing(succession, tomorrow()),
    )

    assert {type(outcome) for outcome in outcomes} == {Succession, UnableToRecordSuccession}
