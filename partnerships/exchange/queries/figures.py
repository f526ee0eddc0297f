"""Counts the asks that a party made and answered in a period, for progress reports."""

from __future__ import annotations

from partnerships.agreements.figures import FigureBlock, ReportPeriod
from partnerships.exchange.models import Audience, Direction, Entry, Response


def asks_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Count the asks shared with the partnership that the party made or answered; None if there are none.

    The block has only counts: every partner reads a progress report, but an answer is between two organisations.
    """
    asks = Entry.objects.filter(
        direction=Direction.ASK, audience=Audience.PARTNERSHIP, partnership=period.party.partnership_id
    )
    limits = {"gte": period.start, "lt": period.end}
    organisation = period.party.organisation_id
    shared_asks = asks.filter(
        organisation=organisation, **{f"shared_at__date__{key}": day for key, day in limits.items()}
    )
    answers = Response.objects.filter(
        organisation=organisation,
        entry__in=asks,
        **{f"made_at__date__{key}": day for key, day in limits.items()},
    )
    made_count, answered_count = shared_asks.count(), answers.values("entry").distinct().count()
    if not (made_count or answered_count):
        return None
    return FigureBlock("Asks", f"{answered_count} answered, {made_count} made.")
