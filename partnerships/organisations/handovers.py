"""Queries for handovers: the records of a succession's predecessors, and who takes over these records."""

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
from partnerships.organisations.obligations import (
    HeldGroup,
    HeldRecord,
    Obligation,
    held_records_by_kind,
    obligation,
    obligations,
    total_of_amounts,
)
from partnerships.organisations.presenting import steps_in_words
from partnerships.organisations.queries import leads_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class KindCount:
    """The number of a predecessor's records of one kind, by the state of their handover lines."""

    kind: Obligation
    held: int
    homes: Decimal
    money: Decimal
    accepted: int
    proposed: int
    disputed: int
    stayed: int
    #: The number of lines that still lack the consent that they need.
    lacking: int
    #: Records without a line.
    without: Sequence[HeldRecord]
    #: Records without a line, then records that are disputed or could not be handed over, with the reason.
    undecided: Sequence[HeldRecord]

    def for_others(self, title_by_id: Mapping[int, str]) -> KindCount:
        """Return the counts for a person who may read only the records with these titles; the reasons do not change."""
        undecided = [replace(record, title=title_by_id.get(record.pk, record.outside)) for record in self.undecided]
        without = [replace(record, what="") for record in undecided[: len(self.without)]]
        return replace(self, without=without, undecided=[*without, *undecided[len(without) :]])


#: Records by the code of their kind and their id, so that a record of several organisations counts only once.
Things = Mapping[tuple[str, int], HeldRecord]


@dataclass(frozen=True, slots=True)
class Share:
    """The records that one successor has or receives. With None as successor, the records without a line yet."""

    successor: Organisation | None
    held: Things

    @property
    def things(self) -> int:
        """Return the number of records."""
        return len(self.held)

    @property
    def homes(self) -> Decimal:
        """Return the number of homes in these records."""
        return total_of_amounts(record.homes for record in self.held.values())

    @property
    def money(self) -> Decimal:
        """Return the amount of money in these records, in pounds."""
        return total_of_amounts(record.money for record in self.held.values())


@dataclass(frozen=True, slots=True)
class SuccessorHoldings:
    """One successor's records before and after it takes over. A record that both sides have is counted once."""

    successor: Organisation
    received: Share
    #: `before` and `afterwards` are None if the reader may know only what the successor receives.
    before: Share | None = None
    afterwards: Share | None = None


@dataclass(frozen=True, slots=True)
class LineTerms:
    """The terms that several lines of a predecessor share, in words, and the number of these lines."""

    kind: str
    successor: str
    sharing: str
    state: str
    basis: str
    consent: str
    evidence: str
    due_on: dt.date | None
    #: The steps in words: who proposed and answered the lines and recorded a consent, and when.
    steps: Sequence[str]
    lines: int


@dataclass(frozen=True, slots=True)
class Estate:
    """The records of one predecessor, and the organisations that take them over."""

    predecessor: Organisation
    kinds: Sequence[KindCount]
    shares: Sequence[Share]
    terms: Sequence[LineTerms]
    #: True if the predecessor's own leads decide about records without a line; otherwise an administrator decides.
    is_led: bool = True

    @property
    def things(self) -> int:
        """Return the number of records that the predecessor has."""
        return sum(kind.held for kind in self.kinds)

    @property
    def homes(self) -> Decimal:
        """Return the number of homes in these records."""
        return total_of_amounts(record.homes for record in self.kinds)

    @property
    def money(self) -> Decimal:
        """Return the amount of money in these records, in pounds."""
        return total_of_amounts(record.money for record in self.kinds)

    @property
    def without(self) -> int:
        """Return the number of records without a line."""
        return sum(len(kind.without) for kind in self.kinds)

    @property
    def lacking(self) -> int:
        """Return the number of lines that still need a consent."""
        return sum(kind.lacking for kind in self.kinds)

    @property
    def stayed(self) -> int:
        """Return the number of records that could not be handed over."""
        return sum(kind.stayed for kind in self.kinds)


def estate_of(succession: Succession, predecessor: Organisation, day: dt.date) -> Estate:
    """Return the predecessor's records with their handover lines, except records that an undoing returns by itself."""
    lines = list(with_people(succession.handovers.filter(predecessor=predecessor)).order_by("pk"))
    line_by_thing = {(line.kind, line.record): line for line in lines}
    groups = _groups_to_hand_over(succession, predecessor, day)
    kinds = [_kind_count(group, line_by_thing) for group in groups]
    needs_a_person = any(kind.without or kind.lacking for kind in kinds)
    return Estate(
        predecessor=predecessor,
        kinds=kinds,
        shares=_shares(groups, line_by_thing),
        terms=_terms_of_lines(lines),
        # Whether there are leads matters, and is queried, only if a line or a consent is missing.
        is_led=not needs_a_person or leads_of(predecessor).exists(),
    )


