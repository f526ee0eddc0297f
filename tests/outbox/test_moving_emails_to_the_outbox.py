"""The migration to the outbox loses no email. Each keeps its id, Message-ID, items, date and bounces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
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
from partnerships.outbox.parts import Recipe, bodies_of_recipes
from tests.support.empty_database import empty_database

#: The last migration of digests before its emails moved to the outbox.
LAST_MIGRATION = "0017_a_no_to_one_plan"
DATABASE_NAME = "cg_moved_by_a_test"
#: A Message-ID from before ids of emails were part of it.
OLD_MESSAGE_ID = "<3f2c9a7be1d04e55@localhost>"
#: The URL name of each link in emails.
ROUTES_BY_PURPOSE = {links.Purpose.PREFERENCES: "preferences", links.Purpose.STOP: "stop", links.Purpose.READ: "view"}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def database() -> Iterator[None]:
    """Use an empty database instead of the one of the test run."""
    with empty_database(DATABASE_NAME):
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


class OldLedger:
    """The rows of digests before the move, with a delivery of every kind. Every attribute but `now` is an id or key."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self._add_people()
        self._add_deliveries()
        self._add_items()
        self._add_bounces()
        self._add_suppression()

    def _add_people(self) -> None:
        """Add four people, of whom one has preferences and one is asked for consent."""
        old_apps = MigrationExecutor(connection).loader.project_state([("digests", LAST_MIGRATION)]).apps
        people = old_apps.get_model("people", "User").objects
        self.amina, self.ben, self.cleo, self.dan = (
            people.create(email=f"{name}@larkhaven.example", name=name.title(), password="!").pk
            for name in ("amina", "ben", "cleo", "dan")
        )
        self.organisation = old_apps.get_model("organisations", "Organisation").objects.create(name="Larkhaven").pk
        self.link_key = old_apps.get_model("digests", "Preference").objects.create(person_id=self.amina).link_key
        subscription = old_apps.get_model("digests", "Subscription").objects.create(
            person_id=self.dan,
            organisation_id=self.organisation,
            added_for_id=self.organisation,
            asked_at=self.now,
            frequency="weekly",
            why="You work on it.",
        )
        self.subscription = subscription.pk

    def _add_deliveries(self) -> None:
        """Add one delivery in each state, a repetition, and a request for consent."""
        now = self.now
        part = insert("digests_piece", digest="a" * 64, body="Shared part\r\n", used_at=now)
        self.sent = delivery(
            self.amina,
            "sent",
            now,
            message_id=OLD_MESSAGE_ID,
            address="amina@larkhaven.example",
            subject="Two plans changed",
            recipe=f'[[-1, {part}], ["Own words\\r\\n"]]',
            slot_on=now.date(),
            provider_id="provider-1",
            attempts=1,
        )
        self.repetition = delivery(self.amina, "queued", now, repeat_of_id=self.sent)
        self.queued = delivery(self.ben, "queued", now, slot_on=now.date() - dt.timedelta(days=30))
        self.doubtful = delivery(
            self.cleo, "sending", now, recipe=f"[[{part}], []]", in_doubt=True, attempts=3, unanswered=1
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE digests_delivery SET message_id = '<' || id || '.' || repeat('b', 32) || '@localhost>'"
                " WHERE id = %s",
                [self.doubtful],
            )
        self.bounced = delivery(self.ben, "bounced", now, address="ben@larkhaven.example")
        self.failed = delivery(self.dan, "failed", now, reason="550 No such mailbox", settled_at=None)
        self.confirmation = delivery(self.dan, "sent", now, kind="confirmation", subscription_id=self.subscription)

    def _add_items(self) -> None:
        """Add the plan that the sent and the queued digest are about."""
        for delivery_id in (self.sent, self.queued):
            insert(
                "digests_deliveryitem",
                delivery_id=delivery_id,
                plan_id=77,
                from_number=1,
                to_number=2,
                reading_class="outside",
            )

    def _add_bounces(self) -> None:
        """Add a bounce of a delivery, a bounce of none, a processed report, and a count of sent emails."""
        bounce = {"address": "ben@larkhaven.example", "at": self.now, "text": "5.1.1"}
        self.bounce = insert("digests_bounce", kind="hard", delivery_id=self.bounced, event_id="event-1", **bounce)
        self.stray_bounce = insert("digests_bounce", kind="soft", delivery_id=None, event_id="", **bounce)
        insert("digests_mailread", event_id="mail:1", read_at=self.now)
        insert("digests_pace", domain="larkhaven.example", minute=self.now, count=4)

    def _add_suppression(self) -> None:
        """Add an address that was suppressed, then released."""
        self.suppression = insert(
            "digests_suppression",
            address="ben@larkhaven.example",
            reason="Came back",
            since=self.now,
            set_by_id=self.amina,
        )
        with connection.cursor() as cursor:
            cursor.execute("UPDATE digests_suppression SET released_at = %s", [self.now])


