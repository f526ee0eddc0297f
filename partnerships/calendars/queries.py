"""What a calendar shows: dates from every room below, as its owner may read them now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from partnerships.agreements.models import Partnership
from partnerships.agreements.queries import calendar as agreements
from partnerships.agreements.queries import inside_among
from partnerships.calendars.models import CalendarAddress
from partnerships.calendars.registry import DatedView, find_view
from partnerships.commitments.queries import calendar as commitments
from partnerships.conversations.queries import calendar as conversations
from partnerships.exchange.queries import calendar as exchange
from partnerships.kit.calendars import CalendarEntry
from partnerships.nominations.queries import calendar as nominations
from partnerships.people.models import User
from partnerships.plans.queries import calendar as plans
from partnerships.recommendations.queries import calendar as recommendations

#: The dates of one partnership (its id), or those that concern the person, as far as the person may read them.
Source: TypeAlias = Callable[[User, int | None], Sequence[CalendarEntry]]
#: The sources of each room below. A new room adds its `ENTRIES` here.
SOURCES: tuple[Source, ...] = (
    *agreements.ENTRIES,
    *commitments.ENTRIES,
    *plans.ENTRIES,
    *exchange.ENTRIES,
    *conversations.ENTRIES,
    *nominations.ENTRIES,
    *recommendations.ENTRIES,
)


def digest_of(secret: str) -> str:
    """What is stored of the secret in an address."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_address(secret: str) -> CalendarAddress | None:
    """The working address with this secret.

    None if there is none, or it has ended. The index compares digests, whose order tells nothing about secrets of 256
    bits; the last comparison takes the same time for each.
    """
    digest = digest_of(secret)
    address = (
        CalendarAddress.objects.filter(digest=digest, person__is_active=True, person__erased_at=None)
        .select_related("person", "partnership")
        .first()
    )
    if address is None or not constant_time_compare(address.digest, digest):
        return None
    if address.partnership_id is not None and not partnerships_of(address.person).filter(pk=address.partnership_id):
        return None
    if address.view_number is not None and view_of(address) is None:
        return None
    return address


def partnerships_of(person: User) -> QuerySet[Partnership]:
    """Partnerships whose calendar the person may have.

    An organisation of theirs takes part, by title.
    """
    return Partnership.objects.present_for(person).order_by("title", "pk")


def view_of(address: CalendarAddress) -> DatedView | None:
    """The saved view whose dates an address shows, as its owner may open it now."""
    return None if address.view_number is None else find_view(address.person, address.view_number)


def entries_of(address: CalendarAddress, view: DatedView | None) -> list[CalendarEntry]:
    """The dates of an address, in order.

    `view` is its `view_of`. Empty if its owner cannot open the view.
    """
    if address.view_number is None:
        return entries_for(address.person, address.partnership_id, address.kinds)
    return entries_of_view(address.person, view) if view else []


def entries_of_view(person: User, view: DatedView) -> list[CalendarEntry]:
    """The dates of a saved view, in order."""
    return _without_other_titles(person, sorted(view.entries(), key=lambda entry: entry.in_order))


def entries_for(person: User, partnership: int | None, kinds: Collection[str]) -> list[CalendarEntry]:
    """The dates of these kinds, in order."""
    entries = (entry for source in SOURCES for entry in source(person, partnership))
    wanted = sorted((entry for entry in entries if entry.kind in kinds), key=lambda entry: entry.in_order)
    return wanted if partnership is not None else _without_other_titles(person, wanted)


def _without_other_titles(person: User, entries: Sequence[CalendarEntry]) -> list[CalendarEntry]:
    """The entries without titles of partnerships that the person is not inside of today: they may have changed since.

    A commitment or a conversation stays with its sides when one of them leaves the partnership.
    """
    known = inside_among(person, [entry.partnership for entry in entries if entry.within])
    return [
        replace(entry, within="") if entry.within and entry.partnership not in known else entry for entry in entries
    ]
