"""Keeping matches up to date as entries change, and putting pairs aside."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.exchange.models import Dismissal, Entry, Match
from partnerships.exchange.queries.candidates import AreaNames, Found, best_for_both
from partnerships.exchange.services.common import UnableToChangeEntry
from partnerships.exchange.services.saved import note_fits
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToDismiss(UnableToChangeEntry):
    """The organisation stands on neither side, or gave no reason."""


def match_due_entries(*, now: dt.datetime, most: int = 200) -> int:
    """Match the entries that were shared or changed since they were last compared; returns how many.

    Each in a transaction of its own, its row held: may run twice, and beside itself.
    """
    names = AreaNames()
    done = 0
    while done < most and _match_next(now=now, names=names):
        done += 1
    return done


@transaction.atomic
def _match_next(*, now: dt.datetime, names: AreaNames) -> bool:
    due = Entry.objects.select_for_update(skip_locked=True).filter(is_open=True, matched_at=None).order_by("shared_at")
    entry = due.first()
    if entry is None:
        return False
    known = Match.objects.filter(ask=entry) if entry.is_ask else Match.objects.filter(offer=entry)
    others = list(known.values_list("offer" if entry.is_ask else "ask", flat=True))
    keep_matches(entry=entry, found=best_for_both(entry, timezone.localdate(now), names, others), now=now)
    note_fits(entry=entry, now=now)
    Entry.objects.filter(pk=entry.pk).update(matched_at=now)
    return True


@transaction.atomic
def keep_matches(*, entry: Entry, found: list[Found], now: dt.datetime) -> None:
    """Store the pairs found for an entry. A pair known already keeps its day and its dismissals; the rest goes.

    A pair that no longer fits is forgotten unless somebody put it aside: a dismissal stays with the pair.
    """
    side = "ask" if entry.is_ask else "offer"
    pairs = [
        Match(
            ask_id=entry.pk if entry.is_ask else one.entry_id,
            offer_id=one.entry_id if entry.is_ask else entry.pk,
            score=one.fit.points,
            reasons=[reason[:200] for reason in one.fit.reasons],
            found_at=now,
        )
        for one in found
    ]
    other = "offer" if entry.is_ask else "ask"
    gone = Match.objects.filter(**{side: entry}).exclude(**{f"{other}__in": [one.entry_id for one in found]})
    gone.filter(dismissals=None).delete()
    Match.objects.bulk_create(
        pairs, update_conflicts=True, unique_fields=["ask", "offer"], update_fields=["score", "reasons"]
    )


@transaction.atomic
def dismiss_match(
    *, entry: Entry, counterpart: Entry, organisation: Organisation, reason: str, author: User, now: dt.datetime
) -> Dismissal:
    """Say that a pair is no match for an organisation on one of its sides, and why; said again, the first reason stays.

    The caller has shown both entries to the author. Raises `UnableToDismiss`.
    """
    if organisation.pk not in {entry.organisation_id, counterpart.organisation_id}:
        raise UnableToDismiss(f"{organisation.name} stands on neither side.")
    if entry.direction == counterpart.direction:
        raise UnableToDismiss("A match is an ask and an offer.")
    if not reason.strip():
        raise UnableToDismiss("Say why it is no match.")
    ask, offer = (entry, counterpart) if entry.is_ask else (counterpart, entry)
    match, _ = Match.objects.get_or_create(ask=ask, offer=offer, defaults={"score": 0, "found_at": now})
    dismissal, _ = Dismissal.objects.get_or_create(
        match=match, organisation=organisation, defaults={"author": author, "reason": reason.strip(), "at": now}
    )
    return dismissal
