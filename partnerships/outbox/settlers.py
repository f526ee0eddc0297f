"""Two ways to settle answers: on the sender's own connection, and on a second one while emails leave.

With the second connection, a killed sender repeats the few emails that were answered but not settled, each with its
first Message-ID, and loses none.
"""

from __future__ import annotations

import select
import time
from collections import Counter
from operator import attrgetter
from typing import Any, Protocol

import psycopg2
import psycopg2.extensions
import structlog
from django.db import Error as DatabaseError
from django.db import connection
from psycopg2 import extras

from partnerships.kit.database import BY_INDEX, keeps_statements
from partnerships.outbox.answers import Answer, Outcome
from partnerships.outbox.months import by_month
from partnerships.outbox.settling import accepted_sql, accepted_values, settle, tell_accepted

log = structlog.get_logger(__name__)


class Settler(Protocol):
    """Takes answers and settles them."""

    def put(self, answer: Answer, *, noted: bool = False) -> None:
        """Take one answer; `noted`: its doubt was counted while waiting."""

    def rest(self) -> None:
        """Settle waiting answers: none will come for a while."""

    def finish(self) -> Counter[str]:
        """Settle the rest, and return the counts of each outcome."""


class SettlerInLine:
    """Settles on the caller's connection, for tests and single emails."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._answers: list[Answer] = []
        self._noted: set[int] = set()

    def put(self, answer: Answer, *, noted: bool = False) -> None:
        """Keep the answer until the end of the batch."""
        self._answers.append(answer)
        if noted:
            self._noted.add(answer.key)

    def rest(self) -> None:
        """Settle the batch."""
        answers, self._answers = self._answers, []
        if answers:
            self._counts += settle(answers, noted=self._noted)

    def finish(self) -> Counter[str]:
        """Settle the rest."""
        self.rest()
        counts, self._counts = self._counts, Counter()
        return counts


class SettlerBeside:
    """Settles on a second, asynchronous connection while emails leave.

    An email that was not accepted is settled at once by itself. If the database is down, waits until no lease of this
    sender can be valid any more.
    """

    #: Answers are gathered for this long (settling eight costs twice as much as settling one), up to this many: so many
    #: emails, with the one being sent, are repeated if the process is killed.
    _WAIT, _MAX = 0.006, 8
    _GIVE_UP = 600.0

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._waiting: list[Answer] = []
        self._under_way: list[Answer] = []
        self._since = 0.0
        self._second: Any = None
        self._cursor: Any = None
        #: The months for which the connection has planned the statement.
        self._prepared: set[str] = set()

    def put(self, answer: Answer, *, noted: bool = False) -> None:
        """Take an answer; settle a group if the last one is done."""
        if answer.outcome is not Outcome.ACCEPTED:
            self._counts += settle([answer], noted=[answer.key] if noted else [])
            return
        now = time.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting.append(answer)
        if len(self._waiting) >= self._MAX:
            self._wait()
            self._send_off()
        elif now - self._since > self._WAIT and self._is_free():
            self._send_off()

    def rest(self) -> None:
        """Settle the incomplete group."""
        if self._waiting:
            self._wait()
            self._send_off()

    def finish(self) -> Counter[str]:
        """Wait until everything is settled, and close the connection."""
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
        """Wait for the present group."""
        while self._under_way and not self._is_free():
            readable = self._second.poll() != psycopg2.extensions.POLL_WRITE if self._second is not None else True
            if self._second is not None:
                select.select([self._second] if readable else [], [] if readable else [self._second], [], 0.05)

    def _send_off(self) -> None:
        self._under_way, self._waiting = self._waiting, []
        tell_accepted(self._under_way)
        try:
            if self._second is None:
                self._second = _second_connection()
                self._prepared = set()
            self._cursor = self._second.cursor()  # kept: an asynchronous query ends with its cursor
            self._cursor.execute(*self._statement())
        except psycopg2.Error as error:
            self._again(error)

    def _statement(self) -> tuple[str, dict[str, Any]]:
        """The statement that settles the group, planned once for each month.

        Planning costs as much as running, so connections that stay ours prepare it.
        """
        statements: list[str] = []
        values: dict[str, Any] = {}
        for place, (month, some) in enumerate(by_month(self._under_way, key=attrgetter("key")).items()):
            values |= {f"{name}_{place}": value for name, value in accepted_values(some).items()}
            given = {"ids": f"%(ids_{place})s", "providers": f"%(providers_{place})s"}
            if not keeps_statements():
                statements.append(_with(accepted_sql(month), **given))
                continue
            name = f"accepted_{month.split()[2]}"
            if name not in self._prepared:
                planned = _with(accepted_sql(month), ids="$1", providers="$2")
                statements.append(f"PREPARE {name}(bigint[], text[]) AS {planned}")
                self._prepared.add(name)
            statements.append(f"EXECUTE {name}({given['ids']}, {given['providers']})")
        return f"{BY_INDEX}; " * (not keeps_statements()) + "; ".join(statements), values

    def _done(self) -> None:
        self._counts["accepted"] += len(self._under_way)
        self._under_way = []

    def _again(self, error: psycopg2.Error) -> None:
        """The database went down: settle the group on the first connection.

        Waits until it is back.
        """
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


def _with(sql: str, *, ids: str, providers: str) -> str:
    """A statement with its values replaced."""
    return sql.replace("%(ids)s", ids).replace("%(providers)s", providers)


def _second_connection() -> Any:
    """An asynchronous connection to the same database, with autocommit."""
    params = {name: value for name, value in connection.get_connection_params().items() if name != "cursor_factory"}
    second = psycopg2.connect(**params, async_=True)
    extras.wait_select(second)
    if keeps_statements():
        cursor = second.cursor()  # kept while it waits, as above
        cursor.execute(f"{BY_INDEX.replace('SET LOCAL', 'SET')}; SET plan_cache_mode = force_generic_plan")
        extras.wait_select(second)
    return second
