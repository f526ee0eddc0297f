"""Tests of successions that stand against each other, and of undoing in the right order."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.kit.dates import known_day
from partnerships.organisations.answering import Reason
from partnerships.organisations.lineage import who_answers_for
from partnerships.organisations.models import Organisation, Succession
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
from tests.support.moments import today
from tests.world import World


def test_an_order_made_is_not_recorded_beside_a_rival_proposal(world: World) -> None:
    record_merger(world, status="proposed", place="Estuary", proposal="One body")
    given: dict[str, Any] = {
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
            **given,
        )

    assert Succession.objects.count() == 1


def test_one_succession_of_a_proposal_is_undone_while_another_of_it_is_pending(world: World) -> None:
    together: dict[str, Any] = {"place": "Estuary", "proposal": "Two bodies"}
    merged = record_merger(world, **together)
    other = record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(today()),
        ties=ties_between([world.westmarch], [world.harbour]),
        author=world.dee,
        now=timezone.now(),
        **together,
    )
    take_effect(succession=merged, author=None, now=timezone.now())

    back = undo_succession(
        succession=merged,
        vests_on=known_day(today()),
        status="order_made",
        reason="The court quashed it.",
        author=world.dee,
        now=timezone.now(),
    )

    assert [take_effect(succession=one, author=None, now=timezone.now()) for one in (back, other)] == [True, True]
    assert not reloaded(world.larkhaven).is_ended
    assert reloaded(world.westmarch).is_ended


def test_what_undoes_a_succession_takes_effect_after_it(world: World) -> None:
    merged = record_merger(world)
    given: dict[str, Any] = {"reason": "The court quashed it.", "author": world.dee, "now": timezone.now()}
    back = undo_succession(succession=merged, vests_on=known_day(today()), status="order_made", **given)

    with pytest.raises(UnableToChangeSuccession, match="has not taken effect"):
        take_effect(succession=back, author=None, now=timezone.now())
    with pytest.raises(UnableToChangeSuccession, match="Cancel that succession first"):
        change_succession_status(succession=merged, to="cancelled", **given)
    done = [take_effect(succession=one, author=None, now=timezone.now()) for one in (merged, back)]

    assert done == [True, True]
    assert not reloaded(world.larkhaven).is_ended


def test_a_predecessor_that_began_after_the_vesting_day_is_named(world: World, client: Client) -> None:
    Organisation.objects.filter(pk=world.tidewater.pk).update(valid_from=today() + dt.timedelta(30))
    succession = record_merger(world)
    client.force_login(world.dee)

    answer = client.post(reverse("organisations:take-effect", args=[succession.pk]), {"reason": "Its day has come."})

    assert answer.status_code == 422
    assert (
        "Tidewater Housing Group: The organisation cannot end before its first day. Enter a later day."
        in answer.content.decode()
    )
    assert not reloaded(world.larkhaven).is_ended


def test_undoing_does_not_end_a_successor_whose_first_day_is_unknown(world: World) -> None:
    Organisation.objects.filter(pk=world.harbour.pk).update(valid_from=None)
    given: dict[str, Any] = {"status": "order_made", "author": world.dee, "now": timezone.now()}
    replaced = record_succession(
        kind="replace",
        vests_on=known_day(today()),
        ties=ties_between([world.larkhaven], [world.harbour]),
        **given,
    )
    take_effect(succession=replaced, author=None, now=timezone.now())

    back = undo_succession(succession=replaced, vests_on=known_day(today()), reason="The court quashed it.", **given)
    take_effect(succession=back, author=None, now=timezone.now())

    assert [reloaded(one).is_ended for one in (world.larkhaven, world.harbour)] == [False, False]
    answer = who_answers_for(function="landlord", organisation=world.harbour, day=today())
    assert answer.body == world.harbour.pk


def test_a_renamed_body_that_ended_later_answers_no_more(world: World) -> None:
    day = today() - dt.timedelta(20)
    renamed = record_succession(
        kind="rename",
        status="order_made",
        vests_on=known_day(day),
        ties=ties_between([world.larkhaven], [world.larkhaven]),
        new_name="Skylark Homes",
        author=world.dee,
        now=timezone.now(),
    )
    take_effect(succession=renamed, author=None, now=timezone.now())
    dissolve(organisation=world.larkhaven, on=today(), author=None, now=timezone.now())

    before, after = (
        who_answers_for(function="landlord", organisation=world.larkhaven, day=today() - dt.timedelta(days))
        for days in (1, 0)
    )

    assert before.body == world.larkhaven.pk
    assert (after.body, after.reason) == (None, Reason.NOBODY)


def test_the_page_of_a_body_that_continues_does_not_say_that_it_was_dissolved(world: World, client: Client) -> None:
    given: dict[str, Any] = {
        "status": "effective",
        "vests_on": known_day(today()),
        "author": world.dee,
        "now": timezone.now(),
    }
    record_succession(kind="merge", ties=ties_between([world.larkhaven, world.tidewater], [world.larkhaven]), **given)
    record_succession(kind="function_transfer", ties=[NewTie(world.harbour, None, function="housing")], **given)
    client.force_login(world.vera)

    lark, harbour = (
        " ".join(client.get(body.get_absolute_url()).content.decode().split())
        for body in (world.larkhaven, world.harbour)
    )

    assert "Was dissolved" not in lark + harbour
    assert "Replaced" in lark
    assert "Gave up housing" in harbour


def test_a_share_is_read_in_per_cent_as_it_was_given(world: World, client: Client) -> None:
    succession = record_merger(world, status="proposed")
    client.force_login(world.dee)
    given = {"predecessor": "Larkhaven Homes", "successor": "Skylark Homes", "role": "successor", "share": "100"}

    client.post(
        reverse("organisations:add-tie", args=[succession.pk]),
        given | {"geography": "LAD 2025", "reason": "All of it."},
    )
    page = client.get(reverse("organisations:succession", args=[succession.pk])).content.decode()

    assert "100% (LAD 2025)" in page


def test_the_page_of_an_organisation_says_what_was_undone_since(world: World, client: Client) -> None:
    given: dict[str, Any] = {
        "reason": "A rehearsal.",
        "status": "order_made",
        "author": world.dee,
        "now": timezone.now(),
    }
    merged = record_merger(world)
    client.force_login(world.vera)

    def page() -> str:
        return " ".join(strip_tags(client.get(world.larkhaven.get_absolute_url()).content.decode()).split())

    take_effect(succession=merged, author=None, now=timezone.now())
    before = page()
    back = undo_succession(succession=merged, vests_on=known_day(today()), **given)
    undone = page()
    undo_succession(succession=back, vests_on=known_day(today()), **given)
    again = page()

    assert "undone since" not in before
    assert "(merged, undone since)" in undone
    assert "(merged, undone since)" not in again


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_undo_a_succession_at_once_record_one() -> None:
    old, new = (
        create_organisation(name=name, kind="council", author=None, now=timezone.now()) for name in ("Old", "New")
    )
    given: dict[str, Any] = {
        "vests_on": known_day(today()),
        "status": "order_made",
        "author": None,
        "now": timezone.now(),
    }
    succession = record_succession(kind="absorb", ties=ties_between([old], [new]), **given)

    def undo(day: int) -> bool:
        later = given | {"vests_on": known_day(today() + dt.timedelta(day))}
        try:
            undo_succession(succession=succession, reason="The court quashed it.", **later)
        except UnableToRecordSuccession:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        undone = list(pool.map(undo, range(2)))

    assert sorted(undone) == [False, True]
