"""Services that change the terms of a proposal, and later the due date."""

from __future__ import annotations

import datetime as dt
from typing import Unpack

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Slippage
from partnerships.commitments.rights import rights_over, side_of
from partnerships.commitments.services.emails import email_asked
from partnerships.commitments.services.proposing import NO_SIDE, Terms, check_terms
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
    **terms: Unpack[Terms],
) -> Commitment:
    """Change the terms of a proposal, which removes earlier confirmations.

    `revision` is that of the terms that the author read. With `tells=False` the caller emails the other side about
    several proposals at once (`email_leads_about_proposals`).

    Raises `UnableToEdit`, or `UnableToPropose` if the new terms are invalid.
    """
    current = lock_commitment(commitment)
    rights = rights_over(current, author, now)
    if not current.is_proposed:
        remedy = " Propose new terms instead." if current.is_under_way else ""
        raise UnableToEdit(
            f"{current.reference} is {current.status_words}, so you can no longer change its terms.{remedy}"
        )
    require(rights.may_edit_terms, NO_SIDE)
    if revision != current.revision:
        raise UnableToEdit("Someone changed the terms while you were editing. Check the new terms before you save.")
    if current.giver is None:
        raise UnableToEdit("The organisation that gives is outside the network, so nobody can change the terms.")
    check_terms(current.giver, current.receiver, terms, timezone.localdate(now))
    terms_before, owner_before = terms_of(current), current.owner
    current.text = terms["text"].strip()
    current.quantity = terms["quantity"]
    current.unit = terms["unit"] if current.quantity is not None else ""
    current.owner = terms["owner"]
    current.due_on = current.original_due_on = terms["due_on"]
    if terms_of(current) == terms_before and owner_before == current.owner:
        return current
    current.revision += 1
    current.giver_confirmed_at = current.receiver_confirmed_at = None
    current.giver_confirmed_by = current.receiver_confirmed_by = None
    current.save(
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
    record_event(
        current,
        EventKind.TERMS_CHANGED,
        author=author,
        organisation=side_of(rights),
        now=now,
        before=terms_before,
        after=terms_of(current),
    )
    if tells:
        email_asked("proposed", current, author=author, now=now, revision=current.revision)
    return current


@transaction.atomic
def change_due_date(
    *, commitment: Commitment, due_on: dt.date, reason: str, author: User, now: dt.datetime
) -> Slippage:
    """Change the due date, with a reason. Earlier dates stay in the history. Raises `UnableToChangeDueDate`."""
    current = lock_commitment(commitment)
    rights = rights_over(current, author, now)
    if not current.is_under_way:
        raise UnableToChangeDueDate(
            f"{current.reference} is {current.status_words}, so you cannot change its due date."
        )
    require(rights.may_report, "Only editors and leads of the organisation that gives can change the due date.")
    if not reason.strip():
        raise UnableToChangeDueDate("Say why the date is changing.")
    if due_on == current.due_on:
        raise UnableToChangeDueDate("The commitment is already due on that day. Enter another date.")
    slippage = Slippage.objects.create(
        commitment=current, was=current.due_on, now=due_on, reason=reason.strip(), by=author, at=now
    )
    current.due_on = due_on
    current.save(update_fields=["due_on"])
    record_event(
        current,
        EventKind.DUE_DATE_MOVED,
        author=author,
        organisation=side_of(rights),
        now=now,
        before={"due": long_date(slippage.was) if slippage.was else ""},
        after={"due": long_date(due_on)},
        reason=reason.strip(),
    )
    return slippage
