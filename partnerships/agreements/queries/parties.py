"""Show parties under their former names, and find the organisations that they have succeeded."""

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
    """Annotate each party with the organisation that it has succeeded in the partnership.

    `predecessor_name` is the name of the last predecessor, and `succeeded_at` is the time of the succession. Both are
    None if the party has succeeded nobody.
    """
    handovers = Handover.objects.filter(
        kind="partnerships",
        record=OuterRef("partnership"),
        state=HandoverState.APPLIED,
        successor=OuterRef("organisation"),
    ).order_by("-applied_at", "-pk")
    return parties.annotate(
        predecessor_name=Subquery(handovers.values("predecessor__name")[:1]),
        succeeded_at=Subquery(handovers.values("applied_at")[:1]),
    )


def parties_as_at_end(partnership: Partnership, parties: Iterable[Party]) -> list[AsAt]:
    """Return each party's organisation with the day on which the partnership ended, or [] if it has not ended."""
    if partnership.status not in FINAL_STATUSES:
        return []
    day = timezone.localdate(partnership.status_since)
    return [(day, party.organisation) for party in parties]


def name_as_at(partnership: Partnership, parties: Iterable[Party], *, left_at: dt.datetime | None = None) -> None:
    """Set the names of the parties' organisations to the names on the day that the page shows. Never save them.

    * A party that left or declined has its name of that day.
    * If the reader's own organisation has left, the others have their names of that day (`left_at`).
    * Otherwise they have their names of the day on which the partnership ended, or today's names if it has not ended.

    Makes at most one query.
    """
    all_parties = list(parties)
    dated_organisations: list[AsAt]
    if left_at is None:
        dated_organisations = parties_as_at_end(partnership, all_parties)
    else:
        day_of_leaving = timezone.localdate(left_at)
        dated_organisations = [(day_of_leaving, party.organisation) for party in all_parties]
    # These come last, because an organisation with two days gets the name of the second.
    for party in all_parties:
        if not party.is_present and not party.is_waiting:
            dated_organisations.append((_left_or_declined_on(party), party.organisation))
    show_names_of_day(dated_organisations)


def earlier_organisations_at(partnership_id: int, at: dt.datetime) -> dict[int, Organisation]:
    """Return the predecessors that took part in a partnership at an earlier moment, by the id of today's organisation.

    A predecessor that still has its own row of `Party` is left out, because its part ended with the succession.
    """
    earlier_holders = holders_at("partnerships", partnership_id, at)
    if not earlier_holders:
        return {}
    holder_ids = [holder.pk for holder in earlier_holders.values()]
    parties = Party.objects.filter(partnership=partnership_id, organisation__in=holder_ids)
    ids_with_own_row = set(parties.values_list("organisation", flat=True))
    return {pk: holder for pk, holder in earlier_holders.items() if holder.pk not in ids_with_own_row}


def _left_or_declined_on(party: Party) -> dt.date | None:
    """Return the day on which the party left or declined."""
    if party.left_on is not None:
        return party.left_on
    return timezone.localdate(party.answered_at) if party.answered_at else None
