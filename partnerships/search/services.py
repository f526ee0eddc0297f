"""Updates the index of search, and compares the index with the records."""

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

#: How many queue lines are processed in one transaction, and for how many records rows are made together. Both numbers
#: are low, because one line may refer to a plan with thousands of parts, and each transaction must end within the time
#: limit of the task.
_LINES, _RECORDS = 400, 100
#: The advisory lock of the process that writes to the index, so that older rows never replace newer ones.
_LOCK = 7_310_115
#: Sources with names of people in their words. Their words are never stored for spelling corrections.
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
_COLUMN_NAMES = _COLUMNS.split(", ")
#: Columns whose values are in ISO format in the rows that sources make.
_ISO_COLUMNS = ("day", "opens_at")
#: The words of a title are indexed both by their stems and unchanged. For example, “will” is a stop word and a name.
_WRITE_ENTRIES = f"""
INSERT INTO search_searchentry ({_COLUMNS}, words)
SELECT {_COLUMNS}, setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('simple', title), 'A')
       || setweight(array_to_tsvector(codes), 'A') || setweight(to_tsvector('english', text), 'D')
  FROM jsonb_to_recordset(%s::jsonb) AS given({_TYPES})
 ORDER BY source, object_id, part
ON CONFLICT (source, object_id, part) DO UPDATE SET ({_COLUMNS}, words) = (
       {", ".join(f"EXCLUDED.{name}" for name in _COLUMN_NAMES)}, EXCLUDED.words)
 WHERE ({", ".join(f"search_searchentry.{name}" for name in _COLUMN_NAMES)})
       IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _COLUMN_NAMES)})
"""  # noqa: S608 - our own column names
#: Stores the words of titles and texts for spelling corrections.
_ADD_WORDS = """
INSERT INTO search_word (word)
SELECT DISTINCT word
  FROM jsonb_to_recordset(%s::jsonb) AS given(title text, text text),
       unnest(tsvector_to_array(to_tsvector('simple', title || ' ' || text))) word
 WHERE word ~ '^[a-z]{4,30}$'
 ORDER BY word
ON CONFLICT DO NOTHING
"""
#: Number of words for spelling corrections that one transaction checks.
_CHECKED = 500
#: Checks the next words after a word, and returns the last word checked and the number of deleted words.
_PRUNE_WORDS = f"""
WITH batch AS (
    SELECT word FROM search_word WHERE word > %s ORDER BY word LIMIT {_CHECKED}
), deleted AS (
    DELETE FROM search_word
     USING batch
     WHERE search_word.word = batch.word
       AND NOT EXISTS (
           SELECT 1
             FROM search_searchentry
            WHERE words @@ (to_tsquery('english', batch.word) || to_tsquery('simple', batch.word))
       )
    RETURNING 1
)
SELECT max(word), (SELECT count(*) FROM deleted) FROM batch
"""  # noqa: S608 - a number of ours


