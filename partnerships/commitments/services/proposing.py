"""Services that propose commitments and actions."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import NotRequired, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Kind, Status, Unit
from partnerships.commitments.origins import OriginRecord
from partnerships.commitments.services.confirming import confirm_commitment
from partnerships.commitments.services.emails import email_deciding_leads
from partnerships.commitments.services.recording import (
    acts_for,
    lock_commitment,
    next_ids,
    record_event,
    reference_for,
    terms_of,
)
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User

EDITS_FOR_NEITHER = "You cannot make changes for either of the two organisations. Ask an editor or lead of one of them."


class UnableToPropose(Exception):
    """The parties, the terms or the owner are invalid."""


class CommitmentTerms(TypedDict):
    """The terms of a commitment: text, quantity, owner and due date. The unit is blank without a quantity."""

    text: str
    quantity: Decimal | None
    unit: str
    owner: User | None
    due_on: dt.date


class Proposal(CommitmentTerms):
    """The terms of a commitment, with the two organisations and perhaps the partnership."""

    giver: Organisation
    receiver: Organisation
    partnership: Partnership | None


@transaction.atomic
def propose_commitment(
    *,
    author: User,
    now: dt.datetime,
    confirm: bool = False,
    replaces: Commitment | None = None,
    came_from: OriginRecord | None = None,
    key: uuid.UUID | None = None,
    tells: bool = True,
    **proposal: Unpack[Proposal],
) -> Commitment:
    """Propose a commitment, which giver and receiver must both confirm.

    The author edits for one of the two. Without an owner, the giver names one when it confirms.

    - `confirm`: the author is a lead and confirms for their own organisation at once.
    - `replaces`: the commitment that is superseded when giver and receiver have confirmed the new one.
    - `came_from`: the record from which the commitment is made, for example a response.
    - `key`: the form's key. If the author has used it before, the commitment proposed then is returned.
    - `tells`: False if the caller sends one email about several proposals with `email_leads_about_proposals`.

    Raises `UnableToPropose`, or `UnableToConfirm` if the author may not confirm.
    """
    existing_commitment = _proposed_with_key(key, author)
    if existing_commitment is not None:
        return existing_commitment
    giver, receiver = proposal["giver"], proposal["receiver"]
    acting_for = giver if acts_for(author, giver, *EDITING_ROLES) else receiver
    require(acts_for(author, acting_for, *EDITING_ROLES), EDITS_FOR_NEITHER)
    check_terms(giver, receiver, proposal, timezone.localdate(now))
    _check_partnership(proposal["partnership"], (giver, receiver), now)
    _check_origin(came_from, (giver, receiver), author)
    if replaces is not None:
        _check_replaced(lock_commitment(replaces), giver, receiver)

    commitment = Commitment(kind=Kind.COMMITMENT, replaces=replaces, key=key, **proposal)
    try:
        # If the key is not unique, PostgreSQL refuses further queries until it is rolled back to this savepoint.
        with transaction.atomic():
            _save_new(commitment, author=author, acting_for=acting_for, came_from=came_from, now=now)
    except IntegrityError:
        # The same form was sent twice at the same moment, and the other request has saved the commitment.
        existing_commitment = _proposed_with_key(key, author)
        if existing_commitment is None:
            raise
        return existing_commitment

    if confirm and acting_for.pk == giver.pk and proposal["owner"] is None:
        raise UnableToPropose("Name an owner, or confirm later.")
    if confirm:
        commitment = confirm_commitment(
            commitment=commitment, organisation=acting_for, author=author, revision=commitment.revision, now=now
        )
    if tells:
        email_deciding_leads("proposed", commitment, author=author, now=now, revision=commitment.revision)
    return commitment


def _proposed_with_key(key: uuid.UUID | None, author: User) -> Commitment | None:
    """Return the commitment that the author has already proposed with this form, or None."""
    return Commitment.objects.filter(key=key, proposed_by=author).first() if key else None


def _check_replaced(replaced: Commitment, giver: Organisation, receiver: Organisation) -> None:
    """Raise `UnableToPropose` unless the locked commitment can be replaced by one between these organisations."""
    if {replaced.giver_id, replaced.receiver_id} != {giver.pk, receiver.pk}:
        raise UnableToPropose("New terms must be between the same two organisations.")
    if not replaced.is_under_way:
        raise UnableToPropose(
            f"{replaced.reference} is {replaced.status_words}, so you cannot propose new terms for it."
        )
    if Commitment.objects.filter(replaces=replaced, status=Status.PROPOSED).exists():
        raise UnableToPropose(
            f"New terms for {replaced.reference} are already waiting for an answer. Change or withdraw them first."
        )


class NewAction(TypedDict):
    """The fields of a new action."""

    text: str
    owner: User | None
    due_on: dt.date
    partnership: NotRequired[Partnership | None]


@transaction.atomic
def propose_action(
    *,
    organisation: Organisation,
    author: User,
    now: dt.datetime,
    for_organisation: Organisation | None = None,
    came_from: OriginRecord | None = None,
    **fields: Unpack[NewAction],
) -> Commitment:
    """Propose an action of `organisation`, perhaps for another organisation. Raises `UnableToPropose`.

    The action is agreed at once if the author edits for `organisation`. If they edit for the other organisation, an
    editor or lead of `organisation` must confirm.
    """
    owner = fields["owner"]
    is_own = acts_for(author, organisation, *EDITING_ROLES)
    require(is_own or acts_for(author, for_organisation, *EDITING_ROLES), EDITS_FOR_NEITHER)
    if not fields["text"].strip():
        raise UnableToPropose("Enter what needs to be done.")
    if owner is not None and not acts_for(owner, organisation):
        raise UnableToPropose(
            f"{owner.display_name} does not act for {organisation.display_name}. Choose someone who does."
        )
    _check_partnership(fields.get("partnership"), (organisation,), now)

    is_for_itself = for_organisation is not None and for_organisation.pk == organisation.pk
    receiver = None if is_for_itself else for_organisation
    action = Commitment(kind=Kind.ACTION, giver=organisation, receiver=receiver, **fields)
    acting_for = organisation if is_own else receiver
    _save_new(action, author=author, acting_for=acting_for, came_from=came_from, now=now)
    if not is_own:
        return action
    return confirm_commitment(
        commitment=action, organisation=organisation, author=author, revision=action.revision, now=now
    )


def _save_new(
    commitment: Commitment,
    *,
    author: User,
    acting_for: Organisation | None,
    came_from: OriginRecord | None,
    now: dt.datetime,
) -> None:
    """Save a new commitment or action with its event, and link it to the record from which it is made.

    `acting_for` is the organisation for which the author proposes it.
    """
    assert commitment.giver is not None  # only commitments imported from registers have no giver
    # The id is reserved first, because the reference contains it.
    (commitment.pk,) = next_ids()
    commitment.reference = reference_for(commitment.pk)
    commitment.text = commitment.text.strip()
    commitment.unit = commitment.unit if commitment.quantity is not None else ""
    commitment.owner_organisation = commitment.giver
    commitment.original_due_on = commitment.due_on
    commitment.proposed_by = author
    commitment.proposed_for = acting_for
    commitment.proposed_at = now
    commitment.status_since = now
    commitment.save(force_insert=True)

    record_event(
        commitment,
        EventKind.PROPOSED if commitment.kind == Kind.COMMITMENT else EventKind.ACTION_NOTED,
        author=author,
        organisation=acting_for,
        now=now,
        after=terms_of(commitment),
    )
    if came_from is not None:
        came_from.origin.link(commitment=commitment, record_id=came_from.record_id, author=author, now=now)


def check_terms(giver: Organisation, receiver: Organisation | None, terms: CommitmentTerms, today: dt.date) -> None:
    """Raise `UnableToPropose` if the terms are invalid. The message is about the first fault."""
    owner = terms["owner"]
    if receiver is not None and giver.pk == receiver.pk:
        raise UnableToPropose("A commitment must be between two different organisations.")
    if not terms["text"].strip():
        raise UnableToPropose("Enter what is promised.")
    _check_quantity(terms["quantity"], terms["unit"])
    if terms["due_on"] < today:
        raise UnableToPropose("Enter a due date that is today or later.")
    for organisation in (giver, receiver):
        if organisation is not None and organisation.is_ended:
            raise UnableToPropose(f"{organisation.display_name} has been dissolved. Choose another organisation.")
    if owner is not None and not acts_for(owner, giver):
        raise UnableToPropose(f"{owner.display_name} does not act for {giver.display_name}. Choose someone who does.")


def _check_quantity(quantity: Decimal | None, unit: str) -> None:
    """Raise `UnableToPropose` if the quantity is not positive, has no unit, or has an unknown unit."""
    if quantity is not None and quantity <= 0:
        raise UnableToPropose("The quantity must be more than 0.")
    if quantity is not None and not unit:
        raise UnableToPropose("Choose a unit for the quantity.")
    if unit and unit not in Unit.by_code():
        raise UnableToPropose(f"There is no unit with the code “{unit}”. Choose a unit from the list.")


def _check_origin(came_from: OriginRecord | None, organisations: tuple[Organisation, ...], author: User) -> None:
    """Raise `UnableToPropose` if the record is about two other organisations, or the author may not use it.

    Without this check, a commitment between other organisations could, for example, close an ask that is not theirs.
    """
    if came_from is None:
        return
    suggestion = came_from.origin.suggest(user=author, record_id=came_from.record_id)
    if suggestion is None:
        raise UnableToPropose(
            "You can no longer open the record that this commitment comes from. Start from the list of commitments."
        )
    if suggestion.pair and set(suggestion.pair) != set(organisations):
        names = " and ".join(organisation.display_name for organisation in suggestion.pair)
        raise UnableToPropose(f"A commitment from {suggestion.words} must be between {names}. Choose these two.")


def _check_partnership(
    partnership: Partnership | None, organisations: tuple[Organisation, ...], now: dt.datetime
) -> None:
    """Raise `UnableToPropose` if the partnership is over, or an organisation is no party or only an observer."""
    if partnership is None:
        return
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToPropose(f"{partnership.title} has ended. Choose another partnership, or none.")
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    party_ids = set(parties.values_list("organisation_id", flat=True))
    for organisation in organisations:
        if organisation.pk not in party_ids:
            raise UnableToPropose(
                f"{organisation.display_name} is not a party to {partnership.title}. "
                "Choose another partnership, or none."
            )
