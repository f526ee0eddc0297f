"""Finds the entries that match a search, and keeps those that the person may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.search.models import EVERYONE, SAMPLED
from partnerships.search.queries.asking import (
    IS_COMMON_IN_SAMPLE,
    OPEN,
    FrequentWords,
    TextQuery,
    frequent_words_in,
)
from partnerships.search.sources.every import KINDS, SOURCES
from partnerships.search.sources.source import MatchingEntry

#: Limit of results that can be counted and paged through, because the rights on each are checked.
LIMIT = 500
#: If more public entries than this match, as counted in the sample, search reads only the newest of each kind.
COMMON_ABOVE = 4_000
#: In this case, search reads the newest 1,000 public entries of each kind, and uses the first 50 that match.
_LOOKED_AT, _TAKEN = 1_000, 50
#: How many entries with a word are read first to find out whether the person may read one.
_FIRST_ENTRIES = 20
#: Limit of entries of the person's own organisations that are ranked.
_MAX_OWN = 2_000

_COLUMNS = "id, source, object_id, kind, partnership_id, organisation_id, day, number, hidden, path"
#: A word of a title counts twenty times as much as another, and length hardly counts. An exact title comes first.
_RANK = (
    "(ts_rank('{{0.05, 0.1, 0.3, 1}}', words, {query}, 1)"
    " + CASE WHEN lower(title) = lower(%(text)s) THEN 1 ELSE 0 END)::float8"
)
#: For “Who …?”, contacts come first, because they say who covers for a lead, and then colleagues.
_PEOPLE_FIRST = " + CASE kind WHEN 'contact' THEN 4 WHEN 'person' THEN 2 ELSE 0 END"


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """The facets that the person has chosen. An empty field filters nothing."""

    kind: str = ""
    partnership: int | None = None
    organisation: int | None = None
    year: int | None = None

    def __bool__(self) -> bool:
        return bool(self.kind or self.partnership or self.organisation or self.year)

    def matches(self, entry: MatchingEntry) -> bool:
        """Return whether the entry passes every filter."""
        if self.kind and entry.kind != self.kind:
            return False
        if self.partnership is not None and entry.partnership_id != self.partnership:
            return False
        if self.organisation is not None and entry.organisation_id != self.organisation:
            return False
        if self.year is None:
            return True
        return entry.day is not None and entry.day.year == self.year

    def apply(self, entries: Sequence[MatchingEntry]) -> Sequence[MatchingEntry]:
        """Return the entries that pass every filter."""
        return [entry for entry in entries if self.matches(entry)] if self else entries

    def as_sql(self) -> tuple[str, dict[str, Any]]:
        """Return the filters as an SQL condition, and its values."""
        conditions = ["TRUE"]
        values: dict[str, Any] = {}
        if self.kind:
            conditions.append("kind = %(filter_kind)s")
            values["filter_kind"] = self.kind
        if self.partnership is not None:
            conditions.append("partnership_id = %(filter_partnership)s")
            values["filter_partnership"] = self.partnership
        if self.organisation is not None:
            conditions.append("organisation_id = %(filter_organisation)s")
            values["filter_organisation"] = self.organisation
        if self.year is not None:
            conditions.append("day >= %(filter_from)s AND day < %(filter_before)s")
            values |= {"filter_from": f"{self.year:04}-01-01", "filter_before": f"{self.year + 1:04}-01-01"}
        return " AND ".join(conditions), values


@dataclass(frozen=True, slots=True)
class ReadableEntries:
    """Matching entries that the person may read, best first. `has_more` says that search did not read every match."""

    entries: tuple[MatchingEntry, ...]
    has_more: bool


def readable_entries(
    user: User, query: TextQuery, text: str, filters: SearchFilters, *, limit: int = LIMIT
) -> ReadableEntries:
    """Return the matching entries that this person may read now.

    Entries that the person may not read change no result and no count, so that nobody learns that such entries exist.
    """
    readers = reader_ids(user)
    sql, values = _search_statement(query, filters)
    values |= {
        "text": text,
        "now": timezone.now(),
        "own": [reader for reader in readers if reader != EVERYONE],
        "is_everyone": EVERYONE in readers,
        "kinds": list(KINDS),
        "enough": COMMON_ABOVE // SAMPLED,
        "after_rank": None,
        "after_id": None,
        "batch": limit + 1,
    }

    readable: list[MatchingEntry] = []
    while True:
        rows = rows_of(f"{BY_INDEX}; {sql}", values)
        *_, own_is_cut, is_common = rows[0]
        matching = [MatchingEntry(*row[:-2]) for row in rows if row[0] is not None]
        allowed_ids = _allowed_ids(user, matching)
        readable += [entry for entry in matching if entry.id in allowed_ids]
        if len(readable) > limit or len(matching) < values["batch"]:
            break
        # The person may not read some of these entries, so continue with the next best entries.
        last = matching[-1]
        values |= {"after_rank": last.rank, "after_id": last.id, "batch": 4 * values["batch"]}

    return ReadableEntries(
        entries=tuple(_one_per_page(readable[:limit])),
        has_more=is_common or len(readable) > limit or own_is_cut,
    )


def _search_statement(query: TextQuery, filters: SearchFilters) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a search, and the values of its query and filters."""
    filter_condition, filter_values = filters.as_sql()
    own_entries = _OWN.format(matches=query.condition, filters=filter_condition)
    if query.has_prefixes:
        # The index would read every entry with a word that starts like this. If there are many, the few entries of the
        # person's organisations are compared one by one.
        own_if_common = _OWN.format(matches=query.condition_without_index, filters=filter_condition)
        own_entries = _EITHER.format(if_rare=own_entries, if_common=own_if_common)
    rank = _RANK.format(query=query.sql)
    if query.asks_who:
        rank += _PEOPLE_FIRST
    query_in_sample = query.in_sample()
    sql = _SEARCH.format(
        is_common=IS_COMMON_IN_SAMPLE.format(query=query_in_sample.sql),
        own_entries=own_entries,
        public_entries=_EITHER.format(
            if_rare=_ALL_PUBLIC.format(matches=query.condition, filters=filter_condition),
            if_common=_NEWEST_PUBLIC.format(query=query.sql, filters=filter_condition),
        ),
        rank=rank,
    )
    return sql, {**query.values, **query_in_sample.values, **filter_values}


