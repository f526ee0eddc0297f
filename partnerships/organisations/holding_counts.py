"""Count the records that an organisation has, and those without an agreed successor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from partnerships.organisations.handovers import returned_records_condition
from partnerships.organisations.models import Handover, HandoverState, Organisation, Succession
from partnerships.organisations.obligations import Obligation, obligation, obligations


def count_undecided(succession: Succession, predecessor: Organisation, day: dt.date) -> int:
    """Count the predecessor's records that have no line or a disputed line, in one query.

    Records that return automatically are not counted, nor are records that could not be handed over.
    """
    lines = succession.handovers.filter(predecessor=predecessor).exclude(state=HandoverState.DISPUTED)

    def undecided_records(kind: Obligation) -> QuerySet[Any]:
        records = kind.records(predecessor, day).exclude(pk__in=lines.filter(kind=kind.code).values("record"))
        return records.exclude(returned_records_condition(succession, kind, records))

    return _count_all(undecided_records(kind) for kind in obligations())


def count_stayed(lines: QuerySet[Handover], predecessor: Organisation, day: dt.date) -> int:
    """Count the records of these lines that could not be handed over and have not ended since, in two queries."""
    kinds = lines.order_by("kind").values_list("kind", flat=True).distinct()
    return _count_all(
        obligation(kind).records(predecessor, day).filter(pk__in=lines.filter(kind=kind).values("record"))
        for kind in kinds
    )


def count_held(organisation: Organisation, day: dt.date) -> int:
    """Count the records of every kind that the organisation has on a day, in one query."""
    return _count_all(kind.records(organisation, day) for kind in obligations())


def _count_all(queries: Iterable[QuerySet[Any, Any]]) -> int:
    id_queries = [query.order_by().values_list("pk") for query in queries]
    if not id_queries:
        return 0
    first_query, *other_queries = id_queries
    return first_query.union(*other_queries, all=True).count()
