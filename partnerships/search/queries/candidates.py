"""Entries that fit a question and might be read; then those that the person may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.search.models import EVERYONE
from partnerships.search.queries.asking import OPEN, Asked, Frequent, are_common, frequent_words
from partnerships.search.sources.every import KINDS, SOURCES
from partnerships.search.sources.source import Found

#: Entries whose rights are checked: at most this many results can be paged through and counted.
LIMIT = 500
#: Where more that everybody may read fit, by the sample, only the newest of each kind are looked at.
_MANY = 4_000
#: Of each kind: entries looked at, and entries taken.
_LOOKED_AT, _TAKEN = 1_000, 50
#: Entries of one's own organisations that are ranked, at most.
_OWN = 2_000

_COLUMNS = "id, source, object_id, kind, partnership_id, organisation_id, day, number, hidden, path"
#: Words of a title count twenty times as much as others; length hardly. A title that is what was typed comes first.
_RANK = (
    "(ts_rank('{{0.05, 0.1, 0.3, 1}}', words, {asked}, 1)"
    " + CASE WHEN lower(title) = lower(%(text)s) THEN 1 ELSE 0 END)::float8"
)

#: For "who …?": contacts, which say who covers for somebody, then colleagues.
_PEOPLE_FIRST = " + CASE kind WHEN 'contact' THEN 4 WHEN 'person' THEN 2 ELSE 0 END"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the results are narrowed down to."""

    kind: str = ""
    partnership: int | None = None
    organisation: int | None = None
    year: int | None = None

    def __bool__(self) -> bool:
        return bool(self.kind or self.partnership or self.organisation or self.year)

    def fits(self, found: Found) -> bool:
        """Whether an entry belongs to the narrower results."""
        return (
            (not self.kind or found.kind == self.kind)
            and (self.partnership is None or found.partnership_id == self.partnership)
            and (self.organisation is None or found.organisation_id == self.organisation)
            and (self.year is None or (found.day is not None and found.day.year == self.year))
        )

    def of(self, found: Sequence[Found]) -> Sequence[Found]:
        """The entries that belong to the narrower results."""
        return [entry for entry in found if self.fits(entry)] if self else found

    def condition(self, values: dict[str, Any]) -> str:
        """The condition as SQL; its values are added to `values`."""
        parts = ["TRUE"]
        for name, value in (
            ("kind", self.kind or None),
            ("partnership_id", self.partnership),
            ("organisation_id", self.organisation),
        ):
            if value is not None:
                values[f"only_{name}"] = value
                parts.append(f"{name} = %(only_{name})s")
        if self.year is not None:
            values |= {"from": f"{self.year:04}-01-01", "before": f"{self.year + 1:04}-01-01"}
            parts.append("day >= %(from)s AND day < %(before)s")
        return " AND ".join(parts)


@dataclass(frozen=True, slots=True)
class Readable:
    """Entries that the person may read, best first.

    `more` if not all that fit were looked at.
    """

    found: tuple[Found, ...]
    more: bool


def readable(user: User, asked: Asked, text: str, narrowed: Narrowed, *, limit: int = LIMIT) -> Readable:
    """The entries that fit, as far as this person may read them at this moment.

    Entries that they may not read change nothing: neither what is looked at, nor how many of the others are found.
    """
    readers = readers_as(user)
    is_common = EVERYONE in readers and are_common(_MANY, asked)[0]
    values: dict[str, Any] = {**asked.values, "text": text, "now": timezone.now()}
    values |= {"own": [reader for reader in readers if reader != EVERYONE], "is_everyone": EVERYONE in readers}
    condition = narrowed.condition(values)
    sql = _SEARCH.format(
        asked=asked.sql,
        condition=condition,
        rank=_RANK.format(asked=asked.sql) + (_PEOPLE_FIRST if asked.asks_who else ""),
        # Few entries are of the person's own organisations: with beginnings their words are compared one by one, for
        # the index would read every entry with a word that begins so.
        own=f"(words || ''::tsvector) @@ {asked.sql}" if is_common and asked.has_beginnings else asked.condition,
        public=(_NEWEST if is_common else _ALL).format(fits=asked.condition, asked=asked.sql, condition=condition),
    )
    found: list[Found] = []
    values |= {"kinds": list(KINDS), "rank": None, "id": None, "batch": limit + 1}
    while True:
        rows = rows_of(f"{BY_INDEX}; {sql}", values)
        fitting = [Found(*row[:-1]) for row in rows]
        allowed = _allowed(user, fitting)
        found += [entry for entry in fitting if entry.id in allowed]
        if len(found) > limit or len(rows) < values["batch"]:
            break
        # Some may not be read: others, which fit less well, take their place.
        values |= {"rank": fitting[-1].rank, "id": fitting[-1].id, "batch": 4 * values["batch"]}
    more = is_common or len(found) > limit or bool(rows and rows[0][-1])
    return Readable(tuple(_without_doubles(found[:limit])), more)


