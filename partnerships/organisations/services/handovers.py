"""Propose, answer, apply and undo handover lines. `vesting.py` applies the lines on their day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.lineage import is_in_force
from partnerships.organisations.models import (
    OPEN_HANDOVERS,
    AcceptedPart,
    Handover,
    HandoverState,
    MovedRow,
    Organisation,
    Sharing,
    Succession,
    SuccessionStatus,
)
from partnerships.organisations.obligations import (
    Change,
    Held,
    Moving,
    Obligation,
    UnableToMove,
    obligation,
    run_putting_back_hooks,
)
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.services.moved_memberships import journal_moved_memberships, record_moved_memberships
from partnerships.organisations.services.moving import (
    move_records,
    record_passing,
    restore_changes,
    save_changes,
    with_merged_replaced,
)
from partnerships.organisations.services.successions import lock_succession
from partnerships.people.models import User

#: The number of lines that one transaction applies: so few that nobody on the site has to wait for its locks.
BATCH = 500
#: The reason why an accepted line could not be applied, which people read.
STAYED = "This record is between the two organisations, or the successor already has one like it."


class UnableToHandOverLines(Exception):
    """Raised if an organisation is no successor, a line was answered, or the predecessor no longer has the record.

    A missing or impossible entry in a form also raises this exception.
    """


class LineDetails(TypedDict, total=False):
    """The optional details of a line: its basis, the consent needed, the evidence, and the day to answer by."""

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

    Leads of the predecessor may do this, and administrators. Raises `UnableToHandOverLines`.
    """
    roles = roles_of(author, now)
    require(roles.lead(predecessor.pk) or roles.keeps_directory)
    locked_succession = lock_succession(succession.pk)
    if locked_succession.status == SuccessionStatus.CANCELLED:
        raise UnableToHandOverLines("This succession was cancelled, so you cannot propose who takes over.")
    _check_successors(locked_succession, predecessor, [successor, *others])
    if (sharing == Sharing.ALONE) != (not others):
        raise UnableToHandOverLines(
            "Choose how the organisations share the record, or choose only one organisation that takes it over."
        )
    lines = locked_succession.handovers.filter(predecessor=predecessor, kind=kind, record__in=records)
    # The lines are locked so that the successor cannot accept a line before it is replaced.
    states = set(lines.select_for_update().order_by("pk").values_list("state", flat=True))
    if not states.issubset(OPEN_HANDOVERS):
        raise UnableToHandOverLines(
            "The successor has already accepted some of the lines you ticked. Reload the page to see what is left."
        )
    things = _held_things(kind, predecessor, records, now)
    lines.delete()
    new_lines = Handover.objects.bulk_create(
        (
            Handover(
                succession=locked_succession,
                predecessor=predecessor,
                kind=kind,
                record=thing.pk,
                title=thing.outside[:300],
                homes=thing.homes,
                money=thing.money,
                successor=successor,
                sharing=sharing,
                basis=details.get("basis", "").strip(),
                consent=details.get("consent", "").strip(),
                evidence=details.get("evidence", "").strip(),
                due_on=details.get("due_on"),
                proposed_by=author,
                proposed_at=now,
            )
            for thing in things
        ),
        batch_size=1000,
    )
    sharers = Handover.others.through
    sharers._default_manager.bulk_create(
        (
            sharers(handover=line, organisation=organisation)
            for line in new_lines
            for organisation in dict.fromkeys(others)
        ),
        batch_size=1000,
    )
    return len(new_lines)


def _check_successors(succession: Succession, predecessor: Organisation, successors: Iterable[Organisation]) -> None:
    """Raise `UnableToHandOverLines` unless all these organisations are successors of the predecessor."""
    successor_ids = set(succession.ties.filter(predecessor=predecessor).values_list("successor", flat=True))
    # A predecessor that continues does not take over records from itself.
    successor_ids -= {None, predecessor.pk}
    if any(successor.pk not in successor_ids for successor in successors):
        raise UnableToHandOverLines(f"Choose a successor of {predecessor.name}.")


def _held_things(code: str, predecessor: Organisation, records: Collection[int], now: dt.datetime) -> list[Held]:
    """Return the descriptions of a kind's records with these ids, all of which the predecessor must still have."""
    try:
        kind = obligation(code)
    except UnableToMove as error:
        raise UnableToHandOverLines(str(error)) from error
    rows = kind.records(predecessor, timezone.localdate(now)).filter(pk__in=list(records)).order_by("pk")
    things = [kind.describe(row, predecessor) for row in rows]
    if not things or len(things) < len(set(records)):
        raise UnableToHandOverLines(
            f"{predecessor.name} no longer has some of the records you ticked. Reload the page to see what is left."
        )
    return things


