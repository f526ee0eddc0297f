"""Find out what the predecessors of a succession have, and which successors take it over."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from partnerships.organisations.models import AcceptedPart, Handover, HandoverState, Organisation, Succession
from partnerships.organisations.obligations import (
    HeldGroup,
    HeldRecord,
    Obligation,
    held_records_by_kind,
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
    lacking_consent: int
    #: Records without a line.
    without_line: Sequence[HeldRecord]
    #: Records without a line, then records that are disputed or could not be handed over, with the reason.
    undecided: Sequence[HeldRecord]

    def for_others(self, title_by_id: Mapping[int, str]) -> KindCount:
        """Return the counts for a person who may read only the records with these titles.

        Each other record gets its `outside` title, such as "Plan 12". The reasons do not change.
        """
        undecided = [
            replace(record, title=title_by_id.get(record.pk, record.generic_title)) for record in self.undecided
        ]
        # `undecided` begins with the records without a line. Their details could reveal what the person may not read.
        without_line = [replace(record, what="") for record in undecided[: len(self.without_line)]]
        return replace(self, without_line=without_line, undecided=[*without_line, *undecided[len(without_line) :]])


#: Records by the code of their kind and their id. A record that several organisations have is included only once.
RecordsByKey = Mapping[tuple[str, int], HeldRecord]


@dataclass(frozen=True, slots=True)
class Share:
    """The records that one successor has or receives; if `successor` is None, the records without a line yet."""

    successor: Organisation | None
    records: RecordsByKey

    @property
    def record_count(self) -> int:
        """Return the number of records."""
        return len(self.records)

    @property
    def homes(self) -> Decimal:
        """Return the number of homes in these records."""
        return total_of_amounts(record.homes for record in self.records.values())

    @property
    def money(self) -> Decimal:
        """Return the amount of money in these records, in pounds."""
        return total_of_amounts(record.money for record in self.records.values())


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
    """The terms that several lines of a predecessor share, as texts, and the number of these lines."""

    kind: str
    successor: str
    sharing: str
    state: str
    basis: str
    consent: str
    evidence: str
    due_on: dt.date | None
    #: Sentences that say who proposed and answered the lines and recorded a consent, and when.
    steps: tuple[str, ...]
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Estate:
    """The records of one predecessor, and the organisations that take them over."""

    predecessor: Organisation
    kinds: Sequence[KindCount]
    shares: Sequence[Share]
    terms: Sequence[LineTerms]
    #: True if the predecessor has a lead. If it has none, an administrator decides about records without a line.
    is_led: bool = True

    @property
    def record_count(self) -> int:
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
    def without_line(self) -> int:
        """Return the number of records without a line."""
        return sum(len(kind.without_line) for kind in self.kinds)

    @property
    def lacking_consent(self) -> int:
        """Return the number of lines that still need a consent."""
        return sum(kind.lacking_consent for kind in self.kinds)

    @property
    def stayed(self) -> int:
        """Return the number of records that could not be handed over."""
        return sum(kind.stayed for kind in self.kinds)


def estate_of(succession: Succession, predecessor: Organisation, day: dt.date) -> Estate:
    """Return the predecessor's records with their handover lines.

    If the succession undoes another one, records that return automatically are left out, because they need no line.
    """
    lines = list(with_people(succession.handovers.filter(predecessor=predecessor)).order_by("pk"))
    line_by_record = _by_record(lines)
    groups = _groups_to_hand_over(succession, predecessor, day)
    kinds = [_kind_count(group, line_by_record) for group in groups]
    needs_a_person = any(kind.without_line or kind.lacking_consent for kind in kinds)
    return Estate(
        predecessor=predecessor,
        kinds=kinds,
        shares=_shares(groups, line_by_record),
        terms=_terms_of_lines(lines),
        # Whether there are leads matters, and is queried, only if a line or a consent is missing.
        is_led=not needs_a_person or leads_of(predecessor).exists(),
    )


def count_of_kind(succession: Succession, predecessor: Organisation, code: str, day: dt.date) -> KindCount | None:
    """Count the predecessor's records of one kind by the state of their lines; None if it has none to hand over."""
    lines = succession.handovers.filter(predecessor=predecessor, kind=code).order_by("pk")
    groups = _groups_to_hand_over(succession, predecessor, day, [code])
    return _kind_count(groups[0], _by_record(lines)) if groups else None


def _by_record(lines: Iterable[Handover]) -> dict[tuple[str, int], Handover]:
    """Return the lines by the kind and id of their record."""
    return {(line.kind, line.record): line for line in lines}


def _kind_count(group: HeldGroup, line_by_record: Mapping[tuple[str, int], Handover]) -> KindCount:
    """Count the records of one kind by the state of their lines."""
    without_line: list[HeldRecord] = []
    disputed: list[HeldRecord] = []
    lines: list[Handover] = []
    for record in group.records:
        line = line_by_record.get((group.kind.code, record.pk))
        if line is None:
            without_line.append(record)
            continue
        lines.append(line)
        if line.state in (HandoverState.DISPUTED, HandoverState.STAYED):
            disputed.append(replace(record, what=f"{line.get_state_display().lower()}: {line.dispute}"))

    states = Counter(line.state for line in lines)
    return KindCount(
        kind=group.kind,
        held=len(group.records),
        homes=group.homes,
        money=group.money,
        accepted=states[HandoverState.ACCEPTED],
        proposed=states[HandoverState.PROPOSED],
        disputed=states[HandoverState.DISPUTED],
        stayed=states[HandoverState.STAYED],
        lacking_consent=sum(line.lacks_consent for line in lines),
        without_line=without_line,
        undecided=[*without_line, *disputed],
    )


