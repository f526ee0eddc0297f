"""The kinds of email of the agreements room.

Each names the record that the email is about. Only people who may read that record get the email.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from partnerships.agreements import emails
from partnerships.agreements.models import (
    Holder,
    Notice,
    Partnership,
    Party,
    TermsProposal,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.outbox.groups import FOR_PRIVACY, FOR_SIGNING, NoticeGroup, RecordLookup, Subject
from partnerships.outbox.kinds import EmailKind
from partnerships.outbox.models import Lane
from partnerships.people.composing import PersonEmail


def _dates(params: Mapping[str, Any]) -> list[Any]:
    """Return the dates of a reminder."""
    return list(params["dates"])


def _first_partnership(params: Mapping[str, Any]) -> Subject | None:
    """Return the partnership of the first date in a reminder, or None if the reminder has no dates."""
    dates = params.get("dates") or ()
    return Subject("partnership", dates[0]["partnership"], dates[0]["partnership"]) if dates else None


_PARTNERSHIP = RecordLookup(kind="partnership", param="partnership", model=Partnership, partnership_path="pk")
_PARTY = RecordLookup(
    kind="partnership", param="party", model=Party, record_path="partnership", partnership_path="partnership"
)
_NOTICE = RecordLookup(
    kind="partnership", param="notice", model=Notice, record_path="partnership", partnership_path="partnership"
)
_PROPOSAL = RecordLookup(
    kind="partnership", param="proposal", model=TermsProposal, record_path="partnership", partnership_path="partnership"
)
_VERSION = RecordLookup(
    kind="partnership", param="version", model=TermsVersion, record_path="partnership", partnership_path="partnership"
)
_SIGNATORY = RecordLookup(
    kind="partnership",
    param="signatory",
    model=TermsSignatory,
    record_path="version__partnership",
    partnership_path="version__partnership",
)
_SIGNATURE = RecordLookup(
    kind="partnership",
    param="signature",
    model=TermsSignature,
    record_path="version__partnership",
    partnership_path="version__partnership",
)
_POST = RecordLookup(
    kind="post", param="holder", model=Holder, record_path="post", partnership_path="post__partnership"
)
_ORGANISATION = RecordLookup(kind="organisation", param="organisation")

EMAILS = (
    PersonEmail(
        "agreements.invitation",
        "Invitation to a partnership",
        emails.write_invitation,
        group=NoticeGroup.INVITATIONS,
        about=_PARTY,
    ),
    PersonEmail(
        "agreements.answer",
        "Answer to an invitation",
        emails.write_answer,
        group=NoticeGroup.PARTNERSHIPS,
        about=_PARTY,
    ),
    PersonEmail(
        "agreements.date_came",
        "Start, review or end of a partnership",
        emails.write_date_reached,
        group=NoticeGroup.PARTNERSHIPS,
        about=_PARTNERSHIP,
    ),
    PersonEmail(
        "agreements.post_filled",
        "You have been named as the holder of a post",
        emails.write_post_filled,
        group=NoticeGroup.PARTNERSHIPS,
        about=_POST,
    ),
    PersonEmail(
        "agreements.no_lead",
        "An organisation has no lead",
        emails.write_no_lead,
        group=NoticeGroup.PARTNERSHIPS,
        about=_ORGANISATION,
    ),
    PersonEmail(
        "agreements.notice",
        "Notice to leave a partnership",
        emails.write_notice,
        group=NoticeGroup.PARTNERSHIPS,
        about=_NOTICE,
    ),
    PersonEmail(
        "agreements.gone",
        "An organisation left a partnership",
        emails.write_departure,
        group=NoticeGroup.PARTNERSHIPS,
        about=_PARTY,
    ),
    PersonEmail(
        "agreements.terms_proposed",
        "Amendment proposed",
        emails.write_terms_proposed,
        group=NoticeGroup.PARTNERSHIPS,
        about=_PROPOSAL,
    ),
    PersonEmail(
        "agreements.terms_signed",
        "A party signed the terms",
        emails.write_terms_signed,
        group=NoticeGroup.PARTNERSHIPS,
        about=_SIGNATURE,
    ),
    PersonEmail(
        "agreements.terms_declined",
        "A party declined to sign the terms",
        emails.write_terms_declined,
        group=NoticeGroup.PARTNERSHIPS,
        about=_SIGNATURE,
    ),
    PersonEmail(
        "agreements.terms_agreed",
        "Every party signed the terms",
        emails.write_terms_agreed,
        group=NoticeGroup.PARTNERSHIPS,
        about=_VERSION,
    ),
    PersonEmail(
        "agreements.terms_in_force",
        "New terms in force",
        emails.write_terms_in_force,
        group=NoticeGroup.PARTNERSHIPS,
        about=_VERSION,
    ),
    PersonEmail(
        "agreements.terms_stopped",
        "The terms no longer need signatures",
        emails.write_terms_stopped,
        group=NoticeGroup.PARTNERSHIPS,
        about=_PROPOSAL,
    ),
    PersonEmail(
        "agreements.dates_ahead",
        "Upcoming dates of a partnership",
        emails.write_coming_dates,
        group=NoticeGroup.REMINDERS,
        about=_first_partnership,
        reported_facts=_dates,
    ),
    PersonEmail(
        "agreements.terms_request",
        "Request to sign terms",
        emails.write_terms_request,
        group=NoticeGroup.SIGNATURES,
        about=_SIGNATORY,
        always=FOR_SIGNING,
        is_secret=True,
        keeps_its_link=True,
    ),
    PersonEmail(
        "agreements.terms_late",
        "Late signature on terms",
        emails.write_terms_late,
        group=NoticeGroup.REMINDERS,
        about=_SIGNATORY,
    ),
)

#: Email to a contact without an account, who has been named as holder of a post.
CONTACT_EMAIL = EmailKind(
    code=emails.CONTACT,
    label="You have been named as a contact",
    lane=Lane.NOTICE,
    composer=emails.ContactComposer(),
    group=NoticeGroup.ACCOUNT,
    always=FOR_PRIVACY,
    is_secret=True,
    keeps_its_link=True,
)
