"""What all services of the exchange share: locking, status steps, events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.activity.subjects import SubjectKind
from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import OVER, TRANSITIONS, Entry, ResponseStatus, Status
from partnerships.exchange.services.emails import email_decision
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToChangeEntry(Exception):
    """The entry does not allow it. The message says what to do."""


def lock_entry(entry: Entry) -> None:
    """Lock the entry's row until the transaction ends, and read it again."""
    entry.refresh_from_db(from_queryset=Entry.objects.select_for_update())


def may_become(entry: Entry, status: str) -> bool:
    """Whether the entry's status may become this one (docs/rights.md)."""
    return status in TRANSITIONS[entry.direction].get(entry.status, ())


def change_status(entry: Entry, status: str, *, now: dt.datetime, error: type[UnableToChangeEntry]) -> dict[str, str]:
    """Change the status of the (locked) entry in memory.

    Returns the status before and after, for the event. Raises `error` if it may not become this status.
    """
    if not may_become(entry, status):
        current, wanted = entry.get_status_display().lower(), Status(status).label.lower()
        raise error(f"This {entry.noun} is {current}, so it cannot become {wanted}.")
    before = entry.status
    entry.status = status
    if status in OVER:
        entry.closed_at = now
        entry.is_open = False
    return {"before": before, "after": status}


def event_about(entry: Entry, verb: str) -> EventKind:
    """The kind of event for an ask or an offer, such as `ask.shared`."""
    return EventKind(f"{entry.direction}.{verb}")


def record_event(
    entry: Entry,
    about: tuple[str, int] | None = None,
    /,
    *,
    event: EventKind,
    author: User | None,
    organisation: Organisation | int | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record what happened to an entry, or to a record `about` it.

    `about` is the kind and id of the record. An event about an entry is in its timeline and its partnership's. An event
    about a record, such as an answer, is in the entry's timeline, for those who may read the record, and is told to
    followers of its partnership. Those who follow an organisation hear of its standing offers. Events of a draft stay
    visible to its organisation only.
    """
    within: tuple[str, int | None] = ("entry", entry.pk)
    if about is None and entry.shared_at:
        about = ("entry", entry.pk)
        within = ("partnership", entry.partnership_id) if entry.partnership_id else ("", None)
    target_kind, target_id = about or ("entry_draft", entry.pk)
    also: list[tuple[SubjectKind, int]] = []
    if entry.shared_at and entry.partnership_id:
        also.append((SubjectKind.PARTNERSHIP, entry.partnership_id))
    elif entry.shared_at and entry.standing:
        also.append((SubjectKind.ORGANISATION, entry.organisation_id))
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if isinstance(organisation, Organisation) else organisation,
        kind=event,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within[0],
        within_id=within[1],
        now=now,
        data={"title": entry.title, "direction": entry.direction, **data},
        also=also,
    )


def close_responses(*, entry: Entry, reason: str, author: User | None, now: dt.datetime) -> None:
    """Decline the answers that still wait on a (locked) entry that has ended."""
    for response in entry.responses.waiting().order_by("pk"):
        response.status = ResponseStatus.DECLINED
        response.reason = reason
        response.decided_at = now
        response.decided_by = author
        response.save(update_fields=["status", "reason", "decided_at", "decided_by"])
        record_event(
            entry,
            ("response", response.pk),
            event=EventKind.ANSWER_DECLINED,
            author=author,
            organisation=entry.organisation_id,
            now=now,
            reason=reason,
        )
        if author is not None:
            email_decision(response, author=author, now=now)
