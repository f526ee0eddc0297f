"""Claimed emails, and the leases under which senders have claimed them."""

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
from partnerships.outbox.models import IS_SENDING_SQL
from partnerships.outbox.months import rows_by_month
from partnerships.outbox.restoring import JournalFacts

# Undoes the claim of emails that were claimed but not tried.
_RELEASE = f"""
UPDATE outbox_email e
   SET status = 'queued', available_at = clock_timestamp(), attempts = GREATEST(e.attempts - 1, 0),
       unanswered = GREATEST(e.unanswered - 1, 0)
  FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS c(id, attempt)
 WHERE e.id = c.id AND {{month}} AND {IS_SENDING_SQL} AND e.attempts = c.attempt
"""  # noqa: S608 - our own constants

_RENEW = f"""
UPDATE outbox_email e SET available_at = clock_timestamp() + %(lease)s::interval
  FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS c(id, attempt)
 WHERE e.id = c.id AND {{month}} AND {IS_SENDING_SQL} AND e.attempts = c.attempt
RETURNING e.id
"""  # noqa: S608 - our own constants

# While a server is slow after the end of DATA, it may be delivering the email. If this process dies then, nobody knows
# whether the email has arrived.
_NOTE_WAIT = f"""
UPDATE outbox_email e SET doubts = e.doubts + 1, in_doubt = true
 WHERE e.id = %(id)s AND {IS_SENDING_SQL} AND e.attempts = %(attempt)s
"""  # noqa: S608 - our own constants

# An email in doubt was sent at least once. If the sender died before it counted that copy, `doubts` is still 0. Both
# copies are then counted now.
_NOTE_COPY = f"""
UPDATE outbox_email e SET doubts = GREATEST(e.doubts, 1) + 1
 WHERE e.id = %(id)s AND {IS_SENDING_SQL} AND e.attempts = %(attempt)s
"""  # noqa: S608 - our own constants


class ClaimedEmail(NamedTuple):
    """A claimed email, as a template that many emails share and this email's own `words` for the gaps.

    `attempt` distinguishes this claim from a later claim by another sender.
    """

    pk: int
    attempt: int
    address: str
    template: bytes
    words: tuple[bytes, ...]
    facts: JournalFacts  # for the journal
    in_doubt: bool = False  # a server may already have accepted the email

    @property
    def data(self) -> bytes:
        """Return the message exactly as it is sent."""
        return self.template % self.words

    @property
    def has_no_dots(self) -> bool:
        """Return True if certainly no line begins with a dot.

        This is faster than searching the message, because emails share templates.
        """
        return _has_no_dots(self.template) and b"\r\n." not in b"\r\n".join((b"", *self.words))


@lru_cache(maxsize=64)
def _has_no_dots(template: bytes) -> bool:
    """Return True if no line of a template can begin with a dot, whatever is filled into its gaps."""
    return not (template.startswith(b".") or b"\r\n." in template or b"%b." in template)


class Claim(NamedTuple):
    """The result of a claim.

    It has the emails to send, the number of examined emails, and what each composer checks before an email is sent.
    """

    emails: list[ClaimedEmail]
    examined: int
    checks: dict[Composer, dict[int, Any]]


def recheck_claim(
    claim: Claim, emails: Collection[ClaimedEmail], *, now: dt.datetime, is_new: bool = False
) -> set[int]:
    """Check the emails of a claim again before they are sent, and return the ids of emails that must not be sent.

    An email must not be sent if its reader has paused, left, unsubscribed or lost the right to read. It is then
    released. It must not be sent either if its lease has ended and another sender has claimed it. Leases are renewed,
    unless the claim `is_new`.
    """
    if not emails:
        return set()
    with transaction.atomic():
        rows_of(BY_INDEX, [])
        email_ids = {email.pk for email in emails}
        leased_ids = email_ids if is_new else renew_leases(emails)
        refused_ids: set[int] = set()
        for composer, composer_checks in claim.checks.items():
            checks = {pk: check for pk, check in composer_checks.items() if pk in email_ids}
            refused_ids |= composer.no_longer_allowed(checks, now=now)
        release_leases([email for email in emails if email.pk in refused_ids])
    return refused_ids | (email_ids - leased_ids)


def renew_leases(emails: Collection[ClaimedEmail]) -> set[int]:
    """Renew the leases of emails, and return the ids of those that no other sender has claimed."""
    renewed_ids: set[int] = set()
    for month, month_emails in rows_by_month(emails, key=attrgetter("pk")).items():
        params = _claim_columns(month_emails) | {"lease": lease_length()}
        rows = rows_planned_once(_RENEW.format(month=month), params, generic_plan=True)
        renewed_ids |= {pk for (pk,) in rows}
    return renewed_ids


def release_leases(emails: Collection[ClaimedEmail]) -> None:
    """Return claimed emails that were not tried to the queue."""
    for month, month_emails in rows_by_month(emails, key=attrgetter("pk")).items():
        rows_of(_RELEASE.format(month=month), _claim_columns(month_emails))


def mark_in_doubt(email: ClaimedEmail) -> None:
    """Record that the email is in doubt, because a server may be accepting it now."""
    rows_of(_NOTE_WAIT, {"id": email.pk, "attempt": email.attempt})


def count_copy(email: ClaimedEmail) -> None:
    """Count another copy of an email in doubt, before it is sent."""
    rows_of(_NOTE_COPY, {"id": email.pk, "attempt": email.attempt})


def lease_length() -> dt.timedelta:
    """Return how long a claim is valid unless it is renewed."""
    return dt.timedelta(seconds=settings.EMAIL_LEASE_SECONDS)


def _claim_columns(emails: Collection[ClaimedEmail]) -> dict[str, Any]:
    return {"ids": [email.pk for email in emails], "attempts": [email.attempt for email in emails]}
