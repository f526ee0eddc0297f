"""Saved filters, the new entries that they find, and emails about these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction

from partnerships.exchange.models import Entry, Fit, SavedFilter
from partnerships.exchange.queries.board import Filters, new_on_board
from partnerships.exchange.rights import owns_filter
from partnerships.kit.rights import require
from partnerships.organisations.rights import has_open_account
from partnerships.outbox.services import record_email
from partnerships.people.models import User

#: A person may save this many: each new entry is tried against all of them.
MAX_FILTERS = 20
#: The time between two emails about a filter; the second has everything found since the first.
INTERVAL = dt.timedelta(hours=1)


class UnableToSaveFilter(Exception):
    """The name is taken or empty, or the person has too many filters."""


@transaction.atomic
def save_filter(*, person: User, name: str, query: str, filters: Filters, tells: bool, now: dt.datetime) -> SavedFilter:
    """Save a filter of the board under a name. Raises `UnableToSaveFilter`."""
    User.objects.select_for_update().get(pk=person.pk)
    require(has_open_account(person))
    if not name.strip():
        raise UnableToSaveFilter("Enter a name for the filter.")
    if person.saved_filters.count() >= MAX_FILTERS:
        raise UnableToSaveFilter(f"You already have {MAX_FILTERS} saved filters. Remove one first.")
    try:
        with transaction.atomic():
            return SavedFilter.objects.create(
                person=person,
                name=name.strip(),
                query=query[:1000],
                chosen=asdict(filters),
                tells=tells,
                created_at=now,
            )
    except IntegrityError as error:
        raise UnableToSaveFilter("You already have a filter with this name.") from error


@transaction.atomic
def set_filter_emails(*, saved: SavedFilter, tells: bool, person: User) -> None:
    """Turn the emails about a filter on or off.

    What the filter found while they were off is not emailed later.
    """
    require(owns_filter(saved, person))
    saved.tells = tells
    saved.save(update_fields=["tells"])
    if not tells:
        Fit.objects.filter(saved_filter=saved, told_at=None).delete()


@transaction.atomic
def remove_filter(*, saved: SavedFilter, person: User) -> None:
    """Delete a filter and its fits."""
    require(owns_filter(saved, person))
    saved.delete()


@transaction.atomic
def record_fits(*, entries: Sequence[Entry], now: dt.datetime) -> int:
    """Record which newly shared entries each saved filter finds.

    Each person's rights apply, and entries of their own organisations are left out. Returns the number of fits.
    """
    fits: list[Fit] = []
    for saved in SavedFilter.objects.filter(tells=True, person__is_active=True).select_related("person"):
        candidates = _since(saved, entries)
        found = new_on_board(saved.person, _filters_of(saved), candidates)
        fits.extend(Fit(saved_filter=saved, entry_id=pk, found_at=now) for pk in found)
    Fit.objects.bulk_create(fits, ignore_conflicts=True)
    return len(fits)


def _since(saved: SavedFilter, entries: Sequence[Entry]) -> list[int]:
    """Ids of the entries shared or changed since the filter was saved."""
    return [
        entry.pk for entry in entries if max(entry.shared_at or entry.changed_at, entry.changed_at) >= saved.created_at
    ]


def _filters_of(saved: SavedFilter) -> Filters:
    return Filters(**{name: _from_json(value) for name, value in saved.chosen.items()})


def _from_json(value: Any) -> Any:
    """The value with lists as the tuples that `Filters` has."""
    return tuple(value) if isinstance(value, list) else value


def email_fits(*, now: dt.datetime) -> int:
    """Record one email to each person about new fits of a filter.

    The first fit is emailed at once, later ones together after `INTERVAL`. Rights are checked again when the email is
    sent. Returns the number of emails.
    """
    waiting = Fit.objects.filter(told_at=None).exclude(saved_filter__written_at__gt=now - INTERVAL)
    filters = waiting.order_by().values_list("saved_filter", flat=True).distinct()
    return sum(_email(pk, now) for pk in filters)


@transaction.atomic
def _email(saved_filter_id: int, now: dt.datetime) -> bool:
    saved = (
        SavedFilter.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("person")
        .filter(pk=saved_filter_id)
        .exclude(written_at__gt=now - INTERVAL)
        .first()
    )
    if saved is None:
        return False
    waiting = list(Fit.objects.filter(saved_filter=saved, told_at=None).values_list("pk", "entry"))
    readable = Entry.objects.visible_to(saved.person).filter(pk__in=[entry for _, entry in waiting], is_open=True)
    entries = list(readable.order_by("pk").values_list("pk", flat=True))
    Fit.objects.filter(pk__in=[pk for pk, _ in waiting]).update(told_at=now)
    if not entries or not saved.tells or not saved.person.is_active:
        return False
    saved.written_at = now
    saved.save(update_fields=["written_at"])
    record_email(
        kind="exchange.new_fits",
        person_id=saved.person_id,
        params={"filter": saved.pk, "entries": entries},
        now=now,
    )
    return True
