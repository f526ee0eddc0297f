"""Record, correct and cancel successions, and let them take effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction

from partnerships.activity.values import apply_changes
from partnerships.kit.dates import PartialDate
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.lineage import rivals_of, with_it
from partnerships.organisations.models import CERTAIN, Organisation, Succession, SuccessionStatus, SuccessionTie
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.organisations.services.succession_ties import (
    NewTie,
    UnableToRecordSuccession,
    check_succession,
    ties_of,
)
from partnerships.people.models import User


class UnableToChangeSuccession(Exception):
    """The succession is final, a reason or date is missing, or a rival stands against it."""


class SuccessionFields(TypedDict, total=False):
    """Optional fields of a succession; see the model."""

    shadow_on: PartialDate | None
    codes_on: PartialDate | None
    place: str
    proposal: str
    new_name: str
    new_code: str
    new_code_scheme: str
    instrument: str
    instrument_url: str
    source: str
    source_url: str


class CorrectedFields(SuccessionFields, total=False):
    """Fields of a succession that can be corrected."""

    kind: str
    vests_on: PartialDate | None


#: What can still be corrected of a succession in effect: what happened is undone by another one.
_WORDS = frozenset({"codes_on", "place", "proposal", "instrument", "instrument_url", "source", "source_url"})


@transaction.atomic
def record_succession(
    *,
    kind: str,
    vests_on: PartialDate | None,
    ties: Collection[NewTie],
    author: User | None,
    now: dt.datetime,
    status: str = SuccessionStatus.PROPOSED,
    undoes: Succession | None = None,
    reason: str = "",
    **fields: Unpack[SuccessionFields],
) -> Succession:
    """Record a succession.

    The same again makes no new row, but adds what was not known of it. With the status “effective” it is one of the
    past, whose organisations have begun and ended already: an importer knows those. One that was pending then becomes
    effective. Raises `UnableToRecordSuccession`, also where a person says of a known one what it contradicts, and
    `UnableToChangeSuccession` if its order is made while a rival stands against it.
    """
    require(roles_of(author, now).keeps_directory)
    duplicate = _known(kind, vests_on, ties, undoes)
    if duplicate is None:  # Of two at once, the second finds what the first recorded.
        _lock_organisations(ties)
        duplicate = _known(kind, vests_on, ties, undoes)
    if duplicate is not None:  # The succession before its organisations, as everywhere.
        locked = lock_succession(duplicate.pk)
        _complete(locked, fields, reason=reason, author=author, now=now)
        if status == SuccessionStatus.EFFECTIVE and not locked.is_final:
            set_status(locked, status, reason="A register says that it has happened.", author=author, now=now)
        return locked
    fields.setdefault("new_code", "")  # else the database gives it, and until then the object has an expression
    succession = Succession(kind=kind, status=status, vests_on=vests_on, undoes=undoes, **fields)
    check_succession(succession, ties, now=now)
    if succession.is_certain and not succession.is_final:
        check_certain(succession)
    succession.save(force_insert=True)
    _save_ties(succession, ties)
    _record(succession, EventKind.SUCCESSION_RECORDED, author=author, now=now, after=_said(succession), reason=reason)
    return succession


@transaction.atomic
def correct_succession(
    *,
    succession: Succession,
    reason: str,
    author: User | None,
    now: dt.datetime,
    ties: Collection[NewTie] | None = None,
    **fields: Unpack[CorrectedFields],
) -> tuple[str, ...]:
    """Correct a succession and return the names of the changed fields.

    Of one in effect only its sources and codes change, and a vesting day that was unknown or known to the month or
    year only. Raises `UnableToChangeSuccession` and `UnableToRecordSuccession`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_succession(succession.pk)
    if not reason.strip():
        raise UnableToChangeSuccession("Give a reason.")
    if locked.status == SuccessionStatus.CANCELLED:
        raise UnableToChangeSuccession("The succession was cancelled: record it again.")

    old_day, old_ties = locked.vests_on, ties_of(locked)
    new_ties = old_ties if ties is None else list(ties)
    ties_change = set(new_ties) != set(old_ties)
    before, after = apply_changes(locked, fields)
    changed_fields = tuple(before)
    if not changed_fields and not ties_change:
        return ()
    if locked.status == SuccessionStatus.EFFECTIVE:
        is_same_day = _is_within(locked.vests_on, old_day)
        _check_past_may_change(changed_fields, is_same_day=is_same_day, ties_change=ties_change)
    _lock_organisations([*old_ties, *new_ties])
    check_succession(locked, new_ties, now=now)

    locked.refused_because, locked.refused_at = "", None  # the correction may have mended it
    locked.save(update_fields=[*changed_fields, "refused_because", "refused_at"])
    if ties_change:
        _replace_ties(locked, new_ties)
        before["ties"], after["ties"] = _ties_in_words(old_ties), _ties_in_words(new_ties)
    _record(
        locked,
        EventKind.SUCCESSION_CORRECTED,
        author=author,
        now=now,
        before=before,
        after=after,
        reason=reason.strip(),
        also=_bodies(old_ties),
    )
    for name in changed_fields:
        setattr(succession, name, getattr(locked, name))
    return tuple(before)


