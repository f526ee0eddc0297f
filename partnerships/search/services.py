"""Keep the index: work off what has changed, and check it against the records."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q

from partnerships.agreements.models import Holder
from partnerships.kit.database import rows_of
from partnerships.organisations.models import Membership
from partnerships.people.leaving import Leaving
from partnerships.search.models import EVERYONE, SearchEntry, Stale
from partnerships.search.sources.every import SOURCES
from partnerships.search.sources.source import Source

log = structlog.get_logger(__name__)

#: Lines of the queue worked off in one transaction, and records whose rows are made at a time. Few, because a line may
#: stand for a plan with thousands of parts, and the task must end a transaction within its time.
_LINES, _RECORDS = 400, 100
#: The advisory lock of the process that writes to the index: an older reading must never replace a newer one.
_LOCK = 7_310_115
#: Sources whose words include names of people; these never become known words.
_ABOUT_PEOPLE = ("comment", "holder", "person", "post")
_COLUMNS = (
    "source, object_id, part, kind, partnership_id, organisation_id, day, title, text, path, number, hidden, readers,"
    " for_everyone, opens_at, codes"
)
_TYPES = (
    "source text, object_id bigint, part text, kind text, partnership_id bigint, organisation_id bigint, day date,"
    " title text, text text, path text, number bigint, hidden boolean, readers bigint[], for_everyone boolean,"
    " opens_at timestamptz, codes text[]"
)
_NAMES = _COLUMNS.split(", ")
#: Columns that rows give in ISO form.
_TIMES = ("day", "opens_at")
#: A title counts by its stem and as it is written: "will" is a stop word and a name.
_WRITE = f"""
INSERT INTO search_searchentry ({_COLUMNS}, words)
SELECT {_COLUMNS}, setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('simple', title), 'A')
       || setweight(array_to_tsvector(codes), 'A') || setweight(to_tsvector('english', text), 'D')
  FROM jsonb_to_recordset(%s::jsonb) AS given({_TYPES})
 ORDER BY source, object_id, part
ON CONFLICT (source, object_id, part) DO UPDATE SET ({_COLUMNS}, words) = (
       {", ".join(f"EXCLUDED.{name}" for name in _NAMES)}, EXCLUDED.words)
 WHERE ({", ".join(f"search_searchentry.{name}" for name in _NAMES)})
       IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _NAMES)})
"""  # noqa: S608 - our own column names
_KNOW_WORDS = """
INSERT INTO search_word (word)
SELECT DISTINCT word
  FROM jsonb_to_recordset(%s::jsonb) AS given(title text, text text),
       unnest(tsvector_to_array(to_tsvector('simple', title || ' ' || text))) word
 WHERE word ~ '^[a-z]{4,30}$'
 ORDER BY word
ON CONFLICT DO NOTHING
"""


#: Known words checked in one transaction.
_CHECKED = 500
_PRUNE_WORDS = f"""
WITH few AS (SELECT word FROM search_word WHERE word > %s ORDER BY word LIMIT {_CHECKED}), gone AS (
    DELETE FROM search_word USING few
     WHERE search_word.word = few.word
       AND NOT EXISTS (SELECT 1 FROM search_searchentry
                        WHERE words @@ (to_tsquery('english', few.word) || to_tsquery('simple', few.word)))
    RETURNING 1)
SELECT max(word), (SELECT count(*) FROM gone) FROM few
"""  # noqa: S608 - a number of ours


def index_stale(*, stop_on: tuple[type[Exception], ...] = ()) -> int:
    """Index again what has changed.

    Returns how many lines of the queue were worked off. `stop_on` are errors that end the whole run (a time limit),
    whatever record they come from. Each transaction takes the lines that it works off, so that nothing is lost if it
    fails. Only one process writes at a time; another leaves the queue to it.
    """
    done = 0
    while True:
        with transaction.atomic():
            if not rows_of("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])[0][0]:
                return done
            lines = rows_of(
                "DELETE FROM search_stale WHERE id IN (SELECT id FROM search_stale ORDER BY id LIMIT %s)"
                " RETURNING source_column, value",
                [_LINES],
            )
            _index(lines, (*stop_on, OperationalError, InterfaceError))
        done += len(lines)
        if len(lines) < _LINES:
            return done


def prune_words() -> int:
    """Remove known words that no entry has any longer, such as those of erased texts; returns how many."""
    removed, after = 0, ""
    gone: int
    while True:
        with transaction.atomic():
            # A word of an entry that is being written must not go.
            rows_of("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            after, gone = rows_of(_PRUNE_WORDS, [after])[0]
        removed += gone
        if after is None:
            return removed


def _index(lines: Iterable[tuple[str, int]], stop_on: tuple[type[Exception], ...]) -> None:
    """Index again the records that these lines of the queue are about."""
    by_column: defaultdict[str, set[int]] = defaultdict(set)
    for column, value in lines:
        by_column[column].add(value)
    for source in SOURCES.values():
        ids: set[int] = set(by_column.get(source.code, ()))
        for column in source.follows.keys() & by_column.keys():
            ids |= source.following(column, by_column[column])
        for some in _batches(sorted(ids)):
            _write_apart(source, some, stop_on)


def _write_apart(source: Source, ids: Collection[int], stop_on: tuple[type[Exception], ...]) -> None:
    """Bring entries up to date.

    A record that cannot be indexed is logged and not found, and holds up no other.
    """
    try:
        with transaction.atomic():
            write(source, ids)
    except stop_on:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one record, the others are indexed
        if len(ids) > 1:
            for pk in ids:
                _write_apart(source, [pk], stop_on)
            return
        log.error("record_not_indexed", source=source.code, record=next(iter(ids)), kind=type(error).__name__)
        SearchEntry.objects.filter(source=source.code, object_id__in=ids).delete()


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while some := list(islice(remaining, _RECORDS)):
        yield some


#: Deletes the entries of records that the records no longer have.
_DELETE_OTHERS = """
DELETE FROM search_searchentry e
 WHERE source = %s AND object_id = ANY(%s)
   AND NOT EXISTS (
       SELECT 1 FROM jsonb_to_recordset(%s::jsonb) AS kept(object_id bigint, part text)
        WHERE kept.object_id = e.object_id AND kept.part = e.part)
