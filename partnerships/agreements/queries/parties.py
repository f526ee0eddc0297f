"""Parties as pages name them, and whose part they took over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from partnerships.agreements.models import OVER, Partnership, Party
from partnerships.organisations.lineage import held_then
from partnerships.organisations.models import Handover, HandoverState, Organisation
from partnerships.organisations.naming import AsAt, show_as_at


def with_predecessors(parties: QuerySet[Party]) -> QuerySet[Party]:
    """The parties with the name of the body whose part passed to them last (`part_of`), and when (`part_since`)."""
    lines = Handover.objects.filter(kind="partnerships", record=OuterRef("partnership"), state=HandoverState.APPLIED)
    passed = lines.filter(successor=OuterRef("organisation")).order_by("-applied_at", "-pk")
    return parties.annotate(
        part_of=Subquery(passed.values("predecessor__name")[:1]), part_since=Subquery(passed.values("applied_at")[:1])
    )


def ended_names(partnership: Partnership, parties: Iterable[Party]) -> list[AsAt]:
    """The parties of a partnership that has ended, with the day on which it did; none if it has not."""
    if partnership.status not in OVER:
        return []
    day = timezone.localdate(partnership.status_since)
    return [(day, party.organisation) for party in parties]


def name_as_at(partnership: Partnership, parties: Iterable[Party], *, left_at: dt.datetime | None = None) -> None:
    """Show in these parties the names of their day.

    For display only; never save them. One query, or none. Who left or declined is named as on that day. The others are
    named as on the day on which the partnership ended, or on which the reader's own organisation left (`left_at`), and
    else as today.
    """
    rows = list(parties)
    if left_at is None:
        then = ended_names(partnership, rows)
    else:
        then = [(timezone.localdate(left_at), row.organisation) for row in rows]
    gone = [(_gone_on(row), row.organisation) for row in rows if not row.is_present and not row.is_waiting]
    show_as_at([*then, *gone])


def held_part_then(partnership: int, at: dt.datetime) -> dict[int, Organisation]:
    """Whose part in a partnership a body (id) has now, where it was another's at a moment.

    A body that took part already then had its own: the other one's part ended when it passed on.
    """
    then = held_then("partnerships", partnership, at)
    parties = Party.objects.filter(partnership=partnership, organisation__in=[body.pk for body in then.values()])
    ended = set(parties.values_list("organisation", flat=True)) if then else set()
    return {pk: body for pk, body in then.items() if body.pk not in ended}


def _gone_on(party: Party) -> dt.date | None:
    """The day on which it left or declined."""
    if party.left_on is not None:
        return party.left_on
    return timezone.localdate(party.answered_at) if party.answered_at else None