@pytest.fixture
def old_ledger(database: None) -> OldLedger:
    """Return what the old ledger contained before every migration ran."""
    call_command("migrate", "digests", LAST_MIGRATION, verbosity=0, interactive=False)
    ledger = OldLedger(timezone.now().replace(microsecond=0))
    call_command("migrate", verbosity=0, interactive=False)
    return ledger


def test_every_email_moves_with_everything_that_belongs_to_it(old_ledger: OldLedger) -> None:
    """One test for all, because the migrations take most of its time."""
    check_statuses(old_ledger)
    check_the_sent_digest(old_ledger)
    check_the_doubtful_digest(old_ledger)
    check_the_other_emails(old_ledger)
    check_items(old_ledger)
    check_rows_that_prevent_duplicates(old_ledger)
    check_message_ids(old_ledger)
    check_bounces(old_ledger)
    check_the_suppression(old_ledger)
    check_links_in_emails_already_sent(old_ledger)
    check_reports_about_emails_already_sent(old_ledger)
    check_the_next_ids(old_ledger)


def check_statuses(old_ledger: OldLedger) -> None:
    """Check that every email keeps its id, and that a bounced email has the status sent."""
    assert dict(Email.objects.values_list("pk", "status")) == {
        old_ledger.sent: "sent",
        old_ledger.repetition: "queued",
        old_ledger.queued: "queued",
        old_ledger.doubtful: "sending",
        old_ledger.bounced: "sent",
        old_ledger.failed: "failed",
        old_ledger.confirmation: "sent",
    }
    assert Delivery.objects.get(pk=old_ledger.bounced).bounced


def check_the_sent_digest(old_ledger: OldLedger) -> None:
    """Check the fields and the message of the email that was sent."""
    email = Email.objects.get(pk=old_ledger.sent)
    assert email.kind == "digests.digest"
    assert email.lane == 2
    assert email.person_id == old_ledger.amina
    assert email.message_id == OLD_MESSAGE_ID
    assert email.subject == "Two plans changed"
    assert email.address == "amina@larkhaven.example"
    assert email.provider_id == "provider-1"

    recipe = Recipe(*email.recipe)
    assert recipe.join(bodies_of_recipes([recipe])) == "Own words\r\nShared part\r\n"
    assert EmailPart.objects.count() == 1


def check_the_doubtful_digest(old_ledger: OldLedger) -> None:
    """Check the email whose delivery the mail server neither confirmed nor refused."""
    email = Email.objects.get(pk=old_ledger.doubtful)
    assert email.in_doubt
    assert email.attempts == 3
    assert email.unanswered == 1


def check_the_other_emails(old_ledger: OldLedger) -> None:
    """Check the repetition, the failed email and the request for consent."""
    assert Email.objects.get(pk=old_ledger.repetition).repeat_of_id == old_ledger.sent

    failed_email = Email.objects.get(pk=old_ledger.failed)
    assert failed_email.settled_at == old_ledger.now, "A settled email has a time."
    assert failed_email.reason == "550 No such mailbox"

    confirmation = Email.objects.get(pk=old_ledger.confirmation)
    assert confirmation.kind == "digests.confirmation"
    assert confirmation.lane == 1
    assert confirmation.sender_id == old_ledger.organisation
    assert confirmation.params == {"subscription": old_ledger.subscription}
    subscription = Subscription.objects.get(pk=old_ledger.subscription)
    assert Delivery.objects.get(pk=old_ledger.confirmation).subscription == subscription


def check_items(old_ledger: OldLedger) -> None:
    """Check what the digests are about."""
    items = DeliveryItem.objects.values_list("delivery_id", "plan_id", "from_number", "to_number")
    assert set(items) == {(old_ledger.sent, 77, 1, 2), (old_ledger.queued, 77, 1, 2)}


