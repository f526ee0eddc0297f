"""What came back: hard bounces and complaints suppress an address, soft ones are counted, however we hear of them."""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.db.models import Max

from partnerships.kit import journal
from partnerships.outbox import message_ids
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.models import Bounce, Email, ReportSeen, Suppression, SuppressionCause
from partnerships.outbox.queries.suppressions import hash_in_journal, open_suppressions
from partnerships.outbox.restoring import SUPPRESSED

_REASON, _TEXT = 300, 500
#: This many soft bounces within this time count as a hard one.
MAX_SOFT, SOFT_WITHIN = 5, dt.timedelta(days=30)

#: What suppresses an address at once.
_CAUSES: dict[str, SuppressionCause] = {
    Bounce.Kind.COMPLAINT: SuppressionCause.COMPLAINT,
    Bounce.Kind.HARD: SuppressionCause.BOUNCED,
}


class UnableToRelease(Exception):
    """Nothing is suppressed at this address."""


def without_address(text: str, address: str) -> str:
    """What a mail server said, without the address that it said it of."""
    return re.sub(re.escape(address), "the address", text, flags=re.IGNORECASE) if address else text


@transaction.atomic
def suppress(
    *,
    address: str,
    reason: str,
    cause: SuppressionCause = SuppressionCause.OTHER,
    email_id: int | None,
    author_id: int | None,
    now: dt.datetime,
) -> bool:
    """Send no notices and no digests to an address any more. Returns whether it is new."""
    address = address.strip().lower()
    reason = without_address(reason, address)  # it goes into history and log, which hold people by number only
    if not address or Suppression.objects.filter(address__iexact=address, released_at=None).exists():
        return False
    Suppression.objects.bulk_create(
        [Suppression(address=address, cause=cause, reason=reason[:_REASON], since=now, set_by_id=author_id)],
        ignore_conflicts=True,
    )
    journal.note(SUPPRESSED, now=now, address=hash_in_journal(address))
    for hooks in registered_hooks():
        hooks.suppressed(address=address, reason=reason[:_REASON], email_id=email_id, author_id=author_id, now=now)
    return True


@transaction.atomic
def release(*, address: str, author_id: int | None, now: dt.datetime) -> int:
    """Let emails go to an address again. Returns how many subscriptions are active again; raises `UnableToRelease`."""
    for hooks in registered_hooks():
        hooks.lock()
    if not open_suppressions(address).update(released_at=now):
        raise UnableToRelease("Nothing is stopped at this address.")
    journal.note(SUPPRESSED, now=now, address=hash_in_journal(address), released=True)
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
    """Write down that an email came back; a hard bounce or a complaint suppresses the address.

    The email is found by its Message-ID or by the provider's number, each by an index. Only addresses that we have
    written to are suppressed, so that a forged report cannot silence somebody. None when it is not about an email of
    ours, or was known already.
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
    rows = Email.objects.filter(provider_id=provider_id).order_by("-pk")
    return rows.values_list("pk", flat=True).first()


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
    """The mail server gave an email up because of the state of the mailbox: a soft bounce, said at once."""
    bounce = _note(email, kind=Bounce.Kind.SOFT, address=email.address, text=text, now=now)
    if reason := _too_often(bounce, now):
        cause = SuppressionCause.BOUNCED_OFTEN
        suppress(address=email.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)


def _too_often(bounce: Bounce, now: dt.datetime) -> str:
    """Why an address is suppressed after this soft bounce; empty while they are few.

    Counted from when somebody last released the address. What a policy refuses says nothing about the address.
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
    return f"Mail came back {MAX_SOFT} times in {SOFT_WITHIN.days} days; the last time: {bounce.text}"


@transaction.atomic
def is_new(event_id: str, *, now: dt.datetime) -> bool:
    """Note that a report is acted on, in the transaction that acts; returns whether nobody has before."""
    return not event_id or ReportSeen.objects.get_or_create(event_id=event_id, defaults={"seen_at": now})[1]
