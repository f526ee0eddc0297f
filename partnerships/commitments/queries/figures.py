"""What a party delivered in a period, for progress reports."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.figures import Asked, Block, Line
from partnerships.commitments.models import UNDER_WAY, Commitment, Status
from partnerships.kit.dates import overdue_in_words
from partnerships.kit.text import shorten

#: Longest text of a commitment in a report, and how many are listed.
_LENGTH = 120
_MAX_LINES = 50


def commitments_in_period(asked: Asked) -> Block | None:
    """The party's commitments within the partnership: delivered, due and overdue, with progress.

    All present parties may read them.
    """
    given = Commitment.objects.filter(partnership=asked.party.partnership_id, giver=asked.party.organisation_id)
    due = Q(due_on__gte=asked.start, due_on__lt=asked.end)
    done = Q(done_at__isnull=False)
    late = Q(status__in=UNDER_WAY, due_on__lt=asked.today)
    rows = (
        given.exclude(status__in=[Status.PROPOSED, Status.CANCELLED, Status.SUPERSEDED])
        .filter(due | done | late)
        .order_by("due_on", "pk")
    )
    delivered, waiting, overdue = [], [], []
    for one in rows:
        if one.done_at is not None and not one.is_under_way:
            if asked.covers(timezone.localdate(one.done_at)):
                delivered.append(one)
        elif one.is_overdue(asked.today):
            overdue.append(one)
        elif asked.covers(one.due_on):
            waiting.append(one)
    if not (delivered or waiting or overdue):
        return None
    lines = [
        *(_line(one, "delivered") for one in delivered),
        *(_line(one, overdue_in_words(one.due_on or asked.today, asked.today)) for one in overdue),
        *(_line(one, "due in this period") for one in waiting),
    ]
    summary = f"{len(delivered)} delivered, {len(overdue)} overdue, {len(waiting)} due."
    return Block("Commitments", summary, lines[:_MAX_LINES])


def _line(one: Commitment, state: str) -> Line:
    figure = ", ".join(filter(None, (one.delivered_words, state)))
    path = reverse("commitments:detail", args=[one.pk])
    return Line(f"{one.reference}: {shorten(one.text, _LENGTH)}", figure, path)
