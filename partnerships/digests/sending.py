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
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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

from partnerships.digests.bounces import note_refusal, suppress
from partnerships.digests.claiming import Claimed, claim, give_back, take_back
from partnerships.digests.models import STILL_OPEN, STILL_SENDING, Delivery, DeliveryStatus, Suppression
from partnerships.digests.queries.queue import could_leave
from partnerships.kit import mail
from partnerships.kit.database import BY_INDEX, as_array, keeps_statements

log = structlog.get_logger(__name__)

#: Letters claimed at a time: few at first, so that the first leave soon; more while they leave quickly, to share the
#: cost of a transaction; few again when the server is slow, for a lease ends.
FIRST_BATCH, BATCH = 125, 250
_QUICK, _FEWEST = 1.0, 25
#: Nothing is sent in the last seconds of a lease: another worker may be about to take it.
_MARGIN = 10
#: So long, in seconds, a letter may wait in a batch before it is looked at again whether it may leave.
_LOOK_AGAIN = 2.0
#: A letter to which servers said "later" so often is given up: the waits double up to an hour, which makes five days
#: (RFC 5321, 4.5.4.1). What changes afterwards is told from where its reader was left.
MOST_DEFERRALS = 130
_LONGEST_WAIT = 3600.0
#: While no server lets us in, letters wait however long that takes, and are not long in coming once it is back.
_LONGEST_AWAY = 300.0
#: A server that in the last hour called so many addresses none, and refused most letters, is not believed any more.
_MOST_GONE, _LAST = 10, 50
_SERVER_SAID = "The mail server refused the address: "


@dataclass(slots=True)
class Tally:
    """What one drain did, and whether nothing was left to send when it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    is_all: bool = False

    @property
    def total(self) -> int:
        """How many deliveries were settled in any way."""
        return self.counts.total()


# ---- Settling

# What a letter told is found by the letter first: by the plan, everything that was ever told of it would be read for
# each. Watermarks are locked in the order in which `watermarks` locks them: each is looked up in turn, by its index.
_SENT = f"""
WITH answer(id, provider_id) AS (SELECT * FROM unnest(%(ids)s::bigint[], %(providers)s::text[])),
done AS (
    UPDATE digests_delivery d
       SET status = 'sent', settled_at = clock_timestamp(), reason = '', provider_id = answer.provider_id
      FROM answer WHERE d.id = answer.id AND {STILL_OPEN}
    RETURNING d.id, d.recipient_id
),
item AS MATERIALIZED (
    SELECT done.recipient_id, i.plan_id, i.to_number, i.reading_class
      FROM done JOIN digests_deliveryitem i ON i.delivery_id = done.id AND i.left_out = ''
     ORDER BY done.recipient_id, i.plan_id
)
UPDATE digests_told t
   SET number = GREATEST(t.number, item.to_number), reading_class = item.reading_class, told_at = clock_timestamp()
  FROM item WHERE t.recipient_id = item.recipient_id AND t.plan_id = item.plan_id
"""  # noqa: S608 - our own constants

_FAILED = f"""
UPDATE digests_delivery d SET status = 'failed', settled_at = clock_timestamp(), reason = answer.reason
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS answer(id, reason)
 WHERE d.id = answer.id AND {STILL_SENDING}
"""  # noqa: S608 - our own constants

# The first try again comes soon, each later one after twice as long, an hour at most; after five days it is given up.
_LATER = f"""
UPDATE digests_delivery d
   SET status = CASE WHEN d.deferrals + 1 >= %(most)s THEN 'failed' ELSE 'queued' END,
       settled_at = CASE WHEN d.deferrals + 1 >= %(most)s THEN clock_timestamp() END,
       deferrals = d.deferrals + 1, unanswered = 0, in_doubt = d.in_doubt OR answer.in_doubt,
       available_at = clock_timestamp()
                      + LEAST(%(first)s * 2 ^ LEAST(d.deferrals, 20), %(longest)s) * interval '1 second',
       reason = answer.reason
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(doubts)s::bool[]) AS answer(id, reason, in_doubt)
 WHERE d.id = answer.id AND {STILL_SENDING}
RETURNING d.id, d.status
"""  # noqa: S608 - our own constants

# No server let us in: that is nobody's fault who waits for a letter, so it costs them no try.
_AWAY = f"""
UPDATE digests_delivery d
   SET status = 'queued', unanswered = 0, reason = answer.reason,
       available_at = clock_timestamp() + interval '1 second'
           * LEAST(GREATEST(%(first)s, EXTRACT(EPOCH FROM clock_timestamp() - d.created_at) / 4), %(longest)s)
  FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS answer(id, reason)
 WHERE d.id = answer.id AND {STILL_SENDING}
