"""A restored database gives no number again, so that nothing new is taken for what the journal knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from partnerships.digests.models import NoticeDelivery, Subscription
from partnerships.digests.queries.ways import ways_of
from partnerships.digests.services import subscribe
from partnerships.exchange.reach import THEME_STEP
from partnerships.outbox.models import DeliveredBefore
from partnerships.people.restoring import advance_sequences
from partnerships.plans import services as plans
from partnerships.plans.models import HomesCombination, Plan
from partnerships.plans.queries.combinations import Combinations
from partnerships.plans.queries.pipeline import PipelineFilters, homes_pipeline
from tests.faults.restore import lost
from tests.plans.drafts import published_plan
from tests.support.outbox import deliver, drop_emails, stop_address
from tests.world import World, area

pytestmark = pytest.mark.django_db


@contextmanager
def restored() -> Iterator[None]:
    """Remove what happens within the block from the database, as a restore does, and set the sequences back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('public.%I', sequencename), coalesce(last_value, start_value), last_value IS NOT NULL"
            " FROM pg_sequences WHERE schemaname = 'public'"
        )
        backup = cursor.fetchall()
    with lost():
        yield
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(name::regclass, number, used)"
            " FROM unnest(%s::text[], %s::bigint[], %s::boolean[]) AS b(name, number, used)",
            [list(column) for column in zip(*backup, strict=True)],
        )


def mention_ben(plan: Plan, world: World, words: str) -> list[str]:
    """Mention Ben in a comment of Amina, and return the addresses that get an email."""
    mail.outbox.clear()
    plans.add_comment(plan=plan, version_number=1, text=f"@Ben West: {words}", author=world.amina, now=timezone.now())
    return [to for email in deliver() for to in email.to]


def run_after_restore(settings: Any) -> None:
    """Run `after_restore`, which requires that emails are held, and send emails again."""
    settings.EMAILS_HELD = True
    call_command("after_restore", "--since", (timezone.now() - dt.timedelta(hours=1)).isoformat())
    settings.EMAILS_HELD = False


@pytest.fixture
def plan_of_lost_comment(world: World) -> Plan:
    """Return a plan on which a comment that mentions Ben was lost in a restore, after he had its email."""
    plan = published_plan(world)
    drop_emails()
    with restored():
        recipients = mention_ben(plan, world, "why?")
    assert recipients == [world.ben.email]
    return plan


def test_an_email_that_a_restore_lost_is_remembered_as_delivered(
    world: World, plan_of_lost_comment: Plan, settings: Any
) -> None:
    run_after_restore(settings)

    assert DeliveredBefore.objects.filter(kind="plans.mention", person_id=world.ben.pk).exists()


def test_new_notice_after_a_restore_is_not_taken_for_one_delivered_before(
    world: World, plan_of_lost_comment: Plan, settings: Any
) -> None:
    run_after_restore(settings)

    recipients = mention_ben(plan_of_lost_comment, world, "what else?")

    assert recipients == [world.ben.email]


def test_without_advanced_sequences_a_new_notice_would_be_taken_for_an_old_one(
    world: World, plan_of_lost_comment: Plan, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.people.management.commands.after_restore.advance_sequences", lambda: 0)
    run_after_restore(settings)

    recipients = mention_ben(plan_of_lost_comment, world, "what else?")

    assert recipients == []


def test_stop_link_of_a_notice_that_a_restore_lost_stops_notices_of_its_kind(world: World, settings: Any) -> None:
    plan = published_plan(world)
    subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    with restored():
        mention_ben(plan, world, "why?")
    settings.EMAILS_HELD = True
    call_command("after_restore", "--since", (timezone.now() - dt.timedelta(hours=1)).isoformat())

    stopped = Client().post(stop_address(mail.outbox[-1]), {"List-Unsubscribe": "One-Click"})

    assert stopped.status_code == 200
    assert ways_of(world.ben)["mentions"] == NoticeDelivery.INBOX
    assert Subscription.objects.confirmed().filter(person=world.ben, plan=plan).exists()


def test_homes_after_a_restore_are_added_up_in_as_little_memory(world: World) -> None:
    advance_sequences()
    published_plan(world)

    assert HomesCombination.objects.latest("pk").pk > 10_000_000
    assert Combinations.among().size == HomesCombination.objects.count() + 1
    assert homes_pipeline(world.amina, PipelineFilters(), earlier=None, now=timezone.now()).total.now == 150


def test_new_area_after_a_restore_fits_the_keys_that_asks_and_offers_are_matched_by() -> None:
    before = area("E07000998", "Meon").pk
    advance_sequences()

    assert before + 1 < area("E07000999", "Solent").pk < THEME_STEP
