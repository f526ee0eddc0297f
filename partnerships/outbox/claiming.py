"""Claims due emails: lock, check, compose and freeze in one transaction.

Sending starts after the commit.
"""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections import defaultdict
from collections.abc import Collection, Sequence
from operator import itemgetter
from pathlib import PurePath
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from partnerships.kit.database import BY_INDEX, rows_of, rows_planned_once
from partnerships.outbox import message_ids, throttle
from partnerships.outbox.answers import can_be_addressed
from partnerships.outbox.freezing import freeze
from partnerships.outbox.kinds import Batch, Candidate, Composer, Due, SetAside, kind_of
from partnerships.outbox.leases import Claim, Claimed
from partnerships.outbox.models import STILL_OPEN, EmailReason, EmailStatus, Lane
from partnerships.outbox.months import by_month
from partnerships.outbox.parts import Recipe
from partnerships.outbox.queries.suppressions import suppressed_among
from partnerships.outbox.restoring import delivered_before

log = structlog.get_logger(__name__)

#: Claims without an answer before an email is set aside: it probably crashes its worker.
MAX_CLAIMS = 40
#: Failed attempts to compose before an email is set aside, so that a bug fixed in time loses none.
MAX_COMPOSINGS = 5
#: Times that a server may have accepted an email without answering, before it fails.
MAX_DOUBTS = 3
#: After this long any sender claims account emails: the reserved one may be down.
_ACCOUNT_OVERDUE = "30 seconds"
#: How long emails wait whose domain keeps others waiting.
_AVOIDED_FOR = dt.timedelta(seconds=30)

#: Emails that a sender may claim, as SQL about the email `e`.
LANES = {
    "account": f"e.lane = {Lane.ACCOUNT.value}",
    "others": (
        f"(e.lane > {Lane.ACCOUNT.value} OR e.available_at < statement_timestamp() - interval '{_ACCOUNT_OVERDUE}')"
    ),
    "all": "true",
}

_IS_DUE = "e.status IN ('queued', 'sending') AND e.available_at <= statement_timestamp() AND {lanes}"

_DUE = f"""
SELECT e.id, e.kind, e.lane, e.person_id, e.address, e.params::text, e.secrets::text, e.message_id, e.subject,
       e.created_at, e.in_doubt OR e.status = 'sending' AS in_doubt, e.unanswered, e.doubts, e.attempts,
       CASE WHEN e.in_doubt OR e.status = 'sending' THEN e.recipe::text END AS recipe,
       CASE WHEN e.in_doubt OR e.status = 'sending' THEN e.tokens::text END AS tokens,
       CASE WHEN e.in_doubt OR e.status = 'sending' THEN e.memo::text END AS memo,
       e.repeat_of_id
  FROM outbox_email e
 WHERE {_IS_DUE} {{only}}
 ORDER BY e.lane, e.available_at, e.id
 LIMIT %(limit)s
   FOR UPDATE OF e SKIP LOCKED
"""  # noqa: S608 - our own constants

_NUMBERS = f"""
SELECT e.id FROM outbox_email e
 WHERE {_IS_DUE} {{only}}
 ORDER BY e.lane, e.available_at, e.id
 LIMIT %(limit)s
"""  # noqa: S608 - our own constants

_COUNT = f"""
SELECT count(*) FROM (SELECT 1 FROM outbox_email e WHERE {_IS_DUE} LIMIT %s) counted
"""  # noqa: S608 - our own constants

_HOLD = """
UPDATE outbox_email e
   SET status = 'queued', available_at = c.at, in_doubt = e.in_doubt OR e.status = 'sending'
  FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS c(id, at)
 WHERE e.id = c.id AND {month}
"""

# Emails that could not be composed are retried after doubling waits, then set aside.
_PUT_OFF = f"""
UPDATE outbox_email e
   SET status = CASE WHEN e.unanswered + 1 >= %(limit)s THEN 'failed' ELSE 'queued' END,
       settled_at = CASE WHEN e.unanswered + 1 >= %(limit)s THEN clock_timestamp() END,
       in_doubt = e.in_doubt OR e.status = 'sending', attempts = e.attempts + 1, unanswered = e.unanswered + 1,
       available_at = clock_timestamp() + %(first)s * 2 ^ LEAST(e.unanswered, 10) * interval '1 second',
       reason = %(reason)s, reason_code = %(code)s
 WHERE e.id = %(id)s AND {STILL_OPEN} AND e.available_at <= statement_timestamp()
RETURNING e.status
"""  # noqa: S608 - our own constants


def claim(
    *,
    now: dt.datetime,
    limit: int,
    lanes: str = "all",
    people: Collection[int] | None = None,
    avoid: Collection[str] = (),
) -> Claim:
    """Claim up to `limit` due emails of these lanes (and people).

    Emails to the domains `avoid` wait for half a minute.

    Emails that nobody may read any more, or that have nothing to say, are settled here; those of people who paused wait
    for the end of the pause. An email that cannot be composed blocks no others: it is retried, then fails with its
    reason.
    """
    try:
        return _claim(now=now, limit=limit, lanes=lanes, people=people, avoid=avoid)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever one email does to its composer, the others must pass
        log.error("batch_not_composed", kind=type(error).__name__, where=_where(error))
        return _claim_one_by_one(now=now, limit=limit, lanes=lanes, people=people, avoid=avoid)