def _kind_count(group: HeldGroup, line_by_thing: Mapping[tuple[str, int], Handover]) -> KindCount:
    """Count the records of one kind by the state of their lines."""
    without: list[HeldRecord] = []
    disputed: list[HeldRecord] = []
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


def _shares(groups: Iterable[HeldGroup], line_by_thing: Mapping[tuple[str, int], Handover]) -> list[Share]:
    """Return the share of each successor according to the lines, sorted by name. Records without a line come last."""
    things_by_successor: dict[Organisation | None, dict[tuple[str, int], HeldRecord]] = defaultdict(dict)
    for group in groups:
        for thing in group.things:
            key = group.kind.code, thing.pk
            line = line_by_thing.get(key)
            things_by_successor[line.successor if line is not None else None][key] = thing
    return [
        Share(successor, things) for successor, things in sorted(things_by_successor.items(), key=_by_successor_name)
    ]


def _by_successor_name(item: tuple[Organisation | None, object]) -> tuple[bool, str]:
    """Return the sort key of an item whose first element is a successor: its name, with None last."""
    successor, _ = item
    return successor is None, successor.name if successor is not None else ""


def with_people(lines: QuerySet[Handover]) -> QuerySet[Handover]:
    """Return the lines with their successor and the people who proposed, answered or recorded a step; two queries."""
    parts = AcceptedPart.objects.select_related("organisation", "accepted_by").order_by("organisation__name", "pk")
    people = ("proposed_by", "answered_by", "consent_recorded_by")
    return lines.select_related("successor", *people).prefetch_related(Prefetch("accepted_parts", parts))


def _groups_to_hand_over(succession: Succession, predecessor: Organisation, day: dt.date) -> list[HeldGroup]:
    """Return the predecessor's records by kind, without the records that return automatically."""
    groups = held_records_by_kind(predecessor, day)
    if succession.undoes is None:
        return groups
    remaining_groups = []
    for group in groups:
        records = group.kind.records(predecessor, day)
        is_returned = returned_records_condition(succession, group.kind, records)
        returned_ids = set(records.filter(is_returned).values_list("pk", flat=True))
        things = [thing for thing in group.things if thing.pk not in returned_ids]
        if things:
            remaining_groups.append(replace(group, things=things))
    return remaining_groups


def has_records_to_return(undoing: Succession) -> bool:
    """Return True if records that the undone succession passed on have yet to be returned."""
    undone = undoing.undoes
    if undone is None:
        return False
    return undone.moved_rows.exists() or undone.handovers.filter(state=HandoverState.APPLIED).exists()


def returned_records_condition(succession: Succession, kind: Obligation, records: QuerySet[Any]) -> Q:
    """Return the condition for records that return automatically, because the succession undoes their handover."""
    if succession.undoes is None:
        return Q(pk__in=[])
    applied_lines = succession.undoes.handovers.filter(kind=kind.code, state=HandoverState.APPLIED)
    moved_rows = succession.undoes.moved_rows.filter(table=records.model._meta.label)
    return Q(pk__in=applied_lines.values("record")) | Q(pk__in=moved_rows.values("row"))


def _terms_of_lines(lines: Iterable[Handover]) -> list[LineTerms]:
    """Return the terms of the lines; lines with equal terms are counted together."""
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


def combined_shares(estates: Sequence[Estate]) -> list[Share]:
    """Return the share of each successor from all predecessors together. Records without a line come last."""
    shares_by_successor: dict[Organisation | None, list[Share]] = defaultdict(list)
    for estate in estates:
        for share in estate.shares:
            shares_by_successor[share.successor].append(share)
    return [
        sum_of_shares(shares, successor=successor)
        for successor, shares in sorted(shares_by_successor.items(), key=_by_successor_name)
    ]


def sum_of_shares(shares: Sequence[Share], *, successor: Organisation | None = None) -> Share:
    """Combine several shares into one share, in which each record counts once."""
    things: dict[tuple[str, int], HeldRecord] = {}
    for share in shares:
        things |= share.held
    return Share(successor, things)


