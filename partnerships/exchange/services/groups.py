"""Service that starts a working group from an accepted answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

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
    """Not accepted, outside of a partnership, started already, or refused by the partnership."""


@transaction.atomic
def start_group_from_answer(
    *,
    response: Response,
    organisation: Organisation,
    members: Collection[Organisation],
    title: str,
    purpose: str,
    ends_on: dt.date,
    author: User,
    now: dt.datetime,
    outlives_parent: bool = False,
) -> Partnership:
    """Start a working group for what was agreed.

    Both sides of the answer belong to it. By a lead of either side. Raises `UnableToStartGroupFromAnswer`.
    """
    entry = response.entry
    lock_entry(entry)
    sides = {entry.organisation_id: entry.organisation, response.organisation_id: response.organisation}
    require(organisation.pk in sides and roles_of(author, now).lead(organisation.pk))
    response.refresh_from_db()
    if not response.is_accepted:
        raise UnableToStartGroupFromAnswer("This answer is not accepted.")
    if entry.partnership is None:
        raise UnableToStartGroupFromAnswer("Only an ask or offer shared with a partnership can start a working group.")
    if AnswerGroup.objects.filter(response=response).exists():
        raise UnableToStartGroupFromAnswer("A working group has already been started.")
    everyone = {**sides, **{member.pk: member for member in members}}
    try:
        group = start_working_group(
            parent=entry.partnership,
            organisation=organisation,
            group=NewGroup(
                title=title,
                purpose=purpose,
                members=list(everyone.values()),
                ends_on=ends_on,
                outlives_parent=outlives_parent,
            ),
            author=author,
            now=now,
        )
    except UnableToStartGroup as error:
        raise UnableToStartGroupFromAnswer(str(error)) from error
    AnswerGroup.objects.create(response=response, partnership=group)
    return group