def _claim(
    *,
    now: dt.datetime,
    limit: int,
    lanes: str,
    people: Collection[int] | None = None,
    avoid: Collection[str] = (),
    only: int | None = None,
) -> Claim:
    """Claim due emails of the lanes, compose them, and say which ones to send; one transaction."""
    with transaction.atomic():
        rows = _lock_due(limit=limit, lanes=lanes, people=people, only=only)
        if not rows:
            return Claim([], 0, {})
        by_composer, set_aside = _composers(rows)
        candidates = {composer: composer.candidates(due, now=now) for composer, due in by_composer.items()}
        everybody = [email for some in candidates.values() for email in some]
        refused = _refusals(everybody, {row.pk: row.doubts for row in rows})
        for email in everybody if avoid else ():
            if email.hold_until is None and throttle.domain_of(email.address) in avoid:
                email.hold_until = now + _AVOIDED_FOR
        held = {email.pk for email in everybody if email.hold_until is not None and email.pk not in refused}
        _hold([(email.pk, email.hold_until) for email in everybody if email.pk in held])
        going = [email for email in everybody if email.pk not in held and email.pk not in refused]
        throttled, counted = throttle.over_limit(
            [(email.pk, email.address) for email in going if email.due.lane != Lane.ACCOUNT], now=now
        )
        _hold([(pk, throttle.next_minute(now)) for pk in sorted(throttled)])
        batch = Batch(set_aside=set_aside)
        checks = {
            composer: _compose(
                composer,
                [email for email in some if email.pk not in held and email.pk not in throttled],
                refused,
                batch,
                now=now,
            )
            for composer, some in candidates.items()
        }
        _hold(list(batch.later.items()))
        attempts = {row.pk: row.attempts for row in rows}
        emails = freeze(batch, {email.pk: email for email in going}, attempts, now)
        throttle.count(counted, now=now)
    for aside in batch.set_aside:
        if aside.status == EmailStatus.FAILED:
            log.error("email_set_aside", email=aside.pk, reason=aside.reason[:80])
    return Claim(emails, len(rows) - len(throttled), checks)


def _lock_due(*, limit: int, lanes: str, people: Collection[int] | None, only: int | None) -> list[_Row]:
    """Lock due emails that no other sender has locked, the most urgent first."""
    rows_of(BY_INDEX, [])
    wanted = "" if people is None else " AND e.person_id = ANY(%(people)s)"
    wanted += "" if only is None else " AND e.id = %(only)s"
    params = {"limit": limit, "people": list(people or ()), "only": only}
    statement = _DUE.format(lanes=LANES[lanes], only=wanted)
    return [_Row(*row) for row in rows_planned_once(statement, params, generic_plan=True)]


def _compose(
    composer: Composer,
    candidates: Collection[Candidate],
    refused: dict[int, SetAside],
    batch: Batch,
    *,
    now: dt.datetime,
) -> dict[int, Any]:
    """Let a composer write its emails, and settle those refused; what it checks before they leave."""
    composer.compose([email for email in candidates if email.pk not in refused], batch, now=now)
    if hopeless := [email for email in candidates if email.pk in refused]:
        batch.set_aside += [refused[email.pk] for email in hopeless]
        composer.refused(hopeless, now=now)
    return {email.pk: batch.checks[email.pk] for email in candidates if email.pk in batch.checks}


class _Row(NamedTuple):
    """One row of `_DUE`, by column name."""

    pk: int
    kind: str
    lane: int
    person_id: int | None
    address: str
    params: str
    secrets: str | None
    message_id: str
    subject: str
    created_at: dt.datetime
    in_doubt: bool
    unanswered: int
    doubts: int
    attempts: int
    recipe: str | None
    tokens: str | None
    memo: str | None
    repeat_of_id: int | None

    def as_due(self, message_id: str) -> Due:
        """The row with its JSON parsed."""
        recipe = None
        if self.recipe:
            layout, words = json.loads(self.recipe)
            recipe = Recipe(layout, words, json.loads(self.tokens) if self.tokens else [])
        return Due(
            pk=self.pk,
            kind=self.kind,
            lane=self.lane,
            person_id=self.person_id,
            address=self.address,
            params=json.loads(self.params) if self.params != "{}" else {},
            secrets=json.loads(self.secrets) if self.secrets else {},
            message_id=message_id,
            subject=self.subject,
            created_at=self.created_at,
            in_doubt=self.in_doubt,
            unanswered=self.unanswered,
            recipe=recipe,
            memo=json.loads(self.memo) if self.memo else None,
            repeat_of_id=self.repeat_of_id,
        )


