"""The dates that a calendar shows, from every lower room, as the owner may read them now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace

from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from partnerships.agreements.models import Partnership
from partnerships.agreements.queries import calendar as agreements
from partnerships.agreements.queries import ids_readable_in_full
from partnerships.calendars.models import CalendarAddress
from partnerships.calendars.registry import DatedView, find_view
from partnerships.commitments.queries import calendar as commitments
from partnerships.conversations.queries import calendar as conversations
from partnerships.exchange.queries import calendar as exchange
from partnerships.kit.calendars import CalendarEntry, CalendarSource
from partnerships.nominations.queries import calendar as nominations
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.queries import calendar as plans
from partnerships.recommendations.queries import calendar as recommendations

#: The sources of each lower room. A new room adds its `SOURCES` here.
SOURCES: tuple[CalendarSource, ...] = (
    *agreements.SOURCES,
    *commitments.SOURCES,
    *plans.SOURCES,
    *exchange.SOURCES,
    *conversations.SOURCES,
    *nominations.SOURCES,
    *recommendations.SOURCES,
)


def digest_of(secret: str) -> str:
    """Return the hash that is stored in place of the secret of an address."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_address(secret: str) -> CalendarAddress | None:
    """Return the address that has this secret and still works, or None.

    The time that an answer takes reveals nothing about a secret. The database compares hashes, and the comparison in
    constant time is a second safeguard.
    """
    digest = digest_of(secret)
    addresses = CalendarAddress.objects.filter(digest=digest, person__is_active=True, person__erased_at=None)
    address = addresses.select_related("person", "partnership").first()
    if address is None or not constant_time_compare(address.digest, digest):
        return None
    return address if _is_still_allowed(address) else None


def _is_still_allowed(address: CalendarAddress) -> bool:
    """Return whether the owner still takes part in the partnership, or can still open the view."""
    if address.partnership_id is not None:
        return partnerships_of(address.person).filter(pk=address.partnership_id).exists()
    if address.view_number is not None:
        return view_of(address) is not None
    return True


def partnerships_of(person: User) -> QuerySet[Partnership]:
    """Return the partnerships in which an organisation of the person takes part, ordered by title.

    The person may have a calendar of each of them.
    """
    return Partnership.objects.with_party_of(person).order_by("title", "pk")


def view_of(address: CalendarAddress) -> DatedView | None:
    """Return the saved view of an address, or None if it has no view or the owner cannot open the view."""
    if address.view_number is None:
        return None
    return find_view(address.person, address.view_number)


def entries_of(address: CalendarAddress, view: DatedView | None) -> list[CalendarEntry]:
    """Return the dates of an address, in order.

    `view` is the saved view of the address, or None if it has none (`view_of`).
    """
    if address.view_number is None:
        return entries_for(address.person, address.partnership_id, address.kinds)
    return entries_of_view(address.person, view) if view else []


def entries_of_view(person: User, view: DatedView) -> list[CalendarEntry]:
    """Return the dates of a saved view, in order."""
    entries = sorted(view.entries(), key=lambda entry: entry.in_order)
    return _without_unreadable_titles(person, entries)


def entries_for(person: User, partnership_id: int | None, kinds: Collection[str]) -> list[CalendarEntry]:
    """Return the dates of these kinds, in order.

    They are the dates of the partnership or, if `partnership_id` is None, those that concern the person.
    """
    partnership_ids = [] if partnership_id is None else [partnership_id]
    read_ahead(lookup(source.rows, person, partnership_ids) for source in SOURCES)
    entries: list[CalendarEntry] = []
    for source in SOURCES:
        rows = rows_for(source.rows, person, partnership_ids)
        entries += [entry for entry in source.entries(rows) if entry.kind in kinds]
    entries.sort(key=lambda entry: entry.in_order)
    if partnership_id is not None:
        return entries
    return _without_unreadable_titles(person, entries)


def _without_unreadable_titles(person: User, entries: Sequence[CalendarEntry]) -> list[CalendarEntry]:
    """Return the entries without the titles of partnerships that the person cannot read today.

    For example, an organisation that left a partnership keeps its commitments, but its people may not see a title that
    the partnership was given later.
    """
    readable_ids = ids_readable_in_full(person, [entry.partnership for entry in entries if entry.within])
    shown_entries = []
    for entry in entries:
        if entry.within and entry.partnership not in readable_ids:
            shown_entries.append(replace(entry, within=""))
        else:
            shown_entries.append(entry)
    return shown_entries
