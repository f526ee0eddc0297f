"""Finds candidates for matches by index, then scores them.

There are two tiers: entries that reach the same places, found by the partial GIN index on `reach`; and, if there are
fewer than ten of those, entries in the same region. The database ranks a tier roughly (words, then titles) and returns
what scoring needs; `matching` scores the best of it exactly. One statement serves one entry or a thousand.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from partnerships.exchange.matching import MIN_POINTS, Common, Score, Side, as_written, distinctive, score_pair
from partnerships.exchange.models import Direction, Entry, theme_number
from partnerships.exchange.queries.permission_sql import dismissed_by, readable_to, reader_of
from partnerships.exchange.reach import THEME_STEP, anywhere, place_of
from partnerships.kit.database import rows_of
from partnerships.people.models import User

#: Of each tier, the newest POOL are ranked by their words. The best LIKENED of these have their titles compared (eight
#: times as slow), SCORED are scored exactly, and BEST are returned.
POOL = 300
LIKENED = 60
SCORED = 40
BEST = 10

_LEXEME = re.compile(r"'((?:[^']|'')+)'")

# --- the statement ---------------------------------------------------------------------------------------------------

#: The entries to find counterparts for, with the keys and words to search by.
_SUBJECT = f"""
WITH subject AS MATERIALIZED (
    SELECT s.id, s.organisation_id, s.audience, s.partnership_id, s.theme, s.title,
        coalesce(s.available_from, %s::date) AS begins, s.available_until AS ends,
        array(SELECT k FROM unnest(s.reach) k WHERE k > 0) AS near,
        array(SELECT k FROM unnest(s.reach) k WHERE k < 0) || -(abs(s.reach[1]) / {THEME_STEP} * {THEME_STEP}) AS far,
        (SELECT string_agg(
                $q$'$q$ || replace(replace(lexeme, $q$\\$q$, $q$\\\\$q$), $q$'$q$, $q$''$q$) || $q$'$q$, ' | ')
            FROM (SELECT lexeme FROM unnest(s.words) LIMIT 40) l)::tsquery AS query,
        array(SELECT theirs.organisation_id FROM agreements_party ours
            JOIN agreements_party theirs ON theirs.partnership_id = ours.partnership_id AND theirs.status = 'accepted'
            WHERE ours.organisation_id = s.organisation_id AND ours.status = 'accepted') AS partners
    FROM exchange_entry s WHERE s.id = ANY(%s)
)"""  # noqa: S608  # only constants and placeholders are inserted

#: The SCORED best-ranked of the newest POOL that share a key and meet the condition.
_TIER = f"""
    SELECT * FROM (
        SELECT pool.*, ts_rank(pool.words, coalesce(s.query, ''::tsquery)) AS rank,
            similarity(pool.title, s.title) AS likeness
        FROM (
            SELECT id, organisation_id, title, available_from, available_until, quantity, agreed_quantity, unit,
                standing, reach, words
            FROM exchange_entry
            WHERE direction = {{other}} AND is_open AND {{place}} AND organisation_id <> s.organisation_id
                AND (available_until IS NULL OR available_until >= s.begins)
                AND (available_from IS NULL OR s.ends IS NULL OR available_from <= s.ends)
                AND {{allowed}}
            ORDER BY shared_at DESC, id DESC LIMIT {POOL}
        ) pool
        ORDER BY rank DESC, id DESC LIMIT {LIKENED}
    ) likened
    ORDER BY rank + likeness DESC, id DESC LIMIT {SCORED}"""  # noqa: S608  # only constants and placeholders are inserted

_FACTS = """
SELECT s.id, c.id, c.organisation_id, c.available_from, c.available_until, c.quantity, c.agreed_quantity, c.unit,
    c.standing, c.reach, c.words, c.likeness, c.organisation_id = ANY(s.partners)
