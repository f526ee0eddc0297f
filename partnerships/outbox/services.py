"""Records emails in the transaction of the change that causes them. Every email is sent in this way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.outbox.claiming import has_due_emails
from partnerships.outbox.event_kinds import EventKind
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.kinds import email_kind_with_code
from partnerships.outbox.models import Email, EmailStatus, Lane
from partnerships.outbox.routing import current_router

#: The signal that emails were recorded, sent once for each call, with their lanes. A receiver wakes a sender after the
#: commit.
emails_recorded = Signal()

#: True inside a block of `recording_no_emails`, where no emails are recorded.
_is_muted: ContextVar[bool] = ContextVar("emails_muted", default=False)
#: The list that collects recorded emails inside a block of `collecting_emails`, or None outside of it.
_collected: ContextVar[list[Email] | None] = ContextVar("noted_emails", default=None)


class UnableToRecordEmail(Exception):
    """No transaction is open, or no room registers this kind of email."""


def record_emails(
    *,
    kind: str,
    people: Collection[int],
    params: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    sender_id: int | None = None,
    now: dt.datetime,
) -> list[Email]:
    """Record one email for each of these people, inside the transaction of the change that causes the emails.

    Returns the recorded emails. People who chose to get this kind of notice another way are not among their recipients.

    * `params` (JSON values) and `secrets` contain the values from which the kind's composer writes the email. Secrets,
      such as tokens, are deleted when the email is settled.
    * `sender_id` is the organisation on whose behalf the email is sent.

    Raises `UnableToRecordEmail`.
    """
    person_ids = sorted(set(people))
    emails = [
        _new_email(kind, person_id=person_id, params=params, secrets=secrets, sender_id=sender_id, now=now)
        for person_id in person_ids
    ]
    return _save(kind, emails, now)


def record_email(
    *,
    kind: str,
    person_id: int | None = None,
    address: str = "",
    params: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    sender_id: int | None = None,
    repeat_of_id: int | None = None,
    now: dt.datetime,
) -> Email | None:
    """Record one email to a person or, without one, to an address.

    The parameters are those of `record_emails`. With `repeat_of_id`, the email repeats this earlier email. Returns None
    if the person gets this notice another way.
    """
    if person_id is None and not address and not secrets:
        raise UnableToRecordEmail("An email needs a person, an address, or secrets that contain an address.")
    email = _new_email(
        kind, person_id=person_id, address=address, params=params, secrets=secrets, sender_id=sender_id, now=now
    )
    email.repeat_of_id = repeat_of_id
    recorded_emails = _save(kind, [email], now)
    return recorded_emails[0] if recorded_emails else None


def _new_email(
    kind: str,
    *,
    person_id: int | None,
    address: str = "",
    params: Mapping[str, Any] | None,
    secrets: Mapping[str, Any] | None,
    sender_id: int | None,
    now: dt.datetime,
) -> Email:
    """Return an unsaved email to a person, or to an address. `_save` sets its lane."""
    return Email(
        kind=kind,
        person_id=person_id,
        address=address,
        sender_id=sender_id,
        params=dict(params or {}),
        secrets=dict(secrets) if secrets else None,
        # `now` may be a simulated moment in the future, which must not delay the email.
        available_at=min(now, timezone.now()),
        created_at=now,
    )


def _save(kind: str, emails: list[Email], now: dt.datetime) -> list[Email]:
    """Save new emails of one kind, except notices that reach their recipient another way, and return the emails.

    Raises `UnableToRecordEmail`.
    """
    if not connection.in_atomic_block:
        raise UnableToRecordEmail("An email is recorded in the transaction of the change that causes it.")
    email_kind = email_kind_with_code(kind)
    if email_kind is None:
        raise UnableToRecordEmail(f"There is no kind of email called {kind}.")
    for email in emails:
        email.lane = email_kind.lane
    if _is_muted.get():
        return emails

    if email_kind.lane == Lane.NOTICE:
        emails = current_router().route(kind=email_kind, emails=emails, now=now)
    recorded_emails = Email.objects.bulk_create(emails)
    if not recorded_emails:
        return []
    collected_emails = _collected.get()
    if collected_emails is not None:
        collected_emails += recorded_emails
    emails_recorded.send(sender=Email, lanes={Lane(email_kind.lane)})
    return recorded_emails


@contextmanager
def recording_no_emails() -> Iterator[None]:
    """Record no emails within the block, because it loads events of the past."""
    token = _is_muted.set(True)
    try:
        yield
    finally:
        _is_muted.reset(token)


@contextmanager
def collecting_emails() -> Iterator[list[Email]]:
    """Collect the emails recorded within the block, so that a page can name their recipients."""
    emails: list[Email] = []
    token = _collected.set(emails)
    try:
        yield emails
    finally:
        _collected.reset(token)


def drop_email(*, email: Email, reason: str, now: dt.datetime) -> bool:
    """Drop a queued email, and return True if it was still queued."""
    queued = Email.objects.filter(pk=email.pk, status=EmailStatus.QUEUED)
    return bool(queued.update(status=EmailStatus.DROPPED, settled_at=now, reason=reason[:500], reason_code=""))


@transaction.atomic
def discard_emails(*, kind: str, recorded_before: dt.datetime, reason: str, now: dt.datetime) -> int:
    """Discard the queued emails of one kind, for an administrator of the server, and return how many.

    Emails that are being sent are not discarded. News in a discarded digest is not sent again in the next one.
    """
    for hooks in registered_hooks():
        hooks.lock()
    queued_emails = Email.objects.select_for_update(skip_locked=True).filter(
        kind=kind, status=EmailStatus.QUEUED, created_at__lt=recorded_before
    )
    email_ids = list(queued_emails.values_list("pk", flat=True))

    for hooks in registered_hooks():
        hooks.discarded(email_ids=email_ids, now=now)
    discarded_count = Email.objects.filter(pk__in=email_ids).update(
        status=EmailStatus.SUPPRESSED,
        settled_at=now,
        reason=f"Discarded by an administrator: {reason}"[:500],
        reason_code="",
    )
    record(
        actor_id=None,
        kind=EventKind.EMAILS_DISCARDED,
        target_kind="network",
        target_id=0,
        now=now,
        data={"kind": kind, "count": discarded_count, "reason": reason[:300]},
    )
    return discarded_count


def wake_if_due() -> None:
    """Wake a sender if notices or digests are due and no process is sending them."""
    if has_due_emails(lanes="others"):
        emails_recorded.send(sender=Email, lanes={Lane.NOTICE, Lane.DIGEST})
