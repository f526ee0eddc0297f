"""Apply accepted handover lines in batches, and undo them. `vesting.py` does this on the day of the succession."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.kit import journal
from partnerships.organisations.lineage import is_in_force
from partnerships.organisations.models import Handover, HandoverState, MovedRow, Organisation, Succession
from partnerships.organisations.obligations import (
    Change,
    Obligation,
    RecordMove,
    obligation,
    run_restore_hooks,
)
from partnerships.organisations.services.moved_memberships import journal_moved_memberships, record_moved_memberships
from partnerships.organisations.services.moving import (
    move_records,
    record_passed_records,
    replace_merged_organisations,
    restore_changes,
    save_changes,
)
from partnerships.organisations.services.successions import lock_succession

#: The number of lines that one transaction applies. With more, people on the site would have to wait for its locks.
BATCH = 500
#: The reason that people read if an accepted line could not be applied.
STAYED = "This record is between the two organisations, or the successor already has one like it."
#: The kind of journal line about the records that a succession passed on.
HANDOVER = "handover"


def apply_handovers(*, succession: Succession, now: dt.datetime) -> int:
    """Apply the accepted lines if the succession is in force, and return the number of applied lines.

    Each batch has its own transaction, so this function can stop at any point and be called again.
    """
    return _repeat_batches(_apply_batch, succession, now)


def undo_handovers(*, succession: Succession, now: dt.datetime) -> int:
    """Return everything that an undone succession had passed on; return the number of rows and lines.

    This happens in batches, the last changes first. Rows that somebody changed in the meantime are not restored.
    """
    return _repeat_batches(_undo_batch, succession, now)


def _repeat_batches(process_batch: Callable[[int, dt.datetime], int], succession: Succession, now: dt.datetime) -> int:
    """Process batches until a batch is empty, and return the total of their counts."""
    total = 0
    while count := process_batch(succession.pk, now):
        total += count
    return total


@transaction.atomic
def _apply_batch(succession_id: int, now: dt.datetime) -> int:
    """Apply at most `BATCH` accepted lines in one transaction, and return the number of applied lines."""
    succession = _lock_with_bodies(succession_id)
    if not is_in_force(succession):
        return 0
    lines = _lock_batch(succession.handovers.ready_to_apply())
    if not lines:
        return 0

    changes: list[Change] = []
    for group in _groups_of(lines):
        changes += _apply_group(succession, group, now)
    save_changes(changes, succession=succession)

    record_moved_memberships(changes, reason=str(succession), author=None, now=now)
    journal_moved_memberships(changes, now=now)
    journal_handover(succession, now=now)

    if succession.told_at is not None:
        # People have already been emailed about the succession, so they are emailed again about these lines.
        Succession.objects.filter(pk=succession.pk).update(is_untold=True)
    return len(lines)


def _apply_group(succession: Succession, group: Sequence[Handover], now: dt.datetime) -> list[Change]:
    """Apply lines of one kind between the same two organisations, and return the changes of rows."""
    first_line = group[0]
    kind = obligation(first_line.kind)
    record_ids = [line.record for line in group]
    move = RecordMove(
        source=first_line.predecessor,
        target=first_line.successor,
        reason=str(succession),
        author=None,
        now=now,
        succession=succession.pk,
    )

    held_before = _held_ids(kind, record_ids, move)
    changes = move_records(kind, record_ids, move)
    held_after = _held_ids(kind, record_ids, move)
    _save_outcomes(group, held_before, held_after, now)
    return changes


def _held_ids(kind: Obligation, record_ids: Collection[int], move: RecordMove) -> set[int]:
    """Return the ids of those records that the source still has."""
    rows = kind.records(move.source, timezone.localdate(move.now)).filter(pk__in=record_ids)
    return set(rows.values_list("pk", flat=True))


def _save_outcomes(
    lines: Sequence[Handover], held_before: Collection[int], held_after: Collection[int], now: dt.datetime
) -> None:
    """Save for each line whether its record passed on. Delete the lines of records that had ended before."""
    ended_line_ids = [line.pk for line in lines if line.record not in held_before]
    Handover.objects.filter(pk__in=ended_line_ids).delete()

    tried_lines = Handover.objects.filter(pk__in=[line.pk for line in lines if line.record in held_before])
    tried_lines.filter(record__in=held_after).update(state=HandoverState.STAYED, dispute=STAYED)
    tried_lines.exclude(record__in=held_after).update(state=HandoverState.APPLIED, applied_at=now)


@transaction.atomic
def _undo_batch(succession_id: int, now: dt.datetime) -> int:
    """Undo at most four times `BATCH` row changes or, if none are left, reopen lines; return their number."""
    succession = _lock_with_bodies(succession_id)
    if is_in_force(succession):
        return 0
    rows = list(MovedRow.objects.select_for_update().filter(succession=succession).order_by("-pk")[: 4 * BATCH])
    if not rows:
        return _reopen_batch(succession, now)

    changes = [Change(row.table, row.row, row.before, row.after) for row in reversed(rows)]
    undone_changes, _remaining_changes = restore_changes(replace_merged_organisations(changes))

    record_moved_memberships(undone_changes, reason=f"Undone: {succession}", author=None, now=now)
    journal_moved_memberships(undone_changes, now=now)
    run_restore_hooks(undone_changes, now)
    journal_handover(succession, now=now, undone=True)

    MovedRow.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _reopen_batch(succession: Succession, now: dt.datetime) -> int:
    """Record that a batch of records was returned, and make their lines accepted again; return the number of lines."""
    lines = _lock_batch(succession.handovers.filter(state=HandoverState.APPLIED))
    for group in _groups_of(lines):
        _record_return(succession, group, now)

    reopened_lines = Handover.objects.filter(pk__in=[line.pk for line in lines])
    reopened_lines.update(state=HandoverState.ACCEPTED, applied_at=None)
    return len(lines)


def _record_return(succession: Succession, group: Sequence[Handover], now: dt.datetime) -> None:
    """Record in the logs of the records of these lines that the predecessor has them again."""
    first_line = group[0]
    kind = obligation(first_line.kind)
    move = RecordMove(
        source=first_line.successor, target=first_line.predecessor, reason=str(succession), author=None, now=now
    )
    predecessor_records = kind.records(move.target, timezone.localdate(now))
    returned_records = predecessor_records.filter(pk__in=[line.record for line in group])
    record_passed_records(kind, list(returned_records.order_by("pk")), move)


def _lock_with_bodies(succession_id: int) -> Succession:
    """Lock the succession and its organisations, so that none of these organisations is merged in the meantime.

    The lock (FOR NO KEY UPDATE) still allows new rows that refer to the organisations.
    """
    succession = lock_succession(succession_id)
    organisations = _bodies_of(succession)
    list(organisations.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    return succession


def _lock_batch(lines: QuerySet[Handover]) -> list[Handover]:
    """Lock at most `BATCH` of these lines, and return them with lines of the same group one after another."""
    locked_lines = lines.select_for_update(of=("self",)).select_related("predecessor", "successor")
    return list(locked_lines.order_by("predecessor", "kind", "successor", "pk")[:BATCH])


def _groups_of(lines: Sequence[Handover]) -> list[list[Handover]]:
    """Return the lines grouped by kind, predecessor and successor."""
    groups: dict[tuple[str, int, int], list[Handover]] = defaultdict(list)
    for line in lines:
        groups[line.kind, line.predecessor_id, line.successor_id].append(line)
    return list(groups.values())


def journal_handover(succession: Succession, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal how many records a succession has passed on or, if `undone`, returned."""
    count = succession.handovers.filter(state=HandoverState.APPLIED).count()
    identity = handover_identity(succession)
    journal.note(HANDOVER, now=now, succession=succession.pk, same=identity, count=count, undone=undone)


def handover_identity(succession: Succession) -> str:
    """Return the hash by which the journal recognises a succession and its organisations after a restore."""
    ids_and_times: list[object] = []
    for pk, created_at in _bodies_of(succession).order_by("pk").values_list("pk", "created_at"):
        ids_and_times += [pk, created_at]
    return journal.identity(succession.pk, *ids_and_times)


def _bodies_of(succession: Succession) -> QuerySet[Organisation]:
    """Return the predecessors and successors of a succession."""
    ties = succession.ties.all()
    return Organisation.objects.filter(Q(pk__in=ties.values("predecessor")) | Q(pk__in=ties.values("successor")))
