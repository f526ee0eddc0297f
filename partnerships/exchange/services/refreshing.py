"""Updates open entries after areas, organisations or parties have changed.

Matching finds an entry by keys that are stored when the entry is shared (`reach.py`). Successions, areas served,
parents of areas and parties of partnerships change later, in rooms that do not know about entries.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.exchange.models import Audience, Entry, EntryCount, theme_number
from partnerships.exchange.queries.places import read_areas, served_by_all
from partnerships.exchange.reach import matching_keys

#: One statement updates at most this many entries, so that their rows are locked only briefly.
_BATCH = 2_000
#: Changes of parties in this time count, in case no worker ran for some days.
_LOOK_BACK = dt.timedelta(days=7)

#: The ids of open entries, in groups with the same theme and the same areas or, without areas, the same organisation.
#: All entries of a group should have the same keys. Each group also has the keys that are stored.
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
    """Update the keys of open entries after changes of areas, and return how many entries changed.

    One statement reads all entries in groups with equal keys. Only entries whose keys differ are written; the next run
    matches these again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS)
        groups = cursor.fetchall()
    places = read_areas().places
    areas_by_organisation = served_by_all(timezone.localdate(now))
    changed_count = 0
    for theme, areas, organisation, reach, entry_ids in groups:
        new_reach = matching_keys(theme_number(theme), areas or areas_by_organisation.get(organisation, []), places)
        if new_reach == reach:
            continue
        for start in range(0, len(entry_ids), _BATCH):
            batch_ids = entry_ids[start : start + _BATCH]
            # The condition leaves out entries that have changed since they were fetched.
            entries = Entry.objects.filter(pk__in=batch_ids, is_open=True, reach=reach)
            changed_count += entries.update(reach=new_reach, matched_at=None)
    return changed_count


def refresh_parties(*, now: dt.datetime) -> int:
    """Mark open entries for matching after a party joined or left, and return how many were marked.

    These are the entries of that organisation, and the entries shared with that partnership.
    """
    since = now - _LOOK_BACK
    changed_parties = Party.objects.filter(Q(answered_at__gt=since) | Q(left_at__gt=since)).order_by("pk")
    marked_count = 0
    for party in changed_parties.only("organisation_id", "partnership_id", "answered_at", "left_at"):
        changed_at = max(moment for moment in (party.answered_at, party.left_at) if moment)
        is_affected = Q(organisation=party.organisation_id) | Q(
            audience=Audience.PARTNERSHIP, partnership=party.partnership_id
        )
        # Entries that were matched after the change need no second matching.
        entries = Entry.objects.filter(is_affected, is_open=True, matched_at__lte=changed_at)
        marked_count += entries.update(matched_at=None)
    return marked_count


@transaction.atomic
def fold_counts() -> None:
    """Replace the +1 and -1 rows of `EntryCount` by their sums.

    The rows are locked first, so that rows that the trigger adds in the meantime are left for the next run.
    """
    unlocked_rows = EntryCount.objects.select_for_update(skip_locked=True).order_by("pk")
    row_ids = list(unlocked_rows.values_list("pk", flat=True))
    rows_to_fold = EntryCount.objects.filter(pk__in=row_ids)
    sums = list(rows_to_fold.values("direction", "theme", "status", "is_open").annotate(number_of=Sum("number")))
    rows_to_fold.delete()
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
