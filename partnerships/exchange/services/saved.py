"""Filters that people keep, and finding what newly fits them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum

from partnerships.exchange.models import Entry, EntryCount, Fit, SavedFilter
from partnerships.exchange.queries.board import Filters, new_on_board
from partnerships.exchange.rights import owns_filter
from partnerships.kit.rights import require
from partnerships.organisations.rights import has_open_account
from partnerships.outbox.services import record_email
from partnerships.people.models import User

#: A person may save this many: each new entry is tried against all of them.
MAX_FILTERS = 20
#: What fits within this of the last email about a filter comes together in the next.
APART = dt.timedelta(hours=1)


class UnableToSaveFilter(Exception):
    """The name is taken or empty, or there are too many."""


@transaction.atomic
def save_filter(*, person: User, name: str, query: str, filters: Filters, tells: bool, now: dt.datetime) -> SavedFilter:
    """Keep a filter of the board under a name. Raises `UnableToSaveFilter`."""
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
def tell_of_filter(*, saved: SavedFilter, tells: bool, person: User) -> None:
    """Begin or stop telling its person what newly fits; what fitted while it was off is not told afterwards."""
    require(owns_filter(saved, person))
    saved.tells = tells
    saved.save(update_fields=["tells"])
    if not tells:
        Fit.objects.filter(saved_filter=saved, told_at=None).delete()


@transaction.atomic
def remove_filter(*, saved: SavedFilter, person: User) -> None:
    """Forget a filter and what fitted it."""
    require(owns_filter(saved, person))
    saved.delete()


@transaction.atomic
def note_fits(*, entries: Sequence[Entry], now: dt.datetime) -> int:
    """Write down which saved filters some newly shared entries fit, as each person sees them; returns how many.

    What a person's own organisation shared is no news to them.
    """
    fits = [
        Fit(saved_filter=saved, entry_id=pk, found_at=now)
        for saved in SavedFilter.objects.filter(tells=True, person__is_active=True).select_related("person")
        for pk in new_on_board(saved.person, _filters_of(saved), _since(saved, entries))
    ]
    Fit.objects.bulk_create(fits, ignore_conflicts=True)
    return len(fits)


def _since(saved: SavedFilter, entries: Sequence[Entry]) -> list[int]:
    """The entries shared or reworded since the filter was kept: what stood on the board before is no news."""
    return [
        entry.pk for entry in entries if max(entry.shared_at or entry.changed_at, entry.changed_at) >= saved.created_at
    ]


def _filters_of(saved: SavedFilter) -> Filters:
    return Filters(**{name: _as_kept(value) for name, value in saved.chosen.items()})


def fold_counts() -> None:
    """Sum up the additions that sharing and ending entries have left, so that reading them stays short."""
    with transaction.atomic():
        rows = list(EntryCount.objects.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True))
        old = EntryCount.objects.filter(pk__in=rows)
        sums = list(old.values("direction", "theme", "status", "is_open").annotate(number_of=Sum("number")))
        old.delete()
        EntryCount.objects.bulk_create(
            EntryCount(
                direction=row["direction"],
                theme=row["theme"],
                status=row["status"],
                is_open=row["is_open"],
                number=row["number_of"],
            )
            for row in sums
            if row["number_of"]
        )


def _as_kept(value: Any) -> Any:
    """JSON has lists where filters have tuples."""
    return tuple(value) if isinstance(value, list) else value


def tell_new_fits(*, now: dt.datetime) -> int:
    """Record an email to each person about what newly fits a filter of theirs, each entry once; returns how many.

    The first at once, what follows within the hour together. Access is checked again when the email leaves.
    """
    waiting = Fit.objects.filter(told_at=None).exclude(saved_filter__written_at__gt=now - APART)
    filters = waiting.order_by().values_list("saved_filter", flat=True).distinct()
    return sum(_tell(pk, now) for pk in filters)


@transaction.atomic
def _tell(saved_filter_id: int, now: dt.datetime) -> bool:
    saved = (
        SavedFilter.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("person")
        .filter(pk=saved_filter_id)
        .exclude(written_at__gt=now - APART)
        .first()
    )
    if saved is None:
        return False
    fits = Fit.objects.filter(saved_filter=saved, told_at=None)
    told = list(fits.values_list("pk", "entry"))
    readable = Entry.objects.visible_to(saved.person).filter(pk__in=[entry for _, entry in told], is_open=True)
    entries = list(readable.order_by("pk").values_list("pk", flat=True))
    Fit.objects.filter(pk__in=[pk for pk, _ in told]).update(told_at=now)
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
