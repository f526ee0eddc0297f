"""The queries of asks and offers as handwritten SQL, for comparison."""

from __future__ import annotations

from typing import Any

_TIER = """
WITH mine AS (SELECT partnership_id FROM agreements_party WHERE organisation_id = %(reads)s AND status = 'accepted'),
pool AS (
  SELECT e.* FROM exchange_entry e
  WHERE e.direction = %(other)s AND e.is_open AND e.theme = %(theme)s AND e.reach && %(keys)s::int[]
    AND e.organisation_id <> %(own)s
    AND (e.available_until IS NULL OR e.available_until >= %(begins)s)
    AND (e.available_from IS NULL OR e.available_from <= %(ends)s)
    AND (e.audience = 'network' OR (e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM
    mine))
      OR (e.audience = 'named' AND e.id IN
        (SELECT entry_id FROM exchange_addressee WHERE organisation_id = %(reads)s)) OR e.organisation_id = %(reads)s)
  ORDER BY e.shared_at DESC, e.id DESC LIMIT 300
)
SELECT id, title, organisation_id, %(place)s
    + CASE WHEN quantity IS NULL OR unit <> %(unit)s OR %(quantity)s IS NULL THEN 6
        ELSE 6 + 14 * least(quantity / %(quantity)s, 1) END
    + CASE WHEN available_from <= %(begins)s AND available_until >= %(ends)s THEN 20 ELSE 12 END
    + greatest(20 * similarity(title, %(title)s), 20 * ts_rank(words, %(query)s::tsquery)) AS points
FROM pool ORDER BY points DESC, id DESC LIMIT 10
"""

#: Candidates that the entry's organisation may not read, but whose organisations may read the entry.
_OTHER_SIDE = (
    _TIER[: _TIER.index("    AND (e.audience = 'network'")]
    + """    AND e.audience <> 'network' AND NOT (
      e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM mine)
      OR e.audience = 'named' AND e.id IN (SELECT entry_id FROM exchange_addressee WHERE organisation_id = %(own)s))
    AND (%(audience)s = 'network'
      OR %(audience)s = 'partnership' AND e.organisation_id IN
        (SELECT organisation_id FROM agreements_party WHERE partnership_id = %(partnership)s AND status = 'accepted')
      OR %(audience)s = 'named' AND e.organisation_id IN
        (SELECT organisation_id FROM exchange_addressee WHERE entry_id = %(entry)s))
"""
    + _TIER[_TIER.index("  ORDER BY e.shared_at") :]
)

ALL = _TIER.replace("AND e.reach && %(keys)s::int[]", "AND (e.reach && %(keys)s::int[] OR true)").replace(
    "ORDER BY e.shared_at DESC, e.id DESC LIMIT 300", ""
)


def by_hand(cursor: Any, entry: Any, sql: str = _TIER, reads: int = 0) -> list[Any]:
    """Return the ten best counterparts that an organisation may read.

    Counterparts nearby come first. Those in the region fill the rest.
    """
    lexemes = [part.split(":")[0] for part in str(entry.words).split()]
    fields = {
        "own": entry.organisation_id,
        "reads": reads or entry.organisation_id,
        "audience": entry.audience,
        "partnership": entry.partnership_id,
        "entry": entry.pk,
        "other": "offer" if entry.is_ask else "ask",
        "theme": entry.theme,
        "begins": entry.available_from,
        "ends": entry.available_until,
        "unit": entry.unit,
        "quantity": entry.quantity,
        "title": entry.title,
        "query": " | ".join(lexemes),
        "keys": [key for key in entry.reach if key > 0],
        "place": 30,
    }
    cursor.execute(sql, fields)
    rows = cursor.fetchall()
    if len(rows) < 10:
        cursor.execute(sql, {**fields, "keys": [key for key in entry.reach if key < 0], "place": 12})
        rows += cursor.fetchall()
    return rows[:10]


def by_hand_for_both(cursor: Any, entry: Any) -> list[Any]:
    """Return the ten best counterparts that the entry's organisation may read, and ten that it may not.

    The organisations of the latter may read the entry.
    """
    return by_hand(cursor, entry) + by_hand(cursor, entry, _OTHER_SIDE)


_SEEN = """(e.audience = 'network' OR e.organisation_id IN (SELECT organisation_id FROM mine)
    OR (e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM theirs))
    OR (e.audience = 'named' AND e.id IN (SELECT entry_id FROM exchange_addressee
        WHERE organisation_id IN (SELECT organisation_id FROM mine))))"""
_WITH = """WITH mine AS (SELECT organisation_id FROM organisations_membership WHERE person_id = %(person)s
    AND accepted_at IS NOT NULL AND (ends_on IS NULL OR ends_on > now())),
  theirs AS (SELECT partnership_id FROM agreements_party
    WHERE status = 'accepted' AND organisation_id IN (SELECT organisation_id FROM mine)) """
_BOARD = (
    _WITH
    + """SELECT e.id, e.title, e.statement, e.theme, e.status, e.shared_at, e.closes_on, o.name,
    (SELECT string_agg(a.name, ', ') FROM exchange_entry_areas l JOIN organisations_area a ON a.id = l.area_id
      WHERE l.entry_id = e.id) FROM exchange_entry e JOIN organisations_organisation o ON o.id = e.organisation_id
  WHERE e.direction = %(direction)s AND e.is_open AND """
    + _SEEN
    + " ORDER BY e.shared_at DESC, e.id DESC LIMIT 11"
)
_COUNTS = (
    _WITH
    + """, private AS (
    SELECT id FROM exchange_entry WHERE organisation_id IN (SELECT organisation_id FROM mine) AND audience <> 'network'
    UNION SELECT id FROM exchange_entry WHERE partnership_id IN (SELECT partnership_id FROM theirs)
      AND audience = 'partnership'
    UNION SELECT entry_id FROM exchange_addressee WHERE organisation_id IN (SELECT organisation_id FROM mine))
  SELECT direction, theme, status, is_open, sum(number) FROM (
    SELECT direction, theme, status, is_open, number FROM exchange_entrycount
    UNION ALL SELECT direction, theme, status, is_open, 1 FROM exchange_entry
      WHERE id IN (SELECT id FROM private) AND status <> 'draft') c GROUP BY 1, 2, 3, 4"""
)
_MATCHES = """SELECT ask_id, offer_id FROM exchange_match m
  WHERE ask_id = ANY(%(ids)s) OR offer_id = ANY(%(ids)s)"""
STRAIGHT = (
    _WITH + "SELECT e.direction, e.theme, e.status, count(*) FROM exchange_entry e WHERE " + _SEEN + " GROUP BY 1, 2, 3"
)


def board_by_hand(cursor: Any, person: int) -> None:
    """Fetch everything that the board shows, with four statements."""
    ids: list[int] = []
    for direction in ("ask", "offer"):
        cursor.execute(_BOARD, {"person": person, "direction": direction})
        ids += [row[0] for row in cursor.fetchall()]
    cursor.execute(_COUNTS, {"person": person})
    cursor.fetchall()
    cursor.execute(_MATCHES, {"ids": ids})
    cursor.fetchall()