"""  # noqa: S608 - our own constants


def settle(answers: Sequence[mail.Answer]) -> Counter[str]:
    """Write down what became of these letters; whoever was reached counts as told."""
    by: dict[mail.Outcome, list[mail.Answer]] = {outcome: [] for outcome in mail.Outcome}
    for answer in answers:
        by[answer.outcome].append(answer)
    gone = by[mail.Outcome.NO_SUCH_ADDRESS]
    if gone and not _is_believed(len(gone), len(by[mail.Outcome.TAKEN])):
        log.error("mail_server_not_believed", count=len(gone))
        by[mail.Outcome.LATER] += [
            replace(one, outcome=mail.Outcome.LATER, text=f"The server says so of most addresses: {one.text}"[:500])
            for one in gone
        ]
        gone = by[mail.Outcome.NO_SUCH_ADDRESS] = []
    later = [one for one in by[mail.Outcome.LATER] if one.reached]
    away = [one for one in by[mail.Outcome.LATER] if not one.reached]
    given_up: set[int] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        if by[mail.Outcome.TAKEN]:
            cursor.execute(_SENT, _taken(by[mail.Outcome.TAKEN]))
        if refused := [*by[mail.Outcome.REFUSED], *gone]:
            cursor.execute(_FAILED, _said(refused))
        if away:
            first = {"first": settings.DIGEST_RETRY_SECONDS, "longest": _LONGEST_AWAY}
            cursor.execute(_AWAY, _said(away) | first)
        if later:
            cursor.execute(
                _LATER,
                _said(later)
                | {
                    "doubts": [one.in_doubt for one in later],
                    "most": MOST_DEFERRALS,
                    "first": settings.DIGEST_RETRY_SECONDS,
                    "longest": _LONGEST_WAIT,
                },
            )
            given_up = {pk for pk, status in cursor.fetchall() if status == DeliveryStatus.FAILED}
    full = [*by[mail.Outcome.REFUSED], *(one for one in later if one.key in given_up)]
    _act_on_refusals([one.key for one in gone], [one.key for one in full if _speaks_of_the_mailbox(one)])
    return Counter({outcome.name.lower(): len(some) for outcome, some in by.items() if some})


def _said(answers: Sequence[mail.Answer]) -> dict[str, Any]:
    return {"ids": [one.key for one in answers], "reasons": [one.text for one in answers]}


def _speaks_of_the_mailbox(answer: mail.Answer) -> bool:
    """Whether a refusal is about the state of a mailbox (x.2.x, such as a full one): a soft bounce, told at once."""
    return mail.enhanced_code(answer.text)[1:].startswith(".2.")


def _act_on_refusals(gone: Collection[int], soft: Collection[int]) -> None:
    now = timezone.now()
    for delivery in Delivery.objects.filter(pk__in=gone) if gone else ():
        reason = f"{_SERVER_SAID}{delivery.reason}"
        suppress(address=delivery.address, reason=reason, delivery=delivery, author=None, now=now)
    for delivery in Delivery.objects.filter(pk__in=soft) if soft else ():
        note_refusal(delivery=delivery, text=delivery.reason, now=now)


def _is_believed(gone: int, taken: int) -> bool:
    """Whether what the server says of so many addresses may be true, when it took so many letters: a misconfigured one
    calls all of them none."""
    since = timezone.now() - dt.timedelta(hours=1)
    said = Suppression.objects.filter(since__gt=since, reason__startswith=_SERVER_SAID)
    if said.count() + gone < _MOST_GONE:
        return True
    settled = Delivery.objects.filter(
        settled_at__gt=since, status__in=[DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.BOUNCED]
    )
    statuses = list(settled.order_by("-pk").values_list("status", flat=True)[:_LAST])
    return 2 * (statuses.count(DeliveryStatus.FAILED) + gone) <= len(statuses) + gone + taken


def _taken(answers: Sequence[mail.Answer]) -> dict[str, Any]:
    ordered = sorted(answers, key=attrgetter("key"))
    return {
        "ids": as_array([one.key for one in ordered]),
        "providers": as_array([one.provider_id[:200] for one in ordered]),
    }


class Settler(Protocol):
    """Takes answers and sees to it that they are settled."""

    def put(self, answer: mail.Answer) -> None:
        """Take one answer."""

    def rest(self) -> None:
        """No answers come for a while: let those that wait be settled."""

    def finish(self) -> Counter[str]:
        """Settle whatever is left, and say how many of each kind there were."""


class SettlerInLine:
    """Settles on the caller's own connection, all at the end of a batch: for tests and single letters."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._answers: list[mail.Answer] = []

    def put(self, answer: mail.Answer) -> None:
        """Keep the answer until the end of the batch."""
        self._answers.append(answer)

    def rest(self) -> None:
        """Settle the batch."""
        answers, self._answers = self._answers, []
        if answers:
            self._counts += settle(answers)

    def finish(self) -> Counter[str]:
        """Settle what is left."""
        self.rest()
        counts, self._counts = self._counts, Counter()
        return counts


