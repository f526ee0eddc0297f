"""Next steps of draft records, as work that a person hands over when they leave an organisation."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

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


def _uncirculated_steps(organisation: Organisation) -> QuerySet[NextStep]:
    """Return the next steps of the organisation in its own records that are not circulated yet.

    The next steps of a circulated record are commitments, which are handed over with the other commitments.
    """
    return NextStep.objects.filter(
        organisation=organisation, conversation__organisation=organisation, action=None
    ).exclude(conversation__status=Status.CANCELLED)


def _things(steps: QuerySet[NextStep]) -> list[OwnedRecord]:
    return [
        OwnedRecord(step.pk, step.text, step.conversation.get_absolute_url(), step.conversation.subject)
        for step in steps.select_related("conversation").order_by("due_on", "pk")
    ]


def _steps_of_person(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _things(_uncirculated_steps(organisation).filter(owner=person))


def _steps_of_leavers(organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _things(_uncirculated_steps(organisation).filter(Q(owner__in=former_people_of(organisation, day))))


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
    left=_steps_of_leavers,
    hand_over=_hand_over,
    goes_to_colleague=True,
)