def _check_past_may_change(changed_fields: Collection[str], *, is_same_day: bool, ties_change: bool) -> None:
    """Refuse to correct more of a succession in effect than its sources, codes and the precision of its day."""
    correctable = _WORDS | {"vests_on"} if is_same_day else _WORDS
    if ties_change or not correctable.issuperset(changed_fields):
        raise UnableToChangeSuccession("The succession has taken effect: undo it by another one.")


def _is_within(day: PartialDate | None, known: PartialDate | None) -> bool:
    """Whether a day lies within the day, month or year known before; any day does if none was known."""
    if known is None:
        return True
    return day is not None and known.earliest <= day.earliest and day.latest <= known.latest


def _replace_ties(succession: Succession, ties: Collection[NewTie]) -> None:
    """Save these ties instead of the present ones, and drop handover lines that they no longer allow."""
    succession.ties.all().delete()
    _save_ties(succession, ties)
    _drop_lines(succession, ties)


@transaction.atomic
def add_tie(*, succession: Succession, tie: NewTie, reason: str, author: User | None, now: dt.datetime) -> None:
    """Add a tie to a pending succession, or replace the one with its bodies and function.

    Raises as `correct_succession` does.
    """
    other_ties = [other for other in ties_of(lock_succession(succession.pk)) if other.key != tie.key]
    correct_succession(succession=succession, ties=[*other_ties, tie], reason=reason, author=author, now=now)


@transaction.atomic
def remove_tie(*, tie: SuccessionTie, reason: str, author: User | None, now: dt.datetime) -> None:
    """Remove a tie from a pending succession. Raises as `correct_succession` does."""
    succession = lock_succession(tie.succession_id)
    gone = (tie.predecessor_id, tie.successor_id, tie.function_id)
    other_ties = [other for other in ties_of(succession) if other.key != gone]
    correct_succession(succession=succession, ties=other_ties, reason=reason, author=author, now=now)


@transaction.atomic
def change_succession_status(
    *,
    succession: Succession,
    to: str,
    reason: str,
    author: User | None,
    now: dt.datetime,
    together: bool = False,
) -> None:
    """Take a pending succession to another status, with a reason.

    `together`: all of its order that have its status. Rival proposals must be cancelled before an order is made. It
    takes effect through `take_effect`. While another one undoes it, it stays certain. Raises
    `UnableToChangeSuccession`.
    """
    require(roles_of(author, now).keeps_directory)
    if not reason.strip():
        raise UnableToChangeSuccession("Give a reason.")
    locked, *alike = lock_order(succession) if together else [lock_succession(succession.pk)]
    for succession_alike in (locked, *alike):
        _change_status(succession_alike, to, reason=reason.strip(), author=author, now=now)
    succession.status = locked.status


def _change_status(locked: Succession, to: str, *, reason: str, author: User | None, now: dt.datetime) -> None:
    if locked.is_final or to == locked.status:
        raise UnableToChangeSuccession(f"The succession is already {locked.get_status_display().lower()}.")
    if to == SuccessionStatus.EFFECTIVE:
        raise UnableToChangeSuccession("The succession takes effect on its vesting day.")
    if to in CERTAIN:
        check_certain(locked)
    elif locked.undone_by.live().exists():
        raise UnableToChangeSuccession("Another succession undoes this one: cancel that one first.")
    set_status(locked, to, reason=reason, author=author, now=now)


def lock_succession(succession_id: int) -> Succession:
    """The succession with its row locked until the transaction ends."""
    return Succession.objects.select_for_update().get(pk=succession_id)


def lock_order(succession: Succession) -> list[Succession]:
    """The succession and the others of its order that have come as far, locked by number; itself first."""
    alike = {other.pk for other in with_it(Succession.objects.get(pk=succession.pk))}
    locked = {pk: lock_succession(pk) for pk in sorted({succession.pk, *alike})}
    own = locked.pop(succession.pk)
    return [own, *(other for other in locked.values() if other.status == own.status)]


