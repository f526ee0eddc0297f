"""Claimed emails, and the lease under which a sender holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from partnerships.kit.database import BY_INDEX, rows_of, rows_planned_once
from partnerships.outbox.kinds import Composer
from partnerships.outbox.models import STILL_SENDING
from partnerships.outbox.months import by_month
from partnerships.outbox.restoring import Facts

# For an email that was claimed but not tried: as if it had not been claimed.
_RELEASE = f"""
UPDATE outbox_email e
   SET status = 'queued', available_at = clock_timestamp(), attempts = GREATEST(e.attempts - 1, 0),
       unanswered = GREATEST(e.unanswered - 1, 0)
  FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS c(id, attempt)
 WHERE e.id = c.id AND {{month}} AND {STILL_SENDING} AND e.attempts = c.attempt
"""  # noqa: S608 - our own constants

_RENEW = f"""
UPDATE outbox_email e SET available_at = clock_timestamp() + %(lease)s::interval
  FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS c(id, attempt)
 WHERE e.id = c.id AND {{month}} AND {STILL_SENDING} AND e.attempts = c.attempt
RETURNING e.id
"""  # noqa: S608 - our own constants

# While a server is slow after the end of DATA, it may be delivering the email. If this process dies then, nobody knows.
_NOTE_WAIT = f"""
UPDATE outbox_email e SET doubts = e.doubts + 1, in_doubt = true
 WHERE e.id = %(id)s AND {STILL_SENDING} AND e.attempts = %(attempt)s
"""  # noqa: S608 - our own constants

# If the sender of an earlier copy died before it knew the answer, that copy was not counted: it counts now, with this
# one.
_NOTE_COPY = f"""
UPDATE outbox_email e SET doubts = GREATEST(e.doubts, 1) + 1
 WHERE e.id = %(id)s AND {STILL_SENDING} AND e.attempts = %(attempt)s
"""  # noqa: S608 - our own constants


class Claimed(NamedTuple):
    """A claimed email: a template that many emails share, and this email's own `words` for its gaps.

    `attempt` tells this claim from a later one by another sender.
    """

    pk: int
    attempt: int
    address: str
    template: bytes
    words: tuple[bytes, ...]
    facts: Facts  # for the journal
    in_doubt: bool = False  # a server may have accepted it before

    @property
    def data(self) -> bytes:
        """The message, exactly as it is sent."""
        return self.template % self.words

    @property
    def has_no_dots(self) -> bool:
        """Whether certainly no line begins with a dot; faster than a search, because emails share templates."""
        return _has_no_dots(self.template) and b"\r\n." not in b"\r\n".join((b"", *self.words))


@lru_cache(maxsize=64)
def _has_no_dots(template: bytes) -> bool:
    """Whether no line of a template begins with a dot, whatever its words are."""
    return not (template.startswith(b".") or b"\r\n." in template or b"%b." in template)


class Claim(NamedTuple):
    """The result of a claim: the emails to send, how many were examined, and what to check before each leaves."""

    emails: list[Claimed]
    examined: int
    checks: dict[Composer, dict[int, Any]]


def recheck(claim: Claim, emails: Collection[Claimed], *, now: dt.datetime, is_new: bool = False) -> set[int]:
    """Check the emails of a claim again before they leave; returns the ids of those that must not be sent.

    Leases are renewed, unless the claim `is_new`. Emails are released if their reader has paused, left, unsubscribed or
    lost the right to read. Emails whose lease another sender has must not be sent either.
    """
    if not emails:
        return set()
    with transaction.atomic():
        rows_of(BY_INDEX, [])
        email_ids = {email.pk for email in emails}
        leased_ids = email_ids if is_new else renew(emails)
        refused_ids: set[int] = set()
        for composer, composer_checks in claim.checks.items():
            checks = {pk: check for pk, check in composer_checks.items() if pk in email_ids}
            refused_ids |= composer.no_longer_allowed(checks, now=now)
        release([email for email in emails if email.pk in refused_ids])
    return refused_ids | (email_ids - leased_ids)


def renew(emails: Collection[Claimed]) -> set[int]:
    """Renew the leases of emails; returns the ids of those whose lease we still had."""
    renewed: set[int] = set()
    for month, month_emails in by_month(emails, key=attrgetter("pk")).items():
        params = _claim_columns(month_emails) | {"lease": lease()}
        rows = rows_planned_once(_RENEW.format(month=month), params, generic_plan=True)
        renewed |= {pk for (pk,) in rows}
    return renewed


def release(emails: Collection[Claimed]) -> None:
    """Return to the queue claimed emails that were not tried."""
    for month, month_emails in by_month(emails, key=attrgetter("pk")).items():
        rows_of(_RELEASE.format(month=month), _claim_columns(month_emails))


def note_wait(email: Claimed) -> None:
    """Record that the email is in doubt, because a server may be accepting it now."""
    rows_of(_NOTE_WAIT, {"id": email.pk, "attempt": email.attempt})


def note_copy(email: Claimed) -> None:
    """Count one more copy of an email in doubt, before it is sent."""
    rows_of(_NOTE_COPY, {"id": email.pk, "attempt": email.attempt})


def lease() -> dt.timedelta:
    """Return how long a claim lasts unless it is renewed."""
    return dt.timedelta(seconds=settings.EMAIL_LEASE_SECONDS)


def _claim_columns(emails: Collection[Claimed]) -> dict[str, Any]:
    return {"ids": [email.pk for email in emails], "attempts": [email.attempt for email in emails]}
