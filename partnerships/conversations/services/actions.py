"""Turns the next steps of a record into actions when the record is circulated."""

from __future__ import annotations

import datetime as dt

from partnerships.commitments.queries import possible_owners
from partnerships.commitments.services import propose_action
from partnerships.conversations.models import Conversation, NextStep
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def make_actions(conversation: Conversation, *, author: User, now: dt.datetime) -> None:
    """Turn each next step of a record into an action, unless the step has already become one.

    Call this in the transaction that circulates the record. An action of the organisation that keeps the record is
    agreed at once. Any other action must be accepted by its organisation.
    """
    sides = conversation.sides.select_related("organisation").order_by("pk")
    organisations = [side.organisation for side in sides]
    for step in conversation.next_steps.filter(action=None).select_related("organisation", "owner").order_by("pk"):
        # A person who has left the organisation cannot own the action.
        may_own = step.owner is not None and possible_owners(step.organisation).filter(pk=step.owner.pk).exists()
        step.action = propose_action(
            organisation=step.organisation,
            text=step.text,
            owner=step.owner if may_own else None,
            due_on=step.due_on,
            for_organisation=_beneficiary(step, conversation, organisations),
            author=author,
            now=now,
        )
        step.save(update_fields=["action"])


def _beneficiary(step: NextStep, conversation: Conversation, organisations: list[Organisation]) -> Organisation | None:
    """Return the organisation for which the action of a step is done, or None if it is not clear.

    A step of another organisation is done for the organisation that keeps the record. A step of the latter is done for
    the other organisation, if only one other took part.
    """
    if step.organisation_id != conversation.organisation_id:
        return conversation.organisation
    if not conversation.names_people:
        # The beneficiary would see who owns the action, which this record does not say.
        return None
    other_organisations = [organisation for organisation in organisations if organisation != conversation.organisation]
    return other_organisations[0] if len(other_organisations) == 1 else None
