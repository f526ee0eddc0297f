"""Settles emails: records servers' answers, retries, fails and suppresses."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.database import BY_INDEX, rows_planned_once
from partnerships.outbox.answers import Answer, Outcome, enhanced_code
from partnerships.outbox.bounces import note_refusal, suppress
from partnerships.outbox.claiming import MAX_DOUBTS
from partnerships.outbox.models import (
    STILL_OPEN,
    STILL_SENDING,
    Email,
    EmailReason,
    EmailStatus,
    Suppression,
    SuppressionCause,
)
from partnerships.outbox.months import by_month
from partnerships.outbox.restoring import ACCEPTED, Facts

log = structlog.get_logger(__name__)

#: Attempts before an email fails: the waits double up to an hour, which makes five days (RFC 5321, 4.5.4.1).
MAX_DEFERRALS = 130
_MAX_WAIT = 3600.0
#: Before an email in doubt is sent again, after the first doubt and after each later one, in EMAIL_RETRY_SECONDS: ten
#: minutes and an hour by default. An outage must not use up its copies.
_RETRIES_IN_DOUBT, _MORE_RETRIES_IN_DOUBT = 60, 360
#: While connections fail, emails are retried at least this often, without limit.
_MAX_WAIT_UNREACHED = 300.0
#: A server that denied this many addresses in the last hour, and refused most emails, is not believed.
_MAX_DENIED, _RECENT = 10, 50
#: Accepted emails are settled in groups of this many, or after this many seconds. A killed process sends the emails of
#: one group again, each with its first Message-ID.
MAX_GROUP, _MAX_GROUP_SECONDS = 10, 1.0
#: Seconds for which a drain tries to settle while the database is down.
_GIVE_UP_SECONDS = 600.0

# One statement: SQL of upper rooms about accepted emails (`on_accepted`) reads `done`.
_ACCEPTED = """
WITH answer(id, provider_id) AS (SELECT * FROM unnest(%(ids)s::bigint[], %(providers)s::text[])),
done AS (
    UPDATE outbox_email e
       SET status = 'sent', settled_at = clock_timestamp(), reason = '', reason_code = '',
           provider_id = answer.provider_id, secrets = NULL, tokens = NULL
      FROM answer WHERE e.id = answer.id AND {month} AND {still_open}
    RETURNING e.id, e.kind, e.person_id
){more}
SELECT count(*) FROM done
"""

_FAILED = f"""
UPDATE outbox_email e
   SET status = 'failed', settled_at = clock_timestamp(), reason = answer.reason, reason_code = '',
       secrets = NULL, tokens = NULL
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS answer(id, reason)
 WHERE e.id = answer.id AND e.id = ANY(%(ids)s) AND {STILL_SENDING}
"""  # noqa: S608 - our own constants

# The first retry comes soon, each later one after twice as long, at most an hour; later if the email may have arrived.
# It fails after five days, or if it may have been delivered often enough.
_LATER = f"""
WITH answer AS (
    SELECT a.id, a.reason, a.in_doubt, e.doubts + a.counts AS doubts,
           e.deferrals + 1 >= %(limit)s AS is_late, a.counts < 0 AS was_noted,
           a.in_doubt AND e.doubts + a.counts >= %(max_doubts)s AS is_doubtful
      FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(doubts)s::bool[], %(counts)s::int[])
           AS a(id, reason, in_doubt, counts)
      JOIN outbox_email e ON e.id = a.id AND e.id = ANY(%(ids)s) AND {STILL_SENDING}
       FOR UPDATE OF e
)
UPDATE outbox_email e
   SET status = CASE WHEN answer.is_late OR answer.is_doubtful THEN 'failed' ELSE 'queued' END,
       settled_at = CASE WHEN answer.is_late OR answer.is_doubtful THEN clock_timestamp() END,
       deferrals = e.deferrals + 1, unanswered = 0, doubts = answer.doubts,
       in_doubt = CASE WHEN answer.was_noted THEN answer.doubts > 0 ELSE e.in_doubt OR answer.in_doubt END,
       available_at = clock_timestamp() + interval '1 second' * CASE
           WHEN answer.in_doubt THEN CASE WHEN answer.doubts <= 1 THEN %(in_doubt)s ELSE %(long_in_doubt)s END
           ELSE LEAST(%(first)s * 2 ^ LEAST(e.deferrals, 20), %(longest)s) END,
       reason = CASE WHEN answer.is_doubtful THEN left(%(may_have_arrived)s || ': ' || answer.reason, 500)
                     ELSE answer.reason END,
       reason_code = CASE WHEN answer.is_doubtful THEN %(doubtful)s ELSE '' END
  FROM answer
 WHERE e.id = answer.id AND e.id = ANY(%(ids)s)
