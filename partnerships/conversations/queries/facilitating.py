"""The partnerships and records that a facilitator watches, and stuck conversations and reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.stuck import StuckRecord, stuck_records_facilitated_by, stuck_records_in
from partnerships.conversations.models import Conversation, ConversationQuerySet, Facilitator, Report, Status
from partnerships.kit.addresses import page_address
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import People, Reach
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User


def partnerships_watched_by(user: User) -> list[Partnership]:
    """Return the live partnerships that the person facilitates or leads, so that they see stuck work there."""
    facilitated_ids = Facilitator.objects.active().filter(person=user).values("partnership")
    led_ids = Partnership.objects.changeable_by(user).values("pk")
    watched = Partnership.objects.live().filter(Q(pk__in=facilitated_ids) | Q(pk__in=led_ids))
    return list(watched.order_by("title", "pk"))


def stuck_records_for(
    user: User, partnerships: Collection[Partnership], now: dt.datetime
) -> list[tuple[Partnership | None, StuckRecord]]:
    """Return the stuck work in these partnerships and in the records that the person facilitates; longest wait first.

    Each record comes with its partnership, or with None if its partnership is not one of these.
    """
    partnership_by_id = {partnership.pk: partnership for partnership in partnerships}
    in_partnerships = stuck_records_in(user, list(partnership_by_id), now)
    listed_paths = {(record.what, record.path) for record in in_partnerships}
    facilitated = stuck_records_facilitated_by(user, now)
    other_facilitated = [record for record in facilitated if (record.what, record.path) not in listed_paths]
    stuck = [*in_partnerships, *other_facilitated]
    stuck.sort(key=lambda record: (record.since, record.title, record.path))
    return [(partnership_by_id.get(record.partnership_id or 0), record) for record in stuck]


def stuck_conversations_and_reports(user: User, partnership_ids: list[int], now: dt.datetime) -> list[StuckRecord]:
    """Return planned conversations whose day has passed without a record, and overdue progress reports."""
    stuck_conversations = [
        StuckRecord(
            partnership_id=conversation.partnership_id or 0,
            what="Conversation not written up",
            title=conversation.subject,
            path=conversation.get_absolute_url(),
            since=conversation.held_on,
            waits_for=conversation.organisation.display_name,
        )
        for conversation in rows_for(unwritten_conversations, user, partnership_ids, now)
    ]
    stuck_reports = [
        StuckRecord(
            partnership_id=report.round.partnership_id,
            what="Progress report overdue",
            title=f"{report.party.organisation.display_name}, {report.period_words}",
            path=report.get_absolute_url(),
            since=report.due_on,
            waits_for=report.party.organisation.display_name,
        )
        for report in rows_for(overdue_reports, user, partnership_ids, now)
    ]
    return stuck_conversations + stuck_reports


def unwritten_conversations(user: User, partnership_ids: list[int], now: dt.datetime) -> ConversationQuerySet:
    """Return the planned conversations of these partnerships whose day has passed."""
    conversations = Conversation.objects.visible_to(user).filter(
        partnership__in=partnership_ids, status=Status.PLANNED, held_on__lt=timezone.localdate(now)
    )
    return conversations.select_related("organisation").order_by("held_on", "pk")


def overdue_reports(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Report]:
    """Return the overdue progress reports of these partnerships."""
    reports = Report.objects.visible_to(user).overdue(timezone.localdate(now))
    return reports.filter(round__partnership__in=partnership_ids).for_listing().order_by("due_on", "pk")


def _unanswered_reach(now: dt.datetime) -> tuple[Reach]:
    """Return the requests to be a facilitator that nobody has answered yet."""
    unanswered = Facilitator.objects.not_ended().filter(accepted_at=None, partnership__in=Partnership.objects.live())
    return (Reach(unanswered, (People("person"),)),)


def _unanswered_requests(user: User, now: dt.datetime) -> QuerySet[Facilitator]:
    """Return the requests to be a facilitator that the person has not answered, the oldest first."""
    (unanswered,) = _unanswered_reach(now)
    return unanswered.of(user).select_related("partnership").order_by("named_at", "pk")


def _tasks_to_answer(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks to answer requests to be a facilitator."""
    return [
        WaitingTask(
            action="Say whether you will be a facilitator",
            title=facilitator.partnership.title,
            path=page_address("conversations:facilitation", facilitator.pk),
            since=facilitator.named_at,
            partnership_title=facilitator.partnership.title,
        )
        for facilitator in rows_for(_unanswered_requests, user, now)
    ]


#: The source from which My work takes the requests to be a facilitator.
FACILITATORS_WAITING = (
    TaskSource(
        _tasks_to_answer, _unanswered_reach, lookups=lambda user, now: (lookup(_unanswered_requests, user, now),)
    ),
)
