"""The kinds of email of the conversations room, each with the record that its recipient must be able to read."""

from __future__ import annotations

from partnerships.conversations import emails
from partnerships.conversations.models import Conversation, Facilitator, Meeting, Report
from partnerships.outbox.groups import NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail

_CONVERSATION = RecordLookup(
    kind="conversation", param="conversation", model=Conversation, partnership_path="partnership"
)
_MEETING = RecordLookup(kind="meeting", param="meeting", model=Meeting, partnership_path="partnership")
_REPORT = RecordLookup(kind="progress_report", param="report", model=Report, partnership_path="round__partnership")
_FACILITATOR = RecordLookup(
    kind="partnership",
    param="facilitator",
    model=Facilitator,
    record_path="partnership",
    partnership_path="partnership",
)

EMAILS = (
    PersonEmail(
        "conversations.circulated",
        "Record of a conversation to agree",
        emails.write_circulated,
        group=NoticeGroup.MEETINGS,
        about=_CONVERSATION,
    ),
    PersonEmail(
        "conversations.report_due",
        "Progress report due or overdue",
        emails.write_report_due,
        group=NoticeGroup.REMINDERS,
        about=_REPORT,
    ),
    PersonEmail(
        "conversations.report_submitted",
        "Progress report to accept",
        emails.write_report_submitted,
        group=NoticeGroup.REPORTS,
        about=_REPORT,
    ),
    PersonEmail(
        "conversations.report_decided",
        "Progress report accepted or returned",
        emails.write_report_decided,
        group=NoticeGroup.REPORTS,
        about=_REPORT,
    ),
    PersonEmail(
        "conversations.meeting_invitation",
        "Invitation to a meeting",
        emails.write_meeting_invitation,
        group=NoticeGroup.MEETINGS,
        about=_MEETING,
    ),
    PersonEmail(
        "conversations.meeting_changed",
        "Meeting changed",
        emails.write_meeting_changed,
        group=NoticeGroup.MEETINGS,
        about=_MEETING,
    ),
    PersonEmail(
        "conversations.meeting_called_off",
        "Meeting called off",
        emails.write_meeting_called_off,
        group=NoticeGroup.MEETINGS,
        about=_MEETING,
    ),
    PersonEmail(
        "conversations.meeting_uninvited",
        "You are no longer invited to a meeting",
        emails.write_meeting_uninvited,
        group=NoticeGroup.MEETINGS,
        about=_MEETING,
    ),
    PersonEmail(
        "conversations.meeting_agenda",
        "Agenda of a meeting",
        emails.write_meeting_agenda,
        group=NoticeGroup.MEETINGS,
        about=_MEETING,
    ),
    PersonEmail(
        "conversations.facilitator_named",
        "You have been named as a facilitator",
        emails.write_facilitator_named,
        group=NoticeGroup.INVITATIONS,
        about=_FACILITATOR,
    ),
)