RETURNING e.id, e.status, answer.is_doubtful
"""  # noqa: S608 - our own constants

# Connection failed before any reply: does not count as a delivery attempt, nor as the copy that was noted for it.
_UNREACHED = f"""
UPDATE outbox_email e
   SET status = 'queued', unanswered = 0, reason = answer.reason, reason_code = '', doubts = e.doubts + answer.counts,
       in_doubt = CASE WHEN answer.counts < 0 THEN e.doubts + answer.counts > 0 ELSE e.in_doubt END,
       available_at = clock_timestamp() + interval '1 second'
           * LEAST(GREATEST(%(first)s, EXTRACT(EPOCH FROM clock_timestamp() - e.created_at) / 4), %(longest)s)
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(counts)s::int[]) AS answer(id, reason, counts)
 WHERE e.id = answer.id AND e.id = ANY(%(ids)s) AND {STILL_SENDING}
"""  # noqa: S608 - our own constants

_on_accepted: dict[str, str] = {}
_when_accepted: list[Callable[[Sequence[int]], None]] = []


def on_accepted(name: str, sql: str) -> None:
    """Add SQL that runs when emails were accepted.

    A common table expression, which may read `done(id, kind, person_id)`. Upper rooms register it at start-up.
    """
    _on_accepted[name] = sql


def when_accepted(call: Callable[[Sequence[int]], None]) -> None:
    """Call `call` with the numbers of accepted emails, before settling."""
    _when_accepted.append(call)


def _accepted_sql(month: str, *, with_effects: bool) -> str:
    """The statement that settles accepted emails of one month.

    The month is a condition of `months`.
    """
    effects = _on_accepted if with_effects else {}
    more = "".join(f",\n{name} AS MATERIALIZED ({sql})" for name, sql in effects.items())
    return _ACCEPTED.format(month=month, still_open=STILL_OPEN, more=more)


class Settler:
    """Gathers the answers of a drain, and settles them in groups.

    Refusals and retries wait for the end of the batch, so that a server that refuses everybody is not believed.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._accepted: list[Answer] = []
        #: What the journal does not have yet of those.
        self._facts: list[Facts] = []
        self._others: list[Answer] = []
        self._noted: set[int] = set()
        self._since = 0.0

    def put(self, answer: Answer, facts: Facts, *, noted: bool = False) -> None:
        """Take one answer; `noted`: its doubt was counted before it was sent or while waiting."""
        if answer.outcome is not Outcome.ACCEPTED:
            self._others.append(answer)
            if noted:
                self._noted.add(answer.key)
            return
        now = time.monotonic()
        if not self._accepted:
            self._since = now
        self._accepted.append(answer)
        self._facts.append(facts)
        if len(self._accepted) >= MAX_GROUP or now - self._since > _MAX_GROUP_SECONDS:
            self._settle(self._accepted)

    def settle(self, *, is_patient: bool = True) -> None:
        """Settle what was put; `is_patient` waits for a database that is down."""
        seconds = _GIVE_UP_SECONDS if is_patient else 0.0
        self._settle(self._accepted, seconds)
        self._settle(self._others, seconds)
        self._noted.clear()

    def _settle(self, answers: list[Answer], seconds: float = _GIVE_UP_SECONDS) -> None:
        """Settle and forget these answers, within this time."""
        facts, self._facts = self._facts, []
        journal.write_all(ACCEPTED, [fact.as_json() for fact in facts], now=timezone.now())
        give_up = time.monotonic() + seconds
        while answers:
            try:
                self.counts += settle(answers, noted=self._noted)
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or time.monotonic() > give_up:
                    raise
                log.warning("not_settled_yet", count=len(answers), kind=type(error).__name__)
                connection.close()
                time.sleep(0.2)
            except Exception as error:
                if connection.in_atomic_block:
                    raise
                log.exception("group_not_settled", count=len(answers), kind=type(error).__name__)
                for answer in answers:
                    self.counts += settle_alone(answer, noted=self._noted)
                answers.clear()
            else:
                answers.clear()


