"""Register the conversations room with other rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.agenda import register_agenda
from partnerships.agreements.departures import register_ending_hook, register_party_departure
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.agreements.stuck import register_stuck
from partnerships.commitments.origins import register_origin
from partnerships.conversations import follower_notices, obligations, restoring
from partnerships.conversations.belongings import NEXT_STEPS
from partnerships.conversations.email_kinds import EMAILS
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.listing import CONVERSATIONS, MEETINGS
from partnerships.conversations.models import (
    Conversation,
    JournalNote,
    Meeting,
    Point,
    PrivateNote,
    Report,
)
from partnerships.conversations.origins import CONVERSATION
from partnerships.conversations.personal import RULES
from partnerships.conversations.queries import conversations_kept_by, events_of_conversations, events_of_own_side
from partnerships.conversations.queries.agendas import (
    action_rows,
    minutes_to_agree_rows,
    report_rows,
    suggest_actions_of_minutes,
    suggest_minutes_to_agree,
    suggest_reports,
)
from partnerships.conversations.queries.events import events_of_meetings
from partnerships.conversations.queries.facilitating import (
    overdue_reports,
    stuck_conversations_and_reports,
    unwritten_conversations,
)
from partnerships.conversations.sections import (
    facilitators_lookups,
    facilitators_of,
    facilitators_section,
    journal_of_organisation,
    journal_of_partnership,
    meeting_section,
    notes_on_organisation,
    notes_on_partnership,
    organisation_journal_lookups,
    partnership_journal_lookups,
)
from partnerships.conversations.services.facilitating import end_with_membership, end_with_party, preview_ending
from partnerships.conversations.services.files import drop_removed_files
from partnerships.conversations.services.journal import drop_earlier_texts
from partnerships.conversations.services.meetings.planning import call_off_with_partnership
from partnerships.conversations.services.meetings.retention import forget_guests
from partnerships.conversations.services.reports.opening import open_last_reports
from partnerships.conversations.services.reports.writing import preview_waiving, waive_with_party
from partnerships.kit.lists import register_list
from partnerships.organisations.departures import register_departure
from partnerships.organisations.owned import register_owned
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.people.composing import register_emails
from partnerships.people.personal import register_personal
from partnerships.people.retention import REMOVED_KEPT_FOR, register_retention


def register() -> None:
    """Register everything that this room adds to other rooms and to the registries."""
    register_list(CONVERSATIONS)
    register_list(MEETINGS)
    obligations.register()
    restoring.register()
    register_origin(CONVERSATION)
    _register_events()
    register_emails(*EMAILS)

    # What happens when a party leaves, a partnership ends, or a person leaves.
    register_party_departure(waive_with_party, preview_waiving)
    register_party_departure(end_with_party, preview_ending)
    register_ending_hook(call_off_with_partnership)
    register_ending_hook(open_last_reports)
    register_owned(NEXT_STEPS)
    register_departure(end_with_membership)

    _register_sections()
    register_personal(RULES)
    _register_retention()


def _register_events() -> None:
    """Register the events of this room, the kinds of record that events are about, and who may see the events."""
    register_events(EventKind)
    follower_notices.register()
    for name, condition in (("conversation", events_of_conversations), ("conversation_side", events_of_own_side)):
        register_kind(
            name=name,
            subject=SubjectKind.CONVERSATION,
            visible_ids=lambda user: Conversation.objects.visible_to(user).values("pk"),
            condition=condition,
        )
    register_kind(name="private_note", visible_ids=lambda user: PrivateNote.objects.visible_to(user).values("pk"))
    register_kind(name="journal_note", visible_ids=lambda user: JournalNote.objects.visible_to(user).values("pk"))
    register_kind(name="conversation_draft", visible_ids=lambda user: conversations_kept_by(user).values("pk"))
    register_kind(
        name="point",
        visible_ids=lambda user: Point.objects.visible_to(user).values("pk"),
        condition=events_of_own_side,
    )
    register_kind(name="progress_report", visible_ids=lambda user: Report.objects.visible_to(user).values("pk"))
    register_kind(
        name="meeting",
        visible_ids=lambda user: Meeting.objects.visible_to(user).values("pk"),
        condition=events_of_meetings,
        marked_ids=lambda: Meeting.objects.filter(tells_stakeholders=True).values("pk"),
    )


def _register_sections() -> None:
    """Register sections on pages of other rooms, suggestions for agendas, and records that are stuck."""
    ON_ORGANISATIONS.register("meeting", meeting_section, order=5)
    ON_ORGANISATIONS.register_with_rows(
        "journal", journal_of_organisation, notes_on_organisation, order=60, lookups=organisation_journal_lookups
    )
    ON_PARTNERSHIPS.register_with_rows(
        "facilitators", facilitators_section, facilitators_of, order=55, lookups=facilitators_lookups
    )
    ON_PARTNERSHIPS.register_with_rows(
        "journal", journal_of_partnership, notes_on_partnership, order=60, lookups=partnership_journal_lookups
    )
    register_agenda(
        "05 minutes to agree",
        "Minutes to agree",
        "conversation",
        suggest_minutes_to_agree,
        minutes_to_agree_rows,
    )
    register_agenda(
        "15 actions",
        "Actions from earlier conversations",
        "commitment",
        suggest_actions_of_minutes,
        action_rows,
    )
    register_agenda("45 reports", "Progress reports", "progress_report", suggest_reports, report_rows)
    register_stuck("conversations", stuck_conversations_and_reports, unwritten_conversations, overdue_reports)


def _register_retention() -> None:
    """Register the personal data that the nightly job deletes, with its purpose and how long it is kept."""
    register_retention(
        "earlier texts of the journal",
        what="Earlier texts of journal notes",
        purpose="seeing what a colleague changed",
        basis="public task: working together on housing",
        kept_for="12 months after they were replaced",
        apply=drop_earlier_texts,
    )
    register_retention(
        "guests at meetings",
        what="Names and job titles of people without an account who were invited to meetings",
        purpose="writing the minutes",
        basis="public task: working together on housing",
        kept_for="24 months after the meeting, but the agreed minutes keep who took part",
        apply=forget_guests,
    )
    register_retention(
        "files removed from conversations",
        what="Files that partners removed from conversations and meetings",
        purpose="showing what was removed if it is disputed",
        basis="public task: working together on housing",
        kept_for=REMOVED_KEPT_FOR,
        apply=drop_removed_files,
    )
