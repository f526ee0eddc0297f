"""Services that change the terms of a proposal, and later the due date."""

from __future__ import annotations

import datetime as dt
from typing import Unpack

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Slippage
from partnerships.commitments.rights import acting_organisation, rights_over
from partnerships.commitments.services.emails import email_deciding_leads
from partnerships.commitments.services.proposing import EDITS_FOR_NEITHER, CommitmentTerms, check_terms
from partnerships.commitments.services.recording import lock_commitment, record_event, terms_of
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToEdit(Exception):
    """The commitment is no longer a proposal, or another person has changed its terms."""


class UnableToChangeDueDate(Exception):
    """The commitment is not under way, the date is the same, or the reason is missing."""


@transaction.atomic
def edit_proposal(
    *,
    commitment: Commitment,
    revision: int,
    author: User,
    now: dt.datetime,
    tells: bool = True,
    **terms: Unpack[CommitmentTerms],
) -> Commitment:
    """Change the terms of a proposal, and remove the confirmations of the earlier terms.

    `revision` is the revision of the terms that the author read. With `tells=False` no email is sent. The caller then
    sends one email about several proposals with `email_leads_about_proposals`.

    Raises `UnableToEdit`, or `UnableToPropose` if the new terms are invalid.
    """
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    if not commitment.is_proposed:
        remedy = " Propose new terms instead." if commitment.is_under_way else ""
        raise UnableToEdit(
            f"{commitment.reference} is {commitment.status_words}, so you can no longer change its terms.{remedy}"
        )
    require(rights.may_edit_terms, EDITS_FOR_NEITHER)
    if revision != commitment.revision:
        raise UnableToEdit("Someone changed the terms while you were editing. Check the new terms before you save.")
    if commitment.giver is None:
        raise UnableToEdit(
            "The organisation that made the promise is outside the network, so nobody can change the terms."
        )
    check_terms(commitment.giver, commitment.receiver, terms, timezone.localdate(now))

    terms_before, owner_before = terms_of(commitment), commitment.owner
    _set_terms(commitment, terms)
    if terms_of(commitment) == terms_before and owner_before == commitment.owner:
        return commitment
    _save_new_revision(commitment)

    record_event(
        commitment,
        EventKind.TERMS_CHANGED,
        author=author,
        organisation=acting_organisation(rights),
        now=now,
        before=terms_before,
        after=terms_of(commitment),
    )
    if tells:
        email_deciding_leads("proposed", commitment, author=author, now=now, revision=commitment.revision)
    return commitment


def _set_terms(commitment: Commitment, terms: CommitmentTerms) -> None:
    """Set the terms of a proposal without saving."""
    commitment.text = terms["text"].strip()
    commitment.quantity = terms["quantity"]
    commitment.unit = terms["unit"] if commitment.quantity is not None else ""
    commitment.owner = terms["owner"]
    commitment.due_on = terms["due_on"]
    commitment.original_due_on = terms["due_on"]


def _save_new_revision(commitment: Commitment) -> None:
    """Save the changed terms of a proposal, without the confirmations of the earlier terms."""
    commitment.revision += 1
    commitment.giver_confirmed_at = None
    commitment.giver_confirmed_by = None
    commitment.receiver_confirmed_at = None
    commitment.receiver_confirmed_by = None
    commitment.save(
        update_fields=[
            "text",
            "quantity",
            "unit",
            "owner",
            "due_on",
            "original_due_on",
            "revision",
            "giver_confirmed_at",
            "giver_confirmed_by",
            "receiver_confirmed_at",
            "receiver_confirmed_by",
        ]
    )


@transaction.atomic
def change_due_date(
    *, commitment: Commitment, due_on: dt.date, reason: str, author: User, now: dt.datetime
) -> Slippage:
    """Change the due date, and store the earlier date and the reason. Raises `UnableToChangeDueDate`."""
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    reason = reason.strip()
    if not commitment.is_under_way:
        raise UnableToChangeDueDate(
            f"{commitment.reference} is {commitment.status_words}, so you cannot change its due date."
        )
    require(
        rights.may_report, "Only editors and leads of the organisation that made the promise can change the due date."
    )
    if not reason:
        raise UnableToChangeDueDate("Enter why the date is changing.")
    if due_on == commitment.due_on:
        raise UnableToChangeDueDate("The commitment is already due on that day. Enter another date.")

    slippage = Slippage.objects.create(
        commitment=commitment, was=commitment.due_on, now=due_on, reason=reason, by=author, at=now
    )
    commitment.due_on = due_on
    commitment.save(update_fields=["due_on"])
    record_event(
        commitment,
        EventKind.DUE_DATE_MOVED,
        author=author,
        organisation=acting_organisation(rights),
        now=now,
        before={"due": long_date(slippage.was) if slippage.was else ""},
        after={"due": long_date(due_on)},
        reason=reason,
    )
    return slippage
