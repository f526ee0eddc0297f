"""Record and correct successions, and change their status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, TypedDict, Unpack

from django.db import transaction

from partnerships.activity.values import apply_changes
from partnerships.kit.dates import PartialDate
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.lineage import others_of_order_with_status, rival_successions
from partnerships.organisations.models import (
    CERTAIN_STATUSES,
    Organisation,
    Succession,
    SuccessionStatus,
    SuccessionTie,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.organisations.services.succession_ties import (
    NewTie,
    UnableToRecordSuccession,
    check_succession,
    organisations_of,
    replace_ties,
    save_ties,
    ties_of,
)
from partnerships.people.models import User


class UnableToChangeSuccession(Exception):
    """Raised if the succession is final, a reason or date is missing, or a rival proposal has not been cancelled."""


class SuccessionFields(TypedDict, total=False):
    """The optional fields of a succession."""

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
    """The fields of a succession that can be corrected."""

    kind: str
    vests_on: PartialDate | None


#: Fields that can still be corrected once a succession has taken effect. Only another succession can undo its effects.
_CORRECTABLE_LATER = frozenset(
    {"codes_on", "place", "proposal", "instrument", "instrument_url", "source", "source_url"}
)


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
    """Record a succession, or add details to the same succession if it is already recorded; return it.

    Importers use the status “effective” for past successions whose organisations have already started and ended; a
    pending succession then becomes effective. Raises `UnableToRecordSuccession`, also if a person's details contradict
    the recorded details, and `UnableToChangeSuccession` if the order is made before a rival proposal is cancelled.
    """
    require(roles_of(author, now).may_change_directory)
    recorded_succession = _find_recorded(kind, vests_on, ties, undoes)
    if recorded_succession is None:
        # Look again under the lock, because another transaction may have recorded the succession in the meantime.
        _lock_organisations(ties)
        recorded_succession = _find_recorded(kind, vests_on, ties, undoes)
    if recorded_succession is not None:
        locked_succession = lock_succession(recorded_succession.pk)
        _add_details(locked_succession, fields, reason=reason, author=author, now=now)
        if status == SuccessionStatus.EFFECTIVE and not locked_succession.is_final:
            register_reason = "A register says that this has happened."
            set_status(locked_succession, status, reason=register_reason, author=author, now=now)
        return locked_succession

    # Without a value, the new object's field would contain the expression of the database default instead of a text.
    fields.setdefault("new_code", "")
    succession = Succession(kind=kind, status=status, vests_on=vests_on, undoes=undoes, **fields)
    check_succession(succession, ties, now=now)
    if succession.is_certain and not succession.is_final:
        check_certain(succession)

    succession.save(force_insert=True)
    save_ties(succession, ties)
    summary = {"kind": kind, "status": succession.status, "on": str(vests_on) if vests_on else None}
    _record(succession, EventKind.SUCCESSION_RECORDED, author=author, now=now, after=summary, reason=reason)
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
    """Correct a succession, and return the names of the changed fields.

    Once the succession has taken effect, only its sources and the day of the codes can change. Its vesting day can
    become more precise, for example a day instead of a month. Raises `UnableToChangeSuccession` and
    `UnableToRecordSuccession`.
    """
    require(roles_of(author, now).may_change_directory)
    locked_succession = lock_succession(succession.pk)
    if not reason.strip():
        raise UnableToChangeSuccession("Enter a reason.")
    if locked_succession.status == SuccessionStatus.CANCELLED:
        raise UnableToChangeSuccession("The succession was cancelled. Record it again.")

    old_day = locked_succession.vests_on
    old_ties = ties_of(locked_succession)
    new_ties = old_ties if ties is None else list(ties)
    has_new_ties = set(new_ties) != set(old_ties)
    before, after = apply_changes(locked_succession, fields)
    changed_fields = tuple(before)
    if not changed_fields and not has_new_ties:
        return ()
    if locked_succession.status == SuccessionStatus.EFFECTIVE:
        is_same_day = _is_within(locked_succession.vests_on, old_day)
        _check_past_may_change(changed_fields, is_same_day=is_same_day, has_new_ties=has_new_ties)
    _lock_organisations([*old_ties, *new_ties])
    check_succession(locked_succession, new_ties, now=now)

    # The correction may have removed the reason why the succession was refused.
    locked_succession.refused_because = ""
    locked_succession.refused_at = None
    locked_succession.save(update_fields=[*changed_fields, "refused_because", "refused_at"])
    if has_new_ties:
        replace_ties(locked_succession, new_ties)
        before["ties"] = sorted(tie.words for tie in old_ties)
        after["ties"] = sorted(tie.words for tie in new_ties)
    _record(
        locked_succession,
        EventKind.SUCCESSION_CORRECTED,
        author=author,
        now=now,
        before=before,
        after=after,
        reason=reason.strip(),
        former_organisations=organisations_of(old_ties),
    )

    # The caller's object gets the new values, too.
    for name in changed_fields:
        setattr(succession, name, getattr(locked_succession, name))
    return tuple(before)


def _check_past_may_change(changed_fields: Collection[str], *, is_same_day: bool, has_new_ties: bool) -> None:
    """Raise `UnableToChangeSuccession` for a correction that is not allowed after a succession took effect."""
    correctable = _CORRECTABLE_LATER | {"vests_on"} if is_same_day else _CORRECTABLE_LATER
    if has_new_ties or not correctable.issuperset(changed_fields):
        raise UnableToChangeSuccession(
            "The succession has already taken effect. Undo it with another succession instead."
        )


def _is_within(day: PartialDate | None, earlier_day: PartialDate | None) -> bool:
    """Return True if a date is part of the earlier month or year, is equal to it, or if there was no earlier date."""
    if earlier_day is None:
        return True
    return day is not None and earlier_day.earliest <= day.earliest and day.latest <= earlier_day.latest


@transaction.atomic
def add_tie(*, succession: Succession, tie: NewTie, reason: str, author: User | None, now: dt.datetime) -> None:
    """Add a tie to a pending succession, or replace the tie between the same organisations for the same function.

    Raises `UnableToChangeSuccession` and `UnableToRecordSuccession`.
    """
    other_ties = [other for other in ties_of(lock_succession(succession.pk)) if other.key != tie.key]
    correct_succession(succession=succession, ties=[*other_ties, tie], reason=reason, author=author, now=now)


@transaction.atomic
def remove_tie(*, tie: SuccessionTie, reason: str, author: User | None, now: dt.datetime) -> None:
    """Remove a tie from a pending succession. Raises `UnableToChangeSuccession` and `UnableToRecordSuccession`."""
    succession = lock_succession(tie.succession_id)
    removed_key = (tie.predecessor_id, tie.successor_id, tie.function_id)
    other_ties = [other for other in ties_of(succession) if other.key != removed_key]
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
    """Change the status of a pending succession, with a reason. Only `take_effect` makes a succession effective.

    With `together`, successions of the same order and status change, too. Rival proposals must be cancelled before an
    order is made. If another succession undoes this one, it must remain certain. Raises `UnableToChangeSuccession`.
    """
    require(roles_of(author, now).may_change_directory)
    if not reason.strip():
        raise UnableToChangeSuccession("Enter a reason.")
    locked_successions = lock_with_order(succession) if together else [lock_succession(succession.pk)]
    for locked_succession in locked_successions:
        _change_status(locked_succession, to, reason=reason.strip(), author=author, now=now)
    succession.status = locked_successions[0].status


def _change_status(succession: Succession, to: str, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Change the status of one locked succession. Raises `UnableToChangeSuccession`."""
    if succession.is_final or to == succession.status:
        raise UnableToChangeSuccession(
            f"The succession is already {succession.get_status_display().lower()}. Open "
            "its page again to see what has changed."
        )
    if to == SuccessionStatus.EFFECTIVE:
        raise UnableToChangeSuccession(
            "The succession takes effect automatically on its vesting day, so you do not need to change its status."
        )
    if to in CERTAIN_STATUSES:
        check_certain(succession)
    elif succession.undone_by.live().exists():
        raise UnableToChangeSuccession("Another succession undoes this one. Cancel that succession first.")
    set_status(succession, to, reason=reason, author=author, now=now)


