"""Services that mark asks and offers as agreed elsewhere, withdraw them, and let them lapse."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import UNANSWERED_STATUSES, Entry, ResponseStatus, Status
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.recording import (
    UnableToChangeEntry,
    change_status,
    close_responses,
    event_kind_of,
    lock_entry,
    record_event,
)
from partnerships.exchange.services.status import update_entry_status
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToWithdrawEntry(UnableToChangeEntry):
    """Raised if the entry is already over, or no reason was given."""


class UnableToMarkAgreed(UnableToChangeEntry):
    """Raised if the entry is a draft, over or already agreed, or no reason was given."""


@transaction.atomic
def mark_agreed(*, entry: Entry, reason: str, author: User, now: dt.datetime, part: bool = False) -> Entry:
    """Record an agreement that was made outside this site. Raises `UnableToMarkAgreed`.

    An ask becomes accepted, or part-accepted with `part`. An offer becomes taken up. A standing offer remains shared.
    `reason` says how it was agreed, and who with. For example, "Agreed with Westmarch by telephone."
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    if not reason.strip():
        raise UnableToMarkAgreed(f"Enter how this {entry.noun} was agreed, and who with.")
    if entry.standing and entry.is_open:
        return _mark_standing_offer(entry, reason.strip(), author, now)

    if entry.is_ask:
        status = Status.PART_ACCEPTED if part else Status.ACCEPTED
    else:
        status = Status.TAKEN_UP
    status_change = change_status(entry, status, now=now, error=UnableToMarkAgreed)
    entry.reason = reason.strip()
    entry.answered_at = entry.answered_at or now
    entry.is_open = part
    entry.matched_at = None
    entry.save(update_fields=["status", "reason", "answered_at", "is_open", "matched_at"])

    record_event(
        entry,
        event=event_kind_of(entry, "marked_agreed"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=entry.reason,
        **status_change,
    )
    return entry


def _mark_standing_offer(entry: Entry, reason: str, author: User, now: dt.datetime) -> Entry:
    """Record an agreement about a standing offer, which remains shared."""
    entry.answered_at = entry.answered_at or now
    entry.save(update_fields=["answered_at"])
    record_event(
        entry,
        event=EventKind.OFFER_AGREED,
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=reason,
    )
    return entry


@transaction.atomic
def withdraw_entry(*, entry: Entry, reason: str, author: User, now: dt.datetime) -> Entry:
    """Withdraw an entry, and decline undecided answers for the same reason. Raises `UnableToWithdrawEntry`."""
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    if not reason.strip():
        raise UnableToWithdrawEntry(f"Enter why you are withdrawing this {entry.noun}.")

    status_change = change_status(entry, Status.WITHDRAWN, now=now, error=UnableToWithdrawEntry)
    entry.reason = reason.strip()
    entry.save(update_fields=["status", "closed_at", "is_open", "reason"])

    record_event(
        entry,
        event=event_kind_of(entry, "withdrawn"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=entry.reason,
        **status_change,
    )
    close_responses(entry=entry, reason=f"The {entry.noun} was withdrawn: {entry.reason}", author=author, now=now)
    return entry


@transaction.atomic
def lapse_due_entries(*, now: dt.datetime, limit: int = 500) -> int:
    """Close entries after their closing date, and return how many were closed.

    An unanswered entry lapses. An entry that was agreed in part takes no more answers. An entry stays open while its
    organisation still has to decide about an answer. This may run twice, even at the same time.
    """
    entries_to_close = (
        Entry.objects.select_for_update(skip_locked=True)
        .filter(is_open=True, closes_on__lt=timezone.localdate(now))
        .exclude(responses__status=ResponseStatus.MADE)
        .order_by("pk")[:limit]
    )
    closed_count = 0
    for entry in entries_to_close:
        if entry.status in UNANSWERED_STATUSES:
            _lapse(entry, now)
        else:
            _close_to_answers(entry, now)
        closed_count += 1
    return closed_count


def _lapse(entry: Entry, now: dt.datetime) -> None:
    """End a (locked) entry that nobody answered before its closing date."""
    status_change = change_status(entry, Status.LAPSED, now=now, error=UnableToChangeEntry)
    entry.save(update_fields=["status", "closed_at", "is_open"])
    event = event_kind_of(entry, "lapsed")
    record_event(entry, event=event, author=None, organisation=None, now=now, **status_change)


def _close_to_answers(entry: Entry, now: dt.datetime) -> None:
    """Close a (locked) entry that was agreed in part to more answers, and update its status."""
    entry.is_open = False
    entry.save(update_fields=["is_open"])
    event = event_kind_of(entry, "closed_to_answers")
    record_event(entry, event=event, author=None, organisation=None, now=now)
    update_entry_status(entry=entry, author=None, now=now)
