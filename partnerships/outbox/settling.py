"""Records the answers of mail servers, by which emails are sent, failed or queued again.

Addresses that do not exist are suppressed.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection, Sequence
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
from partnerships.outbox.bounces import note_refusal, suppress_address
from partnerships.outbox.claiming import MAX_DOUBTS
from partnerships.outbox.models import (
    IS_SENDING_SQL,
    IS_UNSETTLED_SQL,
    Email,
    EmailReason,
    EmailStatus,
    Suppression,
    SuppressionCause,
)
from partnerships.outbox.months import rows_by_month
from partnerships.outbox.restoring import ACCEPTED, JournalFacts

log = structlog.get_logger(__name__)

#: How often a server may answer "try later" before an email fails. The waits double up to _MAX_WAIT seconds, so an
#: email fails after about five days (RFC 5321, 4.5.4.1).
MAX_DEFERRALS = 130
_MAX_WAIT = 3600.0
#: How long an email in doubt waits before it is sent again, after the first doubt and after later ones. Both are
#: multiples of EMAIL_RETRY_SECONDS, by default ten minutes and an hour. These are long, so that an outage does not use
#: up all attempts.
_RETRIES_IN_DOUBT, _MORE_RETRIES_IN_DOUBT = 60, 360
#: While connections fail, an email is tried again after at most this many seconds, without a limit of attempts.
_MAX_WAIT_UNREACHED = 300.0
#: A server is not believed if it denied at least _MAX_DENIED addresses in the last hour and refused most of the _RECENT
#: emails before.
_MAX_DENIED, _RECENT = 10, 50
#: Accepted emails are settled in groups of this many, or after this many seconds. If the process is killed before that,
#: the emails of one group are sent again, each with the same Message-ID.
MAX_GROUP, _MAX_GROUP_SECONDS = 10, 1.0
#: For how many seconds a drain tries to settle emails while the database is down.
_GIVE_UP_SECONDS = 600.0

# One statement, because upper rooms register common table expressions that read `done`.
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
 WHERE e.id = answer.id AND e.id = ANY(%(ids)s) AND {IS_SENDING_SQL}
"""  # noqa: S608 - our own constants

# The first retry is soon, and each later retry after twice as long, up to an hour. An email that may have arrived waits
# longer. An email fails after about five days, or if it may have been delivered MAX_DOUBTS times.
_LATER = f"""
WITH answer AS (
    SELECT a.id, a.reason, a.in_doubt, e.doubts + a.counts AS doubts,
           e.deferrals + 1 >= %(limit)s AS is_late, a.counts < 0 AS was_noted,
           a.in_doubt AND e.doubts + a.counts >= %(max_doubts)s AS is_doubtful
      FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(doubts)s::bool[], %(counts)s::int[])
           AS a(id, reason, in_doubt, counts)
      JOIN outbox_email e ON e.id = a.id AND e.id = ANY(%(ids)s) AND {IS_SENDING_SQL}
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

# The connection failed before any reply about the email, so this is not a deferral. If a copy was counted before it was
# sent, it is subtracted again.
_UNREACHED = f"""
UPDATE outbox_email e
   SET status = 'queued', unanswered = 0, reason = answer.reason, reason_code = '', doubts = e.doubts + answer.counts,
       in_doubt = CASE WHEN answer.counts < 0 THEN e.doubts + answer.counts > 0 ELSE e.in_doubt END,
       available_at = clock_timestamp() + interval '1 second'
           * LEAST(GREATEST(%(first)s, EXTRACT(EPOCH FROM clock_timestamp() - e.created_at) / 4), %(longest)s)
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(counts)s::int[]) AS answer(id, reason, counts)
 WHERE e.id = answer.id AND e.id = ANY(%(ids)s) AND {IS_SENDING_SQL}