"""


def write(source: Source, ids: Collection[int]) -> None:
    """Bring the entries of these records up to date; call it under the lock."""
    rows = stored_rows(source, ids)
    kept = json.dumps([{"object_id": row["object_id"], "part": row["part"]} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_OTHERS, [source.code, list(ids), kept])
        if rows:
            given = json.dumps(rows)
            cursor.execute(_WRITE, [given])
            if source.code not in _ABOUT_PEOPLE:
                cursor.execute(_KNOW_WORDS, [given])


def stored_rows(source: Source, ids: Collection[int]) -> list[dict[str, Any]]:
    """The columns of the entries that these records should have."""
    return [
        {"source": source.code, **row.stored(), "for_everyone": EVERYONE in row.readers} for row in source.read(ids)
    ]


def queue_everything() -> int:
    """Queue every record, and every entry of a record that no longer exists; returns how many.

    May be called again at any time, also after an interruption.
    """
    queued = 0
    with connection.cursor() as cursor:
        for source in SOURCES.values():
            table = connection.ops.quote_name(source.model._meta.db_table)
            cursor.execute(
                f"""
                INSERT INTO search_stale (source_column, value)
                SELECT %s, id FROM {table}
                 UNION
                SELECT %s, object_id FROM search_searchentry WHERE source = %s ORDER BY 2
                """,  # noqa: S608 - the name of a model's table
                [source.code, source.code, source.code],
            )
            queued += cursor.rowcount
    return queued


def queue_the_day(today: dt.date) -> int:
    """Queue people and contacts whose time in a role began or ended in the last 7 days; returns how many.

    No row changes on such a day, so no trigger queues them. May be called again.
    """
    days = (today - dt.timedelta(days=7), today)
    begun_or_ended = Q(starts_on__range=days) | Q(ends_on__range=days)
    queued = [
        Stale(source_column=code, value=pk)
        for code, rows in (("person", Membership.objects.all()), ("holder", Holder.objects.all()))
        for pk in rows.filter(begun_or_ended).values_list("pk", flat=True)
    ]
    return len(Stale.objects.bulk_create(queued))


def forget_person(leaving: Leaving) -> int:
    """Remove the entries that have the name of somebody whose account is closed; returns how many."""
    # In the order in which the worker writes, so that neither waits for the other.
    posts = Holder.objects.filter(person=leaving.person).values("pk")
    forgotten = SearchEntry.objects.filter(source="holder", object_id__in=posts).delete()[0]
    memberships = Membership.objects.filter(person=leaving.person).values("pk")
    return forgotten + SearchEntry.objects.filter(source="person", object_id__in=memberships).delete()[0]


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that the index lacks, has too many of, or has with other words than its record."""

    source: str
    object_id: int
    part: str
    what: str


def differences() -> Iterator[Difference]:
    """Where index and records disagree, apart from what still waits in the queue."""
    for source in SOURCES.values():
        ids = set(source.model._base_manager.order_by().values_list("pk", flat=True))
        ids |= set(SearchEntry.objects.filter(source=source.code).values_list("object_id", flat=True))
        for some in _batches(sorted(ids)):
            yield from _differing(source, some)


def _differing(source: Source, ids: Collection[int]) -> Iterator[Difference]:
    has = {
        (row["object_id"], row["part"]): row
        for row in SearchEntry.objects.filter(source=source.code, object_id__in=ids).values(*_NAMES)
    }
    for row in stored_rows(source, ids):
        found = has.pop((row["object_id"], row["part"]), None)
        if found is None:
            yield Difference(source.code, row["object_id"], row["part"], "missing")
            continue
        times = {name: found[name].isoformat() if found[name] else None for name in _TIMES}
        if any({**found, **times}[name] != row[name] for name in _NAMES):
            yield Difference(source.code, row["object_id"], row["part"], "out of date")
    for object_id, part in has:
        yield Difference(source.code, object_id, part, "left over")
