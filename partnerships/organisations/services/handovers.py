"""Say who takes over what a body holds, answer that, and pass it on.

`vesting.py` does so by the clock.
"""

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
    tell_put_back,
)
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.services.moved_memberships import journal_moved_memberships, record_moved_memberships
from partnerships.organisations.services.moving import as_kept, keep_changes, move_records, put_back, record_passing
from partnerships.organisations.services.successions import lock_succession
from partnerships.people.models import User

#: How many lines one transaction passes on: few enough that nobody on the site waits for its locks.
BATCH = 500
#: Why something cannot pass on that both accepted.
STAYED = "It is between the two organisations, or the successor already has one of these."


class UnableToHandOverLines(Exception):
    """The organisation is no successor, a line is settled, or what it is about has gone."""


class LineDetails(TypedDict, total=False):
    """What a line says besides who takes over what.

    Why, who has to consent, what proves it, and by when to answer.
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
    """Say who takes over these things of one kind; returns how many.

    Leads of the predecessor, and administrators. A line that is not accepted yet is replaced. Raises
    `UnableToHandOverLines`.
    """
    roles = roles_of(author, now)
    require(roles.lead(predecessor.pk) or roles.keeps_directory)
    locked = lock_succession(succession.pk)
    if locked.status == SuccessionStatus.CANCELLED:
        raise UnableToHandOverLines("This succession was cancelled.")
    _check_successors(locked, predecessor, [successor, *others])
    if (sharing == Sharing.ALONE) != (not others):
        raise UnableToHandOverLines("Several organisations share it jointly, or each for its part.")
    lines = locked.handovers.filter(predecessor=predecessor, kind=kind, record__in=records)
    # Locked, so that the successor does not accept one of them before it is replaced.
    if set(lines.select_for_update().order_by("pk").values_list("state", flat=True)) - set(OPEN_HANDOVERS):
        raise UnableToHandOverLines("The successor has accepted some of these.")
    things = _found(kind, predecessor, records, now)
    lines.delete()
    created = Handover.objects.bulk_create(
        (
            Handover(
                succession=locked,
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
        (sharers(handover=line, organisation=other) for line in created for other in dict.fromkeys(others)),
        batch_size=1000,
    )
    return len(created)


def _check_successors(succession: Succession, predecessor: Organisation, successors: Iterable[Organisation]) -> None:
    allowed = set(succession.ties.filter(predecessor=predecessor).values_list("successor", flat=True))
    allowed -= {None, predecessor.pk}  # One that goes on takes nothing over from itself.
    if any(successor.pk not in allowed for successor in successors):
        raise UnableToHandOverLines(f"Choose a successor of {predecessor.name}.")


def _found(code: str, predecessor: Organisation, records: Collection[int], now: dt.datetime) -> list[Held]:
    try:
        kind = obligation(code)
    except UnableToMove as error:
        raise UnableToHandOverLines(str(error)) from error
    rows = kind.records(predecessor, timezone.localdate(now)).filter(pk__in=list(records)).order_by("pk")
    things = [kind.describe(row, predecessor) for row in rows]
    if not things or len(things) < len(set(records)):
        raise UnableToHandOverLines(f"{predecessor.name} no longer holds some of these. Look at the list again.")
    return things


@transaction.atomic
def answer_handovers(
    *, lines: Collection[Handover], accept: bool, author: User | None, now: dt.datetime, reason: str = ""
) -> int:
    """Accept or dispute lines, for their successors; returns how many.

    Leads of a successor answer for it. Of several successors each answers for its own part: the line is accepted once
    all have accepted, and disputed once one disputes it. A dispute needs a reason. Raises `UnableToHandOverLines`.
    """
    roles = roles_of(author, now)
    waiting = Handover.objects.select_for_update().filter(pk__in=[line.pk for line in lines])
    # What could not pass on is settled, not answered.
    can_answer = set(OPEN_HANDOVERS) - {HandoverState.STAYED}
    open_lines = list(waiting.filter(state__in=can_answer).prefetch_related("others").order_by("pk"))
    successors = {line.pk: (line.successor_id, *(other.pk for other in line.others.all())) for line in open_lines}
    for sharing in set(successors.values()):
        require(any(roles.lead(pk) for pk in sharing))
    if not open_lines or len(open_lines) < len(lines):
        raise UnableToHandOverLines("Some of these have already been answered. Look at the list again.")
    if not accept and not reason.strip():
        raise UnableToHandOverLines("Say why your organisation does not take it over.")
    if accept:
        shared = {pk: sharing for pk, sharing in successors.items() if len(sharing) > 1}
        answered = (successors.keys() - shared.keys()) | _accept_parts(shared, roles, author, now)
    else:
        answered = set(successors)
        led = {pk for sharing in successors.values() for pk in sharing if roles.lead(pk)}
        AcceptedPart.objects.filter(handover__in=answered, organisation__in=led).delete()
    waiting.filter(pk__in=answered).update(
        state=HandoverState.ACCEPTED if accept else HandoverState.DISPUTED,
        dispute="" if accept else reason.strip(),
        answered_by=author,
        answered_at=now,
    )
    return len(open_lines)


def _accept_parts(sides: Mapping[int, Sequence[int]], roles: Roles, author: User | None, now: dt.datetime) -> set[int]:
    """Accept the author's parts of shared lines. Returns the lines whose every part is accepted now."""
    accepted: dict[int, set[int]] = {pk: set() for pk in sides}
    for line, body in AcceptedPart.objects.filter(handover__in=sides).values_list("handover", "organisation"):
        accepted[line].add(body)
    new = [
        AcceptedPart(handover_id=line, organisation_id=body, accepted_by=author, accepted_at=now)
        for line, sharing in sides.items()
        for body in sharing
        if roles.lead(body) and body not in accepted[line]
    ]
    if {part.handover_id for part in new} != sides.keys():
        raise UnableToHandOverLines("Some of these have already been answered. Look at the list again.")
    AcceptedPart.objects.bulk_create(new, batch_size=1000)
    for part in new:
        accepted[part.handover_id].add(part.organisation_id)
    return {line for line, sharing in sides.items() if accepted[line] >= set(sharing)}