@transaction.atomic
def answer_handovers(
    *, lines: Collection[Handover], accept: bool, author: User | None, now: dt.datetime, reason: str = ""
) -> int:
    """Accept or dispute lines for the successors that the author leads, and return the number of lines.

    If several successors share a line, each answers for its part: the line is accepted once all have accepted, and
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
        require(any(roles.lead(pk) for pk in successor_ids))
    if not open_lines or len(open_lines) < len(lines):
        raise UnableToHandOverLines(
            "Another person has already answered some of the lines you ticked. Reload the page to see what is left."
        )
    if not accept and not reason.strip():
        raise UnableToHandOverLines("Enter why your organisation does not take this over.")

    if accept:
        successor_ids_by_shared_line = {
            pk: successor_ids for pk, successor_ids in successor_ids_by_line.items() if len(successor_ids) > 1
        }
        answered_ids = (successor_ids_by_line.keys() - successor_ids_by_shared_line.keys()) | _accept_parts(
            successor_ids_by_shared_line, roles, author, now
        )
    else:
        answered_ids = set(successor_ids_by_line)
        led_ids = {pk for successor_ids in successor_ids_by_line.values() for pk in successor_ids if roles.lead(pk)}
        AcceptedPart.objects.filter(handover__in=answered_ids, organisation__in=led_ids).delete()
    lines_to_lock.filter(pk__in=answered_ids).update(
        state=HandoverState.ACCEPTED if accept else HandoverState.DISPUTED,
        dispute="" if accept else reason.strip(),
        answered_by=author,
        answered_at=now,
    )
    return len(open_lines)


def _accept_parts(
    successor_ids_by_line: Mapping[int, Sequence[int]], roles: Roles, author: User | None, now: dt.datetime
) -> set[int]:
    """Accept the author's parts of shared lines; return the ids of the lines that are now accepted in full."""
    accepted_by_line: dict[int, set[int]] = {line_id: set() for line_id in successor_ids_by_line}
    existing_parts = AcceptedPart.objects.filter(handover__in=successor_ids_by_line)
    for line_id, organisation_id in existing_parts.values_list("handover", "organisation"):
        accepted_by_line[line_id].add(organisation_id)

    new_parts = [
        AcceptedPart(handover_id=line_id, organisation_id=organisation_id, accepted_by=author, accepted_at=now)
        for line_id, successor_ids in successor_ids_by_line.items()
        for organisation_id in successor_ids
        if roles.lead(organisation_id) and organisation_id not in accepted_by_line[line_id]
    ]
    if {part.handover_id for part in new_parts} != successor_ids_by_line.keys():
        raise UnableToHandOverLines(
            "Another person has already answered some of the lines you ticked. Reload the page to see what is left."
        )
    AcceptedPart.objects.bulk_create(new_parts, batch_size=1000)

    for part in new_parts:
        accepted_by_line[part.handover_id].add(part.organisation_id)
    return {
        line_id
        for line_id, successor_ids in successor_ids_by_line.items()
        if accepted_by_line[line_id].issuperset(successor_ids)
    }


def apply_handovers(*, succession: Succession, now: dt.datetime) -> int:
    """Apply the accepted lines if the succession is in force, and return the number of applied lines.

    Each batch has its own transaction, so this function can stop at any point and be called again.
    """
    return _repeat_batches(_apply_batch, succession, now)


def undo_handovers(*, succession: Succession, now: dt.datetime) -> int:
    """Return everything that an undone succession had passed on; return the number of rows and lines.

    This happens in batches, the last changes first. Rows that were changed in the meantime stay as they are.
    """
    return _repeat_batches(_undo_batch, succession, now)


def _repeat_batches(process_batch: Callable[[int, dt.datetime], int], succession: Succession, now: dt.datetime) -> int:
    """Process batches until a batch is empty, and return the total of their counts."""
    total = 0
    while count := process_batch(succession.pk, now):
        total += count
    return total


