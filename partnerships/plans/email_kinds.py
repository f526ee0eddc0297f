"""The kinds of email about plans, each with the record that the recipient must be able to read."""

from __future__ import annotations

from django.db import models

from partnerships.outbox.groups import FOR_SIGNING, NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail
from partnerships.plans import emails
from partnerships.plans.models import AccessRequest, Mention, OwnershipOffer, Share, Signatory, SignOff


def _about(param: str, model: type[models.Model], path: str = "plan") -> RecordLookup:
    """Return how to find the plan of an email, from the record with the id in the email's parameter `param`."""
    return RecordLookup(
        kind="plan", param=param, model=model, record_path=path, partnership_path=f"{path}__partnership"
    )


EMAILS = (
    PersonEmail(
        "plans.sign_off_request",
        "Sign-off request",
        emails.write_sign_off_request,
        group=NoticeGroup.SIGNATURES,
        about=_about("signatory", Signatory),
        always=FOR_SIGNING,
        is_secret=True,
        keeps_its_link=True,
    ),
    PersonEmail(
        "plans.sign_off_escalation",
        "Late signature on a plan",
        emails.write_sign_off_escalation,
        group=NoticeGroup.REMINDERS,
        about=_about("signatory", Signatory),
    ),
    PersonEmail(
        "plans.decision",
        "Version rejected, or approved with a condition",
        emails.write_decision,
        group=NoticeGroup.PLANS,
        about=_about("sign_off", SignOff),
    ),
    PersonEmail(
        "plans.share",
        "Draft shared with you",
        emails.write_share,
        group=NoticeGroup.PLANS,
        about=_about("share", Share),
    ),
    PersonEmail(
        "plans.access_request",
        "Request to see a draft",
        emails.write_access_request,
        group=NoticeGroup.PLANS,
        about=_about("request", AccessRequest),
    ),
    PersonEmail(
        "plans.not_shown",
        "Answer to your request to see a draft",
        emails.write_not_shown,
        group=NoticeGroup.PLANS,
        about=_about("request", AccessRequest),
    ),
    PersonEmail(
        "plans.ownership_offer",
        "Plan offered to your organisation",
        emails.write_ownership_offer,
        group=NoticeGroup.INVITATIONS,
        about=_about("offer", OwnershipOffer),
    ),
    PersonEmail(
        "plans.ownership_answer",
        "Answer to your offer of a plan",
        emails.write_ownership_answer,
        group=NoticeGroup.PLANS,
        about=_about("offer", OwnershipOffer),
    ),
    PersonEmail(
        "plans.mention",
        "Mention in a comment",
        emails.write_mention,
        group=NoticeGroup.MENTIONS,
        about=_about("mention", Mention, "comment__plan"),
    ),
)
