"""Ties to record, and whether they make a possible succession."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from django.utils import timezone

from partnerships.organisations.models import (
    KEEPING,
    Function,
    Organisation,
    Succession,
    SuccessionKind,
    SuccessionStatus,
    TieRole,
)

#: Kinds in which a body may follow itself, with another name, code or legal form.
_SAME_BODY = frozenset({SuccessionKind.RENAME, SuccessionKind.RECODE, SuccessionKind.CONVERSION})


class UnableToRecordSuccession(Exception):
    """The ties, shares or dates of a succession contradict each other."""


@dataclass(frozen=True, slots=True)
class NewTie:
    """A tie to record; see `SuccessionTie`."""

    predecessor: Organisation
    successor: Organisation | None
    role: str = TieRole.SUCCESSOR
    function: str | None = None
    share: Decimal | None = None
    geography: str = ""

    @property
    def key(self) -> tuple[int, int | None, str | None]:
        """What only one tie of a succession has."""
        return self.predecessor.pk, self.successor.pk if self.successor else None, self.function

    @property
    def words(self) -> str:
        """The tie as histories say it: "Elm → East (planning, 60% of its area in LAD 2025)"."""
        parts = [Function.label_of(self.function).lower()] if self.function else []
        if self.role != TieRole.SUCCESSOR:
            parts.append(TieRole(self.role).label.lower())
        if self.share is not None:
            parts.append(f"{(self.share * 100).normalize():f}% of its area in {self.geography}")
        names = f"{self.predecessor.name} → {self.successor.name if self.successor else 'nobody'}"
        return f"{names} ({', '.join(parts)})" if parts else names


def ties_between(
    predecessors: Iterable[Organisation],
    successors: Iterable[Organisation | None],
    *,
    functions: Iterable[str | None] = (None,),
) -> list[NewTie]:
    """A tie from each predecessor to each successor; who is both continues.

    A successor of None: nobody follows.
    """
    return [
        NewTie(before, after, TieRole.CONTINUING if before == after else TieRole.SUCCESSOR, function)
        for before, after, function in product(predecessors, successors, functions)
    ]


def ties_of(succession: Succession) -> list[NewTie]:
    """The ties of a succession, the first recorded first."""
    return [
        NewTie(
            predecessor=tie.predecessor,
            successor=tie.successor,
            role=tie.role,
            function=tie.function_id,
            share=tie.share,
            geography=tie.geography,
        )
        for tie in succession.ties.select_related("predecessor", "successor").order_by("pk")
    ]


def check_succession(succession: Succession, ties: Collection[NewTie], *, now: dt.datetime) -> None:
    """Raise `UnableToRecordSuccession` if the parts contradict each other."""
    words = (
        _wrong_ties(succession, ties)
        or _wrong_shares(succession, ties)
        or _wrong_dates(succession, timezone.localdate(now))
    )
    if words:
        raise UnableToRecordSuccession(words)


def _wrong_ties(succession: Succession, ties: Collection[NewTie]) -> str:
    """What is wrong with the predecessors and successors, as a sentence, or ""."""
    if not ties:
        return "Name at least one predecessor and one successor."
    if len({tie.key for tie in ties}) < len(ties):
        return "The same two organisations are named twice for one function."
    if all(tie.successor is None for tie in ties) and succession.kind not in {
        SuccessionKind.DISSOLUTION,
        SuccessionKind.FUNCTION_TRANSFER,
    }:
        return "Name at least one predecessor and one successor."
    own = [tie for tie in ties if tie.successor == tie.predecessor]
    if any(tie.role != TieRole.CONTINUING for tie in own):
        return "An organisation cannot follow itself: say that it continues."
    if len(own) == len(ties) and succession.kind not in _SAME_BODY and succession.undoes is None:
        return "An organisation cannot follow itself."
    if succession.kind == SuccessionKind.RENAME and own and not succession.new_name.strip():
        return "Give the new name."
    if succession.kind == SuccessionKind.RECODE and len({tie.successor for tie in ties}) > 1 and succession.new_code:
        return "A new code belongs to one organisation: record the others separately."
    if succession.kind != SuccessionKind.RECODE and succession.new_code:
        return "Only “Recoded” has a new code: give a new organisation its code in Django admin."
    if succession.kind == SuccessionKind.FUNCTION_TRANSFER and not all(tie.function for tie in ties):
        return "Say for each organisation which function it takes over."
    return ""


def _wrong_shares(succession: Succession, ties: Collection[NewTie]) -> str:
    shares: dict[tuple[int, str | None], list[Decimal | None]] = {}
    for tie in ties:
        if tie.share is not None and not tie.geography.strip():
            return "Say in which areas the share was measured, such as LAD 2025."
        if tie.share is not None and not 0 < tie.share <= 1:
            return "A share is more than 0 and at most 1."
        shares.setdefault((tie.predecessor.pk, tie.function), []).append(tie.share)
    for group in shares.values():
        stated = [share for share in group if share is not None]
        total = sum(stated, Decimal(0))
        if total > 1 or (total == 1 and len(stated) < len(group)):
            return "The shares of one organisation come to more than 1."
        if stated and len(stated) == len(group) and total < 1 and succession.kind not in KEEPING:
            return "The shares of one organisation must come to 1."
    return ""


def _wrong_dates(succession: Succession, today: dt.date) -> str:
    """What is wrong with the dates, as a sentence; blank if nothing."""
    vests, shadow, undoes = succession.vests_on, succession.shadow_on, succession.undoes
    if succession.status == SuccessionStatus.EFFECTIVE:
        if vests is not None and vests.earliest > today:
            return "The succession cannot have taken effect before its vesting day."
    elif succession.is_certain and vests is None:
        return "Give the vesting day."
    if vests is not None and shadow is not None and shadow.earliest > vests.latest:
        return "The election or shadow period must come before the vesting day."
    for later in succession.undone_by.live() if succession.pk else ():
        if vests is not None and later.vests_on is not None and later.vests_on.earliest < vests.latest:
            return f"Another succession undoes it from {later.vests_on.words}: it must take effect before."
    if undoes is not None:
        if not undoes.is_certain:
            return "Only a succession that is certain can be undone: cancel it."
        if vests is None or (undoes.vests_on is not None and vests.earliest < undoes.vests_on.latest):
            return "This succession must take effect after the one that it undoes."
    return ""
