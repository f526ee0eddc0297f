"""Service that confirms a commitment for one side."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.rights import rights_over
from partnerships.commitments.services.emails import email_concerned
from partnerships.commitments.services.recording import acts_for, lock_commitment, record_event
from partnerships.commitments.services.replacement import replace_commitment
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToConfirm(Exception):
    """The side has nothing to confirm, the terms have changed since the author read them, or no owner is named."""


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
    """Confirm a commitment for one side. When both sides have confirmed, the commitment is agreed.

    The giver's confirmation needs an owner: the present one, or `owner`, a person of the giver. `revision` is that of
    the terms that the author read. If the commitment was proposed in place of an older one, it replaces the older one
    once it is agreed. Raises `UnableToConfirm`.
    """
    if commitment.replaces_id:
        # Lock the older commitment first, as all services do, to prevent deadlocks.
        Commitment.objects.select_for_update(of=("self",)).get(pk=commitment.replaces_id)
    current = lock_commitment(commitment)
    rights = rights_over(current, author, now)
    giving = organisation.pk == current.giver_id
    _check_can_be_confirmed(current, organisation, revision)
    may_confirm = rights.may_confirm_giving if giving else rights.may_confirm_receiving
    require(may_confirm, f"Only a lead of {organisation.display_name} can confirm this commitment.")
    changed_fields = []
    if giving:
        changed_fields += _name_owner(current, organisation, owner)
        current.giver_confirmed_by, current.giver_confirmed_at = author, now
        changed_fields += ["giver_confirmed_by", "giver_confirmed_at"]
    else:
        current.receiver_confirmed_by, current.receiver_confirmed_at = author, now
        changed_fields += ["receiver_confirmed_by", "receiver_confirmed_at"]
    # An action needs only the side that does it.
    is_agreed = current.giver_confirmed_at is not None and (
        current.is_action or current.receiver_confirmed_at is not None
    )
    if is_agreed:
        current.status, current.status_since = Status.AGREED, now
        changed_fields += ["status", "status_since"]
    current.save(update_fields=changed_fields)
    record_event(
        current,
        EventKind.GIVING_CONFIRMED if giving else EventKind.RECEIVING_CONFIRMED,
        author=author,
        organisation=organisation,
        now=now,
        **({"before": Status.PROPOSED.label, "after": Status.AGREED.label} if is_agreed else {}),
    )
    if is_agreed and current.replaces is not None:
        replace_commitment(current.replaces, current, author=author, organisation=organisation, now=now)
    if is_agreed:
        call_listeners(commitment=current, author=author, now=now)
        email_concerned("agreed", current, author=author, now=now)
    return current


def _check_can_be_confirmed(commitment: Commitment, organisation: Organisation, revision: int) -> None:
    """Raise `UnableToConfirm` unless this side must confirm the terms that the author read."""
    giving = organisation.pk == commitment.giver_id
    if not giving and organisation.pk != commitment.receiver_id:
        raise UnableToConfirm(f"{organisation.display_name} neither gives nor receives this, so it cannot confirm.")
    if not commitment.is_proposed:
        raise UnableToConfirm(
            f"{commitment.reference} is {commitment.status_words}, so there is nothing left to confirm."
        )
    if revision != commitment.revision:
        raise UnableToConfirm("The terms have changed since you opened this page. Read them again before you confirm.")
    if (commitment.giver_confirmed_at if giving else commitment.receiver_confirmed_at) is not None:
        raise UnableToConfirm(
            f"{organisation.display_name} has already confirmed this commitment, so you do not need to."
        )


def _name_owner(commitment: Commitment, organisation: Organisation, owner: User | None) -> list[str]:
    """Set the owner without saving, and return the names of the changed fields. Raises `UnableToConfirm`."""
    changed_fields = []
    if owner is not None and owner.pk != commitment.owner_id:
        if not acts_for(owner, organisation):
            raise UnableToConfirm(
                f"{owner.display_name} does not act for {organisation.display_name}. Choose someone who does."
            )
        commitment.owner = owner
        changed_fields.append("owner")
    if commitment.owner is None and not commitment.is_action:
        raise UnableToConfirm("Name an owner.")
    return changed_fields
