"""The kinds of email about commitments.

Each names the commitment that the recipient must be able to read.
"""

from __future__ import annotations

from partnerships.commitments import emails
from partnerships.commitments.models import Commitment
from partnerships.outbox.groups import NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail

_COMMITMENT = RecordLookup(kind="commitment", param="commitment", model=Commitment, partnership_path="partnership")

EMAILS = (
    PersonEmail(
        "commitments.reminder",
        "Reminder about a commitment",
        emails.write_reminder,
        group=NoticeGroup.REMINDERS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.escalation",
        "Commitment escalated to you",
        emails.write_escalation,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.proposed",
        "Commitment to confirm",
        emails.write_proposed,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.proposed_together",
        "Commitments to confirm",
        emails.write_proposed_together,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.owned_together",
        "Commitments that you own",
        emails.write_owned_together,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.agreed",
        "Commitment agreed",
        emails.write_agreed,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.done",
        "Delivery to verify",
        emails.write_done,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.answered",
        "Delivery verified or sent back",
        emails.write_answered,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
    PersonEmail(
        "commitments.ended",
        "Commitment cancelled, declined or withdrawn",
        emails.write_ended,
        group=NoticeGroup.COMMITMENTS,
        about=_COMMITMENT,
    ),
)
