"""The tasks of the conversations room in My work: records, contacts, meetings, reports and facilitators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import DateField, DateTimeField, Exists, F, Min, OuterRef, Q, QuerySet, Value
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import LEADING_ROLES, Partnership, PartyStatus
from partnerships.conversations.models import (
    CORRECTABLE_STATUSES,
    Conversation,
    Correction,
    Meeting,
    MeetingCycle,
    MeetingSeat,
    MeetingStatus,
    Status,
)
from partnerships.conversations.queries.contacts import (
    QuietPartnership,
    contacts_due,
    contacts_lookup,
    due_contacts_reach,
    quiet_lookup,
    quiet_parties,
    quiet_without_contacts,
    with_contacts,
)
from partnerships.conversations.queries.facilitating import FACILITATORS_WAITING
from partnerships.conversations.queries.listings import partnership_titles, titles_lookup
from partnerships.conversations.queries.meetings import propose_next_meeting
from partnerships.conversations.queries.reports import REPORTS_WAITING
from partnerships.kit.addresses import page_address
from partnerships.kit.moments import beginning_of
from partnerships.kit.waiting import MAX_LISTED, TaskRows, WaitingTask
from partnerships.organisations.audience import EDITORS, Organisations, People, Reach
from partnerships.organisations.models import EDITING_ROLES, Role
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class _AddPartyNames:
    """Completes tasks about quiet partnerships with the names of the parties to contact."""

    user: User
    now: dt.datetime
    quiet_by_partnership: dict[int, QuietPartnership] = field(compare=False)

    def __call__(self, tasks: Sequence[WaitingTask]) -> list[WaitingTask]:
        """Return these tasks with the names of the parties."""
        quiet = [self.quiet_by_partnership[task.record_id] for task in tasks]
        return [_quiet_task(row) for row in with_contacts(self.user, quiet, self.now)]

    def lookups(self, tasks: Sequence[WaitingTask]) -> list[Lookup]:
        """Return the query for the parties of the tasks' partnerships."""
        return [contacts_lookup(self.user, [task.record_id for task in tasks])]