def settle_alone(answer: Answer, *, noted: Collection[int] = ()) -> Counter[str]:
    """Settle one email of a group that could not be settled together.

    What upper rooms do with an accepted email is left out if it fails: the email must not be sent again.
    """
    try:
        return settle([answer], noted=noted)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if answer.outcome is not Outcome.ACCEPTED:
            log.exception("email_not_settled", email=answer.key, kind=type(error).__name__)
            return Counter()
        log.exception("accepted_without_effects", email=answer.key, kind=type(error).__name__)
    _settle_accepted([answer], with_effects=False)
    return Counter({Outcome.ACCEPTED.name.lower(): 1})


def settle(answers: Sequence[Answer], *, noted: Collection[int] = ()) -> Counter[str]:
    """Record what became of these emails.

    `noted` are those counted as in doubt before they were sent or while the sender waited.
    """
    by_outcome: dict[Outcome, list[Answer]] = {outcome: [] for outcome in Outcome}
    for answer in answers:
        by_outcome[answer.outcome].append(answer)
    denied = by_outcome[Outcome.NO_SUCH_ADDRESS]
    if denied and not _is_believed(len(denied), len(by_outcome[Outcome.ACCEPTED])):
        log.error("mail_server_not_believed", count=len(denied))
        by_outcome[Outcome.LATER] += [
            replace(
                answer,
                outcome=Outcome.LATER,
                text=f"The server gives this answer for most addresses: {answer.text}"[:500],
            )
            for answer in denied
        ]
        denied = by_outcome[Outcome.NO_SUCH_ADDRESS] = []
    later = [answer for answer in by_outcome[Outcome.LATER] if answer.reached]
    unreached = [answer for answer in by_outcome[Outcome.LATER] if not answer.reached]
    given_up: set[int] = set()
    if by_outcome[Outcome.ACCEPTED]:
        _settle_accepted(by_outcome[Outcome.ACCEPTED])
    if len(by_outcome[Outcome.ACCEPTED]) < len(answers):
        given_up = _settle_others([*by_outcome[Outcome.REFUSED], *denied], unreached, later, noted)
    full = [*by_outcome[Outcome.REFUSED], *(answer for answer in later if answer.key in given_up)]
    _act_on_refusals(
        [answer.key for answer in denied], [answer.key for answer in full if _speaks_of_the_mailbox(answer)]
    )
    return Counter({outcome.name.lower(): len(group) for outcome, group in by_outcome.items() if group})


def _settle_accepted(answers: Sequence[Answer], *, with_effects: bool = True) -> None:
    """One round trip for each month, because this is done for every few emails."""
    numbers = [answer.key for answer in answers]
    for call in _when_accepted if with_effects else ():
        call(numbers)
    for month, month_answers in by_month(sorted(answers, key=attrgetter("key")), key=attrgetter("key")).items():
        values = {
            "ids": [answer.key for answer in month_answers],
            "providers": [answer.provider_id[:200] for answer in month_answers],
        }
        statement = _accepted_sql(month, with_effects=with_effects)
        rows_planned_once(statement, values, generic_plan=True, by_index=True)


