"""Queries for handover lines that need an answer or a consent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from partnerships.organisations.handovers import readable_titles, with_people
from partnerships.organisations.models import Handover, Organisation, Succession
from partnerships.organisations.obligations import obligation
from partnerships.people.models import User


def lines_to_answer(succession: Succession, successors: Collection[int]) -> list[Handover]:
    """Return the lines that these organisations (ids) have yet to answer, the most urgent first."""
    unanswered_lines = with_people(succession.handovers.awaiting_answer_from(successors)).select_related("predecessor")
    unanswered_lines = unanswered_lines.prefetch_related("others")
    return list(unanswered_lines.order_by(F("due_on").asc(nulls_last=True), "predecessor__name", "kind", "title", "pk"))


def proposed_totals(succession: Succession, successors: Collection[int]) -> list[dict[str, Any]]:
    """Return the totals of the lines that these organisations (ids) have yet to answer, by predecessor.

    Each dict has `before` (the predecessor's name), `count`, `homes` and `due`.
    """
    unanswered_lines = succession.handovers.awaiting_answer_from(successors).values(before=F("predecessor__name"))
    totals = unanswered_lines.annotate(count=Count("pk"), homes=Sum("homes"), due=Min("due_on")).order_by("before")
    return [dict(row) for row in totals]


def lines_lacking_consent(succession: Succession, organisation_ids: Collection[int] | None) -> QuerySet[Handover]:
    """Return the lines that lack a consent, limited to these organisations (ids); None for all organisations."""
    lines = succession.handovers.lacking_consent()
    if organisation_ids is not None:
        lines = lines.filter(Q(predecessor__in=organisation_ids) | Q(successor__in=organisation_ids))
    detailed_lines = with_people(lines).select_related("predecessor").prefetch_related("others")
    return detailed_lines.order_by("consent", "predecessor__name", "kind", "title", "pk")


def line_titles(lines: Iterable[Handover], user: User) -> dict[int, str]:
    """Return the titles of lines, by the id of the line.

    A line has the title of its record if the person may read the record. If not, it has the line's stored title, such
    as "Plan 12".
    """
    groups: dict[tuple[str, Organisation], list[Handover]] = defaultdict(list)
    for line in lines:
        groups[line.kind, line.predecessor].append(line)
    titles: dict[int, str] = {}
    for (kind, predecessor), group in groups.items():
        title_by_record = readable_titles(obligation(kind), predecessor, [line.record for line in group], user)
        titles |= {line.pk: title_by_record.get(line.record, line.title) for line in group}
    return titles
