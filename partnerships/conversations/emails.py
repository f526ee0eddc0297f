"""Emails about conversations, meetings and reports.

No email contains what was said or reported. A function `write_…` returns the email,
or the reason why the email is no longer needed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.utils import timezone

from partnerships.conversations.models import Conversation, Facilitator, Meeting, Report, ReportSubmission
from partnerships.conversations.queries import attendees_with_access
from partnerships.conversations.queries.agendas import agenda_for, papers_for
from partnerships.conversations.queries.calendar import entries_of_meetings
from partnerships.conversations.queries.meetings import possible_attendees, seated_people
from partnerships.conversations.queries.reports import leads_who_decide, people_to_chase
from partnerships.kit.calendars import InvitationParties, write_file
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User


def write_circulated(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to an attendee that the record was circulated."""
    conversation = Conversation.objects.select_related("organisation").get(pk=due.params["conversation"])
    if not attendees_with_access(conversation).filter(pk=person.pk).exists():
        return "The recipient can no longer read the record."
    author = User.objects.get(pk=due.params["author"])
    context = {
        "person": person,
        "conversation": conversation,
        "author": author,
        "href": link("conversations:detail", pk=conversation.pk),
    }
    return Content("conversations/circulated", context, reply_to=author.email)


def write_report_due(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Remind a person that a report is due soon or overdue.

    The parameter `stage` of the email is `before`, `late` or `escalated`. The reminder is dropped
    if the report was submitted or its due day has moved.
    """
    report = Report.objects.to_write().for_listing().filter(pk=due.params["report"]).first()
    today, stage = timezone.localdate(now), due.params["stage"]
    if report is None or report.due_on.isoformat() != due.params["due_on"]:
        return "The report was submitted, its date was moved, or it is no longer needed."
    if person.pk not in {recipient.pk for recipient in people_to_chase(report, stage, today)}:
        return "The recipient is no longer responsible for the report."
    context = {
        "person": person,
        "report": report,
        "organisation": report.party.organisation,
        "partnership": report.round.partnership,
        "late": report.days_late(today),
        "escalated": stage == "escalated",
        "is_to_ask_leads": stage == "escalated" and not _is_lead(person, report),
        "href": link("conversations:report", pk=report.pk),
    }
    return Content("conversations/report_due", context)


def _is_lead(person: User, report: Report) -> bool:
    """Return True if the person leads the organisation that writes the report."""
    return leads_with_account([report.party.organisation_id]).filter(pk=person.pk).exists()


def write_report_submitted(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Ask a lead to accept or return a report."""
    report, submission = _report_and_submission(due)
    if not report.is_submitted or submission.is_decided:
        return "The report has already been accepted or returned."
    if not leads_who_decide(report).filter(pk=person.pk).exists():
        return "The recipient can no longer accept or return the report."
    return Content("conversations/report_submitted", _report_context(report, submission, person))


def write_report_decided(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to the people who write the report that it was accepted or returned."""
    report, submission = _report_and_submission(due)
    if submission.was_returned and not report.is_returned:
        return "The report has since been submitted again."
    if not Report.objects.filter(pk=report.pk).written_by(person).exists():
        return "The recipient can no longer write the report."
    return Content("conversations/report_decided", _report_context(report, submission, person))


def _report_and_submission(due: DueEmail) -> tuple[Report, ReportSubmission]:
    """Return the report of an email, and the submission that the email is about."""
    report = Report.objects.for_listing().get(pk=due.params["report"])
    submissions = report.submissions.select_related("submitted_by", "decided_by", "decided_for")
    return report, submissions.get(number=due.params["number"])


def _report_context(report: Report, submission: ReportSubmission, person: User) -> dict[str, Any]:
    return {
        "person": person,
        "report": report,
        "submission": submission,
        "organisation": report.party.organisation,
        "partnership": report.round.partnership,
        "href": link("conversations:report", pk=report.pk),
    }


def write_meeting_invitation(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Invite a person to a meeting."""
    return _meeting_email("meeting_invitation", due, person, now)


def write_meeting_changed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person invited that the time or place of a meeting changed."""
    return _meeting_email("meeting_changed", due, person, now)


def write_meeting_called_off(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person invited that a meeting was called off, and why."""
    return _meeting_email("meeting_called_off", due, person, now)


def write_meeting_uninvited(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person who is no longer invited to a meeting.

    The attached calendar file removes the meeting from the person's calendar.
    """
    meeting = Meeting.objects.select_related("partnership", "organisation").get(pk=due.params["meeting"])
    if seated_people(meeting).filter(pk=person.pk).exists():
        return "The recipient has been invited again."
    if not possible_attendees(meeting.partnership).filter(pk=person.pk).exists():
        return "The recipient can no longer read the meeting."
    if meeting.ends_at < now:
        return "The meeting is over."
    author = User.objects.get(pk=due.params["author"])
    context = {
        "person": person,
        "meeting": meeting,
        "author": author,
        "when": due.params["when"],
        "href": link("conversations:meeting", pk=meeting.pk),
    }
    [entry] = entries_of_meetings([meeting])
    file = write_file(replace(entry, is_cancelled=True), invited=_invitation_parties(meeting, person))
    return Content("conversations/meeting_uninvited", context, reply_to=author.email, calendar=file)


def write_meeting_agenda(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Send the agenda of a meeting, with the items that the person may read."""
    return _meeting_email("meeting_agenda", due, person, now)


def _meeting_email(template: str, due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return an email with a calendar file to a person invited, or the reason why it is no longer needed."""
    meeting = Meeting.objects.select_related("partnership", "organisation").get(pk=due.params["meeting"])
    if not seated_people(meeting).filter(pk=person.pk).exists():
        return "The recipient is no longer invited to the meeting."
    if meeting.is_called_off != (template == "meeting_called_off"):
        return "The meeting was called off."
    if meeting.ends_at < now:
        return "The meeting is over."

    # A meeting of a partnership that ended by its dates has no author.
    author = User.objects.filter(pk=due.params["author"]).first()
    has_agenda = template == "meeting_agenda"
    context = {
        "person": person,
        "meeting": meeting,
        "author": author,
        "before": due.params.get("before", {}),
        "reason": due.params.get("reason", ""),
        "items": agenda_for(meeting, person) if has_agenda else [],
        "papers": papers_for(meeting, person) if has_agenda else [],
        "href": link("conversations:meeting", pk=meeting.pk),
    }
    [entry] = entries_of_meetings([meeting])
    return Content(
        f"conversations/{template}",
        context,
        reply_to=author.email if author else "",
        calendar=write_file(entry, invited=_invitation_parties(meeting, person)),
    )


def _invitation_parties(meeting: Meeting, person: User) -> InvitationParties:
    """Return the sender and the recipient of an invitation, for its calendar file.

    The sender is the organisation that calls the meeting, at the address from which this site sends emails.
    """
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return InvitationParties((meeting.organisation.display_name, sender), (person.display_name, person.email))


def write_facilitator_named(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person who has been named as a facilitator."""
    facilitators = Facilitator.objects.not_ended().for_listing().select_related("named_by")
    facilitator = facilitators.filter(pk=due.params["facilitator"], person=person, accepted_at=None).first()
    if facilitator is None:
        return "The recipient has agreed to be a facilitator, or the role has ended."
    context = {
        "person": person,
        "partnership": facilitator.partnership,
        "organisation": facilitator.organisation,
        "author": facilitator.named_by,
        "href": link("conversations:facilitation", pk=facilitator.pk),
    }
    return Content("conversations/facilitator_named", context)