def index_stale(*, stop_on: tuple[type[Exception], ...] = ()) -> int:
    """Index the changed records again, and return the number of queue lines processed.

    `stop_on` are errors, such as a time limit, that end the whole run. Each transaction deletes the lines that it
    processes, so that no line is lost if the transaction fails. Only one process writes at a time; others return at
    once.
    """
    processed = 0
    while True:
        with transaction.atomic():
            if not rows_of("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])[0][0]:
                return processed
            lines = rows_of(
                "DELETE FROM search_stale WHERE id IN (SELECT id FROM search_stale ORDER BY id LIMIT %s)"
                " RETURNING source_column, value",
                [_LINES],
            )
            _index(lines, (*stop_on, OperationalError, InterfaceError))
        processed += len(lines)
        if len(lines) < _LINES:
            return processed


def prune_words() -> int:
    """Delete words that no entry has any longer, for example those of erased texts, and return their number."""
    total = 0
    deleted: int
    last_word: str | None = ""
    while last_word is not None:
        with transaction.atomic():
            # Wait for the writing process, whose new entries may need a word.
            rows_of("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            last_word, deleted = rows_of(_PRUNE_WORDS, [last_word])[0]
        total += deleted
    return total


def _index(lines: Iterable[tuple[str, int]], stop_on: tuple[type[Exception], ...]) -> None:
    """Index the records that these queue lines name."""
    values_by_column: defaultdict[str, set[int]] = defaultdict(set)
    for column, value in lines:
        values_by_column[column].add(value)
    for source in SOURCES.values():
        # A line may have the code of a source instead of a column. Its value is then the id of a record.
        record_ids = set(values_by_column.get(source.code, ()))
        for column in source.follows.keys() & values_by_column.keys():
            record_ids |= source.stale_ids(column, values_by_column[column])
        for batch in _batches(sorted(record_ids)):
            _write_or_skip(source, batch, stop_on)


def _write_or_skip(source: Source, ids: Collection[int], stop_on: tuple[type[Exception], ...]) -> None:
    """Update the entries of these records.

    If that fails, the records are indexed one by one. A record that cannot be indexed is logged and loses its entries.
    """
    try:
        with transaction.atomic():
            write_entries(source, ids)
    except stop_on:
        raise
    except Exception as error:  # noqa: BLE001 - an error in one record must not stop the others
        if len(ids) > 1:
            for pk in ids:
                _write_or_skip(source, [pk], stop_on)
            return
        (record_id,) = ids
        log.error("record_not_indexed", source=source.code, record=record_id, kind=type(error).__name__)
        SearchEntry.objects.filter(source=source.code, object_id=record_id).delete()


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield the ids in lists of at most `_RECORDS`."""
    remaining = iter(ids)
    while batch := list(islice(remaining, _RECORDS)):
        yield batch


#: Deletes the entries of records for parts that these no longer have.
_DELETE_OLD_PARTS = """
DELETE FROM search_searchentry AS entry
 WHERE source = %(source)s
   AND object_id = ANY(%(ids)s)
   AND NOT EXISTS (
       SELECT 1
         FROM jsonb_to_recordset(%(current_parts)s::jsonb) AS current_part(object_id bigint, part text)
        WHERE current_part.object_id = entry.object_id
          AND current_part.part = entry.part
   )
"""


def write_entries(source: Source, ids: Collection[int]) -> None:
    """Update the entries of these records. The caller holds the lock."""
    rows = expected_columns(source, ids)
    current_parts = json.dumps([{"object_id": row["object_id"], "part": row["part"]} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_OLD_PARTS, {"source": source.code, "ids": list(ids), "current_parts": current_parts})
        if rows:
            rows_as_json = json.dumps(rows)
            cursor.execute(_WRITE_ENTRIES, [rows_as_json])
            if source.code not in _ABOUT_PEOPLE:
                cursor.execute(_ADD_WORDS, [rows_as_json])


def expected_columns(source: Source, ids: Collection[int]) -> list[dict[str, Any]]:
    """Return the columns of the entries that these records should have."""
    return [
        {"source": source.code, **row.as_columns(), "for_everyone": EVERYONE in row.readers} for row in source.read(ids)
    ]


def queue_everything() -> int:
    """Queue every record, and every entry whose record no longer exists, and return the number of lines.

    This can be repeated at any time, even after an interruption.
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


def queue_recent_role_changes(today: dt.date) -> int:
    """Queue people and contacts whose time in a role began or ended in the last 7 days, and return their number.

    No row changes on the day on which a role begins or ends, so no trigger queues them. The week covers days on which
    the worker was stopped. Queueing an entry again does no harm.
    """
    last_week = (today - dt.timedelta(days=7), today)
    began_or_ended = Q(starts_on__range=last_week) | Q(ends_on__range=last_week)
    stale_rows = [
        Stale(source_column=code, value=pk)
        for code, rows in (("person", Membership.objects.all()), ("holder", Holder.objects.all()))
        for pk in rows.filter(began_or_ended).values_list("pk", flat=True)
    ]
    return len(Stale.objects.bulk_create(stale_rows))


def delete_entries_of_person(leaving: Leaving) -> int:
    """Delete the entries with the name of a person whose account is closed, and return how many."""
    holders = Holder.objects.filter(person=leaving.person).values("pk")
    memberships = Membership.objects.filter(person=leaving.person).values("pk")
    # Delete in the order in which the worker writes, so that no deadlock can happen.
    deleted_holders, _ = SearchEntry.objects.filter(source="holder", object_id__in=holders).delete()
    deleted_members, _ = SearchEntry.objects.filter(source="person", object_id__in=memberships).delete()
    return deleted_holders + deleted_members


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry in which the index differs from its record: “missing”, “out of date” or “left over”."""

    source: str
    object_id: int
    part: str
    problem: str


def differences() -> Iterator[Difference]:
    """Compare the index with the records.

    The queue should be empty, as changes that wait in the queue are reported too.
    """
    for source in SOURCES.values():
        ids = set(source.model._base_manager.order_by().values_list("pk", flat=True))
        ids |= set(SearchEntry.objects.filter(source=source.code).values_list("object_id", flat=True))
        for batch in _batches(sorted(ids)):
            yield from _differences_of(source, batch)


def _differences_of(source: Source, ids: Collection[int]) -> Iterator[Difference]:
    """Compare the entries of these records of one source with the entries that the records should have now."""
    entries_by_part = {
        (row["object_id"], row["part"]): row
        for row in SearchEntry.objects.filter(source=source.code, object_id__in=ids).values(*_COLUMN_NAMES)
    }
    for expected in expected_columns(source, ids):
        object_id, part = expected["object_id"], expected["part"]
        entry = entries_by_part.pop((object_id, part), None)
        if entry is None:
            yield Difference(source.code, object_id, part, "missing")
            continue
        for name in _ISO_COLUMNS:
            entry[name] = entry[name].isoformat() if entry[name] else None
        if any(entry[name] != expected[name] for name in _COLUMN_NAMES):
            yield Difference(source.code, object_id, part, "out of date")
    for object_id, part in entries_by_part:
        yield Difference(source.code, object_id, part, "left over")
