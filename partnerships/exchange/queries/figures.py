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
    organisation = period.party.organisation_id
    own_asks = asks.filter(organisation=organisation)
    made_count = own_asks.filter(shared_at__date__gte=period.start, shared_at__date__lt=period.end).count()
    own_answers = Response.objects.filter(organisation=organisation, entry__in=asks)
    answers = own_answers.filter(made_at__date__gte=period.start, made_at__date__lt=period.end)
    # Several answers to one ask count once.
    answered_count = answers.values("entry").distinct().count()
    if made_count == 0 and answered_count == 0:
        return None
    return FigureBlock("Asks", f"{answered_count} answered, {made_count} made.")
