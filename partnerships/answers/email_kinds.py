"""The kinds of email about answers. Each names the record that the recipient must be able to read, if there is one."""

from __future__ import annotations

from partnerships.answers import emails
from partnerships.answers.models import Answer, Incoming
from partnerships.outbox.groups import FOR_CONSENT, NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail

EMAILS = (
    PersonEmail(
        "answers.refused",
        "Your answer will not be shown",
        emails.write_refused,
        group=NoticeGroup.PLANS,
        about=RecordLookup(
            kind="plan",
            param="answer",
            model=Answer,
            record_path="plan",
            partnership_path="plan__partnership",
        ),
    ),
    PersonEmail(
        "answers.confirm_reply",
        "Confirm your reply",
        emails.write_confirm_reply,
        group=NoticeGroup.PLANS,
        about=RecordLookup(
            kind="plan",
            param="incoming",
            model=Incoming,
            record_path="plan",
            partnership_path="plan__partnership",
        ),
        always=FOR_CONSENT,
        is_secret=True,
    ),
    PersonEmail(
        "answers.confirm_forwarded",
        "Save your email as a conversation",
        emails.write_confirm_forwarded,
        group=NoticeGroup.PLANS,
        about=RecordLookup(
            kind="partnership",
            param="incoming",
            model=Incoming,
            record_path="partnership",
            partnership_path="partnership",
        ),
        always=FOR_CONSENT,
    ),
    PersonEmail(
        "answers.unfit",
        "We could not process your email",
        emails.write_unfit,
        group=NoticeGroup.PLANS,
        always=FOR_CONSENT,
    ),
)