def _quiet_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return a task for each quiet partnership. The `completer` adds the names of the parties to the tasks shown."""
    quiet = quiet_without_contacts(user, now, limit=MAX_LISTED)
    completer = _AddPartyNames(user, now, {row.partnership.pk: row for row in quiet})
    return [replace(_quiet_task(row), record_id=row.partnership.pk, completer=completer) for row in quiet]


class _RecordTask(StrEnum):
    """The kinds of task about a record; the value is the title of the task."""

    AGREE = "Read and agree to this record"
    ANSWER = "Answer a correction"
    WRITE_UP = "Write up this conversation"


def _reach_of_task(now: dt.datetime, task: _RecordTask) -> Reach:
    """Return the records with this task, and the people who have the task."""
    open_records = Conversation.objects.filter(status__in=CORRECTABLE_STATUSES)
    if task == _RecordTask.AGREE:
        # The status is in both conditions, so that PostgreSQL uses the partial index of `Side`.
        has_not_agreed = Q(sides__agreed_at=None, sides__status__in=CORRECTABLE_STATUSES)
        return Reach(open_records, (Organisations("sides__organisation", when=has_not_agreed, roles=EDITING_ROLES),))
    if task == _RecordTask.ANSWER:
        corrections = Correction.objects.filter(conversation=OuterRef("pk"), answered_at=None)
        return Reach(open_records.filter(Exists(corrections)), EDITORS)
    return Reach(Conversation.objects.filter(status=Status.PLANNED, held_on__lte=timezone.localdate(now)), EDITORS)


class _RecordRow(NamedTuple):
    """A row of a query for records with a task."""

    pk: int
    subject: str
    status: str
    partnership_id: int | None
    due: dt.date | None
    #: When the task began.
    since: dt.datetime | None


def _records_for(user: User, now: dt.datetime, *, task: _RecordTask) -> QuerySet[Conversation, Any]:
    """Return the values of `_RecordRow` for the person's records with this task, the most urgent first.

    The person may read all of them.
    """
    since: Any = F("circulated_at")
    due: Any = Value(None, DateField())
    order = "since"
    if task == _RecordTask.ANSWER:
        # The task began with the oldest correction that has no answer.
        since = Min("corrections__made_at", filter=Q(corrections__answered_at=None))
    elif task == _RecordTask.WRITE_UP:
        # Only this task has a day on which it is due.
        due = F("held_on")
        order = "held_on"
    conversations: QuerySet[Conversation, Any] = _reach_of_task(now, task).of(user)
    rows = conversations.annotate(since=since, due=due).order_by(order, "pk")
    return rows.values_list("pk", "subject", "status", "partnership", "due", "since")[:MAX_LISTED]


def _record_source(task: _RecordTask) -> TaskSource:
    """Return the source of the tasks of one kind about records."""
    return TaskSource(
        lambda user, now: _record_tasks(task.value, rows_for(_records_for, user, now, task=task), user),
        lambda now: (_reach_of_task(now, task),),
        is_usual=True,
        lookups=lambda user, now: (lookup(_records_for, user, now, task=task),),
    )


def _contact_tasks(user: User, now: dt.datetime) -> TaskRows:
    """Return a task for each conversation whose next contact is due."""
    return _record_tasks("Get in touch again", rows_for(_contacts_for, user, now), user)


def _contacts_for(user: User, now: dt.datetime) -> QuerySet[Conversation, Any]:
    """Return the values of `_RecordRow` for the conversations whose next contact is due, the most urgent first."""
    contacts: QuerySet[Conversation, Any] = contacts_due(user, now)
    rows = contacts.annotate(since=Value(None, DateTimeField())).order_by("next_contact_on", "pk")
    return rows.values_list("pk", "subject", "status", "partnership", "next_contact_on", "since")[:MAX_LISTED]


@dataclass(frozen=True, slots=True)
class _AddPartnershipTitles:
    """Completes tasks with the titles of partnerships, if the person may know them.

    An organisation that took part but is not in the partnership may read the record, but not the partnership's title.
    """

    user: User

    def __call__(self, tasks: Sequence[WaitingTask]) -> list[WaitingTask]:
        """Return these tasks with the titles."""
        titles = partnership_titles(self.user, {task.record_id for task in tasks})
        return [replace(task, partnership_title=titles.get(task.record_id, "")) for task in tasks]

    def lookups(self, tasks: Sequence[WaitingTask]) -> list[Lookup]:
        """Return the query for the titles."""
        return [titles_lookup(self.user, {task.record_id for task in tasks})]


def _record_tasks(action: str, rows: Sequence[Any], user: User) -> TaskRows:
    """Return a task for each of these rows of records. The `completer` adds the titles of their partnerships."""
    completer = _AddPartnershipTitles(user)

    def make_task(record: _RecordRow) -> WaitingTask:
        return WaitingTask(
            action=action,
            title=record.subject,
            path=page_address("conversations:detail", record.pk),
            since=record.since,
            due=record.due,
            status=record.status,
            status_label=str(Status(record.status).label),
            record_id=record.partnership_id or 0,
            completer=completer if record.partnership_id else None,
        )

    return TaskRows([_RecordRow._make(row) for row in rows], make_task, due=lambda record: record.due)


def _quiet_task(quiet: QuietPartnership) -> WaitingTask:
    """Return the task to contact the parties of a quiet partnership."""
    quiet_from = quiet.since + dt.timedelta(days=quiet.partnership.days_until_quiet)
    silence = f"no contact for {quiet.days} days" if quiet.has_conversation else f"no conversation in {quiet.days} days"
    return WaitingTask(
        action=f"Get in touch with {quiet.other_parties_text or 'the partners'}: {silence}",
        title=quiet.partnership.title,
        path=f"{reverse('conversations:new')}?partnership={quiet.partnership.pk}",
        # The task began when the limit was passed, not at the last conversation. So it comes after requests that
        # people made before then.
        since=beginning_of(quiet_from),
        partnership_title=quiet.partnership.title,
    )


#: People are asked to prepare the agenda this long before a meeting.
AGENDA_TIME = dt.timedelta(days=14)
#: People are asked to plan a meeting this long before the next day of the cycle.
PLANNING_TIME = dt.timedelta(days=42)
#: Who prepares and records a meeting: editors and leads of the organisation that arranges it.
_ARRANGERS = (Organisations("organisation", roles=EDITING_ROLES),)


def _unanswered_seats(now: dt.datetime) -> Reach:
    """Return the seats at planned meetings of people who have not answered the invitation."""
    upcoming_meetings = Meeting.objects.upcoming(now).values("pk")
    return Reach(MeetingSeat.objects.filter(answer="", meeting__in=upcoming_meetings), (People("person"),))


def _own_seats(user: User, now: dt.datetime) -> QuerySet[MeetingSeat]:
    """Return the person's own seats without an answer, at meetings of partnerships in which they take part."""
    open_meetings = Meeting.objects.with_party_of(user).upcoming(now).values("pk")
    return (
        _unanswered_seats(now)
        .of(user)
        .filter(meeting__in=open_meetings)
        .select_related("meeting__partnership")
        .order_by("pk")
    )


def _seat_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return a task for each invitation to a meeting that the person has not answered."""
    return [
        _meeting_task(
            "Say whether you are coming",
            seat.meeting,
            path=reverse("conversations:meeting-answer", args=[seat.pk]),
            since=seat.invited_at,
        )
        for seat in rows_for(_own_seats, user, now)
    ]


def _incomplete_meetings(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Return the meetings that lack an agenda, the attendance or minutes, in this order."""
    planned = Meeting.objects.filter(status=MeetingStatus.PLANNED)
    without_agenda = planned.filter(agenda_sent_at=None, starts_at__gte=now, starts_at__lte=now + AGENDA_TIME)
    without_attendance = planned.filter(starts_at__lt=now)
    without_minutes = Meeting.objects.filter(status=MeetingStatus.HELD, conversation=None)
    return (
        Reach(without_agenda, _ARRANGERS),
        Reach(without_attendance, _ARRANGERS),
        Reach(without_minutes, _ARRANGERS),
    )