"""  # noqa: S608 - our own constants

_effects_in_sql: dict[str, str] = {}


def register_accepted_sql(name: str, sql: str) -> None:
    """Register SQL of an upper room that runs with the statement that settles accepted emails.

    The SQL becomes a common table expression called `name`, and may read `done(id, kind, person_id)`, the settled
    emails.
    """
    _effects_in_sql[name] = sql


def _accepted_sql(month: str, *, with_effects: bool) -> str:
    """Return the statement that settles accepted emails of one month. `month` is a key of `rows_by_month`."""
    effects = _effects_in_sql if with_effects else {}
    more = "".join(f",\n{name} AS MATERIALIZED ({sql})" for name, sql in effects.items())
    return _ACCEPTED.format(month=month, still_open=IS_UNSETTLED_SQL, more=more)


class Settler:
    """Collects the answers that a drain gets, and settles the emails in groups.

    Refusals and retries wait for the end of the batch, to see whether the server refuses everybody. If it does, its
    refusals are not believed.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._accepted: list[Answer] = []
        #: Facts about accepted emails that are still to be written to the journal.
        self._facts: list[JournalFacts] = []
        self._others: list[Answer] = []
        #: Ids of emails for which the database already includes this attempt in `doubts`.
        self._doubtful_ids: set[int] = set()
        #: When the first email of the present group was accepted.
        self._group_began = 0.0

    def add(self, answer: Answer, facts: JournalFacts, *, is_doubt_counted: bool = False) -> None:
        """Add one answer. `is_doubt_counted` is true if the database already includes this attempt in `doubts`."""
        if answer.outcome is not Outcome.ACCEPTED:
            self._others.append(answer)
            if is_doubt_counted:
                self._doubtful_ids.add(answer.key)
            return
        now = time.monotonic()
        if not self._accepted:
            self._group_began = now
        self._accepted.append(answer)
        self._facts.append(facts)
        if len(self._accepted) >= MAX_GROUP or now - self._group_began > _MAX_GROUP_SECONDS:
            self._settle(self._accepted)

    def settle(self, *, is_patient: bool = True) -> None:
        """Settle the emails of all added answers. With `is_patient`, wait for a database that is down."""
        seconds = _GIVE_UP_SECONDS if is_patient else 0.0
        self._settle(self._accepted, seconds)
        self._settle(self._others, seconds)
        self._doubtful_ids.clear()

    def _settle(self, answers: list[Answer], seconds: float = _GIVE_UP_SECONDS) -> None:
        """Settle the emails of these answers and clear the list.

        If the database is down, this is tried again for `seconds`.
        """
        facts, self._facts = self._facts, []
        journal.write_all(ACCEPTED, [fact.as_json() for fact in facts], now=timezone.now())
        deadline = time.monotonic() + seconds
        while answers:
            try:
                self.counts += settle_together(answers, doubtful_ids=self._doubtful_ids)
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or time.monotonic() > deadline:
                    raise
                log.warning("not_settled_yet", count=len(answers), kind=type(error).__name__)
                connection.close()
                time.sleep(0.2)
            except Exception as error:
                if connection.in_atomic_block:
                    raise
                log.exception("group_not_settled", count=len(answers), kind=type(error).__name__)
                for answer in answers:
                    self.counts += settle_alone(answer, doubtful_ids=self._doubtful_ids)
                answers.clear()
            else:
                answers.clear()


def settle_alone(answer: Answer, *, doubtful_ids: Collection[int] = ()) -> Counter[str]:
    """Settle one email of a group that could not be settled together.

    If the registered SQL of an upper room fails for an accepted email, the email is settled without this SQL, because
    it must not be sent again.
    """
    try:
        return settle_together([answer], doubtful_ids=doubtful_ids)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if answer.outcome is not Outcome.ACCEPTED:
            log.exception("email_not_settled", email=answer.key, kind=type(error).__name__)
            return Counter()
        log.exception("accepted_without_effects", email=answer.key, kind=type(error).__name__)
    _settle_accepted([answer], with_effects=False)
    return Counter({Outcome.ACCEPTED.name.lower(): 1})


def settle_together(answers: Sequence[Answer], *, doubtful_ids: Collection[int] = ()) -> Counter[str]:
    """Record the outcome of these emails, and return how many had each outcome.

    `doubtful_ids` are the emails for which the database already includes this attempt in `doubts`.
    """
    answers_by_outcome: dict[Outcome, list[Answer]] = {outcome: [] for outcome in Outcome}
    for answer in answers:
        answers_by_outcome[answer.outcome].append(answer)
    denied = answers_by_outcome[Outcome.NO_SUCH_ADDRESS]
    accepted = answers_by_outcome[Outcome.ACCEPTED]
    if denied and not _is_plausible_denial(len(denied), len(accepted)):
        log.error("mail_server_not_believed", count=len(denied))
        answers_by_outcome[Outcome.LATER] += [_downgraded_denial(answer) for answer in denied]
        denied = answers_by_outcome[Outcome.NO_SUCH_ADDRESS] = []

    refused = answers_by_outcome[Outcome.REFUSED]
    deferred = [answer for answer in answers_by_outcome[Outcome.LATER] if answer.reached]
    unreached = [answer for answer in answers_by_outcome[Outcome.LATER] if not answer.reached]
    if accepted:
        _settle_accepted(accepted)
    given_up_ids: set[int] = set()
    if len(accepted) < len(answers):
        given_up_ids = _settle_others([*refused, *denied], unreached, deferred, doubtful_ids)

    failed = [*refused, *(answer for answer in deferred if answer.key in given_up_ids)]
    _act_on_refusals(
        denied=[answer.key for answer in denied],
        soft=[answer.key for answer in failed if _is_about_mailbox_state(answer)],
    )
    return Counter({outcome.name.lower(): len(group) for outcome, group in answers_by_outcome.items() if group})


def _downgraded_denial(answer: Answer) -> Answer:
    """Return the answer of a server that denies most addresses, changed so that the email is tried again later."""
    text = f"The server gives this answer for most addresses: {answer.text}"[:500]
    return replace(answer, outcome=Outcome.LATER, text=text)


