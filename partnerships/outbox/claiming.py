"""Claims due emails, which locks, checks, composes and freezes them in one transaction.

The emails are sent after the commit.
"""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from pathlib import PurePath
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from partnerships.kit.database import BY_INDEX, rows_of, rows_planned_once
from partnerships.outbox import message_ids, throttle
from partnerships.outbox.answers import is_smtp_address
from partnerships.outbox.freezing import freeze_emails
from partnerships.outbox.kinds import Batch, Candidate, Composer, DueEmail, SetAside, email_kind_with_code
from partnerships.outbox.leases import Claim, ClaimedEmail
from partnerships.outbox.models import IS_UNSETTLED_SQL, EmailReason, EmailStatus, Lane
from partnerships.outbox.months import rows_by_month
from partnerships.outbox.parts import Recipe
from partnerships.outbox.queries.suppressions import suppressed_among
from partnerships.outbox.restoring import ids_delivered_before

log = structlog.get_logger(__name__)

#: How often an email is claimed without an answer before it fails, because it probably crashes its worker.
MAX_CLAIMS = 40
#: How often composing an email is tried before it fails. There are several attempts, in case a bug is fixed soon.
MAX_COMPOSINGS = 5
#: How often a server may possibly have accepted an email, without an answer arriving, before the email fails.
MAX_DOUBTS = 3
#: After this time, any sender claims account emails, because the account sender may be down.
_ACCOUNT_OVERDUE = "30 seconds"
#: How long an email waits if the mail server delays other emails to the same domain.
_AVOIDED_FOR = dt.timedelta(seconds=30)

#: Which emails a sender may claim, as an SQL condition on the email `e`.
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

_DUE_IDS = f"""
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

# An email that could not be composed is tried again, each time after twice as long, and finally fails.
_RETRY_COMPOSING = f"""
UPDATE outbox_email e
   SET status = CASE WHEN e.unanswered + 1 >= %(limit)s THEN 'failed' ELSE 'queued' END,
       settled_at = CASE WHEN e.unanswered + 1 >= %(limit)s THEN clock_timestamp() END,
       in_doubt = e.in_doubt OR e.status = 'sending', attempts = e.attempts + 1, unanswered = e.unanswered + 1,
       available_at = clock_timestamp() + %(first)s * 2 ^ LEAST(e.unanswered, 10) * interval '1 second',
       reason = %(reason)s, reason_code = %(code)s
 WHERE e.id = %(id)s AND {IS_UNSETTLED_SQL} AND e.available_at <= statement_timestamp()
