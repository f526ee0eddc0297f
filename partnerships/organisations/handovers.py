"""Queries for handing over: what the predecessors of a succession have, and who takes it over."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from partnerships.organisations.models import AcceptedPart, Handover, HandoverState, Organisation, Succession
from partnerships.organisations.obligations import Group, Held, Obligation, held_by, obligation, obligations, total
from partnerships.organisations.presenting import steps_in_words
from partnerships.organisations.queries import leads_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many things of one kind a predecessor has, by the state of their handover lines."""

    kind: Obligation
    held: int
    homes: Decimal
    money: Decimal
    accepted: int
    proposed: int
    disputed: int
    stayed: int
    #: Lines without the consent that they need.
    lacking: int
    #: Things without a line.
    without: Sequence[Held]
    #: Things without a line, then those that are disputed or could not be handed over, with the reason.
    undecided: Sequence[Held]

    def for_others(self, title_by_id: Mapping[int, str]) -> KindCount:
        """Return the counts for a person who may read only the records with these titles; the reasons stay."""
        renamed = [replace(thing, title=title_by_id.get(thing.pk, thing.outside)) for thing in self.undecided]
        without = [replace(thing, what="") for thing in renamed[: len(self.without)]]
        return replace(self, without=without, undecided=[*without, *renamed[len(without) :]])


#: Things by the code of their kind and their id, so that what several organisations hold together is there once.
Things = Mapping[tuple[str, int], Held]


@dataclass(frozen=True, slots=True)
class Share:
    """The things that one successor gets or has; with None as successor, the things that have no line yet."""

    successor: Organisation | None
    held: Things

    @property
    def things(self) -> int:
        """The number of things."""
        return len(self.held)

    @property
    def homes(self) -> Decimal:
        """The number of homes in these things."""
        return total(record.homes for record in self.held.values())

    @property
    def money(self) -> Decimal:
        """The amount of money in these things, in pounds."""
        return total(record.money for record in self.held.values())


@dataclass(frozen=True, slots=True)
class After:
    """One successor's things before and after it takes over; a thing that both sides have counts once."""

    successor: Organisation
    gets: Share
    #: None, like `then`, if the reader may know only what it takes over.
    before: Share | None = None
    then: Share | None = None


@dataclass(frozen=True, slots=True)
class LineTerms:
    """The terms that several lines of a predecessor have in common, in words, and how many lines these are."""

    kind: str
    successor: str
    sharing: str
    state: str
    basis: str
    consent: str
    evidence: str
    due_on: dt.date | None
    #: Who proposed and answered the lines and recorded a consent, and when.
    steps: Sequence[str]
    lines: int


@dataclass(frozen=True, slots=True)
class Estate:
    """The things of one predecessor, and who takes them over."""

    predecessor: Organisation
    kinds: Sequence[KindCount]
    shares: Sequence[Share]
    terms: Sequence[LineTerms]
    #: Whether its own leads decide about things without a line; otherwise an administrator does.
    is_led: bool = True

    @property
    def things(self) -> int:
        """The number of things that the predecessor has."""
        return sum(kind.held for kind in self.kinds)

    @property
    def homes(self) -> Decimal:
        """The number of homes in these things."""
        return total(record.homes for record in self.kinds)

    @property
    def money(self) -> Decimal:
        """The amount of money in these things, in pounds."""
        return total(record.money for record in self.kinds)

    @property
    def without(self) -> int:
        """The number of things without a line."""
        return sum(len(kind.without) for kind in self.kinds)

    @property
    def lacking(self) -> int:
        """The number of lines that wait for a consent."""
        return sum(kind.lacking for kind in self.kinds)

    @property
    def stayed(self) -> int:
        """The number of things that could not be handed over."""
        return sum(kind.stayed for kind in self.kinds)


def estate_of(succession: Succession, predecessor: Organisation, day: dt.date) -> Estate:
    """Return the predecessor's things on a day, with their handover lines, except those that go back by themselves."""
    lines = list(with_steps(succession.handovers.filter(predecessor=predecessor)).order_by("pk"))
    line_by_thing = {(line.kind, line.record): line for line in lines}
    groups = _groups_to_hand_over(succession, predecessor, day)
    kinds = [_kind_count(group, line_by_thing) for group in groups]
    waits = any(kind.without or kind.lacking for kind in kinds)
    return Estate(
        predecessor=predecessor,
        kinds=kinds,
        shares=_shares(groups, line_by_thing),
        terms=_terms(lines),
        is_led=not waits or leads_of(predecessor).exists(),
    )


