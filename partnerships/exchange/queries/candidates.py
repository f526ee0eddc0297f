"""The counterparts of entries: candidates by index, never by comparing all with all; then scored by `matching`.

Two tiers: those that reach the same places, by the partial GIN index on `reach`, and only where they are fewer than ten
those of the same region. The database orders a tier roughly (words, then titles) and brings with each row what scoring
wants to know; Python scores the best of it exactly. One statement does it for one entry and for a thousand.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from partnerships.exchange.matching import WORTH_TELLING, Fit, Ground, Half, as_written, fit, telling
from partnerships.exchange.models import THEME_NUMBERS, Direction, Entry
from partnerships.exchange.queries.compiled import put_aside_by, readable_to, reader_of
from partnerships.exchange.reach import THEME_STEP, anywhere, place_of
from partnerships.kit.database import rows_of, rows_planned_once
from partnerships.people.models import User

#: How many of a tier are looked at (the newest), how many of these, by their words, have their titles compared (which
#: costs eight times as much), how many are scored exactly, and what comes out.
POOL = 300
LIKENED = 60
SCORED = 40
BEST = 10

_LEXEME = re.compile(r"'((?:[^']|'')+)'")

# --- the statement ---------------------------------------------------------------------------------------------------

#: The entries whose counterparts are wanted, with the keys and the words by which these are looked for.
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
)"""  # noqa: S608  # only constants and places for values are put in

#: The roughly best SCORED of the newest POOL that share a key and that the condition allows.
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
    ORDER BY rank + likeness DESC, id DESC LIMIT {SCORED}"""  # noqa: S608  # only constants and places for values are put in

_FACTS = """
SELECT s.id, c.id, c.organisation_id, c.available_from, c.available_until, c.quantity, c.agreed_quantity, c.unit,
    c.standing, c.reach, c.words, c.likeness, c.organisation_id = ANY(s.partners)
FROM subject s CROSS JOIN LATERAL ("""

#: The same places; else the region, with those that name no place. One that names no place itself meets all its theme.
_NEAR = "reach && s.near"
_FAR = "reach && s.far AND NOT reach && s.near"
_ANYWHERE = "theme = s.theme"

#: The people of the subject's organisation may read it. (A draft is never open.)
_TO_SUBJECT = """(audience = 'network'
    OR audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a
        WHERE a.entry_id = exchange_entry.id AND a.organisation_id = s.organisation_id)
    OR audience = 'partnership' AND EXISTS (SELECT 1 FROM agreements_party p
        WHERE p.partnership_id = exchange_entry.partnership_id AND p.organisation_id = s.organisation_id
            AND p.status = 'accepted'))"""
#: The people of its organisation may read the subject.
_FROM_SUBJECT = """(s.audience = 'network'
    OR s.audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a
        WHERE a.entry_id = s.id AND a.organisation_id = exchange_entry.organisation_id)
    OR s.audience = 'partnership' AND EXISTS (SELECT 1 FROM agreements_party p
        WHERE p.partnership_id = s.partnership_id AND p.organisation_id = exchange_entry.organisation_id
            AND p.status = 'accepted'))"""
_TO_COUNTERPART_ALONE = f"(audience <> 'network' AND NOT {_TO_SUBJECT} AND {_FROM_SUBJECT})"
_KNOWN = f"""(({_TO_SUBJECT} OR {_FROM_SUBJECT}) AND id IN (
    SELECT CASE WHEN m.ask_id = s.id THEN m.offer_id ELSE m.ask_id END FROM exchange_match m
    WHERE m.ask_id = s.id OR m.offer_id = s.id))"""  # noqa: S608  # only constants and places for values are put in


def _statement(*, is_ask: bool, place: str, allowed: str) -> str:
    other = f"'{Direction.OFFER if is_ask else Direction.ASK}'"
    return f"{_SUBJECT} {_FACTS} {_TIER.format(other=other, place=place, allowed=allowed)}) c"


# --- who asks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A counterpart and how well it fits."""

    entry_id: int
    fit: Fit


class AreaNames:
    """Names of areas and what each lies in, read once and kept for a run."""

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
        """The names of the widest of these areas: a county, not also its districts."""
        widest = [area for area in areas if area in self._rows and not areas & set(filter(None, self._rows[area][1:]))]
        return tuple(sorted(self._rows[area][0] for area in widest))