def _lock_organisations(ties: Iterable[NewTie]) -> None:
    ids = {body.pk for body in _bodies(ties)}
    list(Organisation.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def _bodies(ties: Iterable[NewTie]) -> list[Organisation]:
    bodies = {body.pk: body for tie in ties for body in (tie.predecessor, tie.successor) if body is not None}
    return [bodies[pk] for pk in sorted(bodies)]


def _drop_lines(succession: Succession, ties: Collection[NewTie]) -> None:
    """Delete handover lines to a body that is no longer a successor.

    What they are about has no line again.
    """
    allowed = {(tie.predecessor.pk, tie.successor.pk) for tie in ties if tie.successor is not None}
    dropped = []
    for line in succession.handovers.prefetch_related("others"):
        successors = [line.successor_id, *(other.pk for other in line.others.all())]
        if any((line.predecessor_id, successor) not in allowed for successor in successors):
            dropped.append(line.pk)
    succession.handovers.filter(pk__in=dropped).delete()


def _save_ties(succession: Succession, ties: Iterable[NewTie]) -> None:
    SuccessionTie.objects.bulk_create(
        SuccessionTie(
            succession=succession,
            predecessor=tie.predecessor,
            successor=tie.successor,
            role=tie.role,
            function_id=tie.function,
            share=tie.share,
            geography=tie.geography,
        )
        for tie in ties
    )


def _known(
    kind: str, vests_on: PartialDate | None, ties: Collection[NewTie], undoes: Succession | None
) -> Succession | None:
    """The live succession of this kind and day with the same ties, and that undoes the same one."""
    keys = {tie.key for tie in ties}
    likely = Succession.objects.live().filter(kind=kind, vests_on=vests_on)
    if undoes is not None:  # On the same day, what undoes an undoing has the ties of the first.
        likely = likely.filter(undoes=undoes)
    likely = likely.filter(ties__predecessor__in={tie.predecessor.pk for tie in ties}).distinct()
    for candidate in likely.order_by("pk"):
        if {(tie.predecessor_id, tie.successor_id, tie.function_id) for tie in candidate.ties.all()} == keys:
            return candidate
    return None


def _complete(
    existing: Succession, fields: SuccessionFields, *, reason: str, author: User | None, now: dt.datetime
) -> None:
    """Add to a known succession what was recorded again and it lacks.

    A list that says otherwise changes nothing; a person is told to correct it.
    """
    filled: dict[str, Any] = {name: value for name, value in fields.items() if value}
    if author is not None and any(getattr(existing, name) not in (None, "", value) for name, value in filled.items()):
        raise UnableToRecordSuccession("The succession is already recorded with other details. Correct it on its page.")
    missing = {name: value for name, value in filled.items() if not getattr(existing, name)}
    if existing.is_final:  # What happened stays as it is.
        missing = {name: value for name, value in missing.items() if name in _WORDS}
    before, after = apply_changes(existing, missing)
    if not before:
        return
    check_succession(existing, ties_of(existing), now=now)
    existing.save(update_fields=list(before))
    because = reason or "It was recorded again, with more details."
    _record(
        existing, EventKind.SUCCESSION_CORRECTED, author=author, now=now, before=before, after=after, reason=because
    )


def check_certain(succession: Succession) -> None:
    """Raise `UnableToChangeSuccession` if it cannot act by itself yet."""
    if succession.vests_on is None:
        raise UnableToChangeSuccession("Give the vesting day first.")
    if rival := rivals_of(succession).first():
        raise UnableToChangeSuccession(
            f"“{rival.proposal or rival}” is still proposed for {succession.place}: cancel it first."
        )


def set_status(succession: Succession, to: str, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Set the status of a locked succession and record it.

    Once it takes effect, people are to be told. People are no longer told of a succession that it undoes.
    """
    before, after = apply_changes(succession, {"status": to})
    succession.is_untold = to == SuccessionStatus.EFFECTIVE
    succession.refused_because, succession.refused_at = "", None  # what stood in its way before
    succession.save(update_fields=["status", "is_untold", "refused_because", "refused_at"])
    if to == SuccessionStatus.EFFECTIVE and succession.undoes is not None:
        Succession.objects.filter(pk=succession.undoes.pk).update(is_untold=False, told_at=None)
    _record(
        succession,
        EventKind.SUCCESSION_STATUS_CHANGED,
        author=author,
        now=now,
        before=before,
        after=after,
        reason=reason,
    )


def _said(succession: Succession) -> dict[str, Any]:
    return {
        "kind": succession.kind,
        "status": succession.status,
        "on": str(succession.vests_on) if succession.vests_on else None,
    }


def _ties_in_words(ties: Sequence[NewTie]) -> list[str]:
    return sorted(tie.words for tie in ties)


def _record(
    succession: Succession,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
    reason: str = "",
    also: Iterable[Organisation] = (),
) -> None:
    """Record an event of each organisation that the succession concerns."""
    bodies = {body.pk: body for body in (*_bodies(ties_of(succession)), *also)}
    data: dict[str, Any] = {"after": after | {"succession": succession.pk}}
    if before is not None:
        data["before"] = before
    if reason:
        data["reason"] = reason
    for pk in sorted(bodies):
        record_event(bodies[pk], event, author=author, now=now, data=data)
