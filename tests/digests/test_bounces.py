"""Hard and soft bounces are counted from webhooks and from a mailbox; a forged report suppresses no address."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import mailbox
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, Preference, Subscription
from partnerships.digests.retention import tidy
from partnerships.outbox import bounces, message_ids
from partnerships.outbox.models import BODY_RETENTION, Bounce, Email, LegacyMessageId, Suppression
from partnerships.outbox.reports import read_report
from partnerships.people.services import close_account
from tests.digests.conftest import PostOffice, play, publish
from tests.support.ledger import rewrite
from tests.world import World

SECRET = "post:office"


@pytest.fixture
def email(world: World, plan, office: PostOffice) -> Delivery:
    """Return a digest that Sol received."""
    subscription = services.add_stakeholder(
        email=world.sol.email,
        name="Sol",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    office.drain()
    services.confirm(subscription=subscription, now=timezone.now())
    publish(plan, 96, author=world.amina)
    play(office)
    return Delivery.objects.get(recipient=world.sol, kind="digests.digest")


def report(email: Delivery, *, status: str = "5.1.1", to: str = "") -> bytes:
    """Return a mail server's bounce report (RFC 3464) about an email."""
    return (
        "From: MAILER-DAEMON@relay.example\r\nTo: digests@ground.example\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: rfc822; {to or email.address}\r\nAction: failed\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; 550 {status} no such person\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {email.message_id}\r\n\r\n--b--\r\n"
    ).encode()


def process_report(raw: bytes) -> Bounce | None:
    """Process a report as the mailbox command does, and return the bounce that it recorded."""
    parsed = read_report(raw)
    assert parsed is not None
    return bounces.note_bounce(
        kind=parsed.kind, address=parsed.address, text=parsed.text, message_id=parsed.message_id, now=timezone.now()
    )


def test_a_hard_bounce_suppresses_the_address(world: World, email: Delivery) -> None:
    process_report(report(email))

    email.refresh_from_db()
    assert email.bounced
    subscription = Subscription.objects.get(person=world.sol)
    assert subscription.status == "suppressed"
    assert "5.1.1" in subscription.reason


def test_nobody_subscribes_an_address_after_a_hard_bounce(world: World, email: Delivery) -> None:
    process_report(report(email))

    with pytest.raises(services.UnableToSubscribe):
        services.subscribe(person=world.sol, target=world.partnership, author=None, now=timezone.now())


def test_soft_bounces_suppress_the_address_only_above_a_limit(world: World, email: Delivery) -> None:
    for _ in range(bounces.MAX_SOFT - 1):
        process_report(report(email, status="4.2.2"))
    was_suppressed_before = Suppression.objects.exists()
    process_report(report(email, status="4.2.2"))

    assert not was_suppressed_before
    assert Suppression.objects.get().reason.startswith("Emails bounced 5 times in 30 days")


def test_soft_bounces_before_a_release_do_not_count(world: World, email: Delivery) -> None:
    for _ in range(bounces.MAX_SOFT):
        process_report(report(email, status="4.2.2"))
    bounces.release_address(address=world.sol.email, author_id=world.dee.pk, now=timezone.now())

    process_report(report(email, status="4.2.2"))

    assert not Suppression.objects.filter(released_at=None).exists()


@pytest.mark.parametrize("said", ["5.7.1 policy", "5.7.1 relay access denied", "5.0.0 relaying denied"])
def test_policy_and_relay_refusals_do_not_suppress_the_address(world: World, email: Delivery, said: str) -> None:
    for _ in range(bounces.MAX_SOFT + 1):
        process_report(report(email, status=said))

    email.refresh_from_db()
    assert email.bounced
    assert not Suppression.objects.exists()


def test_a_delayed_email_is_not_a_bounce(world: World, email: Delivery) -> None:
    for _ in range(bounces.MAX_SOFT + 1):
        process_report(report(email, status="4.4.1").replace(b"Action: failed", b"Action: delayed"))

    email.refresh_from_db()
    assert email.status == "sent"
    assert not Suppression.objects.exists()


def read_mailbox(path: Path) -> str:
    """Return the output of the command that reads the mailbox."""
    output = io.StringIO()
    call_command("digests", "bounces", str(path), stdout=output)
    return output.getvalue().strip()


