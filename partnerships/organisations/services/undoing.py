"""Undo a succession by another one."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import NameKind, Organisation, Status, Succession, SuccessionKind, TieRole
from partnerships.organisations.services.succession_ties import NewTie, UnableToRecordSuccession, ties_of
from partnerships.organisations.services.successions import (
    SuccessionFields,
    lock_order,
    lock_succession,
    record_succession,
)
from partnerships.people.models import User

#: The kind that undoes each kind; the others are undone by their own kind.
_BACK = {
    SuccessionKind.MERGE: SuccessionKind.SPLIT,
    SuccessionKind.SPLIT: SuccessionKind.MERGE,
    SuccessionKind.ABSORB: SuccessionKind.SPLIT,
    SuccessionKind.AMALGAMATION: SuccessionKind.SPLIT,
    SuccessionKind.TRANSFER_OF_ENGAGEMENTS: SuccessionKind.SPLIT,
    SuccessionKind.DISSOLUTION: SuccessionKind.REPLACE,
}
#: Kinds whose successors existed before.
_INTO_EXISTING = frozenset(
    {
        SuccessionKind.ABSORB,
        SuccessionKind.TRANSFER_OF_ENGAGEMENTS,
        SuccessionKind.BOUNDARY_CHANGE,
        SuccessionKind.FUNCTION_TRANSFER,
    }
)


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
    """A succession with the ties of another the other way round.

    `together`: the others of its order that have come as far, and that nothing undoes yet, are undone too. `vests_on`
    is the first day on which the other one counts no longer. Bodies that existed before it continue. What is undone
    already is not undone again. Raises `UnableToRecordSuccession`.
    """
    if not reason.strip():
        raise UnableToRecordSuccession("Give a reason.")
    # Of two at once, the second is refused.
    _, *alike = lock_order(succession) if together else [lock_succession(succession.pk)]
    if succession.undone_by.live().exists():
        raise UnableToRecordSuccession("Another succession has already undone it.")
    for other in alike:
        if not other.undone_by.live().exists():
            undo_succession(succession=other, vests_on=vests_on, status=status, reason=reason, author=author, now=now)
    # With its proposal, so that what is still pending of that proposal is no rival.
    fields: SuccessionFields = {"place": succession.place, "proposal": succession.proposal}
    if succession.undoes is not None:  # What it undid happens again.
        kind, ties = SuccessionKind(succession.undoes.kind), ties_of(succession.undoes)
        again = succession.undoes
        fields |= {"new_name": again.new_name, "new_code": again.new_code, "new_code_scheme": again.new_code_scheme}
    else:
        kind, ties = SuccessionKind(succession.kind), _ties_back(succession)
        if kind == SuccessionKind.RENAME:
            fields["new_name"] = _former_name(succession)
        kind = _BACK.get(kind, kind)
    return record_succession(
        kind=kind,
        vests_on=vests_on,
        ties=ties,
        status=status,
        undoes=succession,
        reason=reason.strip(),
        author=author,
        now=now,
        **fields,
    )


def _ties_back(succession: Succession) -> list[NewTie]:
    ties_back: list[NewTie] = []
    for tie in ties_of(succession):
        if tie.successor is None or tie.successor == tie.predecessor:
            ties_back.append(NewTie(tie.predecessor, tie.predecessor, TieRole.CONTINUING, tie.function))
            continue
        ties_back.append(NewTie(tie.successor, tie.predecessor, function=tie.function))
        if _existed_before(tie.successor, succession):
            ties_back.append(NewTie(tie.successor, tie.successor, TieRole.CONTINUING, tie.function))
    return list({tie.key: tie for tie in ties_back}.values())


def _existed_before(body: Organisation, succession: Succession) -> bool:
    """Whether a successor existed before, as far as the days say.

    Undoing ends only what the succession began.
    """
    vests = succession.vests_on
    if succession.kind in _INTO_EXISTING or vests is None:
        return True
    if body.valid_from is None:  # Taking effect would have given it a first day.
        return body.status not in {Status.PROPOSED, Status.SHADOW}
    return bool(body.valid_from < vests.earliest)


def _former_name(succession: Succession) -> str:
    """The name that the rename ended."""
    vests = succession.vests_on
    bodies = Organisation.objects.filter(ties_as_successor__succession=succession)
    for body in bodies.order_by("pk"):
        ended = body.names.filter(kind=NameKind.FORMER, valid_to=vests.earliest if vests else None)
        if name := ended.order_by("pk").first():
            return name.name
    raise UnableToRecordSuccession("The earlier name is not known: record a rename.")
