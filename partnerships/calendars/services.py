"""Services that make, renew, change and end calendar addresses. People can only do this with their own addresses."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from typing import NamedTuple

from django.db import transaction

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.calendars.event_kinds import EventKind
from partnerships.calendars.models import READ_AT_INTERVAL, CalendarAddress
from partnerships.calendars.queries import digest_of, partnerships_of
from partnerships.calendars.registry import find_view
from partnerships.kit import journal
from partnerships.kit.calendars import CalendarKind
from partnerships.kit.rights import require
from partnerships.people.models import User

#: The kind of line in the journal for restores about an address that ended.
ENDED = "calendar address"
ONLY_OWN = "You can only make and end your own calendar addresses."


class UnableToMakeAddress(Exception):
    """Raised if no kind of date is chosen, or the person may not have this calendar."""


class NewAddress(NamedTuple):
    """An address and its secret, which is shown to the owner once and is not stored."""

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
) -> NewAddress:
    """Make an address for the dates of a partnership, of a saved view or, without either, of the person.

    The earlier address for the same dates no longer works. Raises `UnableToMakeAddress`.
    """
    require(_is_owner(author, person), ONLY_OWN)
    # Lock the person, so that two requests cannot both find no earlier address.
    User.objects.select_for_update().get(pk=person.pk)
    if partnership is not None and not partnerships_of(person).filter(pk=partnership.pk).exists():
        raise UnableToMakeAddress(
            "Your organisation does not take part in this partnership, so you cannot subscribe to its dates."
        )
    if view_number is not None and find_view(person, view_number) is None:
        raise UnableToMakeAddress("You cannot open this view, or it has no dates. Choose another view of a list.")
    chosen_kinds = _checked_kinds(kinds)

    secret = secrets.token_urlsafe(32)
    subject = {"person": person, "partnership": partnership, "view_number": view_number}
    values = {"digest": digest_of(secret), "kinds": chosen_kinds, "made_at": now, "read_at": None}
    address = CalendarAddress.objects.filter(**subject).first()
    if address is None:
        address = CalendarAddress.objects.create(**subject, **values)
        _record(address, EventKind.MADE, author=author, now=now)
        return NewAddress(address, secret)

    _journal_end(address, now)
    for field_name, value in values.items():
        setattr(address, field_name, value)
    address.save(update_fields=list(values))
    _record(address, EventKind.RENEWED, author=author, now=now)
    return NewAddress(address, secret)


@transaction.atomic
def choose_kinds(*, address: CalendarAddress, kinds: Collection[str], author: User, now: dt.datetime) -> None:
    """Change which kinds of date an existing address shows. Raises `UnableToMakeAddress` if no kind is chosen."""
    require(_is_owner(author, address.person), ONLY_OWN)
    address = CalendarAddress.objects.select_for_update().get(pk=address.pk)
    chosen_kinds = _checked_kinds(kinds)
    if chosen_kinds == address.kinds:
        return
    address.kinds = chosen_kinds
    address.save(update_fields=["kinds"])
    _record(address, EventKind.CHANGED, author=author, now=now)


@transaction.atomic
def end_address(*, address: CalendarAddress, author: User, now: dt.datetime) -> None:
    """End an address, so that calendar apps can no longer read it. Ending it again changes nothing."""
    require(_is_owner(author, address.person), ONLY_OWN)
    existing_address = CalendarAddress.objects.select_for_update().filter(pk=address.pk).first()
    if existing_address is not None:
        _end(existing_address, author=author, now=now)


@transaction.atomic
def end_addresses_of_view(
    *, view_number: int, author: User | None, now: dt.datetime, exempt_person_id: int | None = None
) -> None:
    """End all addresses of a saved view, because the view was deleted or is no longer shared.

    `exempt_person_id` is the owner of a view that is no longer shared. The owner's own address does not end.
    """
    addresses = CalendarAddress.objects.select_for_update().filter(view_number=view_number)
    for address in addresses.exclude(person=exempt_person_id).order_by("pk"):
        _end(address, author=author, now=now)


@transaction.atomic
def end_addresses_of(*, person: User, author: User | None, now: dt.datetime) -> int:
    """End all addresses of a person who leaves, and return how many."""
    addresses = list(CalendarAddress.objects.select_for_update().filter(person=person).order_by("pk"))
    for address in addresses:
        _end(address, author=author, now=now)
    return len(addresses)


def note_reading(*, address: CalendarAddress, now: dt.datetime) -> None:
    """Record that a calendar app has read the address, at most once an hour."""
    if address.read_at is None or address.read_at <= now - READ_AT_INTERVAL:
        CalendarAddress.objects.filter(pk=address.pk).update(read_at=now.replace(minute=0, second=0, microsecond=0))


def _is_owner(author: User, person: User) -> bool:
    """Return whether the author is this person, and has an active account."""
    return author.pk == person.pk and author.is_active and not author.is_stakeholder


def _checked_kinds(kinds: Collection[str]) -> list[str]:
    """Return the known codes among these kinds, always in the same order.

    Raises `UnableToMakeAddress` if none of the kinds is known.
    """
    chosen_kinds = [kind.value for kind in CalendarKind if kind.value in kinds]
    if not chosen_kinds:
        raise UnableToMakeAddress("Choose at least one kind of date.")
    return chosen_kinds


def _end(address: CalendarAddress, *, author: User | None, now: dt.datetime) -> None:
    """Delete a locked address, and record its end in the journal and in the activity log."""
    _journal_end(address, now)
    _record(address, EventKind.ENDED, author=author, now=now)
    address.delete()


def _journal_end(address: CalendarAddress, now: dt.datetime) -> None:
    """Write to the journal that the address has ended, so that it ends again after a restore from a backup."""
    journal.note(ENDED, now=now, person=address.person_id, same=journal.identity(address.digest))


def _record(address: CalendarAddress, kind: EventKind, *, author: User | None, now: dt.datetime) -> None:
    """Record an event about a calendar address on its owner."""
    record(
        actor_id=author.pk if author else None,
        kind=kind,
        target_kind="person",
        target_id=address.person_id,
        now=now,
        data={"partnership": address.partnership_id} if address.partnership_id else {},
    )
