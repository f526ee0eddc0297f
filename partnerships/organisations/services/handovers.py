"""Propose and answer handover lines. `handover_batches.py` applies accepted lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.organisations.models import (
    OPEN_HANDOVERS,
    AcceptedPart,
    Handover,
    HandoverState,
    Organisation,
    Sharing,
    Succession,
    SuccessionStatus,
)
from partnerships.organisations.obligations import HeldRecord, UnableToMove, obligation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.services.successions import lock_succession
from partnerships.people.models import User

_ALREADY_ANSWERED = (
    "Another person has already answered some of the lines you ticked. Reload the page to see what is left."
)


class UnableToHandOverLines(Exception):
    """Raised if lines cannot be proposed or answered.

    For example, the organisation is not a successor, another person has answered the line, the predecessor no longer
    has the record, or the form lacks a reason.
    """


class LineDetails(TypedDict, total=False):
    """The optional details of a line.

    `consent` says whose consent is needed, and `due_on` is the last day for the answer.
    """

    basis: str
    consent: str
    evidence: str
    due_on: dt.date | None


@transaction.atomic
def propose_handovers(
    *,
    succession: Succession,
    predecessor: Organisation,
    kind: str,
    records: Collection[int],
    successor: Organisation,
    author: User | None,
    now: dt.datetime,
    sharing: str = Sharing.ALONE,
    others: Sequence[Organisation] = (),
    **details: Unpack[LineDetails],
) -> int:
    """Propose who takes over these records of one kind; existing open lines are replaced. Return the number of lines.

    `others` are further successors if several share the records, and `sharing` says how. Leads of the predecessor and
    administrators may propose. Raises `UnableToHandOverLines`.
    """
    roles = roles_of(author, now)
    require(roles.leads(predecessor.pk) or roles.may_change_directory)
    locked_succession = lock_succession(succession.pk)
    if locked_succession.status == SuccessionStatus.CANCELLED:
        raise UnableToHandOverLines("This succession was cancelled, so you cannot propose who takes over.")
    _check_successors(locked_succession, predecessor, [successor, *others])
    is_shared = sharing != Sharing.ALONE
    if is_shared != bool(others):
        raise UnableToHandOverLines(
            "Choose how the organisations share the record, or choose only one organisation that takes it over."
        )
    open_lines = _lock_open_lines(locked_succession, predecessor, kind, records)
    held_records = _held_records(kind, predecessor, records, now)

    open_lines.delete()
    shared_values = {
        "succession": locked_succession,
        "predecessor": predecessor,
        "kind": kind,
        "successor": successor,
        "sharing": sharing,
        "proposed_by": author,
        "proposed_at": now,
    }
    new_lines = Handover.objects.bulk_create(
        (_new_line(held_record, details, **shared_values) for held_record in held_records), batch_size=1000
    )
    _add_sharers(new_lines, others)
    return len(new_lines)


def _new_line(held_record: HeldRecord, details: LineDetails, **values: Any) -> Handover:
    """Return the unsaved line for a record, with these details and values."""
    return Handover(
        record=held_record.pk,
        title=held_record.generic_title[:300],
        homes=held_record.homes,
        money=held_record.money,
        basis=details.get("basis", "").strip(),
        consent=details.get("consent", "").strip(),
        evidence=details.get("evidence", "").strip(),
        due_on=details.get("due_on"),
        **values,
    )


def _lock_open_lines(
    succession: Succession, predecessor: Organisation, kind: str, record_ids: Collection[int]
) -> QuerySet[Handover]:
    """Return the lines for these records, locked so that the successor cannot accept a line before it is replaced.

    Raises `UnableToHandOverLines` if the successor has already accepted a line.
    """
    lines = succession.handovers.filter(predecessor=predecessor, kind=kind, record__in=record_ids)
    states = set(lines.select_for_update().order_by("pk").values_list("state", flat=True))
    if not states.issubset(OPEN_HANDOVERS):
        raise UnableToHandOverLines(
            "The successor has already accepted some of the lines you ticked. Reload the page to see what is left."
        )
    return lines


def _add_sharers(lines: Iterable[Handover], organisations: Iterable[Organisation]) -> None:
    """Add the organisations that share each of these lines with its successor, each once."""
    line_sharers = Handover.others.through
    line_sharers._default_manager.bulk_create(
        (
            line_sharers(handover=line, organisation=organisation)
            for line in lines
            for organisation in dict.fromkeys(organisations)
        ),
        batch_size=1000,
    )


def _check_successors(succession: Succession, predecessor: Organisation, successors: Iterable[Organisation]) -> None:
    """Raise `UnableToHandOverLines` unless all these organisations are successors of the predecessor."""
    successor_ids = set(succession.ties.filter(predecessor=predecessor).values_list("successor", flat=True))
    # A predecessor that continues does not take over records from itself.
    successor_ids -= {None, predecessor.pk}
    if any(successor.pk not in successor_ids for successor in successors):
        raise UnableToHandOverLines(f"Choose a successor of {predecessor.name}.")


def _held_records(code: str, predecessor: Organisation, records: Collection[int], now: dt.datetime) -> list[HeldRecord]:
    """Return the descriptions of a kind's records with these ids.

    Raises `UnableToHandOverLines` if the predecessor no longer has one of them.
    """
    try:
        kind = obligation(code)
    except UnableToMove as error:
        raise UnableToHandOverLines(str(error)) from error
    rows = kind.records(predecessor, timezone.localdate(now)).filter(pk__in=list(records)).order_by("pk")
    held_records = [kind.describe(row, predecessor) for row in rows]
    if not held_records or len(held_records) < len(set(records)):
        raise UnableToHandOverLines(
            f"{predecessor.name} no longer has some of the records you ticked. Reload the page to see what is left."
        )
    return held_records


@transaction.atomic
def answer_handovers(
    *, lines: Collection[Handover], accept: bool, author: User | None, now: dt.datetime, reason: str = ""
) -> int:
    """Accept or dispute lines for the successors that the author leads, and return the number of lines.

    If several successors share a line, each answers for its part. The line is accepted once all have accepted, and
    disputed as soon as one disputes it. A dispute needs a reason. Raises `UnableToHandOverLines`.
    """
    roles = roles_of(author, now)
    lines_to_lock = Handover.objects.select_for_update().filter(pk__in=[line.pk for line in lines])
    # A line that could not be applied must be proposed again before it can be answered.
    answerable_states = set(OPEN_HANDOVERS) - {HandoverState.STAYED}
    open_lines = list(lines_to_lock.filter(state__in=answerable_states).prefetch_related("others").order_by("pk"))

    successor_ids_by_line = {
        line.pk: (line.successor_id, *(organisation.pk for organisation in line.others.all())) for line in open_lines
    }
    for successor_ids in set(successor_ids_by_line.values()):
        require(any(roles.leads(pk) for pk in successor_ids))
    if not open_lines or len(open_lines) < len(lines):
        raise UnableToHandOverLines(_ALREADY_ANSWERED)
    if not accept and not reason.strip():
        raise UnableToHandOverLines("Enter why your organisation does not take this over.")

    if accept:
        answered_ids = _accept_lines(successor_ids_by_line, roles, author, now)
    else:
        answered_ids = set(successor_ids_by_line)
        _delete_accepted_parts(successor_ids_by_line, roles)
    lines_to_lock.filter(pk__in=answered_ids).update(
        state=HandoverState.ACCEPTED if accept else HandoverState.DISPUTED,
        dispute="" if accept else reason.strip(),
        answered_by=author,
        answered_at=now,
    )
    return len(open_lines)


def _accept_lines(
    successor_ids_by_line: Mapping[int, Sequence[int]], roles: Roles, author: User | None, now: dt.datetime
) -> set[int]:
    """Accept the author's parts of lines; return the ids of the lines that are now accepted in full.

    A line with one successor has no parts, so it is accepted in full.
    """
    unshared_ids = {line_id for line_id, successor_ids in successor_ids_by_line.items() if len(successor_ids) == 1}
    successor_ids_by_shared_line = {
        line_id: successor_ids
        for line_id, successor_ids in successor_ids_by_line.items()
        if line_id not in unshared_ids
    }
    return unshared_ids | _accept_parts(successor_ids_by_shared_line, roles, author, now)


def _delete_accepted_parts(successor_ids_by_line: Mapping[int, Sequence[int]], roles: Roles) -> None:
    """Delete the earlier acceptances of these lines by the organisations that the author leads."""
    successor_ids = {pk for successor_ids in successor_ids_by_line.values() for pk in successor_ids}
    led_ids = {pk for pk in successor_ids if roles.leads(pk)}
    AcceptedPart.objects.filter(handover__in=successor_ids_by_line, organisation__in=led_ids).delete()


def _accept_parts(
    successor_ids_by_line: Mapping[int, Sequence[int]], roles: Roles, author: User | None, now: dt.datetime
) -> set[int]:
    """Accept the author's parts of shared lines; return the ids of the lines that are now accepted in full."""
    accepted_ids_by_line: dict[int, set[int]] = {line_id: set() for line_id in successor_ids_by_line}
    existing_parts = AcceptedPart.objects.filter(handover__in=successor_ids_by_line)
    for line_id, organisation_id in existing_parts.values_list("handover", "organisation"):
        accepted_ids_by_line[line_id].add(organisation_id)

    new_parts = [
        AcceptedPart(handover_id=line_id, organisation_id=organisation_id, accepted_by=author, accepted_at=now)
        for line_id, successor_ids in successor_ids_by_line.items()
        for organisation_id in successor_ids
        if roles.leads(organisation_id) and organisation_id not in accepted_ids_by_line[line_id]
    ]
    if {part.handover_id for part in new_parts} != successor_ids_by_line.keys():
        raise UnableToHandOverLines(_ALREADY_ANSWERED)
    AcceptedPart.objects.bulk_create(new_parts, batch_size=1000)

    for part in new_parts:
        accepted_ids_by_line[part.handover_id].add(part.organisation_id)
    return {
        line_id
        for line_id, successor_ids in successor_ids_by_line.items()
        if accepted_ids_by_line[line_id].issuperset(successor_ids)
    }
