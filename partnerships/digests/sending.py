"""Claiming deliveries, sending them over a kept connection, and settling what the server answered.

A delivery is claimed under a lease, composed and committed before anything leaves. What was answered is settled in
groups on a second connection while the next letters leave: a killed worker repeats the few that were answered but not
yet settled, each under its first Message-ID, and loses none, for what it held returns when the lease ends.
"""

from __future__ import annotations

import datetime as dt
import gc
import select
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parseaddr
from operator import attrgetter
from typing import Any, Protocol

import psycopg2
import psycopg2.extensions
import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import extras

from partnerships.digests.bounces import suppress
from partnerships.digests.claiming import Claimed, claim
from partnerships.digests.models import Delivery
from partnerships.kit import mail

log = structlog.get_logger(__name__)

#: Letters claimed at a time: enough to share the cost of a transaction, few enough for a lease.
BATCH = 250
#: Nothing is sent in the last seconds of a lease: another worker may be about to take it.
_MARGIN = 10
#: Who cannot be reached for so long is given up; what changes later is told from where they were left.
_PATIENCE = dt.timedelta(hours=48)
_LONGEST_WAIT = 3600.0


@dataclass(slots=True)
class Tally:
    """What one drain did."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many deliveries were settled in any way."""
        return self.counts.total()


# ---- Settling

# Groups are small and everything is found by index; right after a quiet time the planner still believes the tables to
# be empty, and would read them from end to end for every row.
_SENT = """
SET LOCAL enable_seqscan = off;
WITH answer(id, provider_id) AS (SELECT * FROM unnest(%(ids)s::bigint[], %(providers)s::text[])),
done AS (
    UPDATE digests_delivery d
       SET status = 'sent', settled_at = clock_timestamp(), reason = '', provider_id = answer.provider_id
      FROM answer WHERE d.id = answer.id AND d.status IN ('sending', 'queued')
    RETURNING d.id, d.recipient_id
),
mine AS (
    SELECT t.id, i.to_number, i.reading_class
      FROM done
      JOIN digests_deliveryitem i ON i.delivery_id = done.id
      JOIN digests_told t ON t.recipient_id = done.recipient_id AND t.plan_id = i.plan_id
     ORDER BY t.id
       FOR UPDATE OF t
)
UPDATE digests_told t
   SET number = GREATEST(t.number, mine.to_number), reading_class = mine.reading_class, told_at = clock_timestamp()
  FROM mine WHERE t.id = mine.id
"""

_FAILED = """
UPDATE digests_delivery d SET status = 'failed', settled_at = clock_timestamp(), reason = answer.reason
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS answer(id, reason)
 WHERE d.id = answer.id AND d.status = 'sending'
"""

# The first try again comes soon, each later one after twice as long, an hour at most; after two days it is given up.
_LATER = """
UPDATE digests_delivery d
   SET status = CASE WHEN d.created_at < clock_timestamp() - %(patience)s::interval THEN 'failed' ELSE 'queued' END,
       settled_at = CASE WHEN d.created_at < clock_timestamp() - %(patience)s::interval THEN clock_timestamp() END,
       available_at = clock_timestamp()
                      + LEAST(%(first)s * 2 ^ LEAST(d.attempts - 1, 20), %(longest)s) * interval '1 second',
       reason = answer.reason
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS answer(id, reason)
 WHERE d.id = answer.id AND d.status = 'sending'
"""

# Letters that were claimed but not tried go back at once, as if they had not been claimed.
_RELEASE = """
UPDATE digests_delivery SET status = 'queued', available_at = clock_timestamp(), attempts = GREATEST(attempts - 1, 0)
 WHERE id = ANY(%(ids)s) AND status = 'sending'
"""


def settle(answers: Sequence[mail.Answer]) -> Counter[str]:
    """Write down what became of these letters; whoever was reached counts as told."""
    by: dict[mail.Outcome, list[mail.Answer]] = {outcome: [] for outcome in mail.Outcome}
    for answer in answers:
        by[answer.outcome].append(answer)
    refused = [*by[mail.Outcome.REFUSED], *by[mail.Outcome.NO_SUCH_ADDRESS]]
    with transaction.atomic(), connection.cursor() as cursor:
        if by[mail.Outcome.TAKEN]:
            cursor.execute(_SENT, _taken(by[mail.Outcome.TAKEN]))
        for sql, some in ((_FAILED, refused), (_LATER, by[mail.Outcome.LATER])):
            if some:
                cursor.execute(
                    sql,
                    {
                        "ids": [one.key for one in some],
                        "reasons": [one.text for one in some],
                        "patience": f"{_PATIENCE.total_seconds():.0f} seconds",
                        "first": settings.DIGEST_RETRY_SECONDS,
                        "longest": _LONGEST_WAIT,
                    },
                )
    gone = [answer.key for answer in by[mail.Outcome.NO_SUCH_ADDRESS]]
    for delivery in Delivery.objects.filter(pk__in=gone) if gone else ():
        suppress(
            address=delivery.address,
            reason=f"The mail server refused the address: {delivery.reason}",
            delivery=delivery,
            author=None,
            now=timezone.now(),
        )
    return Counter({outcome.name.lower(): len(some) for outcome, some in by.items() if some})


def _taken(answers: Sequence[mail.Answer]) -> dict[str, Any]:
    ordered = sorted(answers, key=attrgetter("key"))
    return {"ids": [one.key for one in ordered], "providers": [one.provider_id[:200] for one in ordered]}