def _kind_count(group: Group, line_by_thing: Mapping[tuple[str, int], Handover]) -> KindCount:
    """Count the things of one kind by the states of their lines."""
    without: list[Held] = []
    disputed: list[Held] = []
    lines: list[Handover] = []
    for thing in group.things:
        line = line_by_thing.get((group.kind.code, thing.pk))
        if line is None:
            without.append(thing)
            continue
        lines.append(line)
        if line.state in (HandoverState.DISPUTED, HandoverState.STAYED):
            disputed.append(replace(thing, what=f"{line.get_state_display().lower()}: {line.dispute}"))
    states = Counter(line.state for line in lines)
    return KindCount(
        kind=group.kind,
        held=len(group.things),
        homes=group.homes,
        money=group.money,
        accepted=states[HandoverState.ACCEPTED],
        proposed=states[HandoverState.PROPOSED],
        disputed=states[HandoverState.DISPUTED],
        stayed=states[HandoverState.STAYED],
        lacking=sum(line.lacks_consent for line in lines),
        without=without,
        undecided=[*without, *disputed],
    )


def _shares(groups: Iterable[Group], line_by_thing: Mapping[tuple[str, int], Handover]) -> list[Share]:
    """Return what each successor gets by the lines, sorted by name; things without a line come last."""
    things_by_successor: dict[Organisation | None, dict[tuple[str, int], Held]] = defaultdict(dict)
    for group in groups:
        for thing in group.things:
            key = group.kind.code, thing.pk
            line = line_by_thing.get(key)
            things_by_successor[line.successor if line is not None else None][key] = thing
    return [
        Share(successor, things) for successor, things in sorted(things_by_successor.items(), key=_by_successor_name)
    ]


def _by_successor_name(item: tuple[Organisation | None, object]) -> tuple[bool, str]:
    """Return the sort key of an item whose first part is a successor: by name, with None last."""
    successor, _ = item
    return successor is None, successor.name if successor is not None else ""


def with_steps(lines: QuerySet[Handover]) -> QuerySet[Handover]:
    """Return the lines with their successor and everyone who proposed, answered or recorded; two queries."""
    parts = AcceptedPart.objects.select_related("organisation", "accepted_by").order_by("organisation__name", "pk")
    people = ("proposed_by", "answered_by", "consent_recorded_by")
    return lines.select_related("successor", *people).prefetch_related(Prefetch("accepted_parts", parts))


def _groups_to_hand_over(succession: Succession, predecessor: Organisation, day: dt.date) -> list[Group]:
    """Return the predecessor's things by kind, without those that go back by themselves."""
    groups = held_by(predecessor, day)
    if succession.undoes is None:
        return groups
    remaining_groups = []
    for group in groups:
        records = group.kind.records(predecessor, day)
        is_returned = condition_of_returned(succession, group.kind, records)
        returned_ids = set(records.filter(is_returned).values_list("pk", flat=True))
        things = [thing for thing in group.things if thing.pk not in returned_ids]
        if things:
            remaining_groups.append(replace(group, things=things))
    return remaining_groups


def is_passing_back(undoing: Succession) -> bool:
    """Whether things that the undone succession passed on still have to be returned."""
    undone = undoing.undoes
    if undone is None:
        return False
    return undone.moved_rows.exists() or undone.handovers.filter(state=HandoverState.APPLIED).exists()


def condition_of_returned(succession: Succession, kind: Obligation, records: QuerySet[Any]) -> Q:
    """Return the condition for records that go back by themselves, because the succession undoes their handover."""
    if succession.undoes is None:
        return Q(pk__in=[])
    applied = succession.undoes.handovers.filter(kind=kind.code, state=HandoverState.APPLIED)
    moved = succession.undoes.moved_rows.filter(table=records.model._meta.label)
    return Q(pk__in=applied.values("record")) | Q(pk__in=moved.values("row"))


def _terms(lines: Iterable[Handover]) -> list[LineTerms]:
    """Return the terms of the lines, with equal ones counted together."""
    label_by_code = {kind.code: kind.label for kind in obligations()}
    line_counts = Counter(
        (
            label_by_code.get(line.kind, line.kind),
            line.successor.name,
            str(line.get_sharing_display()),
            str(line.get_state_display()),
            line.basis,
            line.consent_in_words,
            line.evidence,
            line.due_on,
            tuple(steps_in_words(line)),
        )
        for line in lines
    )
    # Sorted by kind, successor, sharing and state.
    return [LineTerms(*terms, count) for terms, count in sorted(line_counts.items(), key=lambda item: item[0][:4])]


def shares_together(estates: Sequence[Estate]) -> list[Share]:
    """Return what each successor gets from all predecessors together; things without a line come last."""
    shares_by_successor: dict[Organisation | None, list[Share]] = defaultdict(list)
    for estate in estates:
        for share in estate.shares:
            shares_by_successor[share.successor].append(share)
    return [
        sum_of(shares, successor=successor)
        for successor, shares in sorted(shares_by_successor.items(), key=_by_successor_name)
    ]


