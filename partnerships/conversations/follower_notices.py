"""Register the events of conversations, meetings and reports that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, NoticeRule, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.conversations.event_kinds import EventKind

#: How each kind of event of conversations and meetings is announced.
_CONVERSATIONS = {
    EventKind.PLANNED: NoticeRule(FoldRule.CREATED, slots="{names}"),
    EventKind.RECORDED: NoticeRule(FoldRule.CREATED, slots="{names}"),
    EventKind.CHANGED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}"),
    EventKind.CALLED_OFF: NoticeRule(FoldRule.REMOVED),
}
_MEETINGS = {
    EventKind.MEETING_PLANNED: NoticeRule(FoldRule.CREATED, slots="{names}", touches_dates_or_money=True),
    EventKind.MEETING_CHANGED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}", touches_dates_or_money=True),
    EventKind.MEETING_CALLED_OFF: NoticeRule(FoldRule.REMOVED, touches_dates_or_money=True),
    EventKind.ATTENDANCE_RECORDED: NoticeRule(FoldRule.LAST),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, rule in _CONVERSATIONS.items():
        sentence = f"{kind.label}{rule.slots}"
        register_follower_notice(kind, group=Group.CONVERSATIONS, fold=rule.fold, sentence=sentence)
    for kind, rule in _MEETINGS.items():
        register_follower_notice(
            kind,
            group=Group.MEETINGS,
            fold=rule.fold,
            sentence=f"{kind.label}{rule.slots}",
            touches_dates_or_money=rule.touches_dates_or_money,
            audience=Audience.MARKED,
        )
    register_follower_notice(EventKind.AGENDA_CIRCULATED, group=Group.MEETINGS, fold=FoldRule.LAST)
    # The record of a meeting is its minutes.
    for kind in (EventKind.CIRCULATED, EventKind.AGREED):
        register_follower_notice(kind, group=Group.MEETINGS, fold=FoldRule.FIELDS)
    for kind in (EventKind.CYCLE_SET, EventKind.CYCLE_STOPPED):
        register_follower_notice(kind, group=Group.MEETINGS, fold=FoldRule.FIELDS, sentence=f"{kind.label}{{change}}")
    _register_files_and_facilitators()
    _register_reports()
    _register_kinds_without_notice()


def _register_files_and_facilitators() -> None:
    """Register files, papers and facilitators. One line sums up all changes of a file or a facilitator."""
    files = {
        EventKind.FILE_ADDED: FoldRule.CREATED,
        EventKind.PAPER_ADDED: FoldRule.CREATED,
        EventKind.FILE_REMOVED: FoldRule.REMOVED,
        EventKind.PAPER_REMOVED: FoldRule.REMOVED,
    }
    for kind, fold in files.items():
        register_follower_notice(
            kind, group=Group.DOCUMENTS, fold=fold, sentence=f"{kind.label}{{names}}", subject_key="file"
        )
    facilitators = {
        EventKind.FACILITATOR_NAMED: FoldRule.CREATED,
        EventKind.FACILITATOR_ACCEPTED: FoldRule.CREATED,
        EventKind.FACILITATOR_ENDED: FoldRule.REMOVED,
    }
    for kind, fold in facilitators.items():
        register_follower_notice(
            kind, group=Group.PARTIES, fold=fold, sentence=f"{kind.label}{{names}}", subject_key="facilitator"
        )


def _register_reports() -> None:
    """Register the events of progress reports. If several events happen together, followers are told only the last."""
    for kind in (EventKind.REPORTING_SET_UP, EventKind.REPORTING_CHANGED, EventKind.REPORTING_ENDED):
        register_follower_notice(kind, group=Group.REPORTS, fold=FoldRule.LAST)
    register_follower_notice(
        EventKind.REPORT_DUE,
        group=Group.REPORTS,
        fold=FoldRule.LAST,
        sentence="A progress report is due{names}",
        touches_dates_or_money=True,
    )
    for kind in (
        EventKind.REPORT_SUBMITTED,
        EventKind.REPORT_ACCEPTED,
        EventKind.REPORT_RETURNED,
        EventKind.REPORT_WAIVED,
    ):
        register_follower_notice(kind, group=Group.REPORTS, fold=FoldRule.LAST)


def _register_kinds_without_notice() -> None:
    """Register the kinds of event that followers are not notified about, with the reasons."""
    register_without_notice(
        [EventKind.CORRECTION_SUGGESTED, EventKind.CORRECTION_ACCEPTED, EventKind.CORRECTION_ANSWERED],
        because="it is part of agreeing the record, and those who agree it get an email",
    )
    register_without_notice(
        [
            EventKind.NOTE_WRITTEN,
            EventKind.JOURNAL_WRITTEN,
            EventKind.JOURNAL_CHANGED,
            EventKind.JOURNAL_DELETED,
            EventKind.OBJECTIVE_CLOSED,
            EventKind.OBSTACLE_CLOSED,
            EventKind.OPPORTUNITY_CLOSED,
        ],
        because="only the writer's own organisation may read it",
    )
    register_without_notice(
        [EventKind.MEETING_MARKED, EventKind.MEETING_UNMARKED],
        because="it only decides who is notified of later changes",
    )
    register_without_notice(
        [EventKind.ASK_MADE, EventKind.OFFER_MADE], because="followers hear about the ask or offer itself"
    )
    register_without_notice(
        [EventKind.PEOPLE_INVITED, EventKind.MEETING_ANSWERED, EventKind.AGENDA_CHANGED, EventKind.MINUTES_BEGUN],
        because="it is a step on the way, and those invited get an email when they need to know",
    )
