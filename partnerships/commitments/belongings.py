"""Commitments and escalations as work that a person hands over when they leave an organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone
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


def _earliest_due_first(commitments: CommitmentQuerySet) -> CommitmentQuerySet:
    """Return the commitments with their partnerships, the earliest due first."""
    return commitments.select_related("partnership").order_by("due_on", "pk")


def _commitments_as_things(commitments: Iterable[Commitment]) -> list[OwnedRecord]:
    """Return each commitment as a thing to hand over."""
    return [
        OwnedRecord(
            commitment.pk,
            f"{commitment.reference} {Truncator(commitment.text).chars(90)}",
            commitment.get_absolute_url(),
            commitment.partnership.title if commitment.partnership else "",
        )
        for commitment in commitments
    ]


def _open_commitments(organisation: Organisation | int) -> CommitmentQuerySet:
    """Return the commitments that are not over and whose owner is, or has to be, from the organisation."""
    return Commitment.objects.filter(owner_organisation=organisation).exclude(status__in=FINAL_STATUSES)


def _things_owned(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _commitments_as_things(_earliest_due_first(_open_commitments(organisation).filter(owner=person)))


def _commitments_without_owner(organisation_id: int, now: dt.datetime) -> CommitmentQuerySet:
    """Return open commitments without an owner, or whose owner does not act for the organisation."""
    acting_people = acting_people_of(organisation_id, timezone.localdate(now))
    has_no_owner = Q(owner=None) | ~Q(owner__in=acting_people)
    return _earliest_due_first(_open_commitments(organisation_id).filter(has_no_owner))


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


def _commitments_under_way(organisation: Organisation | int) -> CommitmentQuerySet:
    """Return the commitments under way that the organisation gives or receives."""
    return Commitment.objects.under_way().filter(Q(giver=organisation) | Q(receiver=organisation))


def _things_escalated_to(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _commitments_as_things(_earliest_due_first(_commitments_under_way(organisation).filter(escalated_to=person)))


def _commitments_escalated_to_leavers(organisation_id: int, now: dt.datetime) -> CommitmentQuerySet:
    """Return commitments under way that were escalated to people who no longer act for the organisation."""
    former_people = former_people_of(organisation_id, timezone.localdate(now))
    return _earliest_due_first(_commitments_under_way(organisation_id).filter(escalated_to__in=former_people))


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
    rows_without_owner=_commitments_without_owner,
    to_records=_commitments_as_things,
    hand_over=_change_owner,
    waits_alone=True,
)
ESCALATIONS = OwnedKind(
    code="escalations",
    label="Commitments escalated to them",
    fields=("commitments.Commitment.escalated_to",),
    held=_things_escalated_to,
    rows_without_owner=_commitments_escalated_to_leavers,
    to_records=_commitments_as_things,
    hand_over=_escalate_to_colleague,
    goes_to_colleague=True,
)
