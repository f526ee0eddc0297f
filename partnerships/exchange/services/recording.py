"""Functions with which the services for asks and offers lock entries, change their status and record events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.activity.subjects import SubjectKind
from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import FINAL_STATUSES, TRANSITIONS, Entry, ResponseStatus, Status
from partnerships.exchange.services.emails import email_decision
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToChangeEntry(Exception):
    """Raised if the entry does not allow a change. The message explains why, and what to do instead."""


def lock_entry(entry: Entry) -> None:
    """Lock the entry's row until the transaction ends, and fetch it again.

    Another request may have changed the row before it was locked.
    """
    entry.refresh_from_db(from_queryset=Entry.objects.select_for_update())


def may_become(entry: Entry, status: str) -> bool:
    """Return whether the entry may get this status next (docs/rights.md)."""
    return status in TRANSITIONS[entry.direction].get(entry.status, ())


def change_status(entry: Entry, status: str, *, now: dt.datetime, error: type[UnableToChangeEntry]) -> dict[str, str]:
    """Change the status of the (locked) entry, which the caller saves.

    Returns the status before and after, for the event. Raises `error` if the entry may not get this status next.
    """
    if not may_become(entry, status):
        current_label, new_label = entry.get_status_display().lower(), Status(status).label.lower()
        if status == entry.status:
            raise error(f"This {entry.noun} is already {current_label}.")
        raise error(f"This {entry.noun} is {current_label}, so it cannot become {new_label}.")
    status_before = entry.status
    entry.status = status
    if status in FINAL_STATUSES:
        entry.closed_at = now
        entry.is_open = False
    return {"before": status_before, "after": status}


def event_kind_of(entry: Entry, verb: str) -> EventKind:
    """Return the kind of event for an ask or an offer, for example `ask.shared`."""
    return EventKind(f"{entry.direction}.{verb}")


def record_event(
    entry: Entry,
    part: tuple[str, int] | None = None,
    /,
    *,
    event: EventKind,
    author: User | None,
    organisation: Organisation | int | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event of an ask or offer, or of one of its answers, questions or receipts.

    `part` is the kind and id of that answer, question or receipt.

    * An event of a shared entry appears in the timelines of the entry and of its partnership.
    * An event of a part appears in the entry's timeline, for people who may read the part.
    * An event of a draft is visible to its organisation only.
    * Followers of a partnership are notified of all events of its shared entries. Followers of an organisation are
      notified of events of its shared standing offers, unless these are in a partnership.
    """
    within_kind = "entry"
    within_id: int | None = entry.pk
    if part is not None:
        target_kind, target_id = part
    elif not entry.shared_at:
        target_kind, target_id = "entry_draft", entry.pk
    else:
        target_kind, target_id = "entry", entry.pk
        within_kind, within_id = ("partnership", entry.partnership_id) if entry.partnership_id else ("", None)

    other_subjects: list[tuple[SubjectKind, int]] = []
    if entry.shared_at and entry.partnership_id:
        other_subjects.append((SubjectKind.PARTNERSHIP, entry.partnership_id))
    elif entry.shared_at and entry.standing:
        other_subjects.append((SubjectKind.ORGANISATION, entry.organisation_id))

    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if isinstance(organisation, Organisation) else organisation,
        kind=event,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        now=now,
        data={"title": entry.title, "direction": entry.direction, **data},
        also=other_subjects,
    )


def close_responses(*, entry: Entry, reason: str, author: User | None, now: dt.datetime) -> None:
    """Decline the undecided answers to a (locked) entry that has ended, and email the people who answered.

    Without an author, the entry ended because its commitments were met or lost. Then nobody is emailed.
    """
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
