"""Turns the next steps of a record into actions when the record is circulated."""

from __future__ import annotations

import datetime as dt

from partnerships.commitments.queries import possible_owners
from partnerships.commitments.services import propose_action
from partnerships.conversations.models import Conversation, NextStep
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def make_actions(conversation: Conversation, *, author: User, now: dt.datetime) -> None:
    """Turn each next step into an action, unless it is one already.

    Call this in the transaction that circulates the record. Actions of the keeper's own people are agreed at once;
    other actions must be accepted by their organisation.
    """
    sides = [side.organisation for side in conversation.sides.select_related("organisation").order_by("pk")]
    for step in conversation.next_steps.filter(action=None).select_related("organisation", "owner").order_by("pk"):
        # A person who has left the organisation cannot own the action.
        may_own = step.owner is not None and possible_owners(step.organisation).filter(pk=step.owner.pk).exists()
        step.action = propose_action(
            organisation=step.organisation,
            text=step.text,
            owner=step.owner if may_own else None,
            due_on=step.due_on,
            for_organisation=_other_side(step, conversation.organisation, sides),
            author=author,
            now=now,
        )
        step.save(update_fields=["action"])


def _other_side(step: NextStep, keeper: Organisation, sides: list[Organisation]) -> Organisation | None:
    """Return the organisation for which a step's action is done, or None.

    A step of another side is done for the keeper. A step of the keeper is done for the other side if there is only one,
    and if the record names people, because the other side would see who owns the action.
    """
    if step.organisation_id != keeper.pk:
        return keeper
    if not step.conversation.names_people:
        return None
    other_sides = [side for side in sides if side.pk != keeper.pk]
    return other_sides[0] if len(other_sides) == 1 else None