class Settler(Protocol):
    """Takes answers and sees to it that they are settled."""

    def put(self, answer: mail.Answer) -> None:
        """Take one answer."""

    def finish(self) -> Counter[str]:
        """Settle whatever is left, and say how many of each kind there were."""


class SettlerInLine:
    """Settles on the caller's own connection, all at the end of a batch: for tests and single letters."""

    def __init__(self) -> None:
        self._answers: list[mail.Answer] = []

    def put(self, answer: mail.Answer) -> None:
        """Keep the answer until the end of the batch."""
        self._answers.append(answer)

    def finish(self) -> Counter[str]:
        """Settle the batch."""
        answers, self._answers = self._answers, []
        return settle(answers) if answers else Counter()


class SettlerBeside:
    """Settles on a second connection that never blocks: while the database commits one group, the next letters leave.

    A letter that was not taken is settled at once by itself. When the database is away, it waits for it, longer than a
    lease could still belong to this worker.
    """

    #: Answers keep each other company for so long, but no more than so many: what a killed worker repeats.
    _WAIT, _MOST = 0.004, 5
    _GIVE_UP = 600.0

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._waiting: list[mail.Answer] = []
        self._under_way: list[mail.Answer] = []
        self._since = 0.0
        self._second: Any = None
        self._cursor: Any = None

    def put(self, answer: mail.Answer) -> None:
        """Take an answer, and send a group off if the last one is done."""
        if answer.outcome is not mail.Outcome.TAKEN:
            self._counts += settle([answer])
            return
        now = time.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting.append(answer)
        if (len(self._waiting) >= self._MOST or now - self._since > self._WAIT) and self._is_free():
            self._send_off()

    def finish(self) -> Counter[str]:
        """Wait until everything is settled, and give the connection back."""
        while self._under_way or self._waiting:
            self._wait()
            if self._waiting:
                self._send_off()
        if self._second is not None:
            self._second.close()
            self._second = None
        counts, self._counts = self._counts, Counter()
        return counts

    def _is_free(self) -> bool:
        if not self._under_way:
            return True
        try:
            if self._second.poll() != psycopg2.extensions.POLL_OK:
                return False
        except psycopg2.Error:
            self._again()
            return False
        self._done()
        return True

    def _wait(self) -> None:
        """Wait for the group that is under way."""
        while self._under_way and not self._is_free():
            readable = self._second.poll() != psycopg2.extensions.POLL_WRITE if self._second is not None else True
            if self._second is not None:
                select.select([self._second] if readable else [], [] if readable else [self._second], [], 0.05)

    def _send_off(self) -> None:
        self._under_way, self._waiting = self._waiting, []
        try:
            if self._second is None:
                self._second = _second_connection()
            self._cursor = self._second.cursor()  # kept: an asynchronous query ends with its cursor
            self._cursor.execute(_SENT, _taken(self._under_way))
        except psycopg2.Error:
            self._again()

    def _done(self) -> None:
        self._counts["taken"] += len(self._under_way)
        self._under_way = []

    def _again(self) -> None:
        """The database went away: settle the group on the first connection as soon as it answers."""
        if self._second is not None:
            self._second.close()
            self._second = None
        give_up = time.monotonic() + self._GIVE_UP
        while True:
            try:
                settle(self._under_way)
            except DatabaseError as error:
                connection.close()
                if time.monotonic() > give_up:
                    log.error("answers_not_settled", count=len(self._under_way), kind=type(error).__name__)
                    break
                time.sleep(0.2)
            else:
                break
        self._done()


def _second_connection() -> Any:
    """A connection to the same database that does not block; commits by itself."""
    params = {name: value for name, value in connection.get_connection_params().items() if name != "cursor_factory"}
    second = psycopg2.connect(**params, async_=True)
    extras.wait_select(second)
    return second


# ---- Draining


def drain(
    *, seconds: float, beside: bool = True, post: Callable[[], mail.Post] = mail.connect, batch: int = BATCH
) -> Tally:
    """Send whatever is due until nothing is left or the time is up (the batch under way is finished first).

    `beside` settles on a second connection. Nothing is sent while DIGESTS_HELD.
    """
    tally = Tally()
    if settings.DIGESTS_HELD:
        return tally
    until = time.monotonic() + seconds
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    office = post()
    settler: Settler = SettlerBeside() if beside else SettlerInLine()
    try:
        while time.monotonic() < until:
            with _collector_at_rest():
                claimed, examined = claim(now=timezone.now(), most=batch)
            _send(office, sender, claimed, settler)
            if not beside:
                tally.counts += settler.finish()
            if not examined:
                break
    finally:
        tally.counts += settler.finish()
        office.close()
    return tally


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Composing makes many small objects and no cycles: the collector would walk the whole application for nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _send(office: mail.Post, sender: str, claimed: Sequence[Claimed], settler: Settler) -> None:
    """Send one batch; what the lease leaves no time for is released."""
    if not claimed:
        return
    deadline = time.monotonic() + max(settings.DIGEST_LEASE_SECONDS - _MARGIN, settings.DIGEST_LEASE_SECONDS / 2)
    waiting = iter(claimed)

    def letters() -> Iterator[mail.Outgoing]:
        for one in waiting:
            if time.monotonic() > deadline:
                late.append(one)
                return
            yield mail.Outgoing(one.pk, sender, one.address, one.data)

    late: list[Claimed] = []
    for answer in office.send(letters()):
        settler.put(answer)
    late.extend(waiting)
    if late:
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, {"ids": [one.pk for one in late]})
