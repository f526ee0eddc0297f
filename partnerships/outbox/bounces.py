"""Handles bounces and complaints, from any source.

Hard bounces and complaints suppress an address; soft bounces are counted.
"""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.db.models import Max

from partnerships.kit import journal
from partnerships.outbox import message_ids
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.models import Bounce, Email, ReportSeen, Suppression, SuppressionCause
from partnerships.outbox.queries.suppressions import open_suppressions
from partnerships.outbox.restoring import SUPPRESSED

_REASON, _TEXT = 300, 500
#: This many soft bounces of an address count as a hard one.
MAX_SOFT = 5
#: The time within which soft bounces add up.
SOFT_WITHIN = dt.timedelta(days=30)

#: Kinds of bounce that suppress an address at once.
_CAUSES: dict[str, SuppressionCause] = {
    Bounce.Kind.COMPLAINT: SuppressionCause.COMPLAINT,
    Bounce.Kind.HARD: SuppressionCause.BOUNCED,
}


class UnableToRelease(Exception):
    """The address is not suppressed."""


def without_address(text: str, address: str) -> str:
    """A server's reply without the address."""
    return re.sub(re.escape(address), "the address", text, flags=re.IGNORECASE) if address else text


@transaction.atomic
def suppress(
    *,
    address: str = "",
    address_hash: str = "",
    reason: str,
    cause: SuppressionCause = SuppressionCause.OTHER,
    email_id: int | None,
    author_id: int | None,
    now: dt.datetime,
) -> bool:
    """Suppress notices and digests to an address; returns whether it is new.

    Or to an address that only its hash in the journal tells of.
    """
    address = address.strip().lower()
    reason = without_address(reason, address)  # history and logs identify people by number only
    open_rows = Suppression.objects.filter(released_at=None)
    open_rows = open_rows.filter(address__iexact=address) if address else open_rows.filter(address_hash=address_hash)
    if not (address or address_hash) or open_rows.exists():
        return False
    row = Suppression(address=address or None, address_hash="" if address else address_hash, cause=cause)
    row.reason, row.since, row.set_by_id = reason[:_REASON], now, author_id
    Suppression.objects.bulk_create([row], ignore_conflicts=True)
    journal.note(SUPPRESSED, now=now, address=address_hash or journal.address_hash(address))
    for hooks in registered_hooks() if address else ():
        hooks.suppressed(address=address, reason=reason[:_REASON], email_id=email_id, author_id=author_id, now=now)
    return True


@transaction.atomic
def release(*, address: str = "", address_hash: str = "", author_id: int | None, now: dt.datetime) -> int:
    """Stop suppressing an address, or one that only its hash in the journal tells of.

    Returns the number of subscriptions that are active again. Raises `UnableToRelease`.
    """
    for hooks in registered_hooks():
        hooks.lock()
    if not open_suppressions(address, address_hash=address_hash).update(released_at=now):
        raise UnableToRelease("Emails to this address are not stopped.")
    journal.note(SUPPRESSED, now=now, address=address_hash or journal.address_hash(address), released=True)
    if not address:
        return 0
    return sum(hooks.released(address=address, author_id=author_id, now=now) for hooks in registered_hooks())


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
    """Record a bounce; a hard one or a complaint suppresses the address.

    The email is found by Message-ID or by the provider's number, both indexed. Only addresses that we have written to
    are suppressed, so that a forged report cannot block an address. None if it is about no email of ours, or already
    known.
    """
    number = message_ids.find(message_id) or _by_provider(provider_id)
    if number is None:
        return None
    for hooks in registered_hooks():
        hooks.lock()
    email = Email.objects.select_for_update().filter(pk=number).first()
    if email is None or (event_id and not is_new(event_id, now=now)):
        return None
    bounce = _note(email, kind=kind, address=address, text=text, now=now)
    if kind == Bounce.Kind.DELAYED:
        return bounce
    if kind != Bounce.Kind.COMPLAINT:
        for hooks in registered_hooks():
            hooks.came_back(email=email, bounce=bounce)
    if kind in _CAUSES:
        cause = _CAUSES[kind]
        reason = f"{cause.label}: {text}"
    else:
        cause, reason = SuppressionCause.BOUNCED_OFTEN, _too_often(bounce, now)
    if reason:
        suppress(address=bounce.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)
    return bounce


def _by_provider(provider_id: str) -> int | None:
    if not provider_id:
        return None
    # Not in order: for one row in order of numbers PostgreSQL may read all emails backwards.
    numbers = Email.objects.filter(provider_id=provider_id).order_by().values_list("pk", flat=True)
    return max(numbers, default=None)


def _note(email: Email, *, kind: str, address: str, text: str, now: dt.datetime) -> Bounce:
    return Bounce.objects.create(
        kind=kind,
        address=email.address or address,
        email_id=email.pk,
        person_id=email.person_id,
        at=now,
        text=text[:_TEXT],
    )


@transaction.atomic
def note_refusal(*, email: Email, text: str, now: dt.datetime) -> None:
    """Record a soft bounce: the server refused because of the mailbox state."""
    bounce = _note(email, kind=Bounce.Kind.SOFT, address=email.address, text=text, now=now)
    if reason := _too_often(bounce, now):
        cause = SuppressionCause.BOUNCED_OFTEN
        suppress(address=email.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)


def _too_often(bounce: Bounce, now: dt.datetime) -> str:
    """Why soft bounces now suppress an address; "" below the limit.

    Counts since the address was last released. Refusals by a policy do not count.
    """
    if bounce.kind != Bounce.Kind.SOFT:
        return ""
    since = now - SOFT_WITHIN
    released = Suppression.objects.filter(address__iexact=bounce.address).aggregate(at=Max("released_at"))["at"]
    if released is not None and released > since:
        since = released
    soft = Bounce.objects.filter(kind=Bounce.Kind.SOFT, address__iexact=bounce.address, at__gt=since)
    if soft.count() < MAX_SOFT:
        return ""
    return f"Emails bounced {MAX_SOFT} times in {SOFT_WITHIN.days} days; the last time: {bounce.text}"


@transaction.atomic
def is_new(event_id: str, *, now: dt.datetime) -> bool:
    """Record that a report is processed; returns whether it is the first time.

    Call in the transaction that processes it.
    """
    return not event_id or ReportSeen.objects.get_or_create(event_id=event_id, defaults={"seen_at": now})[1]
