"""Following the directory and the partnerships: what changed there makes open entries reach, and match, anew.

An entry is found by keys that are written down when it is shared (`reach.py`). Successions, areas served, parents of
areas and members of partnerships change later, in rooms that know nothing of entries: so entries look after them.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.exchange.models import THEME_NUMBERS, Audience, Entry
from partnerships.exchange.queries.places import known_places, served_by_all
from partnerships.exchange.reach import keys

#: Entries written in one statement: their rows are locked no longer than that.
_TOGETHER = 2_000
#: How far back parties are looked at: a worker that was away for a week misses none.
_LOOK_BACK = dt.timedelta(days=7)

#: Open entries, together where their keys must be the same: one theme, and either the same areas or one organisation.
_GROUPS = """
SELECT e.theme, a.areas, CASE WHEN a.areas IS NULL THEN e.organisation_id END, e.reach, array_agg(e.id ORDER BY e.id)
FROM exchange_entry e
LEFT JOIN (
    SELECT entry_id, array_agg(area_id ORDER BY area_id) AS areas FROM exchange_entry_areas GROUP BY entry_id
) a ON a.entry_id = e.id
WHERE e.is_open
GROUP BY 1, 2, 3, 4
"""


def follow_places(*, now: dt.datetime) -> int:
    """Give open entries the keys that the register of areas and bodies now gives them; returns how many had others.

    One statement finds them all; only those that changed are written, and matched anew at the next run.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS)
        groups = cursor.fetchall()
    places = known_places().areas
    served = served_by_all(timezone.localdate(now))
    changed = 0
    for theme, areas, organisation, reach, ids in groups:
        wanted = keys(THEME_NUMBERS[theme], areas or served.get(organisation, []), places)
        if wanted == reach:
            continue
        for start in range(0, len(ids), _TOGETHER):
            some = Entry.objects.filter(pk__in=ids[start : start + _TOGETHER], is_open=True, reach=reach)
            changed += some.update(reach=wanted, matched_at=None)
    return changed


def follow_parties(*, now: dt.datetime) -> int:
    """Have entries matched anew whose readers or partners changed when a party joined or left; returns how many.

    Those are the open entries of that organisation, and those addressed to that partnership.
    """
    since = now - _LOOK_BACK
    moved = Party.objects.filter(Q(answered_at__gt=since) | Q(left_at__gt=since)).order_by("pk")
    due = 0
    for organisation, partnership, answered_at, left_at in moved.values_list(
        "organisation", "partnership", "answered_at", "left_at"
    ):
        at = max(moment for moment in (answered_at, left_at) if moment)
        concerned = Q(organisation=organisation) | Q(audience=Audience.PARTNERSHIP, partnership=partnership)
        due += Entry.objects.filter(concerned, is_open=True, matched_at__lte=at).update(matched_at=None)
    return due