class SettlerBeside:
    """Settles on a second connection that never blocks: while the database commits one group, the next letters leave.

    A letter that was not taken is settled at once by itself. When the database is away, it waits for it, longer than a
    lease could still belong to this worker.
    """

    #: Answers keep each other company for so long (to settle eight costs twice as much as to settle one), and are never
    #: more than so many: what a killed process repeats, the letter that is on its way among them.
    _WAIT, _MOST = 0.006, 8
    _GIVE_UP = 600.0

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._waiting: list[mail.Answer] = []
        self._under_way: list[mail.Answer] = []
        self._since = 0.0
        self._second: Any = None
        self._cursor: Any = None
        self._settle = ""

    def put(self, answer: mail.Answer) -> None:
        """Take an answer, and send a group off if the last one is done."""
        if answer.outcome is not mail.Outcome.TAKEN:
            self._counts += settle([answer])
            return
        now = time.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting.append(answer)
        if len(self._waiting) >= self._MOST:
            self._wait()
            self._send_off()
        elif now - self._since > self._WAIT and self._is_free():
            self._send_off()

    def rest(self) -> None:
        """Send off the group that is not full."""
        if self._waiting:
            self._wait()
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
        except psycopg2.Error as error:
            self._again(error)
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
                self._settle = _SETTLE_BESIDE[keeps_statements()]
            self._cursor = self._second.cursor()  # kept: an asynchronous query ends with its cursor
            self._cursor.execute(self._settle, _taken(self._under_way))
        except psycopg2.Error as error:
            self._again(error)

    def _done(self) -> None:
        self._counts["taken"] += len(self._under_way)
        self._under_way = []

    def _again(self, error: psycopg2.Error) -> None:
        """The database went away: settle the group on the first connection as soon as it answers."""
        log.warning("not_settled_beside", count=len(self._under_way), kind=type(error).__name__)
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


# Planning the statement costs as much as running it for a small group: where the connection stays ours, it is planned
# once.
_PREPARED = (
    f"{BY_INDEX.replace('SET LOCAL', 'SET')}; SET plan_cache_mode = force_generic_plan;"
    " PREPARE sent(bigint[], text[]) AS " + _SENT.replace("%(ids)s", "$1").replace("%(providers)s", "$2")
)
_SETTLE_BESIDE = {True: "EXECUTE sent(%(ids)s, %(providers)s)", False: f"{BY_INDEX}; {_SENT}"}


def _second_connection() -> Any:
    """A connection to the same database that does not block; commits by itself."""
    params = {name: value for name, value in connection.get_connection_params().items() if name != "cursor_factory"}
    second = psycopg2.connect(**params, async_=True)
    extras.wait_select(second)
    if keeps_statements():
        cursor = second.cursor()  # kept while it waits, as above
        cursor.execute(_PREPARED)
        extras.wait_select(second)
    return second


# ---- Draining


def drain(
    *,
    seconds: float,
    beside: bool = True,
    post: Callable[[], mail.Post] = mail.connect,
    batch: int = BATCH,
    people: Collection[int] | None = None,
) -> Tally:
    """Send whatever is due (to some people alone) until nothing is left or the time is up (the batch under way is
    finished first).

    `beside` settles on a second connection. Nothing is sent while DIGESTS_HELD.
    """
    tally = Tally()
    if settings.DIGESTS_HELD:
        tally.is_all = True
        return tally
    until = time.monotonic() + seconds
    sender = parseaddr(settings.DIGEST_MAILBOX)[1]  # where reports of what comes back are read
    office = post()
    settler: Settler = SettlerBeside() if beside else SettlerInLine()
    size = min(FIRST_BATCH, batch)
    try:
        while (began := time.monotonic()) < until:
            with _collector_at_rest():
                most = size if people is not None else _share(size)
                claimed, examined = claim(now=timezone.now(), most=most, people=people)
            _send(office, sender, claimed, settler)
            del claimed  # the next batch is composed without this one beside it
            is_quick = time.monotonic() - began < _QUICK
            size = min(2 * size, batch) if is_quick else max(size // 2, min(FIRST_BATCH, batch))
            settler.rest()
            if not examined:
                tally.is_all = True
                break
    finally:
        tally.counts += settler.finish()
        office.close()
    return tally


def _share(size: int) -> int:
    """No more than so many, and near the end of a run no more than one's part, so that no process ends alone."""
    processes: int = settings.WORKER_CONCURRENCY
    return min(size, max(-(-could_leave(size * processes) // processes), _FEWEST))


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
    back = take_back(claimed, now=timezone.now())
    looked = time.monotonic()

    def letters() -> Iterator[mail.Outgoing]:
        nonlocal looked
        for place, one in enumerate(waiting):
            now = time.monotonic()
            if now > deadline:
                late.append(one)
                return
            if now - looked > _LOOK_AGAIN:
                # What was taken back may be another's by now.
                mine = [other for other in claimed[place:] if other.pk not in back]
                back.update(take_back(mine, now=timezone.now()))
                looked = now
            if one.pk in back:
                continue
            yield mail.Outgoing(one.pk, sender, one.address, one.data, has_no_dots=True)  # `wire` leaves none

    late: list[Claimed] = []
    for answer in office.send(letters()):
        settler.put(answer)
    late.extend(one for one in waiting if one.pk not in back)
    give_back([one.pk for one in late])