def test_reading_the_mailbox_again_counts_no_bounce_twice(email: Delivery, tmp_path: Path) -> None:
    box = mailbox.Maildir(str(tmp_path / "box"))
    for number in range(bounces.MAX_SOFT - 1):
        box.add(f"Message-ID: <bounce{number}@relay.example>\r\n".encode() + report(email, status="4.2.2"))
    first_output = read_mailbox(tmp_path / "box")
    for _ in range(3):
        for file in (tmp_path / "box" / "cur").iterdir():
            file.rename(tmp_path / "box" / "new" / file.name.partition(":")[0])
        last_output = read_mailbox(tmp_path / "box")

    assert first_output.startswith("4 bounces")
    assert last_output == (
        "0 bounces, 0 unsubscribes, 0 replies, 0 forwarded emails, 0 could not be used, 0 automatic replies,"
        " 0 other emails, 4 already read, 0 could not be read."
    )
    assert Bounce.objects.count() == 4
    assert not Suppression.objects.exists()


def test_reading_an_old_unsubscribe_email_again_ends_nothing_new(
    world: World, plan, email: Delivery, tmp_path: Path
) -> None:
    key = Preference.objects.get(person=world.sol).link_key
    minute = minute_of(timezone.now())
    token = make(Purpose.STOP, person_id=world.sol.pk, link_key=key, record_id=email.pk, minute=minute)
    unsubscribe_email = tmp_path / "wish"
    unsubscribe_email.write_bytes(f"Message-ID: <wish@council.example>\r\nSubject: stop {token}\r\n\r\n".encode())
    output = read_mailbox(unsubscribe_email)
    services.add_confirmed_subscription(
        person=world.sol, target=world.larkhaven, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )

    read_mailbox(unsubscribe_email)

    assert "1 unsubscribe" in output
    assert Subscription.objects.get(person=world.sol, plan=plan).is_ended
    assert Subscription.objects.get(person=world.sol, organisation=world.larkhaven).is_confirmed


def test_bounces_return_to_the_mailbox_that_is_read(world: World, plan, office: PostOffice, settings: Any) -> None:
    settings.EMAIL_MAILBOX = "bounces@ground.example"
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 90, author=world.amina)

    play(office)

    assert office.sent[-1].sender == "bounces@ground.example"


@pytest.mark.parametrize(
    "forged",
    [
        "<somebody-else@ground.example>",
        "<{number}.0123456789abcdef0123456789abcdef@localhost>",
        "<{number}.@localhost>",
        "<1000000000000000.0123456789abcdef@localhost>",
        "<1000000000000000000000.0123456789abcdef@localhost>",
    ],
)
def test_a_report_about_an_unknown_email_suppresses_no_address(world: World, email: Delivery, forged: str) -> None:
    email.message_id = forged.format(number=email.pk)

    assert process_report(report(email)) is None
    assert not Suppression.objects.exists()


def test_an_email_with_an_old_style_message_id_is_found(email: Delivery) -> None:
    legacy = "<0b7e5a52-6f0e-4c0e-9a55-1c2f7d8f3f10@localhost>"
    rewrite(email.pk, message_id=legacy)
    LegacyMessageId.objects.create(message_id=legacy, email_id=email.pk)
    email.refresh_from_db()

    bounce = process_report(report(email))

    assert bounce is not None
    assert bounce.email_id == email.pk


def test_message_ids_stay_unique_after_a_backup_is_restored() -> None:
    assert message_ids.make([7]) != message_ids.make([7])


def test_a_released_address_gets_digests_again(world: World, email: Delivery) -> None:
    process_report(report(email))

    resumed_count = bounces.release_address(address=world.sol.email, author_id=world.dee.pk, now=timezone.now())

    assert resumed_count == 1
    assert Subscription.objects.get(person=world.sol).is_confirmed


def call_webhook(client: Client, payload: Any, *, secret: str = SECRET, provider: str = "postmark") -> int:
    """Call a provider's webhook, and return the status code of the answer."""
    basic = base64.b64encode(secret.encode()).decode()
    response = client.post(
        reverse("digests:reports", args=[provider]),
        json.dumps(payload),
        content_type="application/json",
        HTTP_AUTHORIZATION=f"Basic {basic}",
    )
    return response.status_code