def _lock_with_bodies(succession_id: int) -> Succession:
    """Lock the succession and its organisations, so that none of these organisations is merged in the meantime.

    The lock (FOR NO KEY UPDATE) still allows new rows that refer to the organisations.
    """
    locked_succession = lock_succession(succession_id)
    ties = locked_succession.ties.all()
    bodies = Organisation.objects.filter(Q(pk__in=ties.values("predecessor")) | Q(pk__in=ties.values("successor")))
    list(bodies.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    return locked_succession


@transaction.atomic
def _apply_batch(succession: int, now: dt.datetime) -> int:
    """Apply at most `BATCH` accepted lines in one transaction, and return the number of applied lines."""
    locked_succession = _lock_with_bodies(succession)
    if not is_in_force(locked_succession):
        return 0
    ready_lines = (
        locked_succession.handovers.ready().select_for_update(of=("self",)).select_related("predecessor", "successor")
    )
    lines = list(ready_lines.order_by("predecessor", "kind", "successor", "pk")[:BATCH])
    changes: list[Change] = []
    for (code, _, _), group in _grouped(lines).items():
        moving = Moving(
            source=group[0].predecessor,
            target=group[0].successor,
            reason=str(locked_succession),
            author=None,
            now=now,
            succession=locked_succession.pk,
        )
        kind = obligation(code)
        record_ids = [line.record for line in group]
        held_before = _held_ids(kind, record_ids, moving)
        changes += move_records(kind, record_ids, moving)
        held_after = _held_ids(kind, record_ids, moving)
        _save_outcomes(group, held_before, held_after, now)
    save_changes(changes, succession=locked_succession)
    record_moved_memberships(changes, reason=str(locked_succession), author=None, now=now)
    journal_moved_memberships(changes, now=now)
    if lines:
        journal_handover(locked_succession, now=now)
    if lines and locked_succession.told_at is not None:
        # People have already been emailed about the succession, so they are emailed again about these lines.
        Succession.objects.filter(pk=locked_succession.pk).update(is_untold=True)
    return len(lines)


#: The kind of journal line about the records that a succession passed on.
HANDOVER = "handover"


def handover_identity(succession: Succession) -> str:
    """Return the journal's hash of a succession and its organisations."""
    ties = succession.ties.order_by("pk")
    bodies = Organisation.objects.filter(Q(pk__in=ties.values("predecessor")) | Q(pk__in=ties.values("successor")))
    parts = [part for id_and_time in bodies.order_by("pk").values_list("pk", "created_at") for part in id_and_time]
    return journal.identity(succession.pk, *parts)


def journal_handover(succession: Succession, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal how many records a succession has passed on or, if `undone`, returned."""
    count = succession.handovers.filter(state=HandoverState.APPLIED).count()
    identity = handover_identity(succession)
    journal.note(HANDOVER, now=now, succession=succession.pk, same=identity, count=count, undone=undone)


def _held_ids(kind: Obligation, records: Collection[int], moving: Moving) -> set[int]:
    """Return the ids of those records that the source still has."""
    rows = kind.records(moving.source, timezone.localdate(moving.now)).filter(pk__in=records)
    return set(rows.values_list("pk", flat=True))


def _save_outcomes(
    lines: Sequence[Handover], held_before: Collection[int], held_after: Collection[int], now: dt.datetime
) -> None:
    """Save for each line whether its record passed on or stayed; delete lines whose record had already ended."""
    Handover.objects.filter(pk__in=[line.pk for line in lines if line.record not in held_before]).delete()
    tried_lines = Handover.objects.filter(pk__in=[line.pk for line in lines if line.record in held_before])
    tried_lines.filter(record__in=held_after).update(state=HandoverState.STAYED, dispute=STAYED)
    tried_lines.exclude(record__in=held_after).update(state=HandoverState.APPLIED, applied_at=now)


@transaction.atomic
def _undo_batch(succession: int, now: dt.datetime) -> int:
    """Undo at most four times `BATCH` row changes or, if none are left, reopen lines; return their number."""
    locked_succession = _lock_with_bodies(succession)
    if is_in_force(locked_succession):
        return 0
    rows = list(MovedRow.objects.select_for_update().filter(succession=locked_succession).order_by("-pk")[: 4 * BATCH])
    changes = [Change(row.table, row.row, row.before, row.after) for row in reversed(rows)]
    undone_changes, _ = restore_changes(with_merged_replaced(changes))
    record_moved_memberships(undone_changes, reason=f"Undone: {locked_succession}", author=None, now=now)
    journal_moved_memberships(undone_changes, now=now)
    run_putting_back_hooks(undone_changes, now)
    if rows:
        journal_handover(locked_succession, now=now, undone=True)
    MovedRow.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows) or _reopen_lines(locked_succession, now)


def _reopen_lines(succession: Succession, now: dt.datetime) -> int:
    """Record that a batch of records was returned, and make their lines accepted again; return the number of lines."""
    applied_lines = succession.handovers.filter(state=HandoverState.APPLIED).select_for_update(of=("self",))
    lines = list(
        applied_lines.select_related("predecessor", "successor").order_by("predecessor", "kind", "successor", "pk")[
            :BATCH
        ]
    )
    for (code, _, _), group in _grouped(lines).items():
        kind = obligation(code)
        moving = Moving(
            source=group[0].successor, target=group[0].predecessor, reason=str(succession), author=None, now=now
        )
        record_ids = [line.record for line in group]
        returned_records = kind.records(moving.target, timezone.localdate(now)).filter(pk__in=record_ids)
        record_passing(kind, list(returned_records.order_by("pk")), moving)
    reopened_lines = Handover.objects.filter(pk__in=[line.pk for line in lines])
    reopened_lines.update(state=HandoverState.ACCEPTED, applied_at=None)
    return len(lines)


def _grouped(lines: Sequence[Handover]) -> dict[tuple[str, int, int], list[Handover]]:
    """Return the lines grouped by kind, predecessor and successor."""
    groups: dict[tuple[str, int, int], list[Handover]] = defaultdict(list)
    for line in lines:
        groups[line.kind, line.predecessor_id, line.successor_id].append(line)
    return groups