def holdings_after(
    shares: Sequence[Share], day: dt.date, *, known_ids: Collection[int] | None = None
) -> list[SuccessorHoldings]:
    """Return each successor's records on a day, the records that it receives, and both together, sorted by name.

    `known_ids` are the ids of the organisations whose own records the reader may know; None means all organisations.
    """
    holdings = []
    for share in shares:
        successor = share.successor
        if successor is None:
            continue
        if known_ids is not None and successor.pk not in known_ids:
            holdings.append(SuccessorHoldings(successor=successor, received=share))
            continue
        groups = held_records_by_kind(successor, day)
        own_things = {(group.kind.code, thing.pk): thing for group in groups for thing in group.things}
        holdings.append(
            SuccessorHoldings(
                successor=successor,
                received=share,
                before=Share(successor, own_things),
                afterwards=Share(successor, {**share.held, **own_things}),
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
    """Return the titles of the holder's records that the person may read today, by id.

    If `records` is given, only these records are read. People who left a partnership or plan can still read it as it
    was, but not its present title.
    """
    held_records = kind.records(holder, timezone.localdate())
    if records is not None:
        held_records = held_records.filter(pk__in=records)
    filter_readable = getattr(held_records, "visible_today_to", None) or getattr(held_records, "visible_to", None)
    if filter_readable is None:
        return {}
    readable_records = filter_readable(user).order_by("pk")[:limit]
    return {record.pk: kind.describe(record, holder).title for record in readable_records}


def estates_of(succession: Succession, day: dt.date, *, involved_ids: Collection[int] | None = None) -> list[Estate]:
    """Return the estates of the predecessors, sorted by name.

    If `involved_ids` is given, only ties of these organisations count.
    """
    ties = succession.ties.select_related("predecessor")
    if involved_ids is not None:
        ties = ties.filter(Q(predecessor__in=involved_ids) | Q(successor__in=involved_ids))
    predecessor_by_id = {tie.predecessor_id: tie.predecessor for tie in ties}
    predecessors = sorted(predecessor_by_id.values(), key=lambda organisation: (organisation.name, organisation.pk))
    return [estate_of(succession, predecessor, day) for predecessor in predecessors]


def lines_to_answer(succession: Succession, successors: Collection[int]) -> list[Handover]:
    """Return the lines that these organisations (ids) have yet to answer, the most urgent first."""
    unanswered_lines = with_people(succession.handovers.awaiting_answer_from(successors)).select_related("predecessor")
    unanswered_lines = unanswered_lines.prefetch_related("others")
    return list(unanswered_lines.order_by(F("due_on").asc(nulls_last=True), "predecessor__name", "kind", "title", "pk"))


def proposed_totals(succession: Succession, successors: Collection[int]) -> list[dict[str, Any]]:
    """Return the totals of the lines that these organisations (ids) have yet to answer, by predecessor.

    Each dict has `before` (the predecessor's name), `count`, `homes` and `due`.
    """
    unanswered_lines = succession.handovers.awaiting_answer_from(successors).values(before=F("predecessor__name"))
    totals = unanswered_lines.annotate(count=Count("pk"), homes=Sum("homes"), due=Min("due_on")).order_by("before")
    return [dict(row) for row in totals]


def lines_lacking_consent(succession: Succession, organisation_ids: Collection[int] | None) -> QuerySet[Handover]:
    """Return the lines that lack a consent, only those of the given organisations (ids) unless `led` is None."""
    lines = succession.handovers.lacking_consent()
    if organisation_ids is not None:
        lines = lines.filter(Q(predecessor__in=organisation_ids) | Q(successor__in=organisation_ids))
    detailed_lines = with_people(lines).select_related("predecessor").prefetch_related("others")
    return detailed_lines.order_by("consent", "predecessor__name", "kind", "title", "pk")


def line_titles(lines: Iterable[Handover], user: User) -> dict[int, str]:
    """Return the titles of lines by id: the record's title if the person may read it, else the line's own title."""
    groups: dict[tuple[str, Organisation], list[Handover]] = defaultdict(list)
    for line in lines:
        groups[line.kind, line.predecessor].append(line)
    titles: dict[int, str] = {}
    for (kind, predecessor), group in groups.items():
        title_by_record = readable_titles(obligation(kind), predecessor, [line.record for line in group], user)
        titles |= {line.pk: title_by_record.get(line.record, line.title) for line in group}
    return titles
