"""The ties of a succession before they are saved, and the rules for a valid succession."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from django.utils import timezone

from partnerships.organisations.models import (
    KINDS_KEEPING_PREDECESSOR,
    Function,
    Organisation,
    Succession,
    SuccessionKind,
    SuccessionStatus,
    SuccessionTie,
    TieRole,
)

#: The kinds in which an organisation follows itself with another name, code or legal form.
_SAME_BODY = frozenset({SuccessionKind.RENAME, SuccessionKind.RECODE, SuccessionKind.CONVERSION})


class UnableToRecordSuccession(Exception):
    """Raised if the ties, shares or dates of a succession are not valid or contradict each other."""


@dataclass(frozen=True, slots=True)
class NewTie:
    """A tie between two organisations that is not saved yet."""

    predecessor: Organisation
    successor: Organisation | None
    role: str = TieRole.SUCCESSOR
    function: str | None = None
    share: Decimal | None = None
    geography: str = ""

    @property
    def key(self) -> tuple[int, int | None, str | None]:
        """Return the values that identify the tie within a succession."""
        return self.predecessor.pk, self.successor.pk if self.successor else None, self.function

    @property
    def words(self) -> str:
        """Return the tie in words for the history, for example “Elm → East (planning, 60% of its area in LAD 2025)”."""
        details = []
        if self.function:
            details.append(Function.label_of(self.function).lower())
        if self.role != TieRole.SUCCESSOR:
            details.append(TieRole(self.role).label.lower())
        if self.share is not None:
            details.append(f"{(self.share * 100).normalize():f}% of its area in {self.geography}")
        successor_name = self.successor.name if self.successor else "nobody"
        names = f"{self.predecessor.name} → {successor_name}"
        return f"{names} ({', '.join(details)})" if details else names


def ties_between(
    predecessors: Iterable[Organisation],
    successors: Iterable[Organisation | None],
    *,
    functions: Iterable[str | None] = (None,),
) -> list[NewTie]:
    """Return a tie from each predecessor to each successor, for each function.

    An organisation on both sides continues. A successor of None means that no organisation follows.
    """
    return [
        NewTie(
            predecessor=predecessor,
            successor=successor,
            role=TieRole.CONTINUING if predecessor == successor else TieRole.SUCCESSOR,
            function=function,
        )
        for predecessor, successor, function in product(predecessors, successors, functions)
    ]


def ties_of(succession: Succession) -> list[NewTie]:
    """Return the ties of a succession, in the order in which they were recorded."""
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


def organisations_of(ties: Iterable[NewTie]) -> list[Organisation]:
    """Return the predecessors and successors of these ties, each once, sorted by id."""
    both_sides = [organisation for tie in ties for organisation in (tie.predecessor, tie.successor)]
    organisation_by_id = {organisation.pk: organisation for organisation in both_sides if organisation is not None}
    return [organisation_by_id[pk] for pk in sorted(organisation_by_id)]


def save_ties(succession: Succession, ties: Iterable[NewTie]) -> None:
    """Save the ties of a succession that has no ties yet."""
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


def replace_ties(succession: Succession, ties: Collection[NewTie]) -> None:
    """Save these ties instead of the present ties, and delete handover lines that they no longer allow."""
    succession.ties.all().delete()
    save_ties(succession, ties)
    _delete_lines_without_tie(succession, ties)


def _delete_lines_without_tie(succession: Succession, ties: Collection[NewTie]) -> None:
    """Delete the handover lines to organisations that are no longer successors of the line's predecessor."""
    allowed_pairs = {(tie.predecessor.pk, tie.successor.pk) for tie in ties if tie.successor is not None}
    line_ids = []
    for line in succession.handovers.prefetch_related("others"):
        successor_ids = [line.successor_id, *(other.pk for other in line.others.all())]
        if any((line.predecessor_id, successor_id) not in allowed_pairs for successor_id in successor_ids):
            line_ids.append(line.pk)
    succession.handovers.filter(pk__in=line_ids).delete()


def check_succession(succession: Succession, ties: Collection[NewTie], *, now: dt.datetime) -> None:
    """Raise `UnableToRecordSuccession` if the ties, shares or dates are not valid or contradict each other."""
    problem = (
        _problem_with_ties(succession, ties)
        or _problem_with_shares(succession, ties)
        or _problem_with_dates(succession, timezone.localdate(now))
    )
    if problem:
        raise UnableToRecordSuccession(problem)