def reader_ids(user: User) -> list[int]:
    """Return the ids that mean this person in an entry's `readers`, including their organisations and `EVERYONE`."""
    if not user.is_active:
        return []
    everyone = [] if user.is_stakeholder else [EVERYONE]
    return [*everyone, -user.pk, *sorted(Membership.objects.roles_of(user))]


def frequent_words(text: str) -> FrequentWords:
    """Return the words of a text that are so frequent that the index would be slow."""
    return frequent_words_in(text, COMMON_ABOVE)


def words_read_by(user: User, words: Sequence[str]) -> frozenset[str]:
    """Return those of the words that are in an entry which this person may read now.

    The words may not be common, because every entry with a word may be read.
    """
    readers = reader_ids(user)
    last_id_by_word: dict[str, int | None] = dict.fromkeys(words)
    readable_words: set[str] = set()
    batch = _FIRST_ENTRIES
    while last_id_by_word:
        values = {
            "words": list(last_id_by_word),
            "last_ids": list(last_id_by_word.values()),
            "own": [reader for reader in readers if reader != EVERYONE],
            "is_everyone": EVERYONE in readers,
            "now": timezone.now(),
            "batch": batch,
        }
        entries_by_word: defaultdict[str, list[MatchingEntry]] = defaultdict(list)
        for word, *columns in rows_of(f"{BY_INDEX}; {_ENTRIES_WITH_WORDS}", values):
            entries_by_word[word].append(MatchingEntry(*columns))
        allowed_ids = _allowed_ids(user, chain.from_iterable(entries_by_word.values()))

        last_id_by_word = {}
        for word, entries in entries_by_word.items():
            if any(entry.id in allowed_ids for entry in entries):
                readable_words.add(word)
            elif len(entries) == batch:
                # The person may not read these entries, so continue with older ones.
                last_id_by_word[word] = entries[-1].id
        batch *= 4
    return frozenset(readable_words)


#: Returns the newest entries with each word that the index allows the person, from the last one that was checked.
_ENTRIES_WITH_WORDS = f"""
SELECT typed.word, entry.*
  FROM unnest(%(words)s::text[], %(last_ids)s::bigint[]) AS typed(word, last_id),
       LATERAL (
           WITH matching AS MATERIALIZED (
               SELECT {_COLUMNS}, 0::float8 AS rank
                 FROM search_searchentry
                WHERE words @@ plainto_tsquery('english', typed.word)
                  AND (readers && %(own)s::bigint[] OR %(is_everyone)s AND {OPEN})
           )
           SELECT * FROM matching WHERE typed.last_id IS NULL OR id < typed.last_id ORDER BY id DESC LIMIT %(batch)s
       ) AS entry
"""  # noqa: S608 - names of ours


