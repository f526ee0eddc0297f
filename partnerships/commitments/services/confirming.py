"""Service that confirms a commitment for its giver or its receiver."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.rights import rights_over
from partnerships.commitments.services.emails import email_people_concerned
from partnerships.commitments.services.recording import acts_for, lock_commitment, record_event
from partnerships.commitments.services.replacement import replace_commitment
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToConfirm(Exception):
    """The organisation has nothing to confirm, no owner is named, or the terms have changed since they were read."""


@transaction.atomic
def confirm_commitment(
    *,
    commitment: Commitment,
    organisation: Organisation,
    author: User,
    revision: int,
    now: dt.datetime,
    owner: User | None = None,
) -> Commitment:
    """Confirm a commitment for its giver or its receiver. It is agreed when both have confirmed.

    A commitment needs an owner before the giver can confirm it. With `owner`, this person of the giver becomes the
    owner. `revision` is the revision of the terms that the author read. If the commitment was proposed to replace an
    older one, the older one is superseded once this one is agreed. Raises `UnableToConfirm`.
    """
    if commitment.replaces_id:
        # Lock the older commitment first. All services use this order, which prevents deadlocks.
        Commitment.objects.select_for_update(of=("self",)).get(pk=commitment.replaces_id)
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    is_giver = organisation.pk == commitment.giver_id
    _check_can_be_confirmed(commitment, organisation, revision)
    may_confirm = rights.may_confirm_giving if is_giver else rights.may_confirm_receiving
    require(may_confirm, f"Only a lead of {organisation.display_name} can confirm this commitment.")

    if is_giver:
        _set_owner(commitment, organisation, owner)
    is_agreed = _save_confirmation(commitment, is_giver=is_giver, author=author, now=now)

    status_change = {"before": Status.PROPOSED.label, "after": Status.AGREED.label} if is_agreed else {}
    record_event(
        commitment,
        EventKind.GIVING_CONFIRMED if is_giver else EventKind.RECEIVING_CONFIRMED,
        author=author,
        organisation=organisation,
        now=now,
        **status_change,
    )
    if is_agreed:
        if commitment.replaces is not None:
            replace_commitment(commitment.replaces, commitment, author=author, organisation=organisation, now=now)
        call_listeners(commitment=commitment, author=author, now=now)
        email_people_concerned("agreed", commitment, author=author, now=now)
    return commitment


def _save_confirmation(commitment: Commitment, *, is_giver: bool, author: User, now: dt.datetime) -> bool:
    """Save the confirmation of the giver or receiver, and the owner. Return whether the commitment is now agreed."""
    if is_giver:
        commitment.giver_confirmed_by = author
        commitment.giver_confirmed_at = now
        changed_fields = ["owner", "giver_confirmed_by", "giver_confirmed_at"]
    else:
        commitment.receiver_confirmed_by = author
        commitment.receiver_confirmed_at = now
        changed_fields = ["receiver_confirmed_by", "receiver_confirmed_at"]

    # Only the organisation that does an action has to confirm it.
    has_receiver_confirmed = commitment.is_action or commitment.receiver_confirmed_at is not None
    is_agreed = commitment.giver_confirmed_at is not None and has_receiver_confirmed
    if is_agreed:
        commitment.status = Status.AGREED
        commitment.status_since = now
        changed_fields += ["status", "status_since"]
    commitment.save(update_fields=changed_fields)
    return is_agreed


def _check_can_be_confirmed(commitment: Commitment, organisation: Organisation, revision: int) -> None:
    """Raise `UnableToConfirm` unless the organisation still has to confirm the terms that the author read."""
    if organisation.pk == commitment.giver_id:
        confirmed_at = commitment.giver_confirmed_at
    elif organisation.pk == commitment.receiver_id:
        confirmed_at = commitment.receiver_confirmed_at
    else:
        raise UnableToConfirm(
            f"{organisation.display_name} does not give or receive this, so it cannot confirm the commitment."
        )
    if not commitment.is_proposed:
        raise UnableToConfirm(
            f"{commitment.reference} is {commitment.status_words}, so there is nothing left to confirm."
        )
    if revision != commitment.revision:
        raise UnableToConfirm("The terms have changed since you opened this page. Read them again before you confirm.")
    if confirmed_at is not None:
        raise UnableToConfirm(
            f"{organisation.display_name} has already confirmed this commitment, so you do not need to."
        )


def _set_owner(commitment: Commitment, organisation: Organisation, owner: User | None) -> None:
    """Set the owner, if one is given. The caller saves the commitment.

    Raises `UnableToConfirm` if the new owner does not act for the organisation, or if there is no owner at all.
    """
    if owner is not None and owner.pk != commitment.owner_id:
        if not acts_for(owner, organisation):
            raise UnableToConfirm(
                f"{owner.display_name} does not act for {organisation.display_name}. Choose someone who does."
            )
        commitment.owner = owner
    if commitment.owner is None and not commitment.is_action:
        raise UnableToConfirm("Name an owner.")
