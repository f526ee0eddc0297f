"""Services that make, renew, change and end calendar addresses.

Each person may do so with their own addresses alone.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from typing import NamedTuple

from django.db import transaction

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.calendars.event_kinds import EventKind
from partnerships.calendars.models import READ_AGAIN, CalendarAddress
from partnerships.calendars.queries import digest_of, partnerships_of
from partnerships.calendars.registry import find_view
from partnerships.kit import journal
from partnerships.kit.calendars import CalendarKind
from partnerships.kit.rights import require
from partnerships.people.models import User

#: The journal's name for an address that ended.
ENDED = "calendar address"
ONLY_OWN = "You can only make and end your own calendar addresses."


class UnableToMakeAddress(Exception):
    """No kind of date is chosen, or the person takes no part in the partnership."""


class Made(NamedTuple):
    """An address and its secret, which is shown once and stored nowhere."""

    address: CalendarAddress
    secret: str


@transaction.atomic
def make_address(
    *,
    person: User,
    partnership: Partnership | None,
    kinds: Collection[str],
    author: User,
    now: dt.datetime,
    view_number: int | None = None,
) -> Made:
    """Make the person's address of their own dates, or of a partnership's or saved view's; an earlier one ends.

    Raises `UnableToMakeAddress`.
    """
    require(_is_owner(author, person), ONLY_OWN)
    User.objects.select_for_update().get(pk=person.pk)
    if partnership is not None and not partnerships_of(person).filter(pk=partnership.pk).exists():
        raise UnableToMakeAddress("Your organisation does not take part in this partnership.")
    if view_number is not None and find_view(person, view_number) is None:
        raise UnableToMakeAddress("You cannot open this view, or it has no dates.")
    chosen = _checked(kinds)
    subject = {"person": person, "partnership": partnership, "view_number": view_number}
    earlier = CalendarAddress.objects.filter(**subject).first()
    secret = secrets.token_urlsafe(32)
    values = {"digest": digest_of(secret), "kinds": chosen, "made_at": now, "read_at": None}
    if earlier is None:
        address = CalendarAddress.objects.create(**subject, **values)
    else:
        _journal(earlier, now)
        address = earlier
        for name, value in values.items():
            setattr(address, name, value)
        address.save(update_fields=list(values))
    _record(address, EventKind.RENEWED if earlier else EventKind.MADE, author=author, now=now)
    return Made(address, secret)


@transaction.atomic
def choose_kinds(*, address: CalendarAddress, kinds: Collection[str], author: User, now: dt.datetime) -> None:
    """Choose what an address shows.

    The address stays the same. Raises `UnableToMakeAddress`.
    """
    require(_is_owner(author, address.person), ONLY_OWN)
    locked = CalendarAddress.objects.select_for_update().get(pk=address.pk)
    chosen = _checked(kinds)
    if chosen == locked.kinds:
        return
    locked.kinds = chosen
    locked.save(update_fields=["kinds"])
    _record(locked, EventKind.CHANGED, author=author, now=now)


@transaction.atomic
def end_address(*, address: CalendarAddress, author: User, now: dt.datetime) -> None:
    """End an address: programs can no longer read it.

    Ending it again changes nothing.
    """
    require(_is_owner(author, address.person), ONLY_OWN)
    for locked in CalendarAddress.objects.select_for_update().filter(pk=address.pk):
        _end(locked, author=author, now=now)


@transaction.atomic
def end_addresses_of_view(
    *, view_number: int, author: User | None, now: dt.datetime, all_but: int | None = None
) -> None:
    """End everybody's addresses of a saved view that is removed, or shared with nobody: then all but its owner's.

    `all_but` is the id of that owner.
    """
    addresses = CalendarAddress.objects.select_for_update().filter(view_number=view_number).exclude(person=all_but)
    for address in addresses.order_by("pk"):
        _end(address, author=author, now=now)


@transaction.atomic
def end_addresses_of(*, person: User, author: User | None, now: dt.datetime) -> int:
    """End all addresses of somebody who leaves; returns how many."""
    addresses = list(CalendarAddress.objects.select_for_update().filter(person=person).order_by("pk"))
    for address in addresses:
        _end(address, author=author, now=now)
    return len(addresses)


def note_reading(*, address: CalendarAddress, now: dt.datetime) -> None:
    """Note that a program read the address, once an hour."""
    if address.read_at is None or address.read_at <= now - READ_AGAIN:
        CalendarAddress.objects.filter(pk=address.pk).update(read_at=now.replace(minute=0, second=0, microsecond=0))


def _is_owner(author: User, person: User) -> bool:
    return author.pk == person.pk and author.is_active and not author.is_stakeholder


def _checked(kinds: Collection[str]) -> list[str]:
    chosen = [kind.value for kind in CalendarKind if kind.value in kinds]
    if not chosen:
        raise UnableToMakeAddress("Choose at least one kind of date.")
    return chosen


def _end(address: CalendarAddress, *, author: User | None, now: dt.datetime) -> None:
    _journal(address, now)
    _record(address, EventKind.ENDED, author=author, now=now)
    address.delete()


def _journal(address: CalendarAddress, now: dt.datetime) -> None:
    """Note that the address no longer works, also after a restore."""
    journal.note(ENDED, now=now, person=address.person_id, same=journal.identity(address.digest))


def _record(address: CalendarAddress, kind: EventKind, *, author: User | None, now: dt.datetime) -> None:
    record(
        actor_id=author.pk if author else None,
        kind=kind,
        target_kind="person",
        target_id=address.person_id,
        now=now,
        data={"partnership": address.partnership_id} if address.partnership_id else {},
    )