def best_for_reader(entry: Entry, user: User, today: dt.date) -> list[Found]:
    """The best counterparts among what this person may see, without those that their organisations put aside.

    Their rights are a condition of the search itself: what they may not see is neither suggested nor counted.
    """
    reader = reader_of(user)
    readable, values = readable_to(reader)
    put_aside, more = put_aside_by(reader)
    own, other = ("ask", "offer") if entry.is_ask else ("offer", "ask")
    others = f"SELECT {other}_id FROM exchange_match WHERE {own}_id = %s AND id IN ({put_aside})"  # noqa: S608  # only constants and places for values are put in
    allowed = f"{readable} AND exchange_entry.id NOT IN ({others})"
    given = (*values, entry.pk, *more)
    return _best([entry], allowed, today, None, given, sides=set(reader.organisations))[entry.pk][:BEST]


def best_for_both(entries: Sequence[Entry], today: dt.date, names: AreaNames) -> dict[int, list[Found]]:
    """For each entry the best counterparts that its organisation may read, and the best whose own may read the entry.

    For keeping: what one of the two may not read is not shown to it, and still shown to the other. Counterparts known
    from their own side are scored again.
    """
    found: dict[int, dict[int, Found]] = {entry.pk: {} for entry in entries}
    for allowed, limit in ((_TO_SUBJECT, BEST), (_TO_COUNTERPART_ALONE, BEST), (_KNOWN, SCORED)):
        for pk, best in _best(entries, allowed, today, names).items():
            found[pk] = {one.entry_id: one for one in best[:limit]} | found[pk]
    return {pk: list(best.values()) for pk, best in found.items()}


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
    """The allowed counterparts worth telling of each entry, best first. `values` belong to the condition `allowed`.

    That two already work together is known to the two alone: to readers of the organisations `sides`, where these are
    given, it neither counts nor is it said of pairs in which they have no part.
    """
    wanted = [entry for entry in entries if entry.reach]
    placed = [entry for entry in wanted if entry.reach != [anywhere(THEME_NUMBERS[entry.theme])]]
    rows: dict[int, list[_Row]] = defaultdict(list)

    def look(group: list[Entry], place: str) -> None:
        for is_ask in (True, False):
            ids = [entry.pk for entry in group if entry.is_ask == is_ask]
            if ids:
                sql = _statement(is_ask=is_ask, place=place, allowed=allowed)
                for pk, *row in rows_planned_once(sql, (today, ids, *values), whatever_is_asked=True):
                    rows[pk].append(_Row(*row))

    look(placed, _NEAR)
    # With fewer than BEST near ones every one of them was found: so leaving out their kind leaves out just those.
    look([entry for entry in placed if len(rows[entry.pk]) < BEST], _FAR)
    look([entry for entry in wanted if entry not in placed], _ANYWHERE)
    return {entry.pk: _scored(entry, rows[entry.pk], names, sides) if rows[entry.pk] else [] for entry in entries}


def half(
    start: dt.date | None,
    end: dt.date | None,
    quantity: Decimal | None,
    agreed: Decimal,
    unit: str,
    *,
    standing: bool,
) -> Half:
    """What scoring wants to know of an entry; a standing offer has its whole quantity for everyone."""
    left = None if quantity is None else (quantity if standing else max(quantity - agreed, Decimal(0)))
    return Half(start, end, left, unit)


def _scored(entry: Entry, rows: list[_Row], names: AreaNames | None, sides: set[int] | None) -> list[Found]:
    own = half(
        entry.available_from,
        entry.available_until,
        entry.quantity,
        entry.agreed_quantity,
        entry.unit,
        standing=entry.standing,
    )
    near = {key for key in entry.reach if key > 0}
    regions = {key for key in entry.reach if key < 0} - {anywhere(THEME_NUMBERS[entry.theme])}
    lexemes = set(lexemes_of(entry.words))
    text = f"{entry.title} {entry.statement}"
    if names is None:
        names = AreaNames({place_of(key) for row in rows for key in near.intersection(row.reach)})
    found = []
    for row in rows:
        shared = near.intersection(row.reach)
        told = sides is None or not sides.isdisjoint((entry.organisation_id, row.organisation_id))
        ground = Ground(
            areas=names.of({place_of(key) for key in shared}),
            same_region=not regions.isdisjoint(row.reach),
            words=as_written(telling(lexemes.intersection(lexemes_of(row.words))), text),
            likeness=row.likeness,
            partners=row.is_partner and told,
        )
        other = half(row.start, row.end, row.quantity, row.agreed, row.unit, standing=row.standing)
        found.append(Found(row.pk, fit(own, other, ground) if entry.is_ask else fit(other, own, ground)))
    found.sort(key=lambda one: (-one.fit.points, -one.entry_id))
    return [one for one in found if one.fit.points >= WORTH_TELLING]


def lexemes_of(words: Any) -> list[str]:
    """The lexemes of a stored search vector, as PostgreSQL writes it."""
    return [lexeme.replace("''", "'") for lexeme in _LEXEME.findall(str(words or ""))]
