"""What bodies of a succession hold, and who takes it over: counts, totals and what still has no line."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.organisations.models import Handover, HandoverState, Organisation, Succession
from partnerships.organisations.obligations import Group, Held, Obligation, held_by, obligations, total
from partnerships.organisations.queries import leads_of


@dataclass(frozen=True, slots=True)
class KindCount:
    """What a predecessor holds of one kind, by how far its lines have come.

    `undecided` is what has no line, then what is disputed, with the reason.
    """

    kind: Obligation
    held: int
    homes: Decimal
    money: Decimal
    accepted: int
    proposed: int
    disputed: int
    without: Sequence[Held]
    undecided: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Share:
    """What one successor gets by the lines, or what has no line yet (no successor)."""

    successor: Organisation | None
    things: int
    homes: Decimal
    money: Decimal


@dataclass(frozen=True, slots=True)
class Estate:
    """What one predecessor holds, and where it goes.

    `is_led`: its own leads decide about what has no line; else an administrator does.
    """

    predecessor: Organisation
    kinds: Sequence[KindCount]
    shares: Sequence[Share]
    is_led: bool = True

    @property
    def things(self) -> int:
        """How many things it holds."""
        return sum(one.held for one in self.kinds)

    @property
    def homes(self) -> Decimal:
        """How many homes they are about."""
        return total(one.homes for one in self.kinds)

    @property
    def money(self) -> Decimal:
        """How many pounds they are about."""
        return total(one.money for one in self.kinds)

    @property
    def without(self) -> int:
        """How many things have no line yet."""
        return sum(len(one.without) for one in self.kinds)


def estate_of(succession: Succession, predecessor: Organisation, day: dt.date) -> Estate:
    """What the predecessor holds on a day, with the lines about it; without what passes back by itself."""
    lines = list(succession.handovers.filter(predecessor=predecessor).select_related("successor").order_by("pk"))
    by_thing = {(line.kind, line.record): line for line in lines}
    kinds: list[KindCount] = []
    shares: dict[Organisation, list[Held]] = {}
    free: list[Held] = []
    for group in _to_hand_over(succession, predecessor, day):
        states: Counter[str] = Counter()
        without: list[Held] = []
        disputed: list[Held] = []
        for one in group.things:
            line = by_thing.get((group.kind.code, one.pk))
            if line is None:
                without.append(one)
                continue
            states[line.state] += 1
            if line.state == HandoverState.DISPUTED:
                disputed.append(replace(one, what=f"disputed: {line.dispute}"))
            shares.setdefault(line.successor, []).append(one)
        free += without
        kinds.append(
            KindCount(
                kind=group.kind,
                held=len(group.things),
                homes=group.homes,
                money=group.money,
                accepted=states[HandoverState.ACCEPTED],
                proposed=states[HandoverState.PROPOSED],
                disputed=states[HandoverState.DISPUTED],
                without=without,
                undecided=[*without, *disputed],
            )
        )
    parts = [_share(body, things) for body, things in sorted(shares.items(), key=lambda item: item[0].name)]
    if not free:
        return Estate(predecessor, kinds, parts)
    return Estate(predecessor, kinds, [*parts, _share(None, free)], leads_of(predecessor).exists())


def _to_hand_over(succession: Succession, predecessor: Organisation, day: dt.date) -> list[Group]:
    groups = held_by(predecessor, day)
    if succession.undoes is None:
        return groups
    found = []
    for group in groups:
        held = group.kind.records(predecessor, day)
        back = set(held.filter(_going_back(succession, group.kind, held)).values_list("pk", flat=True))
        found.append(replace(group, things=[one for one in group.things if one.pk not in back]))
    return [group for group in found if group.things]


def is_passing_back(undoing: Succession) -> bool:
    """Whether what the succession that this one undoes has passed on is still passing back."""
    undone = undoing.undoes
    if undone is None:
        return False
    return undone.moved_rows.exists() or undone.handovers.filter(state=HandoverState.APPLIED).exists()


def _going_back(succession: Succession, kind: Obligation, held: QuerySet[Any]) -> Q:
    """Which of these records pass back by themselves, because the succession undoes the one that passed them on."""
    if succession.undoes is None:
        return Q(pk__in=[])
    applied = succession.undoes.handovers.filter(kind=kind.code, state=HandoverState.APPLIED)
    moved = succession.undoes.moved_rows.filter(table=held.model._meta.label)
    return Q(pk__in=applied.values("record")) | Q(pk__in=moved.values("row"))


def count_undecided(succession: Succession, predecessor: Organisation, day: dt.date) -> int:
    """How many things of the predecessor have no line, or a disputed one; one query, without reading them.

    Without what passes back by itself.
    """
    lines = succession.handovers.filter(predecessor=predecessor).exclude(state=HandoverState.DISPUTED)

    def undecided(kind: Obligation) -> QuerySet[Any]:
        held = kind.records(predecessor, day).exclude(pk__in=lines.filter(kind=kind.code).values("record"))
        return held.exclude(_going_back(succession, kind, held))

    return _count_all(undecided(kind) for kind in obligations())


def count_held(organisation: Organisation, day: dt.date) -> int:
    """How many things the organisation holds on the day, of every kind; one query."""
    return _count_all(kind.records(organisation, day) for kind in obligations())


def _count_all(queries: Iterable[QuerySet[Any, Any]]) -> int:
    parts = [one.order_by().values_list("pk") for one in queries]
    return parts[0].union(*parts[1:], all=True).count()


def _share(successor: Organisation | None, things: Sequence[Held]) -> Share:
    return Share(successor, len(things), total(one.homes for one in things), total(one.money for one in things))


def estates_of(succession: Succession, day: dt.date, *, of: Collection[int] | None = None) -> list[Estate]:
    """The estates of the predecessors, by name; only those in which one of the organisations `of` has a side."""
    ties = succession.ties.select_related("predecessor")
    if of is not None:
        ties = ties.filter(Q(predecessor__in=of) | Q(successor__in=of))
    bodies = {tie.predecessor_id: tie.predecessor for tie in ties}
    return [estate_of(succession, body, day) for body in sorted(bodies.values(), key=lambda one: (one.name, one.pk))]


def lines_to_answer(succession: Succession, successors: Collection[int]) -> list[Handover]:
    """The lines that wait for these organisations, with all who share them."""
    waiting = succession.handovers.waiting_for(successors).select_related("predecessor", "successor")
    return list(waiting.prefetch_related("others").order_by("predecessor__name", "kind", "title", "pk"))