FROM subject s CROSS JOIN LATERAL ("""

#: Same places; same region, or no place named; same theme, for an entry that names no place itself.
_NEAR = "reach && s.near"
_FAR = "reach && s.far AND NOT reach && s.near"
_ANYWHERE = "theme = s.theme"

#: The subject's organisation can read the candidate. (Drafts are never open.)
_TO_SUBJECT = """(audience = 'network'
    OR audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a
        WHERE a.entry_id = exchange_entry.id AND a.organisation_id = s.organisation_id)
    OR audience = 'partnership' AND EXISTS (SELECT 1 FROM agreements_party p
        WHERE p.partnership_id = exchange_entry.partnership_id AND p.organisation_id = s.organisation_id
            AND p.status = 'accepted'))"""
#: The candidate's organisation can read the subject.
_FROM_SUBJECT = """(s.audience = 'network'
    OR s.audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a
        WHERE a.entry_id = s.id AND a.organisation_id = exchange_entry.organisation_id)
    OR s.audience = 'partnership' AND EXISTS (SELECT 1 FROM agreements_party p
        WHERE p.partnership_id = s.partnership_id AND p.organisation_id = exchange_entry.organisation_id
            AND p.status = 'accepted'))"""
_TO_COUNTERPART_ALONE = f"(audience <> 'network' AND NOT {_TO_SUBJECT} AND {_FROM_SUBJECT})"
_KNOWN = f"""(({_TO_SUBJECT} OR {_FROM_SUBJECT}) AND id IN (
    SELECT CASE WHEN m.ask_id = s.id THEN m.offer_id ELSE m.ask_id END FROM exchange_match m
    WHERE m.ask_id = s.id OR m.offer_id = s.id))"""  # noqa: S608  # only constants and placeholders are inserted


def _statement(*, is_ask: bool, place: str, allowed: str) -> str:
    other = f"'{Direction.OFFER if is_ask else Direction.ASK}'"
    return f"{_SUBJECT} {_FACTS} {_TIER.format(other=other, place=place, allowed=allowed)}) c"


# --- searching -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A counterpart and its score."""

    entry_id: int
    score: Score


class AreaNames:
    """Names and parents of areas, read once for a run."""

    def __init__(self, only: Collection[int] | None = None) -> None:
        everywhere = only is None
        rows = rows_of(
            "SELECT id, name, parent_id, region_id FROM organisations_area WHERE %s OR id = ANY(%s::int[])",
            [everywhere, [] if only is None else list(only)],
        )
        self._rows: dict[int, tuple[str, int | None, int | None]] = {
            pk: (name, parent, region) for pk, name, parent, region in rows
        }

    def of(self, areas: set[int]) -> tuple[str, ...]:
        """Names of the largest of these areas: a county, not its districts."""
        widest = [area for area in areas if area in self._rows and not areas & set(filter(None, self._rows[area][1:]))]
        return tuple(sorted(self._rows[area][0] for area in widest))


def best_for_reader(entry: Entry, user: User, today: dt.date) -> list[Found]:
    """The best counterparts that this person can read and has not dismissed.

    Rights are a condition of the search itself, so unreadable entries are neither shown nor counted.
    """
    reader = reader_of(user)
    readable, values = readable_to(reader)
    dismissed, more = dismissed_by(reader)
    own, other = ("ask", "offer") if entry.is_ask else ("offer", "ask")
    counterparts = f"SELECT {other}_id FROM exchange_match WHERE {own}_id = %s AND id IN ({dismissed})"  # noqa: S608  # only constants and placeholders are inserted
    allowed = f"{readable} AND exchange_entry.id NOT IN ({counterparts})"
    params = (*values, entry.pk, *more)
    return _best([entry], allowed, today, None, params, sides=set(reader.organisations))[entry.pk][:BEST]


def best_for_both(entries: Sequence[Entry], today: dt.date, names: AreaNames) -> dict[int, list[Found]]:
    """The best counterparts of each entry for either side, to be stored.

    These are the best that the entry's organisation can read, and the best whose organisation can read the entry.
    Stored matches are scored again.
    """
    scores: dict[int, dict[int, Found]] = {entry.pk: {} for entry in entries}
    for allowed, limit in ((_TO_SUBJECT, BEST), (_TO_COUNTERPART_ALONE, BEST), (_KNOWN, SCORED)):
        for pk, best in _best(entries, allowed, today, names).items():
            scores[pk] = {candidate.entry_id: candidate for candidate in best[:limit]} | scores[pk]
    return {pk: list(best.values()) for pk, best in scores.items()}