def apply_handovers(*, succession: Succession, now: dt.datetime) -> int:
    """Pass on what successors have accepted, while the succession is in force.

    Returns how many lines. In batches, each in a transaction of its own: it may stop at any point and be called again.
    """
    return _in_batches(_apply_batch, succession, now)


def undo_handovers(*, succession: Succession, now: dt.datetime) -> int:
    """Put back what a succession passed on, once it has been undone.

    Returns how many rows and lines. In batches, the last first. What somebody has changed since stays.
    """
    return _in_batches(_undo_batch, succession, now)


def _in_batches(step: Callable[[int, dt.datetime], int], succession: Succession, now: dt.datetime) -> int:
    count = 0
    while done := step(succession.pk, now):
        count += done
    return count


def _lock_with_bodies(succession_id: int) -> Succession:
    """The succession, locked with its bodies.

    Nobody merges one of them meanwhile; new rows may still name them.
    """
    locked = lock_succession(succession_id)
    ties = locked.ties.all()
    bodies = Organisation.objects.filter(Q(pk__in=ties.values("predecessor")) | Q(pk__in=ties.values("successor")))
    list(bodies.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    return locked


@transaction.atomic
def _apply_batch(succession: int, now: dt.datetime) -> int:
    """Move at most `BATCH` accepted lines in one transaction. Returns how many."""
    locked = _lock_with_bodies(succession)
    if not is_in_force(locked):
        return 0
    ready = locked.handovers.ready().select_for_update(of=("self",)).select_related("predecessor", "successor")
    lines = list(ready.order_by("predecessor", "kind", "successor", "pk")[:BATCH])
    changes: list[Change] = []
    for (code, _, _), group in _alike(lines).items():
        moving = Moving(
            source=group[0].predecessor,
            target=group[0].successor,
            reason=str(locked),
            author=None,
            now=now,
            succession=locked.pk,
        )
        kind, records = obligation(code), [line.record for line in group]
        held = _held(kind, records, moving)
        changes += move_records(kind, records, moving)
        _settle(group, held, _held(kind, records, moving), now)
    keep_changes(changes, succession=locked)
    record_moved_memberships(changes, reason=str(locked), author=None, now=now)
    journal_moved_memberships(changes, now=now)
    if lines:
        journal_handover(locked, now=now)
    if lines and locked.told_at is not None:
        Succession.objects.filter(pk=locked.pk).update(is_untold=True)  # where the rest went
    return len(lines)


#: The journal's name for what a succession passed on.
HANDOVER = "handover"


def handover_identity(succession: Succession) -> str:
    """The journal's hash of a succession and its bodies."""
    ties = succession.ties.order_by("pk")
    bodies = Organisation.objects.filter(Q(pk__in=ties.values("predecessor")) | Q(pk__in=ties.values("successor")))
    parts = [part for pair in bodies.order_by("pk").values_list("pk", "created_at") for part in pair]
    return journal.identity(succession.pk, *parts)


def journal_handover(succession: Succession, *, now: dt.datetime, undone: bool = False) -> None:
    """Note how many things a succession has passed on.

    `undone`: they have passed back.
    """
    count = succession.handovers.filter(state=HandoverState.APPLIED).count()
    identity = handover_identity(succession)
    journal.note(HANDOVER, now=now, succession=succession.pk, same=identity, count=count, undone=undone)


def _held(kind: Obligation, records: Collection[int], moving: Moving) -> set[int]:
    rows = kind.records(moving.source, timezone.localdate(moving.now)).filter(pk__in=records)
    return set(rows.values_list("pk", flat=True))


def _settle(lines: Sequence[Handover], held_ids: Collection[int], stayed: Collection[int], now: dt.datetime) -> None:
    """Say of each line whether it passed on.

    What was over already has no line any more.
    """
    Handover.objects.filter(pk__in=[line.pk for line in lines if line.record not in held_ids]).delete()
    rest = Handover.objects.filter(pk__in=[line.pk for line in lines if line.record in held_ids])
    rest.filter(record__in=stayed).update(state=HandoverState.STAYED, dispute=STAYED)
    rest.exclude(record__in=stayed).update(state=HandoverState.APPLIED, applied_at=now)


@transaction.atomic
def _undo_batch(succession: int, now: dt.datetime) -> int:
    locked = _lock_with_bodies(succession)
    if is_in_force(locked):
        return 0
    rows = list(MovedRow.objects.select_for_update().filter(succession=locked).order_by("-pk")[: 4 * BATCH])
    put, _ = put_back(as_kept(Change(row.table, row.row, row.before, row.after) for row in reversed(rows)))
    record_moved_memberships(put, reason=f"Undone: {locked}", author=None, now=now)
    journal_moved_memberships(put, now=now)
    tell_put_back(put, now)
    if rows:
        journal_handover(locked, now=now, undone=True)
    MovedRow.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows) or _take_lines_back(locked, now)