def _shares(groups: Iterable[HeldGroup], line_by_record: Mapping[tuple[str, int], Handover]) -> list[Share]:
    """Return the share of each successor according to the lines, sorted by name. Records without a line come last."""
    records_by_successor: dict[Organisation | None, dict[tuple[str, int], HeldRecord]] = defaultdict(dict)
    for group in groups:
        for record in group.records:
            key = group.kind.code, record.pk
            line = line_by_record.get(key)
            records_by_successor[line.successor if line is not None else None][key] = record
    return [
        Share(successor, records) for successor, records in sorted(records_by_successor.items(), key=_by_successor_name)
    ]


def _by_successor_name(pair: tuple[Organisation | None, object]) -> tuple[bool, str]:
    """Sort pairs of a successor and something else by the successor's name, with None last."""
    successor, _ = pair
    return successor is None, successor.name if successor is not None else ""


def with_people(lines: QuerySet[Handover]) -> QuerySet[Handover]:
    """Return the lines with their successor and the people who proposed, answered or recorded a step; two queries."""
    parts = AcceptedPart.objects.select_related("organisation", "accepted_by").order_by("organisation__name", "pk")
    people = ("proposed_by", "answered_by", "consent_recorded_by")
    return lines.select_related("successor", *people).prefetch_related(Prefetch("accepted_parts", parts))


def _groups_to_hand_over(
    succession: Succession, predecessor: Organisation, day: dt.date, codes: Collection[str] | None = None
) -> list[HeldGroup]:
    """Return the predecessor's records of all or some kinds, without the records that return automatically."""
    groups = held_records_by_kind(predecessor, day, codes)
    if succession.undoes is None:
        return groups
    remaining_groups = []
    for group in groups:
        records = group.kind.records(predecessor, day)
        is_returned = returned_records_condition(succession, group.kind, records)
        returned_ids = set(records.filter(is_returned).values_list("pk", flat=True))
        remaining_records = [record for record in group.records if record.pk not in returned_ids]
        if remaining_records:
            remaining_groups.append(replace(group, records=remaining_records))
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
    """Return the terms of the lines, each with the number of lines that have exactly these terms."""
    label_by_code = {kind.code: kind.label for kind in obligations()}
    count_by_terms = Counter(
        LineTerms(
            kind=label_by_code.get(line.kind, line.kind),
            successor=line.successor.name,
            sharing=str(line.get_sharing_display()),
            state=str(line.get_state_display()),
            basis=line.basis,
            consent=line.consent_in_words,
            evidence=line.evidence,
            due_on=line.due_on,
            steps=tuple(steps_in_words(line)),
        )
        for line in lines
    )
    sorted_terms = sorted(count_by_terms, key=lambda terms: (terms.kind, terms.successor, terms.sharing, terms.state))
    return [replace(terms, lines=count_by_terms[terms]) for terms in sorted_terms]


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
    """Combine several shares into one share, which includes each record only once."""
    records: dict[tuple[str, int], HeldRecord] = {}
    for share in shares:
        records |= share.records
    return Share(successor, records)


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
        own_records = {(group.kind.code, record.pk): record for group in groups for record in group.records}
        holdings.append(
            SuccessorHoldings(
                successor=successor,
                received=share,
                before=Share(successor, own_records),
                afterwards=Share(successor, {**share.records, **own_records}),
            )
        )
    return holdings


def readable_titles(
    kind: Obligation,
    holder: Organisation,
    record_ids: Collection[int] | None,
    user: User,
    *,
    limit: int | None = None,
) -> dict[int, str]:
    """Return the titles of the holder's records that the person may read today, by id.

    If `record_ids` is given, only these records are read. People who left a partnership or plan can still read its
    earlier state, but not its present title.
    """
    held_records = kind.records(holder, timezone.localdate())
    if record_ids is not None:
        held_records = held_records.filter(pk__in=record_ids)
    filter_readable = getattr(held_records, "visible_today_to", None) or getattr(held_records, "visible_to", None)
    if filter_readable is None:
        return {}
    readable_records = filter_readable(user).order_by("pk")[:limit]
    return {record.pk: kind.describe(record, holder).title for record in readable_records}


def estates_of(succession: Succession, day: dt.date, *, involved_ids: Collection[int] | None = None) -> list[Estate]:
    """Return the estates of the predecessors, sorted by name. Fetch the succession by `with_ties`.

    If `involved_ids` is given, only predecessors in a tie with one of these organisations are included.
    """
    predecessor_by_id = {
        tie.predecessor_id: tie.predecessor
        for tie in succession.ties.all()
        if involved_ids is None or tie.predecessor_id in involved_ids or tie.successor_id in involved_ids
    }
    predecessors = sorted(predecessor_by_id.values(), key=lambda organisation: (organisation.name, organisation.pk))
    return [estate_of(succession, predecessor, day) for predecessor in predecessors]
