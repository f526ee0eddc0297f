"""Record successions of organisations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    Organisation,
    Succession,
    SuccessionPredecessor,
    SuccessionSuccessor,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


class UnableToRecordSuccession(Exception):
    """One side is empty, or an organisation is on both sides.

    Both sides are allowed for a boundary change.
    """


@transaction.atomic
def record_succession(
    *,
    kind: str,
    on: dt.date | None,
    predecessors: Iterable[Organisation],
    successors: Iterable[Organisation],
    author: User | None,
    now: dt.datetime,
    instrument: str = "",
    source: str = "",
) -> Succession:
    """Record who followed whom on a day; the same again makes no new row.

    It does not end the predecessors: see `dissolve`. Raises `UnableToRecordSuccession`.
    """
    require(roles_of(author, now).keeps_directory)
    before, after = {one.pk for one in predecessors}, {one.pk for one in successors}
    if not before or not after:
        raise UnableToRecordSuccession("Name at least one predecessor and one successor.")
    if before & after and (before == after or len(before) == len(after) == 1):
        raise UnableToRecordSuccession("An organisation cannot follow itself.")
    list(Organisation.objects.select_for_update().filter(pk__in=before | after).order_by("pk"))
    for known in Succession.objects.filter(kind=kind, on=on, predecessors__in=before).distinct():
        if set(known.predecessors.values_list("pk", flat=True)) == before and (
            set(known.successors.values_list("pk", flat=True)) == after
        ):
            return known
    succession = Succession.objects.create(kind=kind, on=on, instrument=instrument, source=source)
    SuccessionPredecessor.objects.bulk_create(
        SuccessionPredecessor(succession=succession, organisation_id=pk) for pk in sorted(before)
    )
    SuccessionSuccessor.objects.bulk_create(
        SuccessionSuccessor(succession=succession, organisation_id=pk) for pk in sorted(after)
    )
    for organisation in Organisation.objects.filter(pk__in=before | after).order_by("pk"):
        record_event(
            organisation,
            EventKind.SUCCESSION_RECORDED,
            author=author,
            now=now,
            data={"after": {"kind": kind, "on": on.isoformat() if on else None, "succession": succession.pk}},
        )
    return succession
