"""Hand over what people or an ended organisation left without an owner."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.departures import Departure
from partnerships.organisations.lineage import successors_on
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.owned import Handover, PassingOn, UnableToHandOver, kind_of, owned_kinds
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import lock_organisation
from partnerships.people.models import User


@transaction.atomic
def hand_over_things(
    *,
    organisation: Organisation,
    kind: str,
    things: Collection[int],
    to: User,
    reason: str,
    author: User,
    now: dt.datetime,
) -> int:
    """Give things of one kind that have no owner to a person; returns how many.

    All or nothing. Raises `UnableToHandOver`.
    """
    locked = lock_organisation(organisation.pk)
    require(roles_of(author, now).lead(locked.pk))
    day = timezone.localdate(now)
    if not reason.strip():
        raise UnableToHandOver("Give a reason.")
    if not Membership.objects.current(day).of_person(to).filter(organisation=locked).exists():
        raise UnableToHandOver(f"{to.display_name} does not act for {locked.name}.")
    owned = kind_of(kind)
    left = [thing.pk for thing in owned.left(locked, day) if thing.pk in things]
    if not left or len(left) < len(set(things)):
        raise UnableToHandOver("Somebody else has handed over some of these. Look at the list again.")
    for pk in left:
        owned.hand_over(Handover(pk, locked, to, reason.strip(), author, now))
    return len(left)


@transaction.atomic
def pass_on_things(
    *,
    organisation: Organisation,
    kind: str,
    things: Collection[int],
    successor: Organisation,
    to: User,
    reason: str,
    author: User,
    now: dt.datetime,
) -> int:
    """Give things of an ended organisation to a person of its successor.

    Things of one kind; returns how many. All or nothing; administrators only. Raises `UnableToHandOver`.
    """
    locked = lock_organisation(organisation.pk)
    require(roles_of(author, now).keeps_directory)
    day = timezone.localdate(now)
    if not locked.is_ended:
        raise UnableToHandOver(f"{locked.name} has not ended: its leads hand over what was left.")
    if not reason.strip():
        raise UnableToHandOver("Give a reason.")
    if successor not in successors_on(locked, day):
        raise UnableToHandOver(f"{successor.name} is not recorded as a successor of {locked.name}.")
    if not Membership.objects.current(day).of_person(to).filter(organisation=successor).exists():
        raise UnableToHandOver(f"{to.display_name} does not act for {successor.name}.")
    owned = kind_of(kind)
    if owned.of_ended is None or owned.pass_on is None:
        raise UnableToHandOver("These end with the organisation.")
    held = [thing.pk for thing in owned.of_ended(locked, day) if thing.pk in things]
    if not held or len(held) < len(set(things)):
        raise UnableToHandOver("Somebody else has handed over some of these. Look at the list again.")
    for pk in held:
        owned.pass_on(PassingOn(pk, locked, successor, to, reason.strip(), author, now))
    return len(held)


def give_to_successor(departure: Departure) -> int:
    """Give what a leaver holds to the colleague who takes over; returns how many things.

    What the author may not hand over, or the colleague may not hold, is left without an owner, for the leads.
    """
    membership, successor, author = departure.membership, departure.successor, departure.author
    if successor is None or author is None:
        return 0
    organisation, day = membership.organisation, timezone.localdate(departure.now)
    reason = f"The colleague who had it no longer acts for {organisation.display_name}."
    count = 0
    for kind in owned_kinds():
        for thing in kind.held(membership.person, organisation, day) if kind.goes_to_successor else ():
            with suppress(UnableToHandOver, UnableToAct):
                kind.hand_over(Handover(thing.pk, organisation, successor, reason, author, departure.now))
                count += 1
    return count
