"""Withdraws asks and offers that would only ask the organisation they come from, after two organisations became one."""

from __future__ import annotations

from collections.abc import Collection

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import Audience, Entry, ResponseStatus, Status
from partnerships.exchange.services.recording import event_kind_of, record_event
from partnerships.organisations.obligations import Change, RecordMove
from partnerships.organisations.services.moving import change_row


def withdraw_entries_to_itself(entry_ids: Collection[int], move: RecordMove) -> list[Change]:
    """Withdraw the entries that now ask only their own organisation, and return what changed.

    Call this after records have moved to another organisation (`move.target`). For example, Larkhaven asked Westmarch
    for land, and Larkhaven then became a part of Westmarch. Answers that nobody has decided on are withdrawn too.
    """
    merged_ids = {move.source.pk, move.target.pk}
    entries = Entry.objects.live().filter(pk__in=entry_ids, organisation=move.target, audience=Audience.NAMED)
    changes: list[Change] = []
    for entry in entries.select_for_update(of=("self",)).prefetch_related("addressees").order_by("pk"):
        addressee_ids = {addressee.organisation_id for addressee in entry.addressees.all()}
        if addressee_ids and addressee_ids <= merged_ids:
            changes += _withdraw(entry, move)
    return changes


def _withdraw(entry: Entry, move: RecordMove) -> list[Change]:
    """Withdraw an entry between two organisations that became one, and its undecided answers."""
    reason = f"{move.target.name} is now on both sides: {move.reason}"
    status_before = entry.status
    values = {"status": Status.WITHDRAWN.value, "closed_at": move.now, "is_open": False, "reason": reason}
    changes = [change_row(entry, values)]
    record_event(
        entry,
        event=event_kind_of(entry, "withdrawn"),
        author=move.author,
        organisation=move.target,
        now=move.now,
        reason=reason,
        before=status_before,
        after=entry.status,
    )
    for response in entry.responses.waiting().order_by("pk"):
        values = {"status": ResponseStatus.WITHDRAWN.value, "decided_at": move.now, "reason": reason}
        changes.append(change_row(response, values))
        record_event(
            entry,
            ("response", response.pk),
            event=EventKind.ANSWER_WITHDRAWN,
            author=move.author,
            organisation=move.target,
            now=move.now,
            reason=reason,
        )
    return changes