def sum_of(parts: Sequence[Share], *, successor: Organisation | None = None) -> Share:
    """Combine several shares into one."""
    things: dict[tuple[str, int], Held] = {}
    for part in parts:
        things |= part.held
    return Share(successor, things)


def after_all(shares: Sequence[Share], day: dt.date, *, of: Collection[int] | None = None) -> list[After]:
    """Return what each successor holds on a day, gets by its share, and holds afterwards, sorted by name.

    `of` are the ids of the organisations whose own holdings the reader may know; None for all.
    """
    holdings = []
    for share in shares:
        successor = share.successor
        if successor is None:
            continue
        if of is not None and successor.pk not in of:
            holdings.append(After(successor=successor, gets=share))
            continue
        groups = held_by(successor, day)
        own_things = {(group.kind.code, thing.pk): thing for group in groups for thing in group.things}
        holdings.append(
            After(
                successor=successor,
                gets=share,
                before=Share(successor, own_things),
                then=Share(successor, {**share.held, **own_things}),
            )
        )
    return holdings


def readable_titles(
    kind: Obligation,
    holder: Organisation,
    records: Collection[int] | None,
    user: User,
    *,
    limit: int | None = None,
) -> dict[int, str]:
    """Return the titles of the holder's records that the person may read today, by id; with `records`, only of these.

    People who left a partnership or plan still read it as it was, but not its title of today.
    """
    held_records = kind.records(holder, timezone.localdate())
    if records is not None:
        held_records = held_records.filter(pk__in=records)
    filter_readable = getattr(held_records, "known_today_to", None) or getattr(held_records, "visible_to", None)
    if filter_readable is None:
        return {}
    readable_records = filter_readable(user).order_by("pk")[:limit]
    return {record.pk: kind.describe(record, holder).title for record in readable_records}


def estates_of(succession: Succession, day: dt.date, *, of: Collection[int] | None = None) -> list[Estate]:
    """Return the estates of the predecessors, by name; with `of` (ids), only those that involve these organisations."""
    ties = succession.ties.select_related("predecessor")
    if of is not None:
        ties = ties.filter(Q(predecessor__in=of) | Q(successor__in=of))
    predecessor_by_id = {tie.predecessor_id: tie.predecessor for tie in ties}
    predecessors = sorted(predecessor_by_id.values(), key=lambda organisation: (organisation.name, organisation.pk))
    return [estate_of(succession, predecessor, day) for predecessor in predecessors]


def lines_to_answer(succession: Succession, successors: Collection[int]) -> list[Handover]:
    """Return the lines that wait for an answer of these organisations (ids), the most urgent first."""
    waiting = with_steps(succession.handovers.waiting_for(successors)).select_related("predecessor")
    waiting = waiting.prefetch_related("others")
    return list(waiting.order_by(F("due_on").asc(nulls_last=True), "predecessor__name", "kind", "title", "pk"))


def proposed_to(succession: Succession, successors: Collection[int]) -> list[dict[str, Any]]:
    """Return what waits for an answer of these organisations (ids), by predecessor.

    Each dict has `before` (the predecessor's name), `count`, `homes` and `due`.
    """
    waiting = succession.handovers.waiting_for(successors).values(before=F("predecessor__name"))
    totals = waiting.annotate(count=Count("pk"), homes=Sum("homes"), due=Min("due_on")).order_by("before")
    return [dict(row) for row in totals]


def lines_lacking_consent(succession: Succession, led: Collection[int] | None) -> QuerySet[Handover]:
    """Return the lines that wait for a consent, of these organisations (ids) or, with None, of all."""
    lines = succession.handovers.lacking_consent()
    if led is not None:
        lines = lines.filter(Q(predecessor__in=led) | Q(successor__in=led))
    detailed_lines = with_steps(lines).select_related("predecessor").prefetch_related("others")
    return detailed_lines.order_by("consent", "predecessor__name", "kind", "title", "pk")


def titles_of(lines: Iterable[Handover], user: User) -> dict[int, str]:
    """Return the titles of lines by id: the record's title if the person may read it, else the line's own."""
    groups: dict[tuple[str, Organisation], list[Handover]] = defaultdict(list)
    for line in lines:
        groups[line.kind, line.predecessor].append(line)
    titles: dict[int, str] = {}
    for (kind, predecessor), group in groups.items():
        readable = readable_titles(obligation(kind), predecessor, [line.record for line in group], user)
        titles |= {line.pk: readable.get(line.record, line.title) for line in group}
    return titles