def check_rows_that_prevent_duplicates(old_ledger: OldLedger) -> None:
    """Check the rows of open digests, and of digests by date. Only dates of the last week are stored."""
    assert set(OpenDigest.objects.values_list("recipient_id", "repeat_of_id", "email_id")) == {
        (old_ledger.amina, old_ledger.sent, old_ledger.repetition),
        (old_ledger.ben, 0, old_ledger.queued),
        (old_ledger.cleo, 0, old_ledger.doubtful),
    }
    slot = Slot.objects.get()
    assert slot.recipient_id == old_ledger.amina
    assert slot.slot_on == old_ledger.now.date()
    assert slot.email_id == old_ledger.sent


def check_message_ids(old_ledger: OldLedger) -> None:
    """Check that an email can be found by a Message-ID of either style. Only the old style needs a row."""
    assert message_ids.find(OLD_MESSAGE_ID) == old_ledger.sent
    assert message_ids.find(Email.objects.get(pk=old_ledger.doubtful).message_id) == old_ledger.doubtful
    legacy_id = LegacyMessageId.objects.get()
    assert legacy_id.message_id == OLD_MESSAGE_ID
    assert legacy_id.email_id == old_ledger.sent


def check_bounces(old_ledger: OldLedger) -> None:
    """Check bounces, processed reports and the count of sent emails."""
    assert set(Bounce.objects.values_list("pk", "kind", "email_id", "person_id")) == {
        (old_ledger.bounce, "hard", old_ledger.bounced, old_ledger.ben),
        (old_ledger.stray_bounce, "soft", 0, None),
    }
    assert set(ReportSeen.objects.values_list("event_id", flat=True)) == {"event-1", "mail:1"}
    assert list(SendCount.objects.values_list("domain", "count")) == [("larkhaven.example", 4)]


def check_the_suppression(old_ledger: OldLedger) -> None:
    """Check the released address and its history."""
    suppression = Suppression.objects.get()
    assert suppression.pk == old_ledger.suppression
    assert suppression.address == "ben@larkhaven.example"
    assert suppression.set_by_id == old_ledger.amina
    assert suppression.released_at == old_ledger.now

    history = apps.get_model("outbox", "SuppressionEvent").objects.order_by("pgh_id")
    assert [event.pgh_label for event in history] == ["insert", "update"], "No row is written for the move itself."


def check_links_in_emails_already_sent(old_ledger: OldLedger) -> None:
    """Check the links to unsubscribe, to preferences, and to the digest in the browser."""
    assert Preference.objects.get(person_id=old_ledger.amina).link_key == old_ledger.link_key
    for purpose, route in ROUTES_BY_PURPOSE.items():
        token = links.make(
            purpose,
            person_id=old_ledger.amina,
            link_key=old_ledger.link_key,
            record_id=old_ledger.sent,
            minute=links.minute_of(old_ledger.now),
        )
        response = Client().get(reverse(f"digests:{route}", kwargs={"token": token}), follow=True)
        assert response.status_code == 200, route


def check_reports_about_emails_already_sent(old_ledger: OldLedger) -> None:
    """Check that bounces find their email by old Message-ID and by the provider's id.

    A report that was processed before is counted only once.
    """
    report = {"kind": "delayed", "address": "", "text": "Later", "now": old_ledger.now + dt.timedelta(hours=1)}

    bounce_by_message_id = note_bounce(message_id=OLD_MESSAGE_ID, event_id="event-2", **report)
    assert bounce_by_message_id is not None
    assert bounce_by_message_id.email_id == old_ledger.sent

    bounce_by_provider = note_bounce(provider_id="provider-1", event_id="event-3", **report)
    assert bounce_by_provider is not None
    assert bounce_by_provider.email_id == old_ledger.sent

    assert note_bounce(message_id=OLD_MESSAGE_ID, event_id="event-1", **report) is None


def check_the_next_ids(old_ledger: OldLedger) -> None:
    """Check that new ids do not collide with moved ones."""
    now = old_ledger.now
    new_email = Email.objects.create(
        lane=1, kind="digests.links", person_id=old_ledger.amina, available_at=now, created_at=now
    )
    new_suppression = Suppression.objects.create(address="x@y.example", reason="Why", since=now)
    new_part = EmailPart.objects.create(digest="c" * 64, body="Text", used_at=now)

    assert new_email.pk > 1 << 40
    assert new_suppression.pk > old_ledger.suppression
    assert new_part.pk > 1
