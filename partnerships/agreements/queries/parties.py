"""Give parties the names of the day that a page shows, and find the organisations whose parts they have taken over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from partnerships.agreements.models import FINAL_STATUSES, Partnership, Party
from partnerships.organisations.lineage import holders_at
from partnerships.organisations.models import Handover, HandoverState, Organisation
from partnerships.organisations.naming import AsAt, show_names_of_day


def with_predecessors(parties: QuerySet[Party]) -> QuerySet[Party]:
    """Annotate each party with its last predecessor (`shared_part`, a name) and the time of takeover (`part_since`)."""
    handovers = Handover.objects.filter(
        kind="partnerships",
        record=OuterRef("partnership"),
        state=HandoverState.APPLIED,
        successor=OuterRef("organisation"),
    ).order_by("-applied_at", "-pk")
    return parties.annotate(
        part_of=Subquery(handovers.values("predecessor__name")[:1]),
        part_since=Subquery(handovers.values("applied_at")[:1]),
    )


def parties_as_at_end(partnership: Partnership, parties: Iterable[Party]) -> list[AsAt]:
    """Return the parties with the day on which the partnership ended, or an empty list if it has not."""
    if partnership.status not in FINAL_STATUSES:
        return []
    day = timezone.localdate(partnership.status_since)
    return [(day, party.organisation) for party in parties]


def name_as_at(partnership: Partnership, parties: Iterable[Party], *, left_at: dt.datetime | None = None) -> None:
    """Give the organisations of parties the names that they had on the day that the page shows. Never save them.

    Parties that left or declined get the names of the day on which they did. The others get the names of the day on
    which the reader's own organisation left (`left_at`), or on which the partnership ended, or else today's names.
    Makes at most one query.
    """
    rows = list(parties)
    if left_at is None:
        parties_by_page_day = parties_as_at_end(partnership, rows)
    else:
        parties_by_page_day = [(timezone.localdate(left_at), row.organisation) for row in rows]
    past_parties = [row for row in rows if not row.is_present and not row.is_waiting]
    parties_by_own_day = [(_left_or_declined_on(row), row.organisation) for row in past_parties]
    # A party that is in both lists gets the name of the second.
    show_names_of_day([*parties_by_page_day, *parties_by_own_day])


def earlier_organisations_at(partnership: int, at: dt.datetime) -> dict[int, Organisation]:
    """Return, by the id of today's party, the organisation that had its part in a partnership at an earlier moment.

    Organisations that still have a row of their own are left out: their part ended when they passed it on.
    """
    earlier_holders = holders_at("partnerships", partnership, at)
    if not earlier_holders:
        return {}
    holder_ids = [holder.pk for holder in earlier_holders.values()]
    parties = Party.objects.filter(partnership=partnership, organisation__in=holder_ids)
    ids_with_own_row = set(parties.values_list("organisation", flat=True))
    return {pk: holder for pk, holder in earlier_holders.items() if holder.pk not in ids_with_own_row}


def _left_or_declined_on(party: Party) -> dt.date | None:
    """Return the day on which the party left or declined."""
    if party.left_on is not None:
        return party.left_on
    return timezone.localdate(party.answered_at) if party.answered_at else None
