"""Asks that a party answered in a period, for progress reports."""

from __future__ import annotations

from partnerships.agreements.figures import Asked, Block
from partnerships.exchange.models import Audience, Direction, Entry, Response


def asks_in_period(period: Asked) -> Block | None:
    """Counts of asks shared with the partnership: made, and answered by the party.

    Counts only, because answers are between two organisations.
    """
    asks = Entry.objects.filter(
        direction=Direction.ASK, audience=Audience.PARTNERSHIP, partnership=period.party.partnership_id
    )
    within = {"gte": period.start, "lt": period.end}
    organisation = period.party.organisation_id
    shared = asks.filter(organisation=organisation, **{f"shared_at__date__{key}": day for key, day in within.items()})
    answers = Response.objects.filter(
        organisation=organisation,
        entry__in=asks,
        **{f"made_at__date__{key}": day for key, day in within.items()},
    )
    asked_here, answered = shared.count(), answers.values("entry").distinct().count()
    if not (asked_here or answered):
        return None
    return Block("Asks", f"{answered} answered, {asked_here} made.")