def _meetings_for(user: User, now: dt.datetime) -> QuerySet[Meeting]:
    """Return the meetings for which the person must prepare or record something."""
    id_queries = [reach.of(user).values("pk") for reach in _incomplete_meetings(now)]
    # PostgreSQL plans the queries of a union separately, each with its own index. Conditions joined by OR would make
    # it read every meeting.
    meeting_ids = id_queries[0].union(*id_queries[1:])
    meetings = Meeting.objects.with_party_of(user).filter(pk__in=meeting_ids)
    return meetings.select_related("partnership").order_by("pk")


def _meeting_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks to prepare agendas, record attendance and write minutes."""
    tasks: list[WaitingTask] = []
    # All these meetings lack an agenda, the attendance or minutes. Their status and start show which.
    for meeting in rows_for(_meetings_for, user, now):
        if meeting.status == MeetingStatus.HELD:
            path = reverse("conversations:minutes", args=[meeting.pk])
            tasks.append(_meeting_task("Write the minutes", meeting, path=path, since=meeting.attendance_at))
        elif meeting.starts_at < now:
            path = reverse("conversations:attendance", args=[meeting.pk])
            tasks.append(_meeting_task("Record who attended", meeting, path=path))
        else:
            path = reverse("conversations:agenda", args=[meeting.pk])
            tasks.append(_meeting_task("Prepare the agenda", meeting, path=path))
    return tasks


def _meeting_task(action: str, meeting: Meeting, *, path: str, since: dt.datetime | None = None) -> WaitingTask:
    """Return a task that is due on the day of the meeting."""
    return WaitingTask(
        action=action,
        title=meeting.title,
        path=path,
        since=since,
        due=meeting.day,
        partnership_title=meeting.partnership.title,
        status=meeting.status,
        status_label=meeting.get_status_display(),
    )


def _cycles_without_meeting(now: dt.datetime) -> Reach:
    """Return the running cycles of live partnerships that have no meeting planned."""
    upcoming_meetings = Meeting.objects.upcoming(now).filter(partnership=OuterRef("partnership"))
    cycles = MeetingCycle.objects.filter(
        ~Exists(upcoming_meetings), stopped_at=None, partnership__in=Partnership.objects.live().values("pk")
    )
    leads = Organisations(
        "partnership__parties__organisation",
        when=Q(partnership__parties__status=PartyStatus.ACCEPTED, partnership__parties__role__in=LEADING_ROLES),
        roles=(Role.LEAD,),
    )
    return Reach(cycles, (leads,))


def _cycles_for(user: User, now: dt.datetime) -> QuerySet[MeetingCycle]:
    """Return the cycles for which the person must plan a meeting."""
    return _cycles_without_meeting(now).of(user).select_related("partnership").order_by("pk")


def _cycle_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return a task to plan the next meeting of each cycle, from `PLANNING_TIME` before the day of that meeting."""
    tasks: list[WaitingTask] = []
    for cycle in rows_for(_cycles_for, user, now):
        proposal = propose_next_meeting(cycle.partnership, now)
        if proposal is not None and proposal.starts_at <= now + PLANNING_TIME:
            tasks.append(
                WaitingTask(
                    action="Plan the next meeting",
                    title=cycle.partnership.title,
                    path=reverse("conversations:meeting-new", args=[cycle.partnership_id]),
                    due=timezone.localdate(proposal.starts_at),
                    partnership_title=cycle.partnership.title,
                )
            )
    return tasks


#: The sources from which My work takes the tasks of this room.
TASK_SOURCES = (
    *[_record_source(task) for task in _RecordTask],
    TaskSource(
        _contact_tasks,
        lambda now: (due_contacts_reach(now),),
        is_usual=True,
        lookups=lambda user, now: (lookup(_contacts_for, user, now),),
    ),
    TaskSource(
        _seat_tasks, lambda now: (_unanswered_seats(now),), lookups=lambda user, now: (lookup(_own_seats, user, now),)
    ),
    TaskSource(_meeting_tasks, _incomplete_meetings, lookups=lambda user, now: (lookup(_meetings_for, user, now),)),
    TaskSource(
        _cycle_tasks,
        lambda now: (_cycles_without_meeting(now),),
        lookups=lambda user, now: (lookup(_cycles_for, user, now),),
    ),
    TaskSource(
        _quiet_tasks,
        lambda now: (quiet_parties(now),),
        is_usual=True,
        lookups=lambda user, now: (quiet_lookup(user, now, limit=MAX_LISTED),),
    ),
    *REPORTS_WAITING,
    *FACILITATORS_WAITING,
)