# --- finding and scoring ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    organisation_id: int
    start: dt.date | None
    end: dt.date | None
    quantity: Decimal | None
    agreed: Decimal
    unit: str
    standing: bool
    reach: list[int]
    words: str
    likeness: float
    is_partner: bool


def _best(
    entries: Iterable[Entry],
    allowed: str,
    today: dt.date,
    names: AreaNames | None,
    values: tuple[Any, ...] = (),
    sides: set[int] | None = None,
) -> dict[int, list[Found]]:
    """The counterparts of each entry with at least `MIN_POINTS`, best first.

    `values` belong to the condition `allowed`. Only the two organisations know that they already work together: if
    `sides` is given, that gives points only to pairs with one of these organisations.
    """
    searchable = [entry for entry in entries if entry.reach]
    placed = [entry for entry in searchable if entry.reach != [anywhere(theme_number(entry.theme))]]
    rows: dict[int, list[_Row]] = defaultdict(list)

    def look(group: list[Entry], place: str) -> None:
        for is_ask in (True, False):
            ids = [entry.pk for entry in group if entry.is_ask == is_ask]
            if ids:
                sql = _statement(is_ask=is_ask, place=place, allowed=allowed)
                for pk, *row in rows_of(sql, (today, ids, *values)):
                    rows[pk].append(_Row(*row))

    look(placed, _NEAR)
    # Fewer than BEST near ones means that all were found, so the region's tier can leave them out.
    look([entry for entry in placed if len(rows[entry.pk]) < BEST], _FAR)
    look([entry for entry in searchable if entry not in placed], _ANYWHERE)
    return {entry.pk: _scored(entry, rows[entry.pk], names, sides) if rows[entry.pk] else [] for entry in entries}


def side_of(
    start: dt.date | None,
    end: dt.date | None,
    quantity: Decimal | None,
    agreed: Decimal,
    unit: str,
    *,
    standing: bool,
) -> Side:
    """What scoring needs of an entry; a standing offer is never used up."""
    left = None if quantity is None else (quantity if standing else max(quantity - agreed, Decimal(0)))
    return Side(start, end, left, unit)


def _scored(entry: Entry, rows: list[_Row], names: AreaNames | None, sides: set[int] | None) -> list[Found]:
    """The candidates that are worth showing, with points and reasons, best first."""
    own = side_of(
        entry.available_from,
        entry.available_until,
        entry.quantity,
        entry.agreed_quantity,
        entry.unit,
        standing=entry.standing,
    )
    near = {key for key in entry.reach if key > 0}
    regions = {key for key in entry.reach if key < 0} - {anywhere(theme_number(entry.theme))}
    lexemes = set(lexemes_of(entry.words))
    text = f"{entry.title} {entry.statement}"
    if names is None:
        names = AreaNames({place_of(key) for row in rows for key in near.intersection(row.reach)})
    scored = []
    for row in rows:
        shared = near.intersection(row.reach)
        may_know = sides is None or not sides.isdisjoint((entry.organisation_id, row.organisation_id))
        common = Common(
            areas=names.of({place_of(key) for key in shared}),
            same_region=not regions.isdisjoint(row.reach),
            words=as_written(distinctive(lexemes.intersection(lexemes_of(row.words))), text),
            likeness=row.likeness,
            partners=row.is_partner and may_know,
        )
        other = side_of(row.start, row.end, row.quantity, row.agreed, row.unit, standing=row.standing)
        ask, offer = (own, other) if entry.is_ask else (other, own)
        scored.append(Found(row.pk, score_pair(ask, offer, common)))
    scored.sort(key=lambda candidate: (-candidate.score.points, -candidate.entry_id))
    return [candidate for candidate in scored if candidate.score.points >= MIN_POINTS]


def lexemes_of(words: Any) -> list[str]:
    """The lexemes in the text of a PostgreSQL search vector."""
    return [lexeme.replace("''", "'") for lexeme in _LEXEME.findall(str(words or ""))]
