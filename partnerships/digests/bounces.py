"""What came back: hard bounces and complaints end mail to an address, soft ones are counted, all by whichever way we
hear of them."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import hashlib
import re
from dataclasses import dataclass
from email.message import Message

from django.db import transaction
from django.db.models import F, Max, Q

from partnerships.activity.services import record
from partnerships.digests import message_ids
from partnerships.digests.matches import drop_matches
from partnerships.digests.models import (
    OPEN,
    Bounce,
    Delivery,
    DeliveryItem,
    DeliveryStatus,
    MailRead,
    Subscription,
    SubscriptionStatus,
    Suppression,
    Told,
)
from partnerships.digests.watermarks import catch_up, one_at_a_time
from partnerships.kit import mail
from partnerships.people.models import User

_REASON, _TEXT = 300, 500
#: So many soft bounces within this time are as good as a hard one.
MOST_SOFT, SOFT_WITHIN = 5, dt.timedelta(days=30)
_MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_STOP = re.compile(r"\bstop[\s:]+([0-9A-Za-z_.\-]{20,200})")


class UnableToRelease(Exception):
    """Nothing is suppressed at this address."""


def without_address(text: str, address: str) -> str:
    """What a mail server said, without the address that it said it of."""
    return re.sub(re.escape(address), "the address", text, flags=re.IGNORECASE) if address else text


@transaction.atomic
def suppress(*, address: str, reason: str, delivery: Delivery | None, author: User | None, now: dt.datetime) -> bool:
    """Send nothing more to an address: its subscriptions stop, queued letters are withdrawn. Whether it is new."""
    address = address.strip().lower()
    reason = without_address(reason, address)  # it goes into history and log, which keep people by number only
    if not address or Suppression.objects.filter(address__iexact=address, released_at=None).exists():
        return False
    Suppression.objects.bulk_create(
        [Suppression(address=address, reason=reason[:_REASON], since=now, set_by=author)], ignore_conflicts=True
    )
    people = User.objects.filter(email__iexact=address)
    Subscription.objects.filter(
        person__in=people,
        status__in=[SubscriptionStatus.ASKED, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED],
    ).update(stopped_from=F("status"), status=SubscriptionStatus.SUPPRESSED, reason=reason[:_REASON])
    Delivery.objects.filter(recipient__in=people, status=DeliveryStatus.QUEUED).update(
        status=DeliveryStatus.SUPPRESSED, settled_at=now, reason="Mail to this address came back."
    )
    drop_matches(people.values_list("pk", flat=True), now=now)
    for person in people:
        record(
            actor_id=author.pk if author else None,
            verb="stopped mail to",
            target_kind="person",
            target_id=person.pk,
            now=now,
            data={"reason": reason[:_REASON], "delivery": delivery.pk if delivery else None},
        )
    return True


@transaction.atomic
def release(*, address: str, author: User, now: dt.datetime) -> int:
    """Let mail go to an address again: what was confirmed, paused or asked is so again, and what changed meanwhile is
    told. Returns how many are active again; raises `UnableToRelease`."""
    one_at_a_time()
    found = Suppression.objects.filter(address__iexact=address, released_at=None).update(released_at=now)
    if not found:
        raise UnableToRelease("Nothing is stopped at this address.")
    people = User.objects.filter(email__iexact=address)
    stopped = Subscription.objects.filter(person__in=people, status=SubscriptionStatus.SUPPRESSED)
    count = stopped.filter(stopped_from=SubscriptionStatus.CONFIRMED).count()
    stopped.update(status=F("stopped_from"), stopped_from="", reason="")
    catch_up(people=[person.pk for person in people], now=now)
    for person in people:
        record(actor_id=author.pk, verb="allowed mail again to", target_kind="person", target_id=person.pk, now=now)
    return count


@transaction.atomic
def note_bounce(
    *,
    kind: str,
    address: str,
    text: str,
    message_id: str = "",
    provider_id: str = "",
    event_id: str = "",
    now: dt.datetime,
) -> Bounce | None:
    """Write down that a letter came back; a hard bounce or a complaint suppresses the address. None when it was known
    already.

    The letter is found by its Message-ID or by the provider's number. Only addresses that we have written to are
    suppressed, so that a forged report cannot silence somebody.
    """
    one_at_a_time()
    by_provider = Q(provider_id=provider_id) if provider_id else Q(pk=None)
    found = Delivery.objects.select_for_update().filter(message_ids.has(message_id) | by_provider)
    delivery = found.order_by("-pk").first()
    if delivery is None or (event_id and Bounce.objects.filter(event_id=event_id).exists()):
        return None
    bounce = Bounce.objects.create(
        kind=kind,
        address=delivery.address or address,
        delivery=delivery,
        at=now,
        text=text[:_TEXT],
        event_id=event_id,
    )
    if kind == Bounce.Kind.DELAYED:
        return bounce
    if kind != Bounce.Kind.COMPLAINT:
        _was_not_told(delivery)
    if delivery.status not in OPEN:
        delivery.status = DeliveryStatus.BOUNCED
        delivery.reason = text[:_TEXT]
        delivery.save(update_fields=["status", "reason"])
    if kind == Bounce.Kind.COMPLAINT:
        reason = f"They marked our mail as unwanted: {text}"
    elif kind == Bounce.Kind.HARD:
        reason = f"Mail came back for good: {text}"
    else:
        reason = _too_often(bounce, now)
    if reason:
        suppress(address=delivery.address, reason=reason, delivery=delivery, author=None, now=now)
    return bounce


@transaction.atomic
def note_refusal(*, delivery: Delivery, text: str, now: dt.datetime) -> None:
    """The mail server gave a letter up for the state of the mailbox: a soft bounce, said at once."""
    bounce = Bounce.objects.create(
        kind=Bounce.Kind.SOFT, address=delivery.address, delivery=delivery, at=now, text=text[:_TEXT]
    )
    if reason := _too_often(bounce, now):
        suppress(address=delivery.address, reason=reason, delivery=delivery, author=None, now=now)


def _too_often(bounce: Bounce, now: dt.datetime) -> str:
    """Why an address is as good as none after this soft bounce; empty while they are few, counted from when somebody
    last released it. What a policy refuses says nothing of the address, and counts for nothing."""
    if bounce.kind != Bounce.Kind.SOFT:
        return ""
    since = now - SOFT_WITHIN
    released = Suppression.objects.filter(address__iexact=bounce.address).aggregate(at=Max("released_at"))["at"]
    if released is not None and released > since:
        since = released
    soft = Bounce.objects.filter(kind=Bounce.Kind.SOFT, address__iexact=bounce.address, at__gt=since)
    if soft.count() < MOST_SOFT:
        return ""
    return f"Mail came back {MOST_SOFT} times in {SOFT_WITHIN.days} days; the last time: {bounce.text}"


def _was_not_told(delivery: Delivery) -> None:
    """What a letter said that came back has not been received: the next one begins where this one began, unless one
    since has said it."""
    others = Delivery.objects.filter(recipient=delivery.recipient_id, status=DeliveryStatus.SENT).exclude(
        pk=delivery.pk
    )
    for item in DeliveryItem.objects.told().filter(delivery=delivery):
        if others.filter(items__plan=item.plan_id, items__to_number=item.to_number, items__left_out="").exists():
            continue
        Told.objects.filter(recipient=delivery.recipient_id, plan=item.plan_id, number=item.to_number).update(
            number=item.from_number
        )


# ---- Reading a mailbox of reports (RFC 3464), for plain SMTP


def _messages_in(part: Message) -> list[Message]:
    """The messages inside a part: groups of fields, the letter that came back, or its headers as text."""
    payload = part.get_payload()
    if isinstance(payload, str):
        return [email.message_from_string(payload, policy=email.policy.default)]
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


@dataclass(frozen=True, slots=True)
class Report:
    """What one mail to the mailbox says: a bounce of one of our letters, or a wish to stop (the token of the link)."""

    kind: str
    address: str = ""
    text: str = ""
    message_id: str = ""
    stop_token: str = ""
    event_id: str = ""


def read_report(raw: bytes) -> Report | None:
    """Read one mail; None when it is neither a report about a letter nor a wish to stop."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    wish = _STOP.search(str(message.get("Subject", "")))
    event_id = _event_id(message, raw)
    if wish:
        return Report(kind="stop", stop_token=wish[1], event_id=event_id)
    status, address, text, original, feedback, action = "", "", "", "", "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for group in _messages_in(part):
                status = str(group.get("Status", status)).strip()
                action = str(group.get("Action", action)).strip().lower()
                address = str(group.get("Final-Recipient", address)).rpartition(";")[2].strip() or address
                text = str(group.get("Diagnostic-Code", text)).rpartition(";")[2].strip() or text
        elif kind == "message/feedback-report":
            feedback = "abuse"
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            for inner in _messages_in(part):
                original = str(inner.get("Message-ID", original))
    found = _MESSAGE_ID.search(original)
    if found is None or not (status or feedback):
        return None
    if feedback:
        kind = Bounce.Kind.COMPLAINT
    else:
        kind = _kind_of(action, status.partition(" ")[0], text)
    return Report(kind=kind, address=address, text=f"{status} {text}".strip(), message_id=found[0], event_id=event_id)


def _kind_of(action: str, status: str, text: str) -> str:
    """What a report (RFC 3464) means: hard only where its code speaks of the mailbox. A relay that does not let us in
    says nothing of an address."""
    if action in ("delayed", "relayed", "delivered", "expanded"):
        return Bounce.Kind.DELAYED
    if mail.classify(550, f"{status} {text}", at_recipient=False) is mail.Outcome.NO_SUCH_ADDRESS:
        return Bounce.Kind.HARD
    return Bounce.Kind.REFUSED if status.startswith("5.7.") or mail.is_about_us(text) else Bounce.Kind.SOFT


def _event_id(message: Message, raw: bytes) -> str:
    """What a mail is known by when it is read again: its Message-ID, or else all of it but the way it came."""
    given = str(message.get("Message-ID", "")).strip()
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return "mail:" + hashlib.sha256(given.encode() if given else body).hexdigest()


@transaction.atomic
def is_new(event_id: str, *, now: dt.datetime) -> bool:
    """Note that a mail of the mailbox is acted on, in the transaction that acts; whether nobody has before."""
    return not event_id or MailRead.objects.get_or_create(event_id=event_id, defaults={"read_at": now})[1]
