"""Tests that the migration to the outbox loses no email: each keeps its id, Message-ID, items, date and bounces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps as current
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg2 import sql

from partnerships.digests.emails import links
from partnerships.digests.models import Delivery, DeliveryItem, OpenDigest, Preference, Slot, Subscription
from partnerships.outbox import message_ids
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.models import (
    Bounce,
    Email,
    EmailPart,
    LegacyMessageId,
    ReportSeen,
    SendCount,
    Suppression,
)
from partnerships.outbox.parts import Recipe, bodies
from tests.support.empty_database import empty_database

BEFORE = "0017_a_no_to_one_plan"
MOVED = "cg_moved_by_a_test"
OLD_STYLE = "<3f2c9a7be1d04e55@localhost>"
PURPOSES = {links.Purpose.PREFERENCES: "preferences", links.Purpose.STOP: "stop", links.Purpose.READ: "view"}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def database() -> Iterator[None]:
    """An empty database instead of the one of the test run."""
    with empty_database(MOVED):
        yield


def insert(table: str, **values: Any) -> int:
    """Insert one row by SQL, and return its id."""
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id")
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sql.Identifier(table), names, places), list(values.values()))
        return int(cursor.fetchone()[0])


def delivery(recipient: int, status: str, now: dt.datetime, **values: Any) -> int:
    """Insert a delivery into the old ledger, and return its id."""
    is_open = status in ("queued", "sending")
    defaults = {
        "recipient_id": recipient,
        "kind": "digest",
        "message_id": "",
        "status": status,
        "address": "",
        "subject": "",
        "attempts": 0,
        "available_at": now,
        "created_at": now,
        "settled_at": None if is_open else now,
        "reason": "",
        "provider_id": "",
    }
    return insert("digests_delivery", **(defaults | values))


class Before:
    """The old ledger, with a delivery of every kind."""

    def __init__(self, now: dt.datetime) -> None:
        state = MigrationExecutor(connection).loader.project_state([("digests", BEFORE)])
        people = state.apps.get_model("people", "User").objects
        self.now = now
        self.amina, self.ben, self.cleo, self.dan = (
            people.create(email=f"{name}@larkhaven.example", name=name.title(), password="!").pk
            for name in ("amina", "ben", "cleo", "dan")
        )
        organisation = state.apps.get_model("organisations", "Organisation").objects.create(name="Larkhaven").pk
        preference = state.apps.get_model("digests", "Preference").objects.create(person_id=self.amina)
        self.link_key = preference.link_key
        self.organisation = organisation
        self.subscription = (
            state.apps.get_model("digests", "Subscription")
            .objects.create(
                person_id=self.dan,
                organisation_id=organisation,
                added_for_id=organisation,
                asked_at=now,
                frequency="weekly",
                why="You work on it.",
            )
            .pk
        )
        piece = insert("digests_piece", digest="a" * 64, body="Shared part\r\n", used_at=now)
        self.sent = delivery(
            self.amina,
            "sent",
            now,
            message_id=OLD_STYLE,
            address="amina@larkhaven.example",
            subject="Two plans changed",
            recipe=f'[[-1, {piece}], ["Own words\\r\\n"]]',
            slot_on=now.date(),
            provider_id="provider-1",
            attempts=1,
        )
        self.again = delivery(self.amina, "queued", now, repeat_of_id=self.sent)
        self.queued = delivery(self.ben, "queued", now, slot_on=now.date() - dt.timedelta(days=30))
        self.doubtful = delivery(
            self.cleo, "sending", now, recipe=f"[[{piece}], []]", in_doubt=True, attempts=3, unanswered=1
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE digests_delivery SET message_id = '<' || id || '.' || repeat('b', 32) || '@localhost>'"
                " WHERE id = %s",
                [self.doubtful],
            )
        self.bounced = delivery(self.ben, "bounced", now, address="ben@larkhaven.example")
        self.failed = delivery(self.dan, "failed", now, reason="550 No such mailbox", settled_at=None)
        self.asked = delivery(self.dan, "sent", now, kind="confirmation", subscription_id=self.subscription)
        for number in (self.sent, self.queued):
            insert(
                "digests_deliveryitem",
                delivery_id=number,
                plan_id=77,
                from_number=1,
                to_number=2,
                reading_class="outside",
            )
        bounce = {"address": "ben@larkhaven.example", "at": now, "text": "5.1.1"}
        self.bounce = insert("digests_bounce", kind="hard", delivery_id=self.bounced, event_id="event-1", **bounce)
        self.stray = insert("digests_bounce", kind="soft", delivery_id=None, event_id="", **bounce)
        insert("digests_mailread", event_id="mail:1", read_at=now)
        insert("digests_pace", domain="larkhaven.example", minute=now, count=4)
        self.suppression = insert(
            "digests_suppression", address="ben@larkhaven.example", reason="Came back", since=now, set_by_id=self.amina
        )
        with connection.cursor() as cursor:
            cursor.execute("UPDATE digests_suppression SET released_at = %s", [now])


@pytest.fixture
def before(database: None) -> Before:
    """The old ledger, after which every migration has run."""
    call_command("migrate", "digests", BEFORE, verbosity=0, interactive=False)
    old_ledger = Before(timezone.now().replace(microsecond=0))
    call_command("migrate", verbosity=0, interactive=False)
    return old_ledger


def test_every_email_moves_with_everything_that_belongs_to_it(before: Before) -> None:
    check_emails(before)
    check_what_keeps_them_apart(before)
    check_bounces_and_suppressions(before)
    check_links_in_emails_already_sent(before)
    check_reports_about_emails_already_sent(before)
    check_the_next_numbers(before)


def check_emails(before: Before) -> None:
    """Check the number, kind, lane, status, Message-ID and message of each email."""
    emails = Email.objects.in_bulk()
    assert set(emails) == {
        before.sent,
        before.again,
        before.queued,
        before.doubtful,
        before.bounced,
        before.failed,
        before.asked,
    }
    assert {pk: email.status for pk, email in emails.items()} == {
        before.sent: "sent",
        before.again: "queued",
        before.queued: "queued",
        before.doubtful: "sending",
        before.bounced: "sent",
        before.failed: "failed",
        before.asked: "sent",
    }
    sent = emails[before.sent]
    assert (sent.kind, sent.lane, sent.person_id, sent.message_id) == ("digests.digest", 2, before.amina, OLD_STYLE)
    assert (sent.subject, sent.address, sent.provider_id) == (
        "Two plans changed",
        "amina@larkhaven.example",
        "provider-1",
    )
    recipe = Recipe(*sent.recipe)
    assert recipe.join(bodies([recipe])) == "Own words\r\nShared part\r\n"
    assert EmailPart.objects.count() == 1
    doubtful = emails[before.doubtful]
    assert (doubtful.in_doubt, doubtful.attempts, doubtful.unanswered) == (True, 3, 1)
    assert emails[before.again].repeat_of_id == before.sent
    assert emails[before.failed].settled_at == before.now, "A settled email has a time."
    assert emails[before.failed].reason == "550 No such mailbox"
    asked = emails[before.asked]
    assert (asked.kind, asked.lane, asked.sender_id) == ("digests.confirmation", 1, before.organisation)
    assert asked.params == {"subscription": before.subscription}
    assert Delivery.objects.get(pk=before.asked).subscription == Subscription.objects.get(pk=before.subscription)
    assert Delivery.objects.get(pk=before.bounced).bounced


def check_what_keeps_them_apart(before: Before) -> None:
    """Check the items, and the tables that keep emails unique."""
    items = set(DeliveryItem.objects.values_list("delivery_id", "plan_id", "from_number", "to_number"))
    assert items == {(before.sent, 77, 1, 2), (before.queued, 77, 1, 2)}
    assert set(OpenDigest.objects.values_list("recipient_id", "repeat_of_id", "email_id")) == {
        (before.amina, before.sent, before.again),
        (before.ben, 0, before.queued),
        (before.cleo, 0, before.doubtful),
    }
    assert list(Slot.objects.values_list("recipient_id", "slot_on", "email_id")) == [
        (before.amina, before.now.date(), before.sent)
    ], "Dates a week ago keep nothing apart any more."
    assert message_ids.find(OLD_STYLE) == before.sent
    assert message_ids.find(Email.objects.get(pk=before.doubtful).message_id) == before.doubtful
    assert list(LegacyMessageId.objects.values_list("message_id", "email_id")) == [(OLD_STYLE, before.sent)]


def check_bounces_and_suppressions(before: Before) -> None:
    """Check bounces, processed reports, and released addresses with their history."""
    assert set(Bounce.objects.values_list("pk", "kind", "email_id", "person_id")) == {
        (before.bounce, "hard", before.bounced, before.ben),
        (before.stray, "soft", 0, None),
    }
    assert set(ReportSeen.objects.values_list("event_id", flat=True)) == {"event-1", "mail:1"}
    assert list(SendCount.objects.values_list("domain", "count")) == [("larkhaven.example", 4)]
    suppression = Suppression.objects.get()
    assert (suppression.pk, suppression.address, suppression.set_by_id) == (
        before.suppression,
        "ben@larkhaven.example",
        before.amina,
    )
    assert suppression.released_at == before.now
    history = current.get_model("outbox", "SuppressionEvent").objects.order_by("pgh_id")
    assert [event.pgh_label for event in history] == ["insert", "update"], "No row is written for the move itself."


def check_links_in_emails_already_sent(before: Before) -> None:
    """Check the links to unsubscribe, to preferences, and to the digest in the browser."""
    assert Preference.objects.get(person_id=before.amina).link_key == before.link_key
    for purpose, name in PURPOSES.items():
        token = links.make(
            purpose,
            person_id=before.amina,
            link_key=before.link_key,
            record_id=before.sent,
            minute=links.minute_of(before.now),
        )
        answer = Client().get(reverse(f"digests:{name}", kwargs={"token": token}), follow=True)
        assert answer.status_code == 200, name


def check_reports_about_emails_already_sent(before: Before) -> None:
    """Check that bounces find their email by old Message-ID and by the provider's id.

    A report that was processed before is counted only once.
    """
    now = before.now + dt.timedelta(hours=1)
    report = {"kind": "delayed", "address": "", "text": "Later", "now": now}
    by_message_id = note_bounce(message_id=OLD_STYLE, event_id="event-2", **report)
    assert by_message_id is not None
    assert by_message_id.email_id == before.sent
    by_provider = note_bounce(provider_id="provider-1", event_id="event-3", **report)
    assert by_provider is not None
    assert by_provider.email_id == before.sent
    assert note_bounce(message_id=OLD_STYLE, event_id="event-1", **report) is None


def check_the_next_numbers(before: Before) -> None:
    """Check that new ids do not collide with moved ones."""
    new_email = Email.objects.create(
        lane=1, kind="digests.links", person_id=before.amina, available_at=before.now, created_at=before.now
    )
    assert new_email.pk > 1 << 40
    assert Suppression.objects.create(address="x@y.example", reason="Why", since=before.now).pk > before.suppression
    assert EmailPart.objects.create(digest="c" * 64, body="Text", used_at=before.now).pk > 1
