"""Next steps of draft records, which a person who leaves an organisation transfers to a colleague."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.conversations.models import NextStep, Status
from partnerships.conversations.services import UnableToRecord, name_owner_of_step
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import (
    OwnedKind,
    OwnedRecord,
    OwnershipHandover,
    UnableToHandOver,
    former_people_of,
)
from partnerships.people.models import User


def _uncirculated_steps(organisation_id: int) -> QuerySet[NextStep]:
    """Return the next steps of the organisation in its own records that are not circulated yet, the earliest due first.

    The next steps of a circulated record are commitments, which are handed over with the other commitments.
    """
    steps = NextStep.objects.filter(
        organisation=organisation_id, conversation__organisation=organisation_id, action=None
    ).exclude(conversation__status=Status.CANCELLED)
    return steps.select_related("conversation").order_by("due_on", "pk")


def _steps_as_things(steps: Iterable[NextStep]) -> list[OwnedRecord]:
    return [
        OwnedRecord(step.pk, step.text, step.conversation.get_absolute_url(), step.conversation.subject)
        for step in steps
    ]


def _steps_of_person(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _steps_as_things(_uncirculated_steps(organisation.pk).filter(owner=person))


def _steps_of_leavers(organisation_id: int, now: dt.datetime) -> QuerySet[NextStep]:
    former_people = former_people_of(organisation_id, timezone.localdate(now))
    return _uncirculated_steps(organisation_id).filter(owner__in=former_people)


def _hand_over(handover: OwnershipHandover) -> None:
    step = NextStep.objects.select_related("conversation").get(pk=handover.pk)
    try:
        name_owner_of_step(step=step, owner=handover.to, author=handover.author, now=handover.now)
    except UnableToRecord as error:
        raise UnableToHandOver(str(error)) from error


NEXT_STEPS = OwnedKind(
    code="next_steps",
    label="Next steps of draft records",
    fields=("conversations.NextStep.owner",),
    held=_steps_of_person,
    rows_without_owner=_steps_of_leavers,
    to_records=_steps_as_things,
    hand_over=_hand_over,
    goes_to_colleague=True,
)
