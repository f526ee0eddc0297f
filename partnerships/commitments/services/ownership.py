"""Services that change the owner of a commitment, or remind the owner."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.models import Event
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import FINAL_STATUSES, Commitment
from partnerships.commitments.rights import acting_organisation, rights_over
from partnerships.commitments.services.recording import acts_for, lock_commitment, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: The least time between two reminders that people send for one commitment.
BETWEEN_REMINDERS = dt.timedelta(days=1)


class UnableToRemind(Exception):
    """The commitment is not under way, has no owner to remind, or its owner was reminded just before."""


class UnableToChangeOwner(Exception):
    """The commitment is over, or the new owner does not act for the organisation."""


@transaction.atomic
def change_owner(
    *, commitment: Commitment, owner: User, author: User, now: dt.datetime, reason: str = ""
) -> Commitment:
    """Change the owner to another person of the same organisation. Raises `UnableToChangeOwner`."""
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    if commitment.is_over:
        raise UnableToChangeOwner(
            f"{commitment.reference} is {commitment.status_words}, so you can no longer change its owner."
        )
    require(
        rights.may_change_owner,
        "Only editors and leads of the organisation that made the promise can change the owner.",
    )
    _check_acts_for(owner, commitment.owner_organisation)
    if commitment.owner_id != owner.pk:
        _set_owner(
            commitment, owner, author=author, organisation=acting_organisation(rights), now=now, reason=reason.strip()
        )
    return commitment


def _check_acts_for(owner: User, organisation: Organisation) -> None:
    """Raise `UnableToChangeOwner` if the new owner does not act for the organisation."""
    if not acts_for(owner, organisation):
        raise UnableToChangeOwner(
            f"{owner.display_name} does not act for {organisation.display_name}. Choose someone who does."
        )


@transaction.atomic
def remind_owner(*, commitment: Commitment, author: User, now: dt.datetime) -> Commitment:
    """Record that a person of the giver or receiver reminds the owner, at most once a day. Raises `UnableToRemind`.

    This sends no email. The caller calls `email_owners`, so that an owner of several commitments gets one email.
    """
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    reference = commitment.reference
    if not commitment.is_under_way:
        raise UnableToRemind(f"{reference} is {commitment.status_words}, so its owner needs no reminder.")
    require(rights.may_escalate, "Only editors and leads of the two organisations can remind the owner.")
    if commitment.owner is None:
        remedy = "Choose one first." if rights.may_change_owner else "The organisation that delivers it chooses one."
        raise UnableToRemind(f"{reference} has no owner. {remedy}")
    if commitment.owner_id == author.pk:
        raise UnableToRemind(f"You own {reference}, so there is nobody to remind.")
    recent_reminders = Event.objects.filter(kind=EventKind.OWNER_REMINDED, at__gt=now - BETWEEN_REMINDERS)
    if recent_reminders.filter(target_kind="commitment", target_id=commitment.pk).exists():
        raise UnableToRemind(f"The owner of {reference} was reminded within the last day. Try again tomorrow.")

    record_event(commitment, EventKind.OWNER_REMINDED, author=author, organisation=acting_organisation(rights), now=now)
    return commitment


@transaction.atomic
def hand_over_commitments(
    *, person: User, organisation: Organisation, to: User | None, author: User | None, now: dt.datetime
) -> int:
    """Transfer the open commitments of a person who leaves to a colleague, and return how many.

    Without a colleague the commitments have no owner, and My work asks the organisation's leads to name one. Raises
    `UnableToChangeOwner` if the colleague does not act for the organisation.
    """
    if to is not None:
        _check_acts_for(to, organisation)
    open_commitments = Commitment.objects.filter(owner=person, owner_organisation=organisation).exclude(
        status__in=FINAL_STATUSES
    )
    locked_commitments = list(open_commitments.select_for_update(of=("self",)).order_by("pk"))

    reason = f"The owner no longer acts for {organisation.display_name}."
    for commitment in locked_commitments:
        _set_owner(commitment, to, author=author, organisation=organisation, now=now, reason=reason)
    return len(locked_commitments)


def _set_owner(
    commitment: Commitment,
    owner: User | None,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    reason: str,
) -> None:
    """Save the owner, or None, and record an event with the earlier owner."""
    owner_before = commitment.owner_id
    commitment.owner = owner
    commitment.save(update_fields=["owner"])
    record_event(
        commitment,
        EventKind.OWNER_CHANGED,
        author=author,
        organisation=organisation,
        now=now,
        owner_before=owner_before,
        owner_after=owner.pk if owner else None,
        reason=reason,
    )