def _take_lines_back(succession: Succession, now: dt.datetime) -> int:
    """Record that things have passed back, and let their lines wait again. Returns how many lines."""
    applied = succession.handovers.filter(state=HandoverState.APPLIED).select_for_update(of=("self",))
    lines = list(
        applied.select_related("predecessor", "successor").order_by("predecessor", "kind", "successor", "pk")[:BATCH]
    )
    for (code, _, _), group in _alike(lines).items():
        kind, moving = (
            obligation(code),
            Moving(
                source=group[0].successor, target=group[0].predecessor, reason=str(succession), author=None, now=now
            ),
        )
        back = kind.records(moving.target, timezone.localdate(now)).filter(pk__in=[line.record for line in group])
        record_passing(kind, list(back.order_by("pk")), moving)
    waiting = Handover.objects.filter(pk__in=[line.pk for line in lines])
    waiting.update(state=HandoverState.ACCEPTED, applied_at=None)
    return len(lines)


def _alike(lines: Sequence[Handover]) -> dict[tuple[str, int, int], list[Handover]]:
    """Lines by kind, predecessor and successor."""
    lines_alike: dict[tuple[str, int, int], list[Handover]] = defaultdict(list)
    for line in lines:
        lines_alike[line.kind, line.predecessor_id, line.successor_id].append(line)
    return lines_alike
