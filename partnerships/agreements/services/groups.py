"""Service that starts a working group: a partnership within a partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Partnership, PartyRole, WorkingGroup
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.parties import invite_organisation
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


@transaction.atomic
def start_working_group(
    *,
    parent: Partnership,
    organisation: Organisation,
    members: Collection[Organisation],
    title: str,
    purpose: str,
    ends_on: dt.date,
    author: User | None,
    now: dt.datetime,
    outlives_parent: bool = False,
) -> Partnership:
    """Start a working group of some of a partnership's parties.

    Its organisation is the chair, the others are invited. It ends with the partnership at the latest, except with
    `outlives_parent`. Raises `UnableToStartGroup`.
    """
    locked, today = lock_partnership(parent.pk), timezone.localdate(now)
    require(rights_over(locked, author, now).may_start_group_for(organisation))
    if locked.is_over_on(today):
        raise UnableToStartGroup("This partnership has ended.")
    if WorkingGroup.objects.filter(partnership=locked).exists():
        raise UnableToStartGroup("A working group cannot have working groups of its own.")
    present = set(locked.parties.present().exclude(role=PartyRole.OBSERVER).values_list("organisation_id", flat=True))
    other_members = [member for member in members if member.pk != organisation.pk]
    if not other_members or any(member.pk not in present for member in other_members):
        raise UnableToStartGroup("Choose other organisations that take part in the partnership.")
    if ends_on <= today:
        raise UnableToStartGroup("The end date must be in the future.")
    last = None if locked.goes_on else locked.ends_on
    if last is not None and ends_on > last and not outlives_parent:
        raise UnableToStartGroup(
            f"The partnership ends on {long_date(last)}. Choose an earlier end date, or tick that it can continue."
        )
    try:
        group = create_partnership(
            organisation=organisation,
            author=author,
            title=title,
            kind=WORKING_GROUP,
            purpose=purpose,
            areas=locked.areas.all(),
            ends_on=ends_on,
            now=now,
        )
    except UnableToCreatePartnership as error:
        raise UnableToStartGroup(str(error)) from error
    WorkingGroup.objects.create(partnership=group, parent=locked, outlives_parent=outlives_parent)
    for member in other_members:
        invite_organisation(
            partnership=group,
            organisation=member,
            role=PartyRole.MEMBER,
            reason=f"Working group of {locked.title}.",
            author=author,
            now=now,
        )
    record_event(
        locked,
        EventKind.GROUP_STARTED,
        author=author,
        now=now,
        organisation=organisation,
        data={"after": {"working group": group.title}},
    )
    return group
