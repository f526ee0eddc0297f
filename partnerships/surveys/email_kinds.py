"""The kinds of email about surveys.

Each kind has the record that the recipient must be able to read, or the reason why people cannot turn the email off.
"""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.outbox.groups import NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail
from partnerships.surveys import emails
from partnerships.surveys.models import Joining, Round

#: Why people cannot turn these emails off.
_ASKED_TO_ANSWER = "a partnership asks you to answer, and only these emails contain your link"
_ASKED_TO_READ = "you have been asked to read the comments from this survey"

EMAILS = (
    PersonEmail(
        "surveys.invitation",
        "Invitation to a survey",
        emails.write_invitation,
        group=NoticeGroup.REPORTS,
        always=_ASKED_TO_ANSWER,
        is_secret=True,
    ),
    PersonEmail(
        "surveys.reminder",
        "Reminder to answer a survey",
        emails.write_reminder,
        group=NoticeGroup.REPORTS,
        always=_ASKED_TO_ANSWER,
        is_secret=True,
    ),
    PersonEmail(
        "surveys.joining",
        "Request to run a survey together",
        emails.write_joining,
        group=NoticeGroup.REPORTS,
        about=RecordLookup(
            kind="partnership",
            param="joining",
            model=Joining,
            record_path="partnership",
            partnership_path="partnership",
        ),
    ),
    PersonEmail(
        "surveys.agreement",
        "Request to read the comments from a survey",
        emails.write_agreement,
        group=NoticeGroup.REPORTS,
        always=_ASKED_TO_READ,
    ),
    PersonEmail(
        "surveys.declined",
        "Name someone else to read the comments from a survey",
        emails.write_declined,
        group=NoticeGroup.REPORTS,
        about=RecordLookup(
            kind="partnership", param="round", model=Round, record_path="partnership", partnership_path="partnership"
        ),
    ),
    PersonEmail(
        "surveys.results",
        "Results of a survey",
        emails.write_results,
        group=NoticeGroup.REPORTS,
        about=RecordLookup(kind="partnership", param="partnership", model=Partnership, partnership_path="pk"),
    ),
    PersonEmail(
        "surveys.comments",
        "Comments from a survey are ready to read",
        emails.write_comments,
        group=NoticeGroup.REPORTS,
        always=_ASKED_TO_READ,
    ),
)