def readers_as(user: User) -> list[int]:
    """The ways in which the person may be among an entry's readers."""
    if not user.is_active:
        return []
    everyone = [] if user.is_stakeholder else [EVERYONE]
    return [*everyone, -user.pk, *sorted(Membership.objects.roles_of(user))]


def frequent(text: str) -> Frequent:
    """The words of a question that the index should not read entries of."""
    return frequent_words(text, _MANY)


def _allowed(user: User, found: Iterable[Found]) -> set[int]:
    """Ids of the entries that the person may read, by the rights of their records."""
    by_source: defaultdict[str, list[Found]] = defaultdict(list)
    for entry in found:
        by_source[entry.source].append(entry)
    checks = [
        (SOURCES[code].check, entries, sorted({entry.object_id for entry in entries}))
        for code, entries in by_source.items()
        if code in SOURCES
    ]
    read_ahead(lookup(check.asks, user, ids) for check, _, ids in checks)
    allowed: set[int] = set()
    for check, entries, ids in checks:
        allowed |= check.passed(entries, rows_for(check.asks, user, ids))
    return allowed


#: What the person's own organisations may read, the newest of it; what everybody may; all that ranked, and at the end
#: whether older entries were left out. Materialized, so that PostgreSQL uses the index of words whatever the limit.
_SEARCH = f"""
WITH own AS MATERIALIZED (
    SELECT {_COLUMNS}, title, words FROM search_searchentry
     WHERE {{own}} AND readers && %(own)s::bigint[] AND {{condition}}
     ORDER BY day DESC NULLS LAST, id DESC LIMIT {_OWN}
), public AS MATERIALIZED ({{public}}), fitting AS (
    SELECT *, {{rank}} AS rank FROM (SELECT * FROM own UNION ALL SELECT * FROM public) found
)
SELECT {_COLUMNS}, rank, (SELECT count(*) >= {_OWN} FROM own) FROM fitting
 WHERE %(id)s::bigint IS NULL OR (rank, id) < (%(rank)s::float8, %(id)s::bigint)
 ORDER BY rank DESC, id DESC LIMIT %(batch)s
"""  # noqa: S608 - names of ours
#: All that everybody may read and that fits.
_ALL = f"""
SELECT {_COLUMNS}, title, words FROM search_searchentry
 WHERE {OPEN} AND {{fits}} AND {{condition}} AND %(is_everyone)s AND id NOT IN (SELECT id FROM own)
"""  # noqa: S608 - names of ours
#: The newest of each kind that everybody may read.
_NEWEST = f"""
SELECT newest.* FROM unnest(%(kinds)s::text[]) these(this), LATERAL (
    SELECT {_COLUMNS}, title, words FROM (
        SELECT * FROM search_searchentry
         WHERE kind = these.this AND {OPEN} AND NOT readers && %(own)s::bigint[]
         ORDER BY day DESC NULLS LAST, id DESC LIMIT {_LOOKED_AT}
    ) looked_at
     WHERE words @@ {{asked}} AND {{condition}} AND %(is_everyone)s
     LIMIT {_TAKEN}
) newest
"""  # noqa: S608 - names of ours


def _without_doubles(found: Iterable[Found]) -> Iterable[Found]:
    """One result for each page, the best one: a post and its holder have the same."""
    seen: set[str] = set()
    for entry in found:
        if entry.path not in seen:
            seen.add(entry.path)
            yield entry
