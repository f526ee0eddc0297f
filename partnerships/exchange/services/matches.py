"""Keeping matches up to date as entries change, putting pairs aside, and introducing their organisations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.matching import Score
from partnerships.exchange.models import Dismissal, Entry, Introduction, Match
from partnerships.exchange.queries.candidates import AreaNames, Found, best_for_both
from partnerships.exchange.rights import may_read_both, rights_over
from partnerships.exchange.services.common import UnableToChangeEntry, lock, may_read, note_about
from partnerships.exchange.services.emails import tell_of_introduction
from partnerships.exchange.services.saved import note_fits
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

#: Entries compared in one transaction: enough to share the cost of a statement, few enough to be held only a moment.
TOGETHER = 50


class UnableToDismiss(UnableToChangeEntry):
    """The two are no ask and offer, or no reason was given."""


class UnableToIntroduce(UnableToChangeEntry):
    """The pair is none, one of the two may not read both, or it was suggested already."""


def match_due_entries(*, now: dt.datetime, limit: int = 1_000) -> int:
    """Match the entries that were shared or changed since they were last compared; returns how many.

    A handful in each transaction, their rows held: may run twice, and beside itself.
    """
    names = AreaNames()
    done = 0
    while done < limit and (matched := _match_next(now=now, names=names, limit=min(TOGETHER, limit - done))):
        done += matched
    return done


@transaction.atomic
def _match_next(*, now: dt.datetime, names: AreaNames, limit: int) -> int:
    due = Entry.objects.select_for_update(skip_locked=True).filter(is_open=True, matched_at=None).order_by("shared_at")
    entries = list(due[:limit])
    if not entries:
        return 0
    keep_matches(entries=entries, found=best_for_both(entries, timezone.localdate(now), names), now=now)
    note_fits(entries=entries, now=now)
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(matched_at=now)
    return len(entries)


@transaction.atomic
def keep_matches(*, entries: Sequence[Entry], found: Mapping[int, Sequence[Found]], now: dt.datetime) -> None:
    """Store the pairs found for entries. A pair known already keeps its day and its dismissals; the rest goes.

    A pair that no longer fits is forgotten; one that somebody put aside stays with its dismissal, and loses its points.
    """
    pairs: dict[tuple[int, int], Score] = {}
    for entry in entries:
        for one in found.get(entry.pk, ()):
            pairs[(entry.pk, one.entry_id) if entry.is_ask else (one.entry_id, entry.pk)] = one.score
    ids = [entry.pk for entry in entries]
    kept = list(Match.objects.filter(Q(ask__in=ids) | Q(offer__in=ids)).values_list("pk", "ask", "offer", "score"))
    gone = [pk for pk, ask, offer, _ in kept if (ask, offer) not in pairs]
    Match.objects.filter(pk__in=gone, dismissals=None).delete()
    Match.objects.filter(pk__in=gone, score__gt=0).update(score=0, reasons=[])
    # One side put it aside while it did not fit: for the other it is found only now.
    found_now = [pk for pk, ask, offer, score in kept if score == 0 and (ask, offer) in pairs]
    Match.objects.filter(pk__in=found_now).update(found_at=now)
    # In one order, so that two workers that found the same pairs wait for each other instead of locking both out.
    Match.objects.bulk_create(
        [
            Match(
                ask_id=ask,
                offer_id=offer,
                score=score.points,
                reasons=[reason[:200] for reason in score.reasons],
                found_at=now,
            )
            for (ask, offer), score in sorted(pairs.items(), key=lambda pair: pair[0])
        ],
        update_conflicts=True,
        unique_fields=["ask", "offer"],
        update_fields=["score", "reasons"],
        batch_size=1_000,
    )


def _lock_pair(entry: Entry, counterpart: Entry) -> None:
    """Lock both entries, in one order, so that two who judge the same pair wait for each other."""
    for one in sorted((entry, counterpart), key=lambda one: one.pk):
        lock(one)


@transaction.atomic
def dismiss_match(
    *, entry: Entry, counterpart: Entry, organisation: Organisation, reason: str, author: User, now: dt.datetime
) -> Dismissal:
    """Say that a pair is no match for an organisation on one of its sides, and why; said again, the first reason stays.

    Raises `UnableToDismiss`.
    """
    _lock_pair(entry, counterpart)
    require(rights_over(entry, author, now).may_judge_for(organisation, counterpart))
    require(may_read_both(entry, counterpart, author))
    if entry.direction == counterpart.direction:
        raise UnableToDismiss("A match needs an ask and an offer.")
    if not reason.strip():
        raise UnableToDismiss("Say why it is not a match.")
    ask, offer = (entry, counterpart) if entry.is_ask else (counterpart, entry)
    match, _ = Match.objects.get_or_create(ask=ask, offer=offer, defaults={"score": 0, "found_at": now})
    dismissal, _ = Dismissal.objects.get_or_create(
        match=match, organisation=organisation, defaults={"author": author, "reason": reason.strip(), "at": now}
    )
    return dismissal


@transaction.atomic
def introduce(
    *, entry: Entry, counterpart: Entry, organisation: Organisation, text: str, author: User, now: dt.datetime
) -> Introduction:
    """Suggest that the organisations of an ask and an offer talk, once for each organisation that suggests it.

    Each of the two must be able to read what the other says. Raises `UnableToIntroduce`.
    """
    _lock_pair(entry, counterpart)
    require(roles_of(author, now).edit_for(organisation.pk) and may_read_both(entry, counterpart, author))
    if entry.direction == counterpart.direction or entry.organisation_id == counterpart.organisation_id:
        raise UnableToIntroduce("You can only introduce an organisation that asks to one that offers.")
    if not (entry.is_open and counterpart.is_open):
        raise UnableToIntroduce("One of them takes no more answers.")
    if not (may_read(entry, counterpart.organisation_id) and may_read(counterpart, entry.organisation_id)):
        raise UnableToIntroduce(
            "You cannot introduce them here, because one of them cannot read what the other shared."
        )
    ask, offer = (entry, counterpart) if entry.is_ask else (counterpart, entry)
    introduction, made = Introduction.objects.get_or_create(
        ask=ask, offer=offer, organisation=organisation, defaults={"author": author, "text": text.strip(), "at": now}
    )
    if not made:
        raise UnableToIntroduce(f"{organisation.display_name} has already suggested this.")
    for side in (ask, offer):
        note_about(
            "introduction",
            introduction.pk,
            entry=side,
            event=EventKind.INTRODUCTION_SUGGESTED,
            author=author,
            organisation=organisation,
            now=now,
        )
    tell_of_introduction(introduction, author=author, now=now)
    return introduction
