"""Claimed emails and their lease.

Renew it, give it up, and check again before an email leaves.
"""

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

# Claimed but not tried: as if it had not been claimed.
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

# A server may be slow after the end of DATA: if this process dies then, the email may have been delivered.
_NOTE_WAIT = f"""
UPDATE outbox_email e SET doubts = e.doubts + 1, in_doubt = true
 WHERE e.id = %(id)s AND {STILL_SENDING} AND e.attempts = %(attempt)s
"""  # noqa: S608 - our own constants

# An earlier copy may have been accepted, and its sender died before it knew: that copy counts, and this one.
_NOTE_COPY = f"""
UPDATE outbox_email e SET doubts = GREATEST(e.doubts, 1) + 1
 WHERE e.id = %(id)s AND {STILL_SENDING} AND e.attempts = %(attempt)s
"""  # noqa: S608 - our own constants


class Claimed(NamedTuple):
    """A claimed email: its own words, and the template shared by its batch.

    `attempt` tells our claim from a later one by another sender.
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
        """The message exactly as sent."""
        return self.template % self.words

    @property
    def has_no_dots(self) -> bool:
        """Whether certainly no line begins with a dot: faster than to search each message."""
        return _has_no_dots(self.template) and b"\r\n." not in b"\r\n".join((b"", *self.words))


@lru_cache(maxsize=64)
def _has_no_dots(template: bytes) -> bool:
    """Whether no line of a template begins with a dot, whatever its words are."""
    return not (template.startswith(b".") or b"\r\n." in template or b"%b." in template)


class Claim(NamedTuple):
    """The result of a claim.

    The emails to send, the number examined, and what to check before each leaves.
    """

    emails: list[Claimed]
    examined: int
    checks: dict[Composer, dict[int, Any]]


def recheck(claim: Claim, emails: Collection[Claimed], *, now: dt.datetime, is_new: bool = False) -> set[int]:
    """Renew the leases of unsent emails; release those that must not leave.

    Their reader paused, left, unsubscribed or lost the right to read, or another sender has the lease. Returns the
    numbers of emails that must not be sent. A lease just claimed is not renewed.
    """
    if not emails:
        return set()
    with transaction.atomic():
        rows_of(BY_INDEX, [])
        wanted_pks = {email.pk for email in emails}
        still_ours = wanted_pks if is_new else renew(emails)
        back: set[int] = set()
        for composer, known in claim.checks.items():
            back |= composer.no_longer_allowed({pk: what for pk, what in known.items() if pk in wanted_pks}, now=now)
        release([email for email in emails if email.pk in back])
    return back | (wanted_pks - still_ours)


def renew(emails: Collection[Claimed]) -> set[int]:
    """Renew leases; returns the numbers of emails that are still ours."""
    renewed: set[int] = set()
    for month, month_emails in by_month(emails, key=attrgetter("pk")).items():
        params = _ours(month_emails) | {"lease": lease()}
        rows = rows_planned_once(_RENEW.format(month=month), params, generic_plan=True)
        renewed |= {pk for (pk,) in rows}
    return renewed


def release(emails: Collection[Claimed]) -> None:
    """Return claimed emails that were not tried to the queue."""
    for month, month_emails in by_month(emails, key=attrgetter("pk")).items():
        rows_of(_RELEASE.format(month=month), _ours(month_emails))


def note_wait(email: Claimed) -> None:
    """Record that a server may be accepting this email: it is in doubt now."""
    rows_of(_NOTE_WAIT, {"id": email.pk, "attempt": email.attempt})


def note_copy(email: Claimed) -> None:
    """Count another copy of an email in doubt, before it is sent."""
    rows_of(_NOTE_COPY, {"id": email.pk, "attempt": email.attempt})


def lease() -> dt.timedelta:
    """How long a claim lasts unless it is renewed."""
    return dt.timedelta(seconds=settings.EMAIL_LEASE_SECONDS)


def _ours(emails: Collection[Claimed]) -> dict[str, Any]:
    return {"ids": [email.pk for email in emails], "attempts": [email.attempt for email in emails]}
