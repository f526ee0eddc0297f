"""Withdraw asks and offers whose two sides became one organisation."""

from __future__ import annotations

from collections.abc import Collection

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import Audience, Entry, ResponseStatus, Status
from partnerships.exchange.services.recording import event_about, record_event
from partnerships.organisations.obligations import Change, Moving
from partnerships.organisations.services.moving import change_row


def withdraw_to_itself(records: Collection[int], moving: Moving) -> list[Change]:
    """Withdraw those of these entries that ask only their own organisation.

    Returns what changed. Called when something has passed to an organisation (`moving.target`). Answers that wait are
    withdrawn too.
    """
    sides = {moving.source.pk, moving.target.pk}
    entries = Entry.objects.live().filter(pk__in=records, organisation=moving.target, audience=Audience.NAMED)
    changes: list[Change] = []
    for entry in entries.select_for_update(of=("self",)).prefetch_related("addressees").order_by("pk"):
        addressed = {addressee.organisation_id for addressee in entry.addressees.all()}
        if addressed and addressed <= sides:
            changes += _withdraw(entry, moving)
    return changes


def _withdraw(entry: Entry, moving: Moving) -> list[Change]:
    """Withdraw an entry between two bodies that became one, and its waiting answers."""
    reason = f"{moving.target.name} is now on both sides: {moving.reason}"
    before = entry.status
    values = {"status": Status.WITHDRAWN.value, "closed_at": moving.now, "is_open": False, "reason": reason}
    changes = [change_row(entry, values)]
    record_event(
        entry,
        event=event_about(entry, "withdrawn"),
        author=moving.author,
        organisation=moving.target,
        now=moving.now,
        reason=reason,
        before=before,
        after=entry.status,
    )
    for response in entry.responses.waiting().order_by("pk"):
        values = {"status": ResponseStatus.WITHDRAWN.value, "decided_at": moving.now, "reason": reason}
        changes.append(change_row(response, values))
        record_event(
            entry,
            ("response", response.pk),
            event=EventKind.ANSWER_WITHDRAWN,
            author=moving.author,
            organisation=moving.target,
            now=moving.now,
            reason=reason,
        )
    return changes
