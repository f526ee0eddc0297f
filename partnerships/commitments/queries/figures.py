"""Find what a party has delivered in a period and still has to deliver, for its progress report."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.figures import FigureBlock, FigureLine, ReportPeriod
from partnerships.commitments.models import Commitment, Status, overdue_on
from partnerships.kit.dates import overdue_in_words
from partnerships.kit.text import shorten

#: The limit of characters of a commitment's text.
_MAX_TEXT = 120
#: The limit of commitments that a progress report lists.
_MAX_LINES = 50


def commitments_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the party's commitments that were delivered or are due in the period, or are overdue. None without any.

    Only commitments within the partnership are included, because all its present parties may read them.
    """
    commitments = Commitment.objects.filter(partnership=period.party.partnership_id, giver=period.party.organisation_id)
    is_due = Q(due_on__gte=period.start, due_on__lt=period.end)
    is_done = Q(done_at__isnull=False)
    commitments_to_report = (
        commitments.exclude(status__in=[Status.PROPOSED, Status.CANCELLED, Status.SUPERSEDED])
        .filter(is_due | is_done | overdue_on(period.today))
        .order_by("due_on", "pk")
    )

    delivered, due_in_period, overdue = [], [], []
    for commitment in commitments_to_report:
        if commitment.done_at is not None and not commitment.is_under_way:
            if period.covers(timezone.localdate(commitment.done_at)):
                delivered.append(commitment)
        elif commitment.is_overdue(period.today):
            overdue.append(commitment)
        elif period.covers(commitment.due_on):
            due_in_period.append(commitment)
    if not (delivered or due_in_period or overdue):
        return None

    lines = [_line(commitment, "delivered") for commitment in delivered]
    for commitment in overdue:
        due_on = commitment.due_on or period.today
        lines.append(_line(commitment, overdue_in_words(due_on, period.today)))
    lines += [_line(commitment, "due in this period") for commitment in due_in_period]
    summary = f"{len(delivered)} delivered, {len(overdue)} overdue, {len(due_in_period)} due."
    return FigureBlock("Commitments", summary, lines[:_MAX_LINES])


def _line(commitment: Commitment, state: str) -> FigureLine:
    """Return the line about a commitment, for example "40 of 60 homes, due in this period"."""
    figure = f"{commitment.delivered_words}, {state}" if commitment.delivered_words else state
    title = f"{commitment.reference}: {shorten(commitment.text, _MAX_TEXT)}"
    return FigureLine(title, figure, reverse("commitments:detail", args=[commitment.pk]))