def _settle_accepted(answers: Sequence[Answer], *, with_effects: bool = True) -> None:
    """Record that servers have accepted these emails, with one statement for each month."""
    for month, month_answers in rows_by_month(sorted(answers, key=attrgetter("key")), key=attrgetter("key")).items():
        values = {
            "ids": [answer.key for answer in month_answers],
            "providers": [answer.provider_id[:200] for answer in month_answers],
        }
        statement = _accepted_sql(month, with_effects=with_effects)
        rows_planned_once(statement, values, generic_plan=True, by_index=True)


def _settle_others(
    refused: Sequence[Answer], unreached: Sequence[Answer], deferred: Sequence[Answer], doubtful_ids: Collection[int]
) -> set[int]:
    """Record refusals and retries, and return the ids of emails that failed because they were deferred too often."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        if refused:
            cursor.execute(_FAILED, _answer_columns(refused))
        if unreached:
            waits = {"first": settings.EMAIL_RETRY_SECONDS, "longest": _MAX_WAIT_UNREACHED}
            counts = {"counts": [_doubts_of(answer, doubtful_ids) for answer in unreached]}
            cursor.execute(_UNREACHED, _answer_columns(unreached) | counts | waits)
        if not deferred:
            return set()
        cursor.execute(_LATER, _deferral_params(deferred, doubtful_ids))
        return {pk for pk, status, is_doubtful in cursor.fetchall() if status == EmailStatus.FAILED and not is_doubtful}


def _deferral_params(deferred: Sequence[Answer], doubtful_ids: Collection[int]) -> dict[str, Any]:
    """Return the parameters of the statement `_LATER`."""
    return _answer_columns(deferred) | {
        "doubts": [answer.in_doubt for answer in deferred],
        "counts": [_doubts_of(answer, doubtful_ids) for answer in deferred],
        "limit": MAX_DEFERRALS,
        "max_doubts": MAX_DOUBTS,
        "may_have_arrived": EmailReason.MAY_HAVE_ARRIVED.label,
        "doubtful": EmailReason.MAY_HAVE_ARRIVED.value,
        "first": settings.EMAIL_RETRY_SECONDS,
        "longest": _MAX_WAIT,
        "in_doubt": settings.EMAIL_RETRY_SECONDS * _RETRIES_IN_DOUBT,
        "long_in_doubt": settings.EMAIL_RETRY_SECONDS * _MORE_RETRIES_IN_DOUBT,
    }


def _doubts_of(answer: Answer, doubtful_ids: Collection[int]) -> int:
    """Return how many doubts an answer adds to its email.

    If a doubt was counted already, an answer in doubt adds none, and any other answer subtracts it again.
    """
    was_counted = answer.key in doubtful_ids
    if answer.in_doubt:
        return 0 if was_counted else 1
    return -1 if was_counted else 0


def _answer_columns(answers: Sequence[Answer]) -> dict[str, Any]:
    return {"ids": [answer.key for answer in answers], "reasons": [answer.text for answer in answers]}


def _is_about_mailbox_state(answer: Answer) -> bool:
    """Return True if a refusal is about the state of the mailbox (x.2.x), such as a full mailbox."""
    return enhanced_code(answer.text)[1:].startswith(".2.")


def _act_on_refusals(*, denied: Collection[int], soft: Collection[int]) -> None:
    """Suppress the addresses of denied emails, and record soft bounces. Both parameters have ids of emails."""
    now = timezone.now()
    for email in Email.objects.filter(pk__in=denied) if denied else ():
        cause = SuppressionCause.REFUSED
        reason = f"{cause.label}: {email.reason}"
        suppress_address(address=email.address, cause=cause, reason=reason, email_id=email.pk, author_id=None, now=now)
    for email in Email.objects.filter(pk__in=soft) if soft else ():
        note_refusal(email=email, text=email.reason, now=now)


def _is_plausible_denial(denied_count: int, accepted_count: int) -> bool:
    """Return True if a server that has just denied and accepted this many addresses is believed.

    A misconfigured server denies all addresses. A server is believed if it denied few addresses in the last hour, or if
    at most half of its recent answers were refusals.
    """
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    recently_denied = Suppression.objects.filter(since__gt=an_hour_ago, cause=SuppressionCause.REFUSED)
    if recently_denied.count() + denied_count < _MAX_DENIED:
        return True
    settled_emails = Email.objects.filter(settled_at__gt=an_hour_ago, status__in=[EmailStatus.SENT, EmailStatus.FAILED])
    statuses = list(settled_emails.order_by("-pk").values_list("status", flat=True)[:_RECENT])
    refusal_count = statuses.count(EmailStatus.FAILED) + denied_count
    answer_count = len(statuses) + denied_count + accepted_count
    return 2 * refusal_count <= answer_count
