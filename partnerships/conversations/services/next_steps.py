"""The service that names the owner of a next step before the step becomes an action."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.commitments.queries import possible_owners
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import NextStep
from partnerships.conversations.rights import rights_over
from partnerships.conversations.services.contents import UnableToRecord
from partnerships.conversations.services.recording import lock_conversation, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User


@transaction.atomic
def name_owner_of_step(*, step: NextStep, owner: User, author: User, now: dt.datetime) -> None:
    """Name the owner of a next step that is not an action yet.

    Raises `UnableToRecord` if the step is an action, or if the person does not act for the step's organisation.
    """
    conversation = lock_conversation(step.conversation)
    require(rights_over(conversation, author, now).may_edit)
    step = NextStep.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=step.pk)
    if step.action_id is not None:
        raise UnableToRecord("This next step is now an action. Change the owner on the page of the action.")
    if not possible_owners(step.organisation).filter(pk=owner.pk).exists():
        raise UnableToRecord(
            f"{owner.display_name} does not act for {step.organisation.display_name}. Choose someone who does."
        )
    step.owner = owner
    step.save(update_fields=["owner"])
    record_event(conversation, EventKind.CHANGED, author=author, organisation=conversation.organisation, now=now)
