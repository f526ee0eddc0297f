"""Updates open entries when areas, organisations or parties change.

An entry is found by keys that are stored when it is shared (`reach.py`). Successions, areas served, parents of areas
and parties of partnerships change later, in rooms that do not know about entries.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.exchange.models import Audience, Entry, EntryCount, theme_number
from partnerships.exchange.queries.places import known_places, served_by_all
from partnerships.exchange.reach import keys

#: Entries updated in one statement, so that their rows are locked only briefly.
_BATCH = 2_000
#: How far back changes of parties are looked at, in case no worker ran for some days.
_LOOK_BACK = dt.timedelta(days=7)

#: Open entries, grouped where their keys must be equal: the same theme, and the same areas or the same organisation.
_GROUPS = """
SELECT e.theme, a.areas, CASE WHEN a.areas IS NULL THEN e.organisation_id END, e.reach, array_agg(e.id ORDER BY e.id)
FROM exchange_entry e
LEFT JOIN (
    SELECT entry_id, array_agg(area_id ORDER BY area_id) AS areas FROM exchange_entry_areas GROUP BY entry_id
) a ON a.entry_id = e.id
WHERE e.is_open
GROUP BY 1, 2, 3, 4
"""


def refresh_places(*, now: dt.datetime) -> int:
    """Update the keys of open entries after changes of areas.

    One statement finds all entries; only changed ones are written, and matched again at the next run. Returns their
    number.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS)
        groups = cursor.fetchall()
    places = known_places().areas
    served = served_by_all(timezone.localdate(now))
    changed = 0
    for theme, areas, organisation, reach, ids in groups:
        wanted = keys(theme_number(theme), areas or served.get(organisation, []), places)
        if wanted == reach:
            continue
        for start in range(0, len(ids), _BATCH):
            entries = Entry.objects.filter(pk__in=ids[start : start + _BATCH], is_open=True, reach=reach)
            changed += entries.update(reach=wanted, matched_at=None)
    return changed


def refresh_parties(*, now: dt.datetime) -> int:
    """Mark open entries for matching after a party joined or left.

    These are the entries of that organisation, and those shared with that partnership. Returns their number.
    """
    since = now - _LOOK_BACK
    moved = Party.objects.filter(Q(answered_at__gt=since) | Q(left_at__gt=since)).order_by("pk")
    due = 0
    for organisation, partnership, answered_at, left_at in moved.values_list(
        "organisation", "partnership", "answered_at", "left_at"
    ):
        at = max(moment for moment in (answered_at, left_at) if moment)
        affected = Q(organisation=organisation) | Q(audience=Audience.PARTNERSHIP, partnership=partnership)
        due += Entry.objects.filter(affected, is_open=True, matched_at__lte=at).update(matched_at=None)
    return due


@transaction.atomic
def fold_counts() -> None:
    """Replace the +1 and -1 rows of `EntryCount` by their sums."""
    rows = list(EntryCount.objects.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True))
    old = EntryCount.objects.filter(pk__in=rows)
    sums = list(old.values("direction", "theme", "status", "is_open").annotate(number_of=Sum("number")))
    old.delete()
    EntryCount.objects.bulk_create(
        EntryCount(
            direction=row["direction"],
            theme=row["theme"],
            status=row["status"],
            is_open=row["is_open"],
            number=row["number_of"],
        )
        for row in sums
        if row["number_of"]
    )