def _composers(rows: Sequence[_Row]) -> tuple[dict[Composer, list[Due]], list[SetAside]]:
    """Emails by composer, and those without one.

    Assigns Message-IDs to new ones.
    """
    new = [row.pk for row in rows if not row.message_id]
    message_ids_by_pk = dict(zip(new, message_ids.make(new), strict=True))
    by_composer: dict[Composer, list[Due]] = defaultdict(list)
    unknown: list[SetAside] = []
    for row in rows:
        kind = kind_of(row.kind)
        if kind is None:
            code = EmailReason.NOT_COMPOSED
            reason = code.in_full(f"there is no kind {row.kind}.")
            unknown.append(SetAside(row.pk, EmailStatus.FAILED, reason, code))
        else:
            by_composer[kind.composer].append(row.as_due(row.message_id or message_ids_by_pk[row.pk]))
    return by_composer, unknown


def _refusals(candidates: Collection[Candidate], doubts: dict[int, int]) -> dict[int, SetAside]:
    """Why some emails must not or cannot leave, by number."""
    addresses = {email.address.lower() for email in candidates if email.due.lane != Lane.ACCOUNT}
    suppressed = suppressed_among(addresses)
    delivered = delivered_before(candidates)
    refusals: dict[int, SetAside] = {}
    for email in candidates:
        if email.pk in delivered:
            refusals[email.pk] = SetAside(email.pk, EmailStatus.DROPPED, "Delivered before the restore.")
        elif email.refusal:
            refusals[email.pk] = SetAside(email.pk, EmailStatus.SUPPRESSED, email.refusal)
        elif email.due.lane != Lane.ACCOUNT and email.address.lower() in suppressed:
            refusals[email.pk] = SetAside(email.pk, EmailStatus.SUPPRESSED, "An earlier email to this address bounced.")
        elif not can_be_addressed(email.address):
            refusals[email.pk] = SetAside(email.pk, EmailStatus.FAILED, "The address cannot be written on an envelope.")
        elif doubts[email.pk] >= MAX_DOUBTS:
            code = EmailReason.MAY_HAVE_ARRIVED
            reason = code.in_full(f"the mail server did not say, {MAX_DOUBTS} times.")
            refusals[email.pk] = SetAside(email.pk, EmailStatus.FAILED, reason, code)
        elif email.due.unanswered >= MAX_CLAIMS:
            reason = f"Claimed {email.due.unanswered} times without an answer."
            refusals[email.pk] = SetAside(email.pk, EmailStatus.FAILED, reason)
    return refusals


def _hold(until: Collection[tuple[int, dt.datetime | None]]) -> None:
    """Keep emails queued until a moment."""
    if until:
        for month, rows in by_month(until, key=itemgetter(0)).items():
            columns = {"ids": [pk for pk, _ in rows], "moments": [moment for _, moment in rows]}
            rows_of(_HOLD.format(month=month), columns)


def _claim_one_by_one(
    *, now: dt.datetime, limit: int, lanes: str, people: Collection[int] | None, avoid: Collection[str]
) -> Claim:
    """Claim each email in its own transaction, to find one that fails."""
    only = "" if people is None else " AND e.person_id = ANY(%(people)s)"
    statement = _NUMBERS.format(lanes=LANES[lanes], only=only)
    rows = rows_of(statement, {"limit": limit, "people": list(people or ())})
    emails: list[Claimed] = []
    checks: dict[Composer, dict[int, Any]] = defaultdict(dict)
    examined = 0
    for (pk,) in rows:
        try:
            one = _claim(now=now, limit=1, lanes=lanes, people=people, avoid=avoid, only=pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - as above; which one it was stands in the ledger
            _put_off(pk, error)
            examined += 1
        else:
            emails += one.emails
            examined += one.examined
            for composer, known in one.checks.items():
                checks[composer] |= known
    return Claim(emails, examined, checks)


def _put_off(pk: int, error: Exception) -> None:
    """Retry an email that could not be composed later, or set it aside.

    The exception's text is kept out of the reason.
    """
    code = EmailReason.NOT_COMPOSED
    reason = code.in_full(f"{type(error).__name__} ({_where(error)})")
    params = {"id": pk, "limit": MAX_COMPOSINGS, "first": settings.EMAIL_RETRY_SECONDS}
    rows = rows_of(_PUT_OFF, params | {"reason": reason, "code": code.value})
    if rows:
        event = "email_set_aside" if rows[0][0] == EmailStatus.FAILED else "email_not_composed"
        log.error(event, email=pk, reason=reason[:80])


def _where(error: Exception) -> str:
    """The file and line of the error."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "somewhere"


def claimable(limit: int, lanes: str) -> int:
    """The number of claimable emails up to `limit`, by the database's clock."""
    ((count,),) = rows_planned_once(_COUNT.format(lanes=LANES[lanes]), [limit], generic_plan=True)
    return int(count)


def is_due(*, lanes: str) -> bool:
    """Whether any email can be claimed now."""
    return bool(claimable(1, lanes))
