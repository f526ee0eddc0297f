"""Undo a succession by recording another succession."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db import transaction

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import NameKind, Organisation, Status, Succession, SuccessionKind, TieRole
from partnerships.organisations.services.succession_ties import NewTie, UnableToRecordSuccession, ties_of
from partnerships.organisations.services.successions import (
    SuccessionFields,
    lock_succession,
    lock_with_order,
    record_succession,
)
from partnerships.people.models import User

#: The kind of succession that undoes each kind. All other kinds are undone by the same kind.
_UNDOING_KIND = {
    SuccessionKind.MERGE: SuccessionKind.SPLIT,
    SuccessionKind.SPLIT: SuccessionKind.MERGE,
    SuccessionKind.ABSORB: SuccessionKind.SPLIT,
    SuccessionKind.AMALGAMATION: SuccessionKind.SPLIT,
    SuccessionKind.TRANSFER_OF_ENGAGEMENTS: SuccessionKind.SPLIT,
    SuccessionKind.DISSOLUTION: SuccessionKind.REPLACE,
}
#: Kinds whose successors exist before the succession.
_KINDS_INTO_EXISTING = frozenset(
    {
        SuccessionKind.ABSORB,
        SuccessionKind.TRANSFER_OF_ENGAGEMENTS,
        SuccessionKind.BOUNDARY_CHANGE,
        SuccessionKind.FUNCTION_TRANSFER,
    }
)


class _Effect(NamedTuple):
    """The kind and ties of a succession, and its new name or code."""

    kind: SuccessionKind
    ties: list[NewTie]
    fields: SuccessionFields


@transaction.atomic
def undo_succession(
    *,
    succession: Succession,
    vests_on: PartialDate | None,
    status: str,
    reason: str,
    author: User | None,
    now: dt.datetime,
    together: bool = False,
) -> Succession:
    """Record the succession that undoes another one.

    For example, a split of C into A and B undoes the merger of A and B into C. `vests_on` is its vesting day.
    Organisations that existed before the undone succession continue. With `together`, other successions of the same
    order and status are undone, too. Raises `UnableToRecordSuccession`.
    """
    reason = reason.strip()
    if not reason:
        raise UnableToRecordSuccession("Enter a reason.")
    # Because of the lock, the second of two transactions sees what the first transaction recorded.
    _, *others_of_order = lock_with_order(succession) if together else [lock_succession(succession.pk)]
    if succession.undone_by.live().exists():
        raise UnableToRecordSuccession("Another succession already undoes this one, so you do not need to record one.")

    for other in others_of_order:
        if not other.undone_by.live().exists():
            undo_succession(succession=other, vests_on=vests_on, status=status, reason=reason, author=author, now=now)

    effect = _original(succession.undoes) if succession.undoes is not None else _opposite(succession)
    # The new succession has the same proposal, so that pending successions of that proposal are not its rivals.
    fields: SuccessionFields = {"place": succession.place, "proposal": succession.proposal}
    fields.update(effect.fields)
    return record_succession(
        kind=effect.kind,
        vests_on=vests_on,
        ties=effect.ties,
        status=status,
        undoes=succession,
        reason=reason,
        author=author,
        now=now,
        **fields,
    )


def _original(succession: Succession) -> _Effect:
    """Return the effect of a succession that happens again because its undoing is undone."""
    fields: SuccessionFields = {
        "new_name": succession.new_name,
        "new_code": succession.new_code,
        "new_code_scheme": succession.new_code_scheme,
    }
    return _Effect(SuccessionKind(succession.kind), ties_of(succession), fields)


def _opposite(succession: Succession) -> _Effect:
    """Return the effect that undoes a succession. Raises `UnableToRecordSuccession`."""
    kind = SuccessionKind(succession.kind)
    fields: SuccessionFields = {"new_name": _former_name(succession)} if kind == SuccessionKind.RENAME else {}
    return _Effect(_UNDOING_KIND.get(kind, kind), _reversed_ties(succession), fields)


def _reversed_ties(succession: Succession) -> list[NewTie]:
    """Return the ties of a succession in the opposite direction; organisations that existed before continue."""
    reversed_ties: list[NewTie] = []
    for tie in ties_of(succession):
        if tie.successor is None or tie.successor == tie.predecessor:
            reversed_ties.append(NewTie(tie.predecessor, tie.predecessor, TieRole.CONTINUING, tie.function))
            continue
        reversed_ties.append(NewTie(tie.successor, tie.predecessor, function=tie.function))
        if _existed_before(tie.successor, succession):
            reversed_ties.append(NewTie(tie.successor, tie.successor, TieRole.CONTINUING, tie.function))
    return list({tie.key: tie for tie in reversed_ties}.values())


def _existed_before(organisation: Organisation, succession: Succession) -> bool:
    """Return True if a successor existed before the succession, according to its dates.

    Otherwise the organisation ends when the succession is undone.
    """
    vests = succession.vests_on
    if succession.kind in _KINDS_INTO_EXISTING or vests is None:
        return True
    if organisation.valid_from is None:
        # If the succession had started this organisation, the organisation would have a first day.
        return organisation.status not in {Status.PROPOSED, Status.SHADOW}
    return bool(organisation.valid_from < vests.earliest)


def _former_name(succession: Succession) -> str:
    """Return the name that a rename ended. Raises `UnableToRecordSuccession` if this name is not known."""
    vests = succession.vests_on
    organisations = Organisation.objects.filter(ties_as_successor__succession=succession)
    for organisation in organisations.order_by("pk"):
        former_names = organisation.names.filter(kind=NameKind.FORMER, valid_to=vests.earliest if vests else None)
        if former_name := former_names.order_by("pk").first():
            return former_name.name
    raise UnableToRecordSuccession("We do not know the earlier name. Record a rename instead.")