def _settle_others(
    refused: Sequence[Answer], unreached: Sequence[Answer], later: Sequence[Answer], noted: Collection[int]
) -> set[int]:
    """Record refusals and retries.

    Returns the numbers given up after too many retries.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        if refused:
            cursor.execute(_FAILED, _answer_columns(refused))
        if unreached:
            waits = {"first": settings.EMAIL_RETRY_SECONDS, "longest": _MAX_WAIT_UNREACHED}
            counts = {"counts": [_doubts_of(answer, noted) for answer in unreached]}
            cursor.execute(_UNREACHED, _answer_columns(unreached) | counts | waits)
        if not later:
            return set()
        cursor.execute(_LATER, _put_off(later, noted))
        return {pk for pk, status, is_doubtful in cursor.fetchall() if status == EmailStatus.FAILED and not is_doubtful}


def _put_off(later: Sequence[Answer], noted: Collection[int]) -> dict[str, Any]:
    return _answer_columns(later) | {
        "doubts": [answer.in_doubt for answer in later],
        "counts": [_doubts_of(answer, noted) for answer in later],
        "limit": MAX_DEFERRALS,
        "max_doubts": MAX_DOUBTS,
        "may_have_arrived": EmailReason.MAY_HAVE_ARRIVED.label,
        "doubtful": EmailReason.MAY_HAVE_ARRIVED.value,
        "first": settings.EMAIL_RETRY_SECONDS,
        "longest": _MAX_WAIT,
        "in_doubt": settings.EMAIL_RETRY_SECONDS * _RETRIES_IN_DOUBT,
        "long_in_doubt": settings.EMAIL_RETRY_SECONDS * _MORE_RETRIES_IN_DOUBT,
    }


def _doubts_of(answer: Answer, noted: Collection[int]) -> int:
    """How many doubts an answer adds.

    A clear answer, or none because there was no connection, removes a doubt that was counted before.
    """
    if answer.in_doubt:
        return 0 if answer.key in noted else 1
    return -1 if answer.key in noted else 0


def _answer_columns(answers: Sequence[Answer]) -> dict[str, Any]:
    return {"ids": [answer.key for answer in answers], "reasons": [answer.text for answer in answers]}


def _speaks_of_the_mailbox(answer: Answer) -> bool:
    """Whether a refusal is about a mailbox's state, which is a soft bounce.

    Codes x.2.x, such as a full mailbox.
    """
    return enhanced_code(answer.text)[1:].startswith(".2.")


def _act_on_refusals(denied: Collection[int], soft: Collection[int]) -> None:
    now = timezone.now()
    for email in Email.objects.filter(pk__in=denied) if denied else ():
        cause = SuppressionCause.REFUSED
        reason = f"{cause.label}: {email.reason}"
        suppress(address=email.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)
    for email in Email.objects.filter(pk__in=soft) if soft else ():
        note_refusal(email=email, text=email.reason, now=now)


def _is_believed(denied: int, accepted: int) -> bool:
    """Whether to believe a server that denies this many addresses.

    A misconfigured server denies all of them.
    """
    since = timezone.now() - dt.timedelta(hours=1)
    refusals = Suppression.objects.filter(since__gt=since, cause=SuppressionCause.REFUSED)
    if refusals.count() + denied < _MAX_DENIED:
        return True
    settled = Email.objects.filter(settled_at__gt=since, status__in=[EmailStatus.SENT, EmailStatus.FAILED])
    statuses = list(settled.order_by("-pk").values_list("status", flat=True)[:_RECENT])
    return 2 * (statuses.count(EmailStatus.FAILED) + denied) <= len(statuses) + denied + accepted
