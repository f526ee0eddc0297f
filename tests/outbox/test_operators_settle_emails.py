"""Administrators of the server see open emails, and discard emails that must not be sent."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.digests import services as digests
from partnerships.digests.models import Watermark
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox.event_kinds import EventKind
from partnerships.outbox.models import Email
from partnerships.outbox.services import discard_emails
from tests.digests.conftest import publish
from tests.plans.drafts import ask_signatures, published_plan
from tests.support.outbox import deliver, drop_emails, recorded
from tests.world import World, make_world

SIGN_OFF = "plans.sign_off_request"


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, with a request to Ben to sign, which is not sent yet."""
    small_world = make_world()
    drop_emails()
    small_world.things["plan"] = published_plan(small_world)
    ask_signatures(small_world.things["plan"], small_world)
    return small_world


def emails(*words: str) -> str:
    """Return the output of `manage.py emails`."""
    output = StringIO()
    call_command("emails", *words, stdout=output)
    return output.getvalue()


def test_operator_sees_how_many_emails_of_each_kind_are_waiting(world: World) -> None:
    assert f"1 {SIGN_OFF} (Sign-off request)" in emails("waiting")


def test_discarded_email_is_not_sent(world: World) -> None:
    emails("discard", "--kind", SIGN_OFF, "--reason", "Watermark before the restore.")

    assert deliver() == []
    assert emails("waiting").endswith("Still to leave: 0 emails.\n")


def test_ledger_has_the_reason_of_a_discarded_email(world: World) -> None:
    output = emails("discard", "--kind", SIGN_OFF, "--reason", "Watermark before the restore.")

    assert "1 email of the kind" in output
    [email] = recorded(SIGN_OFF)
    assert email.status == "suppressed"
    assert email.reason == "Discarded by an administrator: Watermark before the restore."
    assert email.secrets is None


def test_discarding_emails_is_in_the_activity_log(world: World) -> None:
    emails("discard", "--kind", SIGN_OFF, "--reason", "Watermark before the restore.")

    assert Event.objects.get(kind=EventKind.EMAILS_DISCARDED).data["count"] == 1


def test_emails_of_another_kind_are_not_discarded(world: World) -> None:
    emails("discard", "--kind", "plans.share", "--reason", "Another kind.")

    assert [email.to for email in deliver()] == [[world.ben.email]]


def test_emails_recorded_after_the_named_time_are_not_discarded(world: World) -> None:
    hour_ago = (timezone.now() - dt.timedelta(hours=1)).isoformat()

    emails("discard", "--kind", SIGN_OFF, "--recorded-before", hour_ago, "--reason", "Only older ones.")

    assert [email.to for email in deliver()] == [[world.ben.email]]


def test_discarding_waits_for_planning_before_it_locks_emails(world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        discard_emails(kind=SIGN_OFF, recorded_before=timezone.now(), reason="Restored.", now=timezone.now())

    statements = [query["sql"] for query in queries]
    lock_of_planning = next(index for index, sql in enumerate(statements) if "pg_advisory_xact_lock" in sql)
    lock_of_emails = next(index for index, sql in enumerate(statements) if "FOR UPDATE" in sql)
    assert lock_of_planning < lock_of_emails


def test_time_without_a_zone_is_refused(world: World) -> None:
    with pytest.raises(CommandError, match="must be a time"):
        emails("discard", "--kind", SIGN_OFF, "--recorded-before", "yesterday", "--reason", "Why.")

    assert Email.objects.get(kind=SIGN_OFF).is_open


def test_news_of_a_discarded_digest_is_not_sent_in_the_next_digest(world: World, settings: Any) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    plan = world.things["plan"]
    digests.subscribe(person=world.vera, target=plan, author=world.vera, now=timezone.now())
    version = publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())

    emails("discard", "--kind", "digests.digest", "--reason", "Watermark before the restore.")
    plan_round(now=timezone.now() + dt.timedelta(minutes=1))

    assert Watermark.objects.get(recipient=world.vera, plan=plan).number == version.number
    assert not Email.objects.unsettled().filter(kind="digests.digest").exists()
