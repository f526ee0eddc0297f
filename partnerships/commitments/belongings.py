"""The commitments and escalations that a person hands over to colleagues before they leave an organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from partnerships.commitments.models import FINAL_STATUSES, Commitment, CommitmentQuerySet
from partnerships.commitments.services import (
    UnableToChangeOwner,
    UnableToEscalate,
    change_owner,
    escalate,
)
from partnerships.kit.text import shorten
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
    """Sort the commitments by due date, and fetch their partnerships."""
    return commitments.select_related("partnership").order_by("due_on", "pk")


def _owned_records(commitments: Iterable[Commitment]) -> list[OwnedRecord]:
    """Return these commitments as records to hand over, with title, address and partnership."""
    return [
        OwnedRecord(
            commitment.pk,
            f"{commitment.reference} {shorten(commitment.text, 90)}",
            commitment.get_absolute_url(),
            commitment.partnership.title if commitment.partnership else "",
        )
        for commitment in commitments
    ]


def _open_commitments(organisation_id: int) -> CommitmentQuerySet:
    """Return the commitments that are not over and that need an owner from the organisation."""
    return Commitment.objects.filter(owner_organisation=organisation_id).exclude(status__in=FINAL_STATUSES)


def _commitments_of_owner(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return the open commitments that the person owns for the organisation."""
    commitments = _open_commitments(organisation.pk).filter(owner=person)
    return _owned_records(_earliest_due_first(commitments))


def _commitments_without_owner(organisation_id: int, now: dt.datetime) -> CommitmentQuerySet:
    """Return open commitments without an owner, or whose owner does not act for the organisation."""
    acting_people = acting_people_of(organisation_id, timezone.localdate(now))
    has_no_owner = Q(owner=None) | ~Q(owner__in=acting_people)
    return _earliest_due_first(_open_commitments(organisation_id).filter(has_no_owner))


def _change_owner(handover: OwnershipHandover) -> None:
    """Make a colleague the owner of a commitment. Raises `UnableToHandOver`."""
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


def _commitments_under_way(organisation_id: int) -> CommitmentQuerySet:
    """Return the commitments under way that the organisation gives or receives."""
    return Commitment.objects.under_way().of_organisation(organisation_id)


def _commitments_escalated_to(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return the organisation's commitments under way that were escalated to the person."""
    commitments = _commitments_under_way(organisation.pk).filter(escalated_to=person)
    return _owned_records(_earliest_due_first(commitments))


def _commitments_escalated_to_leavers(organisation_id: int, now: dt.datetime) -> CommitmentQuerySet:
    """Return commitments under way that were escalated to people who no longer act for the organisation."""
    former_people = former_people_of(organisation_id, timezone.localdate(now))
    return _earliest_due_first(_commitments_under_way(organisation_id).filter(escalated_to__in=former_people))


def _escalate_to_colleague(handover: OwnershipHandover) -> None:
    """Escalate a commitment to a colleague instead. Raises `UnableToHandOver`."""
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
    held=_commitments_of_owner,
    rows_without_owner=_commitments_without_owner,
    to_records=_owned_records,
    hand_over=_change_owner,
    waits_alone=True,
)
ESCALATIONS = OwnedKind(
    code="escalations",
    label="Commitments escalated to them",
    fields=("commitments.Commitment.escalated_to",),
    held=_commitments_escalated_to,
    rows_without_owner=_commitments_escalated_to_leavers,
    to_records=_owned_records,
    hand_over=_escalate_to_colleague,
    goes_to_colleague=True,
)
