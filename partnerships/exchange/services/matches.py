"""Services that update and dismiss matches, and introduce the organisations of a pair."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from operator import itemgetter

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.matching import Score
from partnerships.exchange.models import Dismissal, Entry, Introduction, Match
from partnerships.exchange.queries.addressing import is_readable_by
from partnerships.exchange.queries.candidates import Counterpart, best_for_both
from partnerships.exchange.queries.places import AreaNames
from partnerships.exchange.rights import may_read_both, rights_over
from partnerships.exchange.services.emails import email_introduction
from partnerships.exchange.services.recording import UnableToChangeEntry, lock_entry, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

#: This many entries are matched in one transaction: enough to share the cost of a statement, and few enough to be
#: locked only briefly.
BATCH = 50


class UnableToDismiss(UnableToChangeEntry):
    """Raised if the two entries are not an ask and an offer, or no reason was given."""


class UnableToIntroduce(UnableToChangeEntry):
    """Raised if the two organisations cannot be introduced.

    The two entries are not an open ask and an open offer, one side cannot read the other's entry,
    or the introduction was made before.
    """


def match_due_entries(*, now: dt.datetime, limit: int = 1_000) -> int:
    """Match the entries that were shared or changed since the last run, and return how many were matched.

    This may run twice, even at the same time: each transaction locks the entries of its batch.
    """
    names = AreaNames()
    matched_count = 0
    while matched_count < limit:
        batch_size = _match_batch(now=now, names=names, limit=min(BATCH, limit - matched_count))
        if batch_size == 0:
            break
        matched_count += batch_size
    return matched_count


@transaction.atomic
def _match_batch(*, now: dt.datetime, names: AreaNames, limit: int) -> int:
    """Match up to `limit` entries in one transaction, and return how many were matched."""
    due_entries = (
        Entry.objects.select_for_update(skip_locked=True).filter(is_open=True, matched_at=None).order_by("shared_at")
    )
    entries = list(due_entries[:limit])
    if not entries:
        return 0
    counterparts = best_for_both(entries, timezone.localdate(now), names)
    store_matches(entries=entries, counterparts=counterparts, now=now)
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(matched_at=now)
    return len(entries)


@transaction.atomic
def store_matches(
    *, entries: Sequence[Entry], counterparts: Mapping[int, Sequence[Counterpart]], now: dt.datetime
) -> None:
    """Store the counterparts as matches, and remove matches that no longer fit.

    `counterparts` has the counterparts of each entry, by the id of the entry. A stored match keeps its date and its
    dismissals. A dismissed match that no longer fits is stored with 0 points.
    """
    score_by_pair: dict[tuple[int, int], Score] = {}  # by the ids of ask and offer
    for entry in entries:
        for counterpart in counterparts.get(entry.pk, ()):
            pair = (entry.pk, counterpart.entry_id) if entry.is_ask else (counterpart.entry_id, entry.pk)
            score_by_pair[pair] = counterpart.score

    _update_existing_matches([entry.pk for entry in entries], pairs=score_by_pair.keys(), now=now)
    # Sorted, because two workers that insert the same pairs in different orders could deadlock.
    sorted_scores = sorted(score_by_pair.items(), key=itemgetter(0))
    matches = [
        Match(
            ask_id=ask,
            offer_id=offer,
            score=score.points,
            reasons=[reason[:200] for reason in score.reasons],
            found_at=now,
        )
        for (ask, offer), score in sorted_scores
    ]
    Match.objects.bulk_create(
        matches,
        update_conflicts=True,
        unique_fields=["ask", "offer"],
        update_fields=["score", "reasons"],
        batch_size=1_000,
    )


def _update_existing_matches(entry_ids: Sequence[int], *, pairs: Set[tuple[int, int]], now: dt.datetime) -> None:
    """Remove the stored matches of these entries that are not among the pairs, and renew those that fit again."""
    matches_of_entries = Match.objects.filter(Q(ask__in=entry_ids) | Q(offer__in=entry_ids))
    outdated_ids: list[int] = []
    revived_ids: list[int] = []
    for pk, ask, offer, points in matches_of_entries.values_list("pk", "ask", "offer", "score"):
        if (ask, offer) not in pairs:
            outdated_ids.append(pk)
        elif points == 0:
            revived_ids.append(pk)

    Match.objects.filter(pk__in=outdated_ids, dismissals=None).delete()
    Match.objects.filter(pk__in=outdated_ids, score__gt=0).update(score=0, reasons=[])
    # A match that one side dismissed and that fits again is new to the other side.
    Match.objects.filter(pk__in=revived_ids).update(found_at=now)


def _lock_pair(entry: Entry, counterpart: Entry) -> None:
    """Lock both entries, always in the same order, so that two requests cannot deadlock."""
    for side in sorted((entry, counterpart), key=lambda side: side.pk):
        lock_entry(side)


@transaction.atomic
def dismiss_match(
    *, entry: Entry, counterpart: Entry, organisation: Organisation, reason: str, author: User, now: dt.datetime
) -> Dismissal:
    """Dismiss a pair for one of its organisations. Raises `UnableToDismiss`.

    A second dismissal does not change the reason.
    """
    _lock_pair(entry, counterpart)
    require(rights_over(entry, author, now).may_judge_for(organisation, counterpart))
    require(may_read_both(entry, counterpart, author))
    if entry.direction == counterpart.direction:
        raise UnableToDismiss("A match needs an ask and an offer. Choose one of each.")
    if not reason.strip():
        raise UnableToDismiss("Enter why these two do not match.")

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
    """Suggest that two organisations talk, and email both. Raises `UnableToIntroduce`.

    An organisation can suggest an introduction only once. Both sides must be able to read each other's entry.
    """
    _lock_pair(entry, counterpart)
    require(roles_of(author, now).may_edit_for(organisation.pk) and may_read_both(entry, counterpart, author))
    if entry.direction == counterpart.direction or entry.organisation_id == counterpart.organisation_id:
        raise UnableToIntroduce("Choose an ask and an offer from two different organisations.")
    if not (entry.is_open and counterpart.is_open):
        raise UnableToIntroduce(
            "The ask or the offer no longer takes answers, so you cannot introduce these two organisations."
        )
    if not (is_readable_by(entry, counterpart.organisation_id) and is_readable_by(counterpart, entry.organisation_id)):
        raise UnableToIntroduce(
            "One of the two organisations cannot read what the other shared. Contact both to introduce them."
        )

    ask, offer = (entry, counterpart) if entry.is_ask else (counterpart, entry)
    introduction, created = Introduction.objects.get_or_create(
        ask=ask, offer=offer, organisation=organisation, defaults={"author": author, "text": text.strip(), "at": now}
    )
    if not created:
        raise UnableToIntroduce(
            f"{organisation.display_name} has already suggested this introduction, so you do not need to."
        )

    for side in (ask, offer):
        record_event(
            side,
            ("introduction", introduction.pk),
            event=EventKind.INTRODUCTION_SUGGESTED,
            author=author,
            organisation=organisation,
            now=now,
        )
    email_introduction(introduction, author=author, now=now)
    return introduction
