"""Start a working group, which is a partnership within a partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Partnership, PartyRole, WorkingGroup
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.invitations import invite_organisation
from partnerships.agreements.services.partnerships import UnableToCreatePartnership, create_partnership
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: The kind of every working group.
WORKING_GROUP = "working_group"


class UnableToStartGroup(Exception):
    """The partnership is over, a member is not a party, or the end date is not possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """A working group to start."""

    title: str
    purpose: str
    #: The parties that take part. The chair may be among them.
    members: Collection[Organisation]
    ends_on: dt.date
    #: Whether the group may continue after its partnership has ended.
    outlives_parent: bool = False


@transaction.atomic
def start_working_group(
    *,
    parent: Partnership,
    organisation: Organisation,
    group: NewGroup,
    author: User | None,
    now: dt.datetime,
) -> Partnership:
    """Start a working group of some parties of a partnership, and return the group's own partnership.

    The organisation becomes its chair, and the other members are invited. Raises `UnableToStartGroup`.
    """
    locked_parent = lock_partnership(parent.pk)
    today = timezone.localdate(now)
    require(rights_over(locked_parent, author, now).may_start_group_for(organisation))
    if locked_parent.is_over_on(today):
        raise UnableToStartGroup("This partnership has ended, so you cannot start a working group in it.")
    if WorkingGroup.objects.filter(partnership=locked_parent).exists():
        raise UnableToStartGroup("A working group cannot have working groups of its own. Start one in its partnership.")
    other_members = [member for member in group.members if member.pk != organisation.pk]
    _check_members(locked_parent, other_members)
    _check_end(locked_parent, group, today)

    try:
        partnership = create_partnership(
            organisation=organisation,
            author=author,
            title=group.title,
            kind=WORKING_GROUP,
            purpose=group.purpose,
            areas=locked_parent.areas.all(),
            ends_on=group.ends_on,
            now=now,
        )
    except UnableToCreatePartnership as error:
        raise UnableToStartGroup(str(error)) from error
    WorkingGroup.objects.create(partnership=partnership, parent=locked_parent, outlives_parent=group.outlives_parent)

    for member in other_members:
        invite_organisation(
            partnership=partnership,
            organisation=member,
            role=PartyRole.MEMBER,
            reason=f"Working group of {locked_parent.title}.",
            author=author,
            now=now,
        )
    record_event(
        locked_parent,
        EventKind.GROUP_STARTED,
        author=author,
        now=now,
        organisation=organisation,
        data={"after": {"working group": partnership.title}},
    )
    return partnership


def _check_members(parent: Partnership, other_members: Collection[Organisation]) -> None:
    """Raise `UnableToStartGroup` if there are no other members, or if one takes no part or is an observer."""
    parties = parent.parties.accepted().exclude(role=PartyRole.OBSERVER)
    party_ids = set(parties.values_list("organisation_id", flat=True))
    if not other_members or any(member.pk not in party_ids for member in other_members):
        raise UnableToStartGroup(
            "Choose at least one other organisation, and only those that take part in the partnership."
        )


def _check_end(parent: Partnership, group: NewGroup, today: dt.date) -> None:
    """Raise `UnableToStartGroup` if the group would end today or earlier, or after its partnership."""
    if group.ends_on <= today:
        raise UnableToStartGroup("Enter an end date in the future.")
    parent_ends_on = None if parent.goes_on else parent.ends_on
    if parent_ends_on is not None and group.ends_on > parent_ends_on and not group.outlives_parent:
        raise UnableToStartGroup(
            f"The partnership ends on {long_date(parent_ends_on)}. Choose an earlier end date, or tick "
            "“The group can continue after the partnership ends”."
        )
