"""The agenda of a meeting for a reader, and the agenda items that rooms suggest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from partnerships.agreements.agenda import (
    MAX_OF_ONE_SOURCE,
    AgendaSuggestion,
    LookBack,
    Purpose,
    first_rows_of_each,
    ids_of,
    suggestions_by_source,
)
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment, Kind, Status
from partnerships.conversations.models import (
    CORRECTABLE_STATUSES,
    AgendaItem,
    Attachment,
    Conversation,
    Meeting,
    Report,
    ReportStatus,
    report_overdue_on,
)
from partnerships.conversations.queries.meetings import last_meeting_before, seated_people
from partnerships.kit.dates import long_date
from partnerships.organisations.holdings import not_remembering_holdings
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: The first meeting of a partnership looks back over this period.
FIRST_LOOK_BACK = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class SuggestionWithSource:
    """An item that a room suggests for an agenda, with the name of its source in the registry."""

    source: str
    suggestion: AgendaSuggestion


def look_back_of(meeting: Meeting, now: dt.datetime) -> LookBack:
    """Return the period that a meeting looks back on, which starts at the partnership's last meeting."""
    last_meeting = last_meeting_before(meeting)
    since = last_meeting.starts_at if last_meeting else now - FIRST_LOOK_BACK
    return LookBack({meeting.partnership_id: since}, now)


def suggestions_for(meeting: Meeting, user: User, since: LookBack) -> list[SuggestionWithSource]:
    """Return the items that all rooms suggest for the meeting's period, as far as the person may read them.

    Items that are already on the agenda or were dropped from it are left out.
    """
    existing_keys = set(meeting.agenda.exclude(source="").values_list("source", "subject_kind", "subject_id"))
    suggestions: list[SuggestionWithSource] = []
    for source, suggested_items in suggestions_by_source(user, [meeting.partnership], since):
        suggestions += [
            SuggestionWithSource(source=source.name, suggestion=item)
            for item in suggested_items[:MAX_OF_ONE_SOURCE]
            if (source.name, item.subject_kind, item.subject_id) not in existing_keys
        ]
    return suggestions


def agenda_for(meeting: Meeting, user: User, *, dropped: bool = False) -> list[AgendaItem]:
    """Return the agenda items that the person may read, in order, with their papers.

    With `dropped`, the dropped items follow at the end.
    """
    papers = Attachment.objects.visible_to(user).select_related("document", "version__plan").order_by("pk")
    items = (
        AgendaItem.objects.visible_to(user)
        .filter(meeting=meeting)
        .select_related("presenter", "added_for")
        .prefetch_related(Prefetch("papers", queryset=papers))
    )
    if not dropped:
        return list(items.not_dropped())
    all_items = items.order_by("pk")
    kept_items = sorted((item for item in all_items if not item.is_dropped), key=lambda item: (item.position, item.pk))
    return [*kept_items, *(item for item in all_items if item.is_dropped)]


def suggest_actions_of_minutes(
    user: User, partnerships: Sequence[Partnership], since: LookBack
) -> list[AgendaSuggestion]:
    """Suggest open actions that came from conversations of the partnerships."""
    return [
        AgendaSuggestion(
            partnership_id=row.talked_in,
            subject_kind="commitment",
            subject_id=row.pk,
            title=f"Action {row.reference}: {row.text}"[:300],
            path=row.get_absolute_url(),
            purpose=Purpose.DISCUSSION,
            detail=f"{row.giver_words}, due {long_date(row.due_on)}" if row.due_on else row.giver_words,
        )
        for row in rows_for(action_rows, user, ids_of(partnerships), since.now)
    ]


def action_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Any, Any]:
    """Return the first open actions that came from conversations of each partnership, by due date."""
    actions = (
        Commitment.objects.visible_to(user)
        .filter(next_step__conversation__partnership__in=partnership_ids, kind=Kind.ACTION)
        .filter(Q(status=Status.PROPOSED) | Q(pk__in=Commitment.objects.under_way().values("pk")))
        .annotate(talked_in=F("next_step__conversation__partnership"))
        .select_related("giver")
    )
    return first_rows_of_each(actions, "due_on", "pk", partnership="talked_in")


def suggest_minutes_to_agree(
    user: User, partnerships: Sequence[Partnership], since: LookBack
) -> list[AgendaSuggestion]:
    """Suggest circulated records of the partnerships that are not agreed yet."""
    return [
        AgendaSuggestion(
            partnership_id=row.partnership_id,
            subject_kind="conversation",
            subject_id=row.pk,
            title=f"Agree the minutes of “{row.subject}”"[:300],
            path=row.get_absolute_url(),
            purpose=Purpose.DECISION,
            detail=long_date(row.held_on),
        )
        for row in rows_for(minutes_to_agree_rows, user, ids_of(partnerships), since.now)
    ]


def minutes_to_agree_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Any, Any]:
    """Return the first circulated records of each partnership that are not agreed yet, the oldest first."""
    records = Conversation.objects.visible_to(user).filter(
        partnership__in=partnership_ids, status__in=CORRECTABLE_STATUSES
    )
    return first_rows_of_each(records, "held_on", "pk")


def suggest_reports(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Suggest progress reports that are overdue, or that nobody has accepted or returned yet."""
    return [
        AgendaSuggestion(
            partnership_id=row.round.partnership_id,
            subject_kind="progress_report",
            subject_id=row.pk,
            title=f"Progress report of {row.party.organisation.display_name}, {row.period_words}"[:300],
            path=row.get_absolute_url(),
            purpose=Purpose.DECISION if row.is_submitted else Purpose.DISCUSSION,
            detail="Submitted" if row.is_submitted else f"Was due {long_date(row.due_on)}",
        )
        for row in rows_for(report_rows, user, ids_of(partnerships), since.now)
    ]


def report_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Any, Any]:
    """Return the first progress reports of each partnership that are overdue or not decided, by due date."""
    reports = (
        Report.objects.visible_to(user)
        .filter(round__partnership__in=partnership_ids)
        .filter(Q(status=ReportStatus.SUBMITTED) | report_overdue_on(timezone.localdate(now)))
        .select_related("party__organisation", "round")
    )
    return first_rows_of_each(reports, "due_on", "pk", partnership="round__partnership")


def papers_for(meeting: Meeting, user: User) -> list[Attachment]:
    """Return the papers of the meeting as a whole that the person may read."""
    rows = Attachment.objects.visible_to(user).filter(meeting=meeting, item=None)
    return list(rows.select_related("document", "version__plan", "added_for").order_by("pk"))


def items_everybody_reads(meeting: Meeting) -> list[AgendaItem]:
    """Return the items that everyone invited may read, in order. The minutes may name only these items."""
    items = AgendaItem.objects.filter(meeting=meeting)
    with not_remembering_holdings():
        for person in seated_people(meeting):
            items = items.filter(pk__in=AgendaItem.objects.visible_to(person).filter(meeting=meeting).values("pk"))
        return list(items.not_dropped())
