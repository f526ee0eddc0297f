"""Handles bounces and complaints from mail servers, mailboxes and providers.

A hard bounce or a complaint suppresses the address at once. Soft bounces suppress it when there are many.
"""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.db.models import Max, Q

from partnerships.kit import journal
from partnerships.outbox import message_ids
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.models import Bounce, Email, ReportSeen, Suppression, SuppressionCause
from partnerships.outbox.queries.suppressions import open_suppressions
from partnerships.outbox.restoring import SUPPRESSED

#: How many characters of a reason and of the text of a report are stored.
_MAX_REASON, _MAX_TEXT = 300, 500
#: This many soft bounces suppress an address, as one hard bounce does.
MAX_SOFT = 5
#: The time within which soft bounces are counted.
SOFT_WITHIN = dt.timedelta(days=30)

#: Kinds of bounce that suppress an address at once, with the cause to record.
_CAUSE_BY_KIND: dict[str, SuppressionCause] = {
    Bounce.Kind.COMPLAINT: SuppressionCause.COMPLAINT,
    Bounce.Kind.HARD: SuppressionCause.BOUNCED,
}


class UnableToRelease(Exception):
    """The address is not suppressed."""


def without_address(text: str, address: str) -> str:
    """Return a server's reply with the address replaced, because history and logs identify people by id only."""
    return re.sub(re.escape(address), "the address", text, flags=re.IGNORECASE) if address else text


@transaction.atomic
def suppress_address(
    *,
    address: str = "",
    address_hash: str = "",
    reason: str,
    cause: SuppressionCause = SuppressionCause.OTHER,
    email_id: int | None,
    author_id: int | None,
    now: dt.datetime,
) -> bool:
    """Suppress notices and digests to an address, and return True if it was not suppressed before.

    After a restore, the address may be known only by its hash in the journal. The caller then passes only
    `address_hash`.
    """
    address = address.strip().lower()
    if not address and not address_hash:
        return False
    same_address = Q(address__iexact=address) if address else Q(address_hash=address_hash)
    if Suppression.objects.filter(same_address, released_at=None).exists():
        return False

    reason = without_address(reason, address)[:_MAX_REASON]
    suppression = Suppression(
        address=address or None,
        address_hash="" if address else address_hash,
        cause=cause,
        reason=reason,
        since=now,
        set_by_id=author_id,
    )
    # Conflicts are ignored, because another sender may suppress the same address at this moment.
    Suppression.objects.bulk_create([suppression], ignore_conflicts=True)
    journal.note(SUPPRESSED, now=now, address=address_hash or journal.address_hash(address))

    if address:
        for hooks in registered_hooks():
            hooks.suppressed(address=address, reason=reason, email_id=email_id, author_id=author_id, now=now)
    return True


@transaction.atomic
def release_address(*, address: str = "", address_hash: str = "", author_id: int | None, now: dt.datetime) -> int:
    """Release an address, so that it gets notices and digests again.

    After a restore, the address may be known only by its hash in the journal. The caller then passes only
    `address_hash`. Returns the number of subscriptions that are active again. Raises `UnableToRelease`.
    """
    for hooks in registered_hooks():
        hooks.lock()
    if not open_suppressions(address, address_hash=address_hash).update(released_at=now):
        raise UnableToRelease("This address is not blocked, so there is nothing to unblock.")
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
    """Record a bounce or complaint, and suppress the address if that is due.

    The email is found by its Message-ID or by the provider's id. Only an address that we have written to can be
    suppressed, so a forged report cannot block another address. Returns None if the report is about none of our emails,
    or was processed before.
    """
    email_id = message_ids.find(message_id) or _email_with_provider_id(provider_id)
    if email_id is None:
        return None
    for hooks in registered_hooks():
        hooks.lock()
    email = Email.objects.select_for_update().filter(pk=email_id).first()
    if email is None or (event_id and not mark_report_processed(event_id, now=now)):
        return None

    bounce = _create_bounce(email, kind=kind, address=address, text=text, now=now)
    if kind == Bounce.Kind.DELAYED:
        return bounce
    if kind != Bounce.Kind.COMPLAINT:
        for hooks in registered_hooks():
            hooks.bounced(email=email, bounce=bounce)

    if kind in _CAUSE_BY_KIND:
        cause = _CAUSE_BY_KIND[kind]
        reason = f"{cause.label}: {text}"
    else:
        cause = SuppressionCause.BOUNCED_OFTEN
        reason = _reason_if_too_often(bounce, now)
    if reason:
        suppress_address(address=bounce.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)
    return bounce


def _email_with_provider_id(provider_id: str) -> int | None:
    """Return the id of the newest email to which the provider gave this id."""
    if not provider_id:
        return None
    # With ORDER BY and LIMIT, PostgreSQL might read all emails from the newest until it finds one with this id.
    email_ids = Email.objects.filter(provider_id=provider_id).order_by().values_list("pk", flat=True)
    return max(email_ids, default=None)


def _create_bounce(email: Email, *, kind: str, address: str, text: str, now: dt.datetime) -> Bounce:
    return Bounce.objects.create(
        kind=kind,
        address=email.address or address,
        email_id=email.pk,
        person_id=email.person_id,
        at=now,
        text=text[:_MAX_TEXT],
    )


@transaction.atomic
def note_refusal(*, email: Email, text: str, now: dt.datetime) -> None:
    """Record a refusal because of the state of the mailbox, such as a full mailbox, as a soft bounce."""
    bounce = _create_bounce(email, kind=Bounce.Kind.SOFT, address=email.address, text=text, now=now)
    reason = _reason_if_too_often(bounce, now)
    if reason:
        cause = SuppressionCause.BOUNCED_OFTEN
        suppress_address(address=email.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)


def _reason_if_too_often(bounce: Bounce, now: dt.datetime) -> str:
    """Return the reason to suppress an address after this bounce, or "" if there were only a few soft bounces.

    Bounces before the address was last released are not counted. Refusals by a policy are not counted either.
    """
    if bounce.kind != Bounce.Kind.SOFT:
        return ""
    since = now - SOFT_WITHIN
    suppressions = Suppression.objects.filter(address__iexact=bounce.address)
    last_released_at = suppressions.aggregate(at=Max("released_at"))["at"]
    if last_released_at is not None and last_released_at > since:
        since = last_released_at
    soft_bounces = Bounce.objects.filter(kind=Bounce.Kind.SOFT, address__iexact=bounce.address, at__gt=since)
    if soft_bounces.count() < MAX_SOFT:
        return ""
    return f"Emails bounced {MAX_SOFT} times in {SOFT_WITHIN.days} days. The last reason: {bounce.text}"


@transaction.atomic
def mark_report_processed(event_id: str, *, now: dt.datetime) -> bool:
    """Record that a report is processed, and return True if it was not processed before.

    Call this in the transaction that processes the report.
    """
    if not event_id:
        return True
    _, is_first_time = ReportSeen.objects.get_or_create(event_id=event_id, defaults={"seen_at": now})
    return is_first_time