def _allowed_ids(user: User, entries: Iterable[MatchingEntry]) -> set[int]:
    """Return the ids of the entries that the person may read, by the rights on their records."""
    entries_by_source: defaultdict[str, list[MatchingEntry]] = defaultdict(list)
    for entry in entries:
        if entry.source in SOURCES:
            entries_by_source[entry.source].append(entry)
    record_ids_by_source = {
        code: sorted({entry.object_id for entry in source_entries})
        for code, source_entries in entries_by_source.items()
    }
    # One query reads the rights of all sources, and the loop below uses its rows.
    read_ahead(lookup(SOURCES[code].check.rights_query, user, ids) for code, ids in record_ids_by_source.items())

    allowed_ids: set[int] = set()
    for code, source_entries in entries_by_source.items():
        check = SOURCES[code].check
        allowed_ids |= check.allowed_ids(source_entries, rows_for(check.rights_query, user, record_ids_by_source[code]))
    return allowed_ids


#: `own` has the newest entries that the person's organisations may read, and `public` those that everybody may read.
#: The last two columns say whether older entries of `own` were left out, and whether the query is common. So there is a
#: row even if no entry matches. MATERIALIZED makes PostgreSQL use the index of words whatever the limit is.
_SEARCH = f"""
WITH query AS MATERIALIZED (
    SELECT %(is_everyone)s AND {{is_common}} AS is_common
), own AS MATERIALIZED (
    SELECT *
      FROM ({{own_entries}}) AS own_entry
     ORDER BY day DESC NULLS LAST, id DESC
     LIMIT {_MAX_OWN}
), public AS MATERIALIZED (
    {{public_entries}}
), ranked AS (
    SELECT *, {{rank}} AS rank
      FROM (SELECT * FROM own UNION ALL SELECT * FROM public) AS matching
), best AS (
    SELECT {_COLUMNS}, rank
      FROM ranked
     WHERE %(after_id)s::bigint IS NULL
        OR (rank, id) < (%(after_rank)s::float8, %(after_id)s::bigint)
     ORDER BY rank DESC, id DESC
     LIMIT %(batch)s
)
SELECT best.*, (SELECT count(*) >= {_MAX_OWN} FROM own) AS own_is_cut, query.is_common
  FROM query
  LEFT JOIN best ON TRUE
 ORDER BY best.rank DESC, best.id DESC
"""  # noqa: S608 - names of ours
#: PostgreSQL runs only one of the two, because it finds out first whether the query is common.
_EITHER = """
SELECT * FROM ({if_rare}) AS if_rare WHERE NOT (SELECT is_common FROM query)
 UNION ALL
SELECT * FROM ({if_common}) AS if_common WHERE (SELECT is_common FROM query)
"""
_OWN = f"""
SELECT {_COLUMNS}, title, words
  FROM search_searchentry
 WHERE {{matches}}
   AND readers && %(own)s::bigint[]
   AND {{filters}}
"""  # noqa: S608 - names of ours
_ALL_PUBLIC = f"""
SELECT {_COLUMNS}, title, words
  FROM search_searchentry
 WHERE {OPEN}
   AND {{matches}}
   AND {{filters}}
   AND %(is_everyone)s
   AND id NOT IN (SELECT id FROM own)
"""  # noqa: S608 - names of ours
#: Of each kind, the newest public entries that the person's organisations do not read anyway.
_NEWEST_PUBLIC = f"""
SELECT newest.*
  FROM unnest(%(kinds)s::text[]) AS each_kind(code),
       LATERAL (
           SELECT {_COLUMNS}, title, words
             FROM (
                 SELECT *
                   FROM search_searchentry
                  WHERE kind = each_kind.code
                    AND {OPEN}
                    AND NOT readers && %(own)s::bigint[]
                  ORDER BY day DESC NULLS LAST, id DESC
                  LIMIT {_LOOKED_AT}
             ) AS looked_at
            WHERE words @@ {{query}}
              AND {{filters}}
            LIMIT {_TAKEN}
       ) AS newest
"""  # noqa: S608 - names of ours


def _one_per_page(entries: Iterable[MatchingEntry]) -> Iterator[MatchingEntry]:
    """Yield the best entry for each page, as a post and its holder, for example, link to the same page."""
    seen_paths: set[str] = set()
    for entry in entries:
        if entry.path not in seen_paths:
            seen_paths.add(entry.path)
            yield entry
