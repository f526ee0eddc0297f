"""Commitments and escalations as work that a person hands over when they leave an organisation."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils.text import Truncator

from partnerships.commitments.models import FINAL_STATUSES, Commitment, CommitmentQuerySet
from partnerships.commitments.services import (
    UnableToChangeOwner,
    UnableToEscalate,
    change_owner,
    escalate,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import (
    OwnedKind,
    OwnedRecord,
    OwnershipHandover,
    UnableToHandOver,
    acting_people_of,
    former_people_of,
)
from partnerships.people.models import User


def _commitments_as_things(commitments: CommitmentQuerySet) -> list[OwnedRecord]:
    """Return each commitment as a thing to hand over, the earliest due first."""
    return [
        OwnedRecord(
            commitment.pk,
            f"{commitment.reference} {Truncator(commitment.text).chars(90)}",
            commitment.get_absolute_url(),
            commitment.partnership.title if commitment.partnership else "",
        )
        for commitment in commitments.select_related("partnership").order_by("due_on", "pk")
    ]


def _open_commitments(organisation: Organisation) -> CommitmentQuerySet:
    """Return the commitments that are not over and whose owner is, or has to be, from the organisation."""
    return Commitment.objects.filter(owner_organisation=organisation).exclude(status__in=FINAL_STATUSES)


def _things_owned(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _commitments_as_things(_open_commitments(organisation).filter(owner=person))


def _things_without_owner(organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return open commitments without an owner, or whose owner does not act for the organisation."""
    return _commitments_as_things(
        _open_commitments(organisation).filter(Q(owner=None) | ~Q(owner__in=acting_people_of(organisation, day)))
    )


def _change_owner(handover: OwnershipHandover) -> None:
    commitment = Commitment.objects.get(pk=handover.pk)
    try:
        change_owner(
            commitment=commitment,
            owner=handover.to,
            author=handover.author,
            reason=handover.reason,
            now=handover.now,
        )
    except UnableToChangeOwner as error:
        raise UnableToHandOver(str(error)) from error


def _commitments_under_way(organisation: Organisation) -> CommitmentQuerySet:
    """Return the commitments under way that the organisation gives or receives."""
    return Commitment.objects.under_way().filter(Q(giver=organisation) | Q(receiver=organisation))


def _things_escalated_to(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _commitments_as_things(_commitments_under_way(organisation).filter(escalated_to=person))


def _things_escalated_to_leavers(organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return commitments under way that were escalated to people who no longer act for the organisation."""
    return _commitments_as_things(
        _commitments_under_way(organisation).filter(escalated_to__in=former_people_of(organisation, day))
    )


def _escalate_to_colleague(handover: OwnershipHandover) -> None:
    commitment = Commitment.objects.get(pk=handover.pk)
    try:
        escalate(
            commitment=commitment,
            helper=handover.to,
            author=handover.author,
            reason=handover.reason,
            now=handover.now,
        )
    except UnableToEscalate as error:
        raise UnableToHandOver(str(error)) from error


COMMITMENTS = OwnedKind(
    code="commitments",
    label="Commitments",
    fields=("commitments.Commitment.owner",),
    held=_things_owned,
    left=_things_without_owner,
    hand_over=_change_owner,
    waits_alone=True,
)
ESCALATIONS = OwnedKind(
    code="escalations",
    label="Commitments escalated to them",
    fields=("commitments.Commitment.escalated_to",),
    held=_things_escalated_to,
    left=_things_escalated_to_leavers,
    hand_over=_escalate_to_colleague,
    goes_to_colleague=True,
)