RETURNING e.status
"""  # noqa: S608 - our own constants


def claim_emails(
    *,
    now: dt.datetime,
    limit: int,
    lanes: str = "all",
    people: Collection[int] | None = None,
    avoid: Collection[str] = (),
) -> Claim:
    """Claim up to `limit` due emails of these lanes and, if given, to these people.

    * Emails to the domains `avoid` wait for half a minute.
    * Emails of people who paused wait for the end of the pause.
    * Emails that nobody may read any more, or that have no content, are settled here.
    * An email that cannot be composed does not block the others. It is tried again and finally fails.
    """
    try:
        return _claim_in_one_transaction(now=now, limit=limit, lanes=lanes, people=people, avoid=avoid)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one email may break its composer in any way; the others must be sent
        log.error("batch_not_composed", kind=type(error).__name__, where=_error_location(error))
        return _claim_one_by_one(now=now, limit=limit, lanes=lanes, people=people, avoid=avoid)


def _claim_in_one_transaction(
    *,
    now: dt.datetime,
    limit: int,
    lanes: str,
    people: Collection[int] | None = None,
    avoid: Collection[str] = (),
    only: int | None = None,
) -> Claim:
    """Claim and compose due emails in one transaction. With `only`, claim only the email with this id."""
    with transaction.atomic():
        rows = _lock_due(limit=limit, lanes=lanes, people=people, only=only)
        if not rows:
            return Claim(emails=[], examined=0, checks={})
        due_by_composer, emails_of_unknown_kind = _group_by_composer(rows)
        candidates_by_composer = {
            composer: composer.candidates(due, now=now) for composer, due in due_by_composer.items()
        }
        candidates = [email for group in candidates_by_composer.values() for email in group]
        refusals = _refusals(candidates, {row.pk: row.doubts for row in rows})

        _avoid_domains(candidates, avoid, now)
        held_ids = _hold_until_their_time(email for email in candidates if email.pk not in refusals)
        emails_to_send = [email for email in candidates if email.pk not in held_ids and email.pk not in refusals]
        throttled_ids, count_by_domain = _throttle(emails_to_send, now)

        batch = Batch(set_aside=emails_of_unknown_kind)
        waiting_ids = held_ids | throttled_ids
        checks = {}
        for composer, group in candidates_by_composer.items():
            emails_to_settle = [email for email in group if email.pk not in waiting_ids]
            checks[composer] = _compose_candidates(composer, emails_to_settle, refusals, batch, now=now)
        _hold_emails(list(batch.later.items()))

        attempts_by_email = {row.pk: row.attempts for row in rows}
        claimed_emails = freeze_emails(batch, {email.pk: email for email in emails_to_send}, attempts_by_email, now)
        throttle.count_sends(count_by_domain, now=now)

    for settled in batch.set_aside:
        if settled.status == EmailStatus.FAILED:
            log.error("email_set_aside", email=settled.pk, reason=settled.reason[:80])
    # A drain ends after a claim that examined nothing. If all emails are throttled, it must end too.
    return Claim(emails=claimed_emails, examined=len(rows) - len(throttled_ids), checks=checks)


def _avoid_domains(candidates: Iterable[Candidate], domains: Collection[str], now: dt.datetime) -> None:
    """Let the emails to these domains wait for a while, unless they must wait for another reason."""
    for email in candidates:
        if email.hold_until is None and throttle.domain_of(email.address) in domains:
            email.hold_until = now + _AVOIDED_FOR


def _hold_until_their_time(candidates: Iterable[Candidate]) -> set[int]:
    """Return the emails with a `hold_until` to the queue until then. Returns their ids."""
    hold_until_by_email = {email.pk: email.hold_until for email in candidates if email.hold_until is not None}
    _hold_emails(list(hold_until_by_email.items()))
    return set(hold_until_by_email)


def _throttle(candidates: Iterable[Candidate], now: dt.datetime) -> tuple[set[int], Counter[str]]:
    """Return the emails over a limit of `throttle` to the queue until the next minute. Account emails have no limit.

    Returns the ids of these emails, and the number of the other limited emails for each domain.
    """
    limited_emails = [(email.pk, email.address) for email in candidates if email.due.lane != Lane.ACCOUNT]
    throttled_ids, count_by_domain = throttle.ids_over_limit(limited_emails, now=now)
    _hold_emails([(pk, throttle.next_minute(now)) for pk in sorted(throttled_ids)])
    return throttled_ids, count_by_domain


def _lock_due(*, limit: int, lanes: str, people: Collection[int] | None, only: int | None) -> list[_DueRow]:
    """Lock due emails that no other sender has locked, the most urgent first."""
    rows_of(BY_INDEX, [])  # for all statements of this transaction
    conditions = "" if people is None else " AND e.person_id = ANY(%(people)s)"
    conditions += "" if only is None else " AND e.id = %(only)s"
    params = {"limit": limit, "people": list(people or ()), "only": only}
    statement = _DUE.format(lanes=LANES[lanes], only=conditions)
    return [_DueRow(*row) for row in rows_planned_once(statement, params, generic_plan=True)]


def _compose_candidates(
    composer: Composer,
    candidates: Collection[Candidate],
    refusals: dict[int, SetAside],
    batch: Batch,
    *,
    now: dt.datetime,
) -> dict[int, Any]:
    """Let a composer write its emails, and set the refused emails aside.

    Returns what to check before each email is sent, by the id of the email.
    """
    composer.compose([email for email in candidates if email.pk not in refusals], batch, now=now)
    refused_emails = [email for email in candidates if email.pk in refusals]
    if refused_emails:
        batch.set_aside += [refusals[email.pk] for email in refused_emails]
        composer.refused(refused_emails, now=now)
    return {email.pk: batch.checks[email.pk] for email in candidates if email.pk in batch.checks}


class _DueRow(NamedTuple):
    """One row of `_DUE`, with the same column names."""

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

    def as_due(self, message_id: str) -> DueEmail:
        """Return the email of this row, with its JSON parsed."""
        recipe = None
        if self.recipe:
            layout, own_texts = json.loads(self.recipe)
            recipe = Recipe(layout, own_texts, json.loads(self.tokens) if self.tokens else [])
        return DueEmail(
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


def _group_by_composer(rows: Sequence[_DueRow]) -> tuple[dict[Composer, list[DueEmail]], list[SetAside]]:
    """Return the emails of each composer, and the emails of unknown kinds, which are set aside.

    Emails without a Message-ID get one.
    """
    new_ids = [row.pk for row in rows if not row.message_id]
    new_message_ids = dict(zip(new_ids, message_ids.make(new_ids), strict=True))
    due_by_composer: dict[Composer, list[DueEmail]] = defaultdict(list)
    emails_of_unknown_kind: list[SetAside] = []
    for row in rows:
        kind = email_kind_with_code(row.kind)
        if kind is None:
            code = EmailReason.NOT_COMPOSED
            reason = code.in_full(f"this kind of email no longer exists: {row.kind}.")
            emails_of_unknown_kind.append(SetAside(row.pk, EmailStatus.FAILED, reason, code))
        else:
            due_by_composer[kind.composer].append(row.as_due(row.message_id or new_message_ids[row.pk]))
    return due_by_composer, emails_of_unknown_kind


def _refusals(candidates: Collection[Candidate], doubts_by_email: dict[int, int]) -> dict[int, SetAside]:
    """Return the emails that must not or cannot be sent, by id, with the reasons."""
    addresses = {email.address.lower() for email in candidates if email.due.lane != Lane.ACCOUNT}
    suppressed_addresses = suppressed_among(addresses)
    delivered_ids = ids_delivered_before(candidates)
    refusals: dict[int, SetAside] = {}
    for email in candidates:
        if email.pk in delivered_ids:
            refusals[email.pk] = SetAside(email.pk, EmailStatus.DROPPED, "Delivered before the restore.")
        elif email.refusal:
            refusals[email.pk] = SetAside(email.pk, EmailStatus.SUPPRESSED, email.refusal)
        elif email.due.lane != Lane.ACCOUNT and email.address.lower() in suppressed_addresses:
            refusals[email.pk] = SetAside(email.pk, EmailStatus.SUPPRESSED, "An earlier email to this address bounced.")
        elif not is_smtp_address(email.address):
            refusals[email.pk] = SetAside(
                email.pk,
                EmailStatus.FAILED,
                "Mail servers do not accept this address. Correct it before sending the email again.",
            )
        elif doubts_by_email[email.pk] >= MAX_DOUBTS:
            code = EmailReason.MAY_HAVE_ARRIVED
            reason = code.in_full(f"we sent the email {MAX_DOUBTS} times, and the mail server never confirmed it.")
            refusals[email.pk] = SetAside(email.pk, EmailStatus.FAILED, reason, code)
        elif email.due.unanswered >= MAX_CLAIMS:
            reason = f"We tried {email.due.unanswered} times to send the email and got no answer."
            refusals[email.pk] = SetAside(email.pk, EmailStatus.FAILED, reason)
    return refusals


def _hold_emails(moments: Collection[tuple[int, dt.datetime]]) -> None:
    """Return emails to the queue, each as a pair of its id and the time until which it waits."""
    for month, month_rows in rows_by_month(moments, key=itemgetter(0)).items():
        columns = {"ids": [pk for pk, _ in month_rows], "moments": [moment for _, moment in month_rows]}
        rows_of(_HOLD.format(month=month), columns)


def _claim_one_by_one(
    *, now: dt.datetime, limit: int, lanes: str, people: Collection[int] | None, avoid: Collection[str]
) -> Claim:
    """Claim each email in a separate transaction, so that one that breaks its composer does not stop the others."""
    condition = "" if people is None else " AND e.person_id = ANY(%(people)s)"
    statement = _DUE_IDS.format(lanes=LANES[lanes], only=condition)
    rows = rows_of(statement, {"limit": limit, "people": list(people or ())})
    emails: list[ClaimedEmail] = []
    checks: dict[Composer, dict[int, Any]] = defaultdict(dict)
    examined_count = 0
    for (pk,) in rows:
        try:
            single_claim = _claim_in_one_transaction(now=now, limit=1, lanes=lanes, people=people, avoid=avoid, only=pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - one email may break its composer in any way
            _retry_composing(pk, error)
            examined_count += 1
        else:
            emails += single_claim.emails
            examined_count += single_claim.examined
            for composer, composer_checks in single_claim.checks.items():
                checks[composer] |= composer_checks
    return Claim(emails, examined_count, checks)


def _retry_composing(pk: int, error: Exception) -> None:
    """Return an email that could not be composed to the queue, or let it fail after several attempts.

    The reason does not contain the text of the exception, which may contain content that only partners may read.
    """
    code = EmailReason.NOT_COMPOSED
    reason = code.in_full(f"{type(error).__name__} ({_error_location(error)})")
    params = {"id": pk, "limit": MAX_COMPOSINGS, "first": settings.EMAIL_RETRY_SECONDS}
    rows = rows_of(_RETRY_COMPOSING, params | {"reason": reason, "code": code.value})
    if rows:
        event = "email_set_aside" if rows[0][0] == EmailStatus.FAILED else "email_not_composed"
        log.error(event, email=pk, reason=reason[:80])


def _error_location(error: Exception) -> str:
    """Return the file and line in which the error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "somewhere"


def count_claimable(limit: int, lanes: str) -> int:
    """Return how many emails can be claimed now by the database's clock, up to `limit`."""
    ((count,),) = rows_planned_once(_COUNT.format(lanes=LANES[lanes]), [limit], generic_plan=True)
    return int(count)


def has_due_emails(*, lanes: str) -> bool:
    """Return True if an email can be claimed now."""
    return bool(count_claimable(1, lanes))
