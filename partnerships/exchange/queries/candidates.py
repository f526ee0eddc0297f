"""Find the best counterparts of asks and offers: candidates by index, then their scores.

The entry for which counterparts are wanted is the subject. Candidates come in two tiers: entries that reach the same
places, found by the partial GIN index on `reach`; and, if there are fewer than ten of those, entries in the same
region. The database ranks each tier roughly (by words, then by titles) and returns the values that scoring needs.
`matching` scores the best of them exactly. One statement serves one entry or a thousand.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from partnerships.exchange.matching import (
    MIN_POINTS,
    MatchSide,
    Score,
    SharedTraits,
    distinctive_lexemes,
    score_pair,
    written_words,
)
from partnerships.exchange.models import Direction, Entry, theme_number
from partnerships.exchange.queries.permission_sql import dismissed_match_ids, readable_to, reader_of
from partnerships.exchange.queries.places import AreaNames
from partnerships.exchange.reach import THEME_STEP, anywhere_key, area_of_key
from partnerships.kit.database import rows_of
from partnerships.people.models import User

# A tier is ranked in steps. Each step is more exact and slower than the one before, and takes only its best entries.
#: The number of entries, the newest, that are ranked by their words.
MAX_RANKED_BY_WORDS = 300
#: The number of entries that are ranked by their titles too. Comparing titles is eight times as slow as words.
MAX_RANKED_BY_TITLE = 60
#: The number of entries that are scored exactly.
MAX_SCORED = 40
#: The number of counterparts that are returned.
BEST = 10

_LEXEME = re.compile(r"'((?:[^']|'')+)'")

#: The entries whose counterparts are needed, each with what they are found by: the keys (`near`, `far`), the words
#: (`query`) and the partners.
_SUBJECT = f"""
WITH subject AS MATERIALIZED (
    SELECT
        s.id,
        s.organisation_id,
        s.audience,
        s.partnership_id,
        s.theme,
        s.title,
        coalesce(s.available_from, %s::date) AS begins,
        s.available_until AS ends,
        array(SELECT k FROM unnest(s.reach) k WHERE k > 0) AS near,
        array(SELECT k FROM unnest(s.reach) k WHERE k < 0) || -(abs(s.reach[1]) / {THEME_STEP} * {THEME_STEP}) AS far,
        (
            SELECT string_agg(
                $q$'$q$ || replace(replace(lexeme, $q$\\$q$, $q$\\\\$q$), $q$'$q$, $q$''$q$) || $q$'$q$, ' | '
            )
            FROM (SELECT lexeme FROM unnest(s.words) LIMIT 40) l
        )::tsquery AS query,
        array(
            SELECT theirs.organisation_id
            FROM agreements_party ours
            JOIN agreements_party theirs
                ON theirs.partnership_id = ours.partnership_id AND theirs.status = 'accepted'
            WHERE ours.organisation_id = s.organisation_id
                AND ours.status = 'accepted'
        ) AS partners
    FROM exchange_entry s
    WHERE s.id = ANY(%s)
)"""  # noqa: S608  # only constants and placeholders are inserted

#: The entries to score: the best ranked of the newest entries that share a key and meet the condition.
_TIER = f"""
    SELECT * FROM (
        SELECT
            pool.*,
            ts_rank(pool.words, coalesce(s.query, ''::tsquery)) AS rank,
            similarity(pool.title, s.title) AS likeness
        FROM (
            SELECT
                id,
                organisation_id,
                title,
                available_from,
                available_until,
                quantity,
                agreed_quantity,
                unit,
                standing,
                reach,
                words
            FROM exchange_entry
            WHERE direction = {{other}}
                AND is_open
                AND {{place}}
                AND organisation_id <> s.organisation_id
                AND (available_until IS NULL OR available_until >= s.begins)
                AND (available_from IS NULL OR s.ends IS NULL OR available_from <= s.ends)
                AND {{allowed}}
            ORDER BY shared_at DESC, id DESC
            LIMIT {MAX_RANKED_BY_WORDS}
        ) pool
        ORDER BY rank DESC, id DESC
        LIMIT {MAX_RANKED_BY_TITLE}
    ) likened
    ORDER BY rank + likeness DESC, id DESC
    LIMIT {MAX_SCORED}"""  # noqa: S608  # only constants and placeholders are inserted

#: The columns of `_Candidate`, after the id of the entry that it may match.
_COLUMNS = """
SELECT
    s.id,
    c.id,
    c.organisation_id,
    c.available_from,
    c.available_until,
    c.quantity,
    c.agreed_quantity,
    c.unit,
    c.standing,
    c.reach,
    c.words,
    c.likeness,
    c.organisation_id = ANY(s.partners)
