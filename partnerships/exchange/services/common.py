"""What all writes of this room share: the lock, the allowed steps, the event, and who is addressed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.agreements.models import Party
from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import OVER, TRANSITIONS, Audience, Entry, ResponseStatus, Status
from partnerships.exchange.services.emails import tell_of_decision
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToChangeEntry(Exception):
    """The entry does not allow it, for the reason given in words a person can act on."""


def lock(entry: Entry) -> None:
    """Hold the entry's row until the transaction ends, and read it again."""
    entry.refresh_from_db(from_queryset=Entry.objects.select_for_update())


def allows(entry: Entry, status: str) -> bool:
    """Whether the entry may move to this status (docs/rights.md)."""
    return status in TRANSITIONS[entry.direction].get(entry.status, ())


def move(entry: Entry, status: str, *, now: dt.datetime, error: type[UnableToChangeEntry]) -> dict[str, str]:
    """Take the (locked) entry to another status in memory; returns before and after. Raises `error` if it may not."""
    if not allows(entry, status):
        raise error(f"It is {entry.get_status_display().lower()} and cannot become {Status(status).label.lower()}.")
    before = entry.status
    entry.status = status
    if status in OVER:
        entry.closed_at = now
        entry.is_open = False
    return {"before": before, "after": status}


def note(
    *,
    entry: Entry,
    event: EventKind,
    author: User | None,
    organisation: Organisation | int | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Write down what happened to an entry, for its own timeline and its partnership's.

    What happened to a draft, and under which title, stays its organisation's own, also when it is shared later.
    """
    kind = "entry" if entry.shared_at else "entry_draft"
    note_about(kind, entry.pk, entry=entry, event=event, author=author, organisation=organisation, now=now, **data)


def note_about(
    kind: str,
    record_id: int,
    *,
    entry: Entry,
    event: EventKind,
    author: User | None,
    organisation: Organisation | int | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Write down what happened to an answer: seen by those who may read the answer, in the timeline of its entry."""
    within: tuple[str, int | None] = ("partnership", entry.partnership_id) if entry.partnership_id else ("", None)
    if kind != "entry":
        within = ("entry", entry.pk)
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if isinstance(organisation, Organisation) else organisation,
        kind=event,
        target_kind=kind,
        target_id=record_id,
        within_kind=within[0],
        within_id=within[1],
        now=now,
        data={"title": entry.title, "direction": entry.direction, **data},
    )


def close_responses(*, entry: Entry, reason: str, author: User | None, now: dt.datetime) -> None:
    """Decline what is still to be decided about a (locked) entry that has ended, so that nobody waits for it."""
    for response in entry.responses.waiting().order_by("pk"):
        response.status = ResponseStatus.DECLINED
        response.reason = reason
        response.decided_at = now
        response.decided_by = author
        response.save(update_fields=["status", "reason", "decided_at", "decided_by"])
        note_about(
            "response",
            response.pk,
            entry=entry,
            event=EventKind.ANSWER_DECLINED,
            author=author,
            organisation=entry.organisation_id,
            now=now,
            reason=reason,
        )
        if author is not None:
            tell_of_decision(response, author=author, now=now)


def may_read(entry: Entry, organisation_id: int) -> bool:
    """Whether the people of an organisation may read an entry, today."""
    if entry.organisation_id == organisation_id:
        return True
    if entry.shared_at is None:
        return False
    if entry.audience == Audience.NETWORK:
        return True
    if entry.audience == Audience.PARTNERSHIP:
        present = Party.objects.present().filter(partnership=entry.partnership_id, organisation=organisation_id)
        return present.exists()
    return entry.addressees.filter(organisation=organisation_id).exists()


def event_about(entry: Entry, what: str) -> EventKind:
    """The kind of event for an ask or an offer, such as `ask.shared`."""
    return EventKind(f"{entry.direction}.{what}")