def lock_succession(succession_id: int) -> Succession:
    """Lock a succession until the transaction ends, and return it. Lock successions before organisations."""
    return Succession.objects.select_for_update().get(pk=succession_id)


def lock_with_order(succession: Succession) -> list[Succession]:
    """Lock a succession and those of the same order and status; return them with the given succession first."""
    # Fetched again, because the caller's object may have an old order or status.
    current_succession = Succession.objects.get(pk=succession.pk)
    ids = {succession.pk, *(other.pk for other in others_of_order_with_status(current_succession))}
    # Locked in the order of their ids, so that two transactions cannot wait for each other.
    locked_by_id = {pk: lock_succession(pk) for pk in sorted(ids)}
    locked_succession = locked_by_id.pop(succession.pk)
    # Another transaction may have changed the status of one of them before the lock.
    others_with_status = [other for other in locked_by_id.values() if other.status == locked_succession.status]
    return [locked_succession, *others_with_status]


def _lock_organisations(ties: Iterable[NewTie]) -> None:
    """Lock the predecessors and successors of these ties until the transaction ends."""
    ids = {organisation.pk for organisation in organisations_of(ties)}
    list(Organisation.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def _find_recorded(
    kind: str, vests_on: PartialDate | None, ties: Collection[NewTie], undoes: Succession | None
) -> Succession | None:
    """Return the live succession with the same kind, day, ties and undone succession; None if there is none."""
    candidates = Succession.objects.live().filter(kind=kind, vests_on=vests_on)
    if undoes is not None:
        # Needed because a succession that undoes an undoing on the same day has the same ties as the first one.
        candidates = candidates.filter(undoes=undoes)
    candidates = candidates.filter(ties__predecessor__in={tie.predecessor.pk for tie in ties}).distinct()
    keys = {tie.key for tie in ties}
    for candidate in candidates.order_by("pk"):
        candidate_keys = {(tie.predecessor_id, tie.successor_id, tie.function_id) for tie in candidate.ties.all()}
        if candidate_keys == keys:
            return candidate
    return None


def _add_details(
    recorded: Succession, fields: SuccessionFields, *, reason: str, author: User | None, now: dt.datetime
) -> None:
    """Add details that a recorded succession lacks.

    Details from an imported list that contradict the recorded details are ignored. A person who enters such details
    gets an error instead.
    """
    details: dict[str, Any] = {name: value for name, value in fields.items() if value}
    contradicts = any(getattr(recorded, name) not in (None, "", value) for name, value in details.items())
    if author is not None and contradicts:
        raise UnableToRecordSuccession(
            "This succession is already recorded with other details. Correct the details on its page."
        )

    new_details = {name: value for name, value in details.items() if not getattr(recorded, name)}
    if recorded.is_final:
        new_details = {name: value for name, value in new_details.items() if name in _CORRECTABLE_LATER}
    before, after = apply_changes(recorded, new_details)
    if not before:
        return
    check_succession(recorded, ties_of(recorded), now=now)
    recorded.save(update_fields=list(before))
    _record(
        recorded,
        EventKind.SUCCESSION_CORRECTED,
        author=author,
        now=now,
        before=before,
        after=after,
        reason=reason or "The succession was recorded again, with more details.",
    )


def check_certain(succession: Succession) -> None:
    """Raise `UnableToChangeSuccession` if the succession has no vesting day or a rival proposal."""
    if succession.vests_on is None:
        raise UnableToChangeSuccession("Enter the vesting day first.")
    if rival := rival_successions(succession).first():
        raise UnableToChangeSuccession(
            f"“{rival.proposal or rival}” is still proposed for {succession.place}. Cancel it first."
        )


def set_status(succession: Succession, to: str, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Set the status of a locked succession, and record the change.

    If it becomes effective, people are emailed about it, and not about the succession that it undoes.
    """
    is_effective = to == SuccessionStatus.EFFECTIVE
    before, after = apply_changes(succession, {"status": to})
    succession.is_untold = is_effective
    succession.refused_because = ""
    succession.refused_at = None
    succession.save(update_fields=["status", "is_untold", "refused_because", "refused_at"])
    if is_effective and succession.undoes is not None:
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


def _record(
    succession: Succession,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
    reason: str = "",
    former_organisations: Iterable[Organisation] = (),
) -> None:
    """Record an event in the history of each organisation of the succession and of each former organisation."""
    data: dict[str, Any] = {"after": after | {"succession": succession.pk}}
    if before is not None:
        data["before"] = before
    if reason:
        data["reason"] = reason

    organisations = (*organisations_of(ties_of(succession)), *former_organisations)
    organisation_by_id = {organisation.pk: organisation for organisation in organisations}
    for pk in sorted(organisation_by_id):
        record_event(organisation_by_id[pk], event, author=author, now=now, data=data)