def postmark_report(email: Delivery, kind: str, number: int = 1) -> dict[str, Any]:
    """Return a report as Postmark sends it."""
    records = {"HardBounce": ("Bounce", 1), "Transient": ("Bounce", 2), "SpamComplaint": ("SpamComplaint", 512)}
    record, code = records[kind]
    return {
        "RecordType": record,
        "ID": number,
        "Type": kind,
        "TypeCode": code,
        "MessageID": Email.objects.get(pk=email.pk).provider_id,
        "Email": email.address,
        "BouncedAt": "2026-11-20T10:00:00Z",
        "Description": "The server was unable to deliver.",
        "Details": "smtp;550 5.1.1 no such person",
    }


@pytest.fixture
def provider(settings: Any, email: Delivery) -> Delivery:
    """Return a digest that seems to have been sent through a provider, which knows a secret."""
    settings.EMAIL_WEBHOOK_SECRET = SECRET
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    rewrite(email.pk, provider_id="0a129aee-e1cd-480d-b08d-4f48548ff48d")
    return email


@pytest.mark.parametrize(("kind", "stops"), [("HardBounce", True), ("Transient", False), ("SpamComplaint", True)])
def test_a_provider_reports_bounces(world: World, provider: Delivery, client: Client, kind: str, stops: bool) -> None:
    assert call_webhook(client, postmark_report(provider, kind)) == 200
    assert call_webhook(client, postmark_report(provider, kind)) == 200  # the second report does not count

    assert Bounce.objects.count() == 1
    assert Suppression.objects.exists() is stops


def test_a_provider_with_a_wrong_secret_is_refused(provider: Delivery, client: Client) -> None:
    assert call_webhook(client, postmark_report(provider, "HardBounce"), secret="post:guess") == 400
    assert not Bounce.objects.exists()


def test_without_a_secret_the_webhook_does_not_exist(settings: Any, email: Delivery, client: Client) -> None:
    settings.EMAIL_WEBHOOK_SECRET = ""

    assert call_webhook(client, postmark_report(email, "HardBounce")) == 404


def mailjet_event(event: str, address: str, **more: Any) -> dict[str, Any]:
    """Return one of the events that Mailjet reports in one call."""
    return {"event": event, "time": 1_796_000_000, "email": address, **more}


def test_unsubscribing_at_the_provider_stops_everything(world: World, provider: Delivery, client: Client) -> None:
    assert call_webhook(client, [mailjet_event("unsub", world.sol.email)], provider="mailjet") == 200

    assert Subscription.objects.get(person=world.sol).is_ended
    assert Preference.objects.get(person=world.sol).refused_at is not None


def test_a_closed_account_that_unsubscribes_does_not_hold_up_later_reports(
    world: World, provider: Delivery, client: Client
) -> None:
    close_account(person=world.vera, author=world.dee, reason="Moved on.", now=timezone.now())
    provider_id = Email.objects.get(pk=provider.pk).provider_id
    bounced = mailjet_event("bounce", provider.address, error="user unknown", MessageID=provider_id)

    assert call_webhook(client, [mailjet_event("unsub", world.vera.email), bounced], provider="mailjet") == 200

    assert Bounce.objects.get().email_id == provider.pk
    assert Suppression.objects.get().address == provider.address


def test_the_figures_count_emails_still_to_be_sent(email: Delivery, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "figures"

    page = client.get(reverse("metrics"), headers={"Authorization": "Bearer figures"}).content.decode()

    assert 'outbox_queue{status="queued"} 0.0' in page
    assert 'outbox_open{lane="digest"} 0.0' in page
    assert "outbox_oldest_due_seconds 0.0" in page


def test_while_digests_are_held_none_are_made_and_none_are_lost(
    world: World, plan, office: PostOffice, settings: Any
) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 90, author=world.amina)
    settings.EMAILS_HELD = True
    play(office)
    counts_while_held = (len(office.sent), Delivery.objects.count())
    settings.EMAILS_HELD = False
    play(office)

    assert counts_while_held == (0, 0)
    assert len(office.to(world.ben)) == 1


def test_a_digest_as_sent_is_kept_for_thirty_days(email: Delivery) -> None:
    tidy(now=email.created_at + BODY_RETENTION - dt.timedelta(days=1))
    email.refresh_from_db()
    was_kept_before = email.has_stored_message
    tidy(now=email.created_at + BODY_RETENTION + dt.timedelta(days=1))
    email.refresh_from_db()

    assert was_kept_before
    assert not email.has_stored_message
    assert email.items.exists()
