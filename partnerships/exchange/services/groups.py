"""The service that starts a working group from an accepted answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db import transaction

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import NewGroup, UnableToStartGroup, start_working_group
from partnerships.exchange.models import AnswerGroup, Response
from partnerships.exchange.services.recording import UnableToChangeEntry, lock_entry
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToStartGroupFromAnswer(UnableToChangeEntry):
    """Raised if the group cannot be started from the answer.

    The answer is not accepted or not in a partnership, or its group has been started or is not allowed.
    """


@transaction.atomic
def start_group_from_answer(
    *, response: Response, organisation: Organisation, group: NewGroup, author: User, now: dt.datetime
) -> Partnership:
    """Start a working group for what was agreed. Raises `UnableToStartGroupFromAnswer`.

    The author must be a lead of `organisation`, which is one side of the answer. Both sides take part,
    whether or not they are among the members of `group`.
    """
    entry = response.entry
    lock_entry(entry)
    side_by_id = {entry.organisation_id: entry.organisation, response.organisation_id: response.organisation}
    require(organisation.pk in side_by_id and roles_of(author, now).leads(organisation.pk))
    response.refresh_from_db()
    if not response.is_accepted:
        raise UnableToStartGroupFromAnswer("Accept this answer before you start a working group.")
    if entry.partnership is None:
        raise UnableToStartGroupFromAnswer("Only an ask or offer shared with a partnership can start a working group.")
    if AnswerGroup.objects.filter(response=response).exists():
        raise UnableToStartGroupFromAnswer("This answer already has a working group. Open the group from the answer.")

    member_by_id = side_by_id | {member.pk: member for member in group.members}
    try:
        partnership = start_working_group(
            parent=entry.partnership,
            organisation=organisation,
            group=replace(group, members=list(member_by_id.values())),
            author=author,
            now=now,
        )
    except UnableToStartGroup as error:
        raise UnableToStartGroupFromAnswer(str(error)) from error
    AnswerGroup.objects.create(response=response, partnership=partnership)
    return partnership