FROM subject s
CROSS JOIN LATERAL ("""

#: The candidate reaches the same places.
_NEAR = "reach && s.near"
#: The candidate reaches the same region or names no place, and does not reach the same places.
_FAR = "reach && s.far AND NOT reach && s.near"
#: The candidate has the same theme. Used for entries that name no place themselves.
_ANYWHERE = "theme = s.theme"

#: The subject's organisation can read the candidate. (Drafts are never open.)
_SUBJECT_CAN_READ = """(
    audience = 'network'
    OR audience = 'named' AND EXISTS (
        SELECT 1 FROM exchange_addressee a
        WHERE a.entry_id = exchange_entry.id AND a.organisation_id = s.organisation_id
    )
    OR audience = 'partnership' AND EXISTS (
        SELECT 1 FROM agreements_party p
        WHERE p.partnership_id = exchange_entry.partnership_id
            AND p.organisation_id = s.organisation_id
            AND p.status = 'accepted'
    )
)"""
#: The candidate's organisation can read the subject.
_CANDIDATE_CAN_READ = """(
    s.audience = 'network'
    OR s.audience = 'named' AND EXISTS (
        SELECT 1 FROM exchange_addressee a
        WHERE a.entry_id = s.id AND a.organisation_id = exchange_entry.organisation_id
    )
    OR s.audience = 'partnership' AND EXISTS (
        SELECT 1 FROM agreements_party p
        WHERE p.partnership_id = s.partnership_id
            AND p.organisation_id = exchange_entry.organisation_id
            AND p.status = 'accepted'
    )
)"""
_ONLY_CANDIDATE_CAN_READ = f"(audience <> 'network' AND NOT {_SUBJECT_CAN_READ} AND {_CANDIDATE_CAN_READ})"
#: The pair is stored as a match already, and one of the two can still read the other.
_IS_STORED_MATCH = f"""(
    ({_SUBJECT_CAN_READ} OR {_CANDIDATE_CAN_READ})
    AND id IN (
        SELECT CASE WHEN m.ask_id = s.id THEN m.offer_id ELSE m.ask_id END
        FROM exchange_match m
        WHERE m.ask_id = s.id OR m.offer_id = s.id
    )
)"""  # noqa: S608  # only constants and placeholders are inserted


def _statement(*, is_ask: bool, place: str, allowed: str) -> str:
    """Return the SQL for the candidates of asks (or of offers) at a `place`, with the condition `allowed`."""
    other = f"'{Direction.OFFER if is_ask else Direction.ASK}'"
    return f"{_SUBJECT} {_COLUMNS} {_TIER.format(other=other, place=place, allowed=allowed)}) c"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """An entry that matches another entry, with the score of the pair."""

    entry_id: int
    score: Score


def best_for_reader(entry: Entry, user: User, today: dt.date) -> list[Counterpart]:
    """Return the best counterparts that this person can read and has not dismissed, best first.

    Rights are a condition of the search itself, so that unreadable entries take no place among the best.
    """
    reader = reader_of(user)
    is_readable, readable_values = readable_to(reader)
    dismissed_matches, dismissed_values = dismissed_match_ids(reader)
    own_direction, other_direction = ("ask", "offer") if entry.is_ask else ("offer", "ask")
    dismissed_sql = (
        f"SELECT {other_direction}_id FROM exchange_match WHERE {own_direction}_id = %s AND id IN ({dismissed_matches})"  # noqa: S608  # only constants and placeholders are inserted
    )
    condition = _Condition(
        sql=f"{is_readable} AND exchange_entry.id NOT IN ({dismissed_sql})",
        values=(*readable_values, entry.pk, *dismissed_values),
    )
    counterparts = _best_counterparts([entry], condition, today, reader_organisations=set(reader.organisations))
    return counterparts[entry.pk][:BEST]


def best_for_both(entries: Sequence[Entry], today: dt.date, names: AreaNames) -> dict[int, list[Counterpart]]:
    """Return the best counterparts of each entry for either side, by the id of the entry, so that they can be stored.

    These are the best that the entry's organisation can read, and the best whose organisation can read the entry.
    Stored matches are scored again, so that a match whose entries no longer fit can be removed.
    """
    counterparts_by_entry: dict[int, dict[int, Counterpart]] = {entry.pk: {} for entry in entries}
    conditions_and_limits = [
        (_SUBJECT_CAN_READ, BEST),
        (_ONLY_CANDIDATE_CAN_READ, BEST),
        (_IS_STORED_MATCH, MAX_SCORED),
    ]
    for sql, limit in conditions_and_limits:
        for pk, best in _best_counterparts(entries, _Condition(sql), today, names=names).items():
            for counterpart in best[:limit]:
                # A counterpart that an earlier condition has found stays.
                counterparts_by_entry[pk].setdefault(counterpart.entry_id, counterpart)
    return {pk: list(counterparts.values()) for pk, counterparts in counterparts_by_entry.items()}


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition on candidates, as SQL with its values."""

    sql: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A candidate with the values that scoring needs, in the order of `_COLUMNS`."""

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


def _best_counterparts(
    entries: Iterable[Entry],
    condition: _Condition,
    today: dt.date,
    *,
    names: AreaNames | None = None,
    reader_organisations: set[int] | None = None,
) -> dict[int, list[Counterpart]]:
    """Return the counterparts of each entry with at least `MIN_POINTS`, best first, by the id of the entry.

    Only the two organisations of a pair may know that they already work together. With `reader_organisations`, working
    together gives points only to pairs with one of these organisations.
    """
    entries_with_place: list[Entry] = []
    entries_without_place: list[Entry] = []
    for entry in entries:
        # Entries that are not open have no keys in `reach`, and no counterparts.
        if not entry.reach:
            continue
        if entry.reach == [anywhere_key(theme_number(entry.theme))]:
            entries_without_place.append(entry)
        else:
            entries_with_place.append(entry)

    candidates_by_entry: dict[int, list[_Candidate]] = defaultdict(list)

    _add_candidates(candidates_by_entry, entries_with_place, _NEAR, condition, today)
    # Look in the whole region only for entries with too few near candidates. The query of the region returns no near
    # candidates: an entry with fewer than BEST of them has all of them in its list already.
    entries_with_few_candidates = [entry for entry in entries_with_place if len(candidates_by_entry[entry.pk]) < BEST]
    _add_candidates(candidates_by_entry, entries_with_few_candidates, _FAR, condition, today)
    _add_candidates(candidates_by_entry, entries_without_place, _ANYWHERE, condition, today)

    return {
        entry.pk: _best_scored(entry, candidates_by_entry[entry.pk], names, reader_organisations) for entry in entries
    }


def _add_candidates(
    candidates_by_entry: dict[int, list[_Candidate]],
    entries: list[Entry],
    place: str,
    condition: _Condition,
    today: dt.date,
) -> None:
    """Add the candidates of these entries at a place to `candidates_by_entry`."""
    for is_ask in (True, False):
        ids = [entry.pk for entry in entries if entry.is_ask == is_ask]
        if ids:
            sql = _statement(is_ask=is_ask, place=place, allowed=condition.sql)
            for pk, *columns in rows_of(sql, (today, ids, *condition.values)):
                candidates_by_entry[pk].append(_Candidate(*columns))


def match_side(
    start: dt.date | None,
    end: dt.date | None,
    quantity: Decimal | None,
    agreed: Decimal,
    unit: str,
    *,
    standing: bool,
) -> MatchSide:
    """Return one side of a pair, for scoring. All of a standing offer is always left."""
    quantity_left = quantity
    if quantity is not None and not standing:
        quantity_left = max(quantity - agreed, Decimal(0))
    return MatchSide(start=start, end=end, quantity=quantity_left, unit=unit)


def _best_scored(
    entry: Entry, candidates: list[_Candidate], names: AreaNames | None, reader_organisations: set[int] | None
) -> list[Counterpart]:
    """Score the candidates, and return those with at least `MIN_POINTS` as counterparts, best first."""
    if not candidates:
        return []
    if names is None:
        common_keys = set[int]().union(*(_common_near_keys(entry, candidate) for candidate in candidates))
        names = AreaNames({area_of_key(key) for key in common_keys})

    own_side = match_side(
        entry.available_from,
        entry.available_until,
        entry.quantity,
        entry.agreed_quantity,
        entry.unit,
        standing=entry.standing,
    )
    lexemes = set(lexemes_of(entry.words))
    counterparts = []
    for candidate in candidates:
        common = _shared_traits(entry, lexemes, candidate, names, reader_organisations)
        other_side = match_side(
            candidate.start,
            candidate.end,
            candidate.quantity,
            candidate.agreed,
            candidate.unit,
            standing=candidate.standing,
        )
        ask, offer = (own_side, other_side) if entry.is_ask else (other_side, own_side)
        counterparts.append(Counterpart(entry_id=candidate.pk, score=score_pair(ask, offer, common)))

    counterparts.sort(key=lambda counterpart: (-counterpart.score.points, -counterpart.entry_id))
    return [counterpart for counterpart in counterparts if counterpart.score.points >= MIN_POINTS]


def _common_near_keys(entry: Entry, candidate: _Candidate) -> set[int]:
    """Return the keys of places, not regions, that both have. (Keys of regions are negative.)"""
    return {key for key in entry.reach if key > 0 and key in candidate.reach}


def _shared_traits(
    entry: Entry, lexemes: set[str], candidate: _Candidate, names: AreaNames, reader_organisations: set[int] | None
) -> SharedTraits:
    """Return what an entry and a candidate have in common. `lexemes` are those of the entry."""
    region_keys = {key for key in entry.reach if key < 0} - {anywhere_key(theme_number(entry.theme))}
    common_lexemes = lexemes.intersection(lexemes_of(candidate.words))
    pair = {entry.organisation_id, candidate.organisation_id}
    may_know_partners = reader_organisations is None or not reader_organisations.isdisjoint(pair)
    return SharedTraits(
        areas=names.of({area_of_key(key) for key in _common_near_keys(entry, candidate)}),
        same_region=not region_keys.isdisjoint(candidate.reach),
        words=written_words(distinctive_lexemes(common_lexemes), f"{entry.title} {entry.statement}"),
        likeness=candidate.likeness,
        partners=candidate.is_partner and may_know_partners,
    )


def lexemes_of(words: Any) -> list[str]:
    """Return the lexemes in the text of a PostgreSQL search vector."""
    return [lexeme.replace("''", "'") for lexeme in _LEXEME.findall(str(words or ""))]