def _problem_with_ties(succession: Succession, ties: Collection[NewTie]) -> str:
    """Return a sentence about what is wrong with predecessors, successors or functions; "" if all are valid."""
    if not ties:
        return "Name at least one predecessor and one successor."
    if len({tie.key for tie in ties}) < len(ties):
        return "You have entered the same two organisations twice for one function. Remove one of the two."
    nobody_follows = all(tie.successor is None for tie in ties)
    if nobody_follows and succession.kind not in {SuccessionKind.DISSOLUTION, SuccessionKind.FUNCTION_TRANSFER}:
        return "Name at least one predecessor and one successor."
    return _problem_with_ties_to_itself(succession, ties) or _problem_with_details(succession, ties)


def _problem_with_ties_to_itself(succession: Succession, ties: Collection[NewTie]) -> str:
    """Return a sentence about a wrong tie from an organisation to itself; "" if all are valid."""
    ties_to_itself = [tie for tie in ties if tie.successor == tie.predecessor]
    if any(tie.role != TieRole.CONTINUING for tie in ties_to_itself):
        return "An organisation cannot follow itself. Choose the role “Continues”."
    if len(ties_to_itself) == len(ties) and succession.kind not in _SAME_BODY and succession.undoes is None:
        return "An organisation cannot follow itself. Choose another successor."
    if succession.kind == SuccessionKind.RENAME and ties_to_itself and not succession.new_name.strip():
        return "Enter the new name."
    return ""


def _problem_with_details(succession: Succession, ties: Collection[NewTie]) -> str:
    """Return a sentence about a wrong new code or a missing function; "" if all are valid."""
    kind = succession.kind
    if kind == SuccessionKind.RECODE and succession.new_code and len({tie.successor for tie in ties}) > 1:
        return "A new code belongs to one organisation. Record the others separately."
    if kind != SuccessionKind.RECODE and succession.new_code:
        return "Only “Recoded” has a new code. Add the code of a new organisation in Common Ground administration."
    if kind == SuccessionKind.FUNCTION_TRANSFER and not all(tie.function for tie in ties):
        return "Choose for each organisation which function it takes over."
    return ""


def _problem_with_shares(succession: Succession, ties: Collection[NewTie]) -> str:
    """Return a sentence about what is wrong with the shares of an area; "" if all are valid."""
    shares_by_function: dict[tuple[int, str | None], list[Decimal | None]] = defaultdict(list)
    for tie in ties:
        if tie.share is not None and not tie.geography.strip():
            return "Enter the areas in which the share was measured, for example LAD 2025."
        if tie.share is not None and not 0 < tie.share <= 1:
            return "Enter a share of more than 0 and at most 100 per cent."
        shares_by_function[tie.predecessor.pk, tie.function].append(tie.share)

    for shares in shares_by_function.values():
        known_shares = [share for share in shares if share is not None]
        are_all_known = len(known_shares) == len(shares)
        total = sum(known_shares, Decimal(0))
        # Without the missing shares, the known shares must leave something for them.
        if total > 1 or (total == 1 and not are_all_known):
            return "The shares of one organisation add up to more than 100 per cent. Correct one of them."
        if known_shares and are_all_known and total < 1 and succession.kind not in KINDS_KEEPING_PREDECESSOR:
            return "The shares of one organisation must add up to 100 per cent."
    return ""


def _problem_with_dates(succession: Succession, today: dt.date) -> str:
    """Return a sentence about what is wrong with the dates; "" if all are valid."""
    vests, shadow = succession.vests_on, succession.shadow_on
    if succession.status == SuccessionStatus.EFFECTIVE:
        if vests is not None and vests.earliest > today:
            return "The succession cannot have taken effect before its vesting day."
    elif succession.is_certain and vests is None:
        return "Enter the vesting day."
    if vests is not None and shadow is not None and shadow.earliest > vests.latest:
        return "The election or shadow period must come before the vesting day."
    return _problem_with_undoing(succession)


def _problem_with_undoing(succession: Succession) -> str:
    """Return a sentence if the succession is undone before it vests, or undoes one that has not vested by then."""
    vests, undone = succession.vests_on, succession.undoes
    # A succession that is not saved yet has no others that undo it.
    undoing_successions = succession.undone_by.live() if succession.pk else ()
    for undoing in undoing_successions:
        if vests is not None and undoing.vests_on is not None and undoing.vests_on.earliest < vests.latest:
            return f"Another succession undoes this one from {undoing.vests_on.words}, so enter an earlier vesting day."

    if undone is None:
        return ""
    if not undone.is_certain:
        return "The order of this succession has not been made, so cancel the succession instead."
    if vests is None or (undone.vests_on is not None and vests.earliest < undone.vests_on.latest):
        return "Enter a day after the vesting day of the succession that you undo."
    return ""
