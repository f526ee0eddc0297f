"""What bodies of a succession hold, and who takes it over: counts, totals and what still has no line."""

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
    """What a predecessor holds of one kind, by how far its lines have come.

    `without`: what has no line. `undecided`: the same, then what is disputed or cannot pass on, with the reason.
    `lacking`: lines without the consent that they need.
    """

    kind: Obligation
    held: int
    homes: Decimal
    money: Decimal
    accepted: int
    proposed: int
    disputed: int
    stayed: int
    lacking: int
    without: Sequence[Held]
    undecided: Sequence[Held]

    def for_others(self, readable: Mapping[int, str]) -> KindCount:
        """The counts for somebody who may read only these records, given as titles by id. Reasons stay."""
        renamed = [replace(thing, title=readable.get(thing.pk, thing.outside)) for thing in self.undecided]
        without = [replace(thing, what="") for thing in renamed[: len(self.without)]]
        return replace(self, without=without, undecided=[*without, *renamed[len(without) :]])


#: Things by code of their kind and number: what several bodies hold together is there once.
Things = Mapping[tuple[str, int], Held]


@dataclass(frozen=True, slots=True)
class Share:
    """What one successor gets by the lines, or holds, or what has no line yet (no successor)."""

    successor: Organisation | None
    held: Things

    @property
    def things(self) -> int:
        """How many things it has."""
        return len(self.held)

    @property
    def homes(self) -> Decimal:
        """How many homes they are about."""
        return total(record.homes for record in self.held.values())

    @property
    def money(self) -> Decimal:
        """How many pounds they are about."""
        return total(record.money for record in self.held.values())


@dataclass(frozen=True, slots=True)
class After:
    """What one successor holds today, what it takes over, and what it holds then; what both hold counts once.

    `before` and `then` are None for readers concerned only with what it takes over.
    """

    successor: Organisation
    gets: Share
    before: Share | None = None
    then: Share | None = None


@dataclass(frozen=True, slots=True)
class LineTerms:
    """Lines of one predecessor that say the same, and how many they are.

    `steps`: who proposed and answered them and recorded a consent, and when.
    """

    kind: str
    successor: str
    sharing: str
    state: str
    basis: str
    consent: str
    evidence: str
    due_on: dt.date | None
    steps: Sequence[str]
    lines: int


@dataclass(frozen=True, slots=True)
class Estate:
    """What one predecessor holds, and where it goes.

    `is_led`: its own leads decide about what has no line; else an administrator does.
    """

    predecessor: Organisation
    kinds: Sequence[KindCount]
    shares: Sequence[Share]
    terms: Sequence[LineTerms]
    is_led: bool = True

    @property
    def things(self) -> int:
        """How many things it holds."""
        return sum(kind.held for kind in self.kinds)

    @property
    def homes(self) -> Decimal:
        """How many homes they are about."""
        return total(record.homes for record in self.kinds)

    @property
    def money(self) -> Decimal:
        """How many pounds they are about."""
        return total(record.money for record in self.kinds)

    @property
    def without(self) -> int:
        """How many things have no line yet."""
        return sum(len(kind.without) for kind in self.kinds)

    @property
    def lacking(self) -> int:
        """How many lines wait for a consent."""
        return sum(kind.lacking for kind in self.kinds)

    @property
    def stayed(self) -> int:
        """How many things could not pass on."""
        return sum(kind.stayed for kind in self.kinds)


def estate_of(succession: Succession, predecessor: Organisation, day: dt.date) -> Estate:
    """What the predecessor holds on a day, with the lines about it; without what passes back by itself."""
    lines = list(with_steps(succession.handovers.filter(predecessor=predecessor)).order_by("pk"))
    by_thing = {(line.kind, line.record): line for line in lines}
    groups = _to_hand_over(succession, predecessor, day)
    kinds = [_kind_count(group, by_thing) for group in groups]
    waits = any(kind.without or kind.lacking for kind in kinds)
    return Estate(
        predecessor=predecessor,
        kinds=kinds,
        shares=_shares(groups, by_thing),
        terms=_terms(lines),
        is_led=not waits or leads_of(predecessor).exists(),
    )


def _kind_count(group: Group, by_thing: Mapping[tuple[str, int], Handover]) -> KindCount:
    """How far the handover of things of one kind is."""
    with_lines = [(thing, by_thing.get((group.kind.code, thing.pk))) for thing in group.things]
    without = [thing for thing, line in with_lines if line is None]
    disputed = [
        replace(thing, what=f"{line.get_state_display().lower()}: {line.dispute}")
        for thing, line in with_lines
        if line is not None and line.state in (HandoverState.DISPUTED, HandoverState.STAYED)
    ]
    states = Counter(line.state for _, line in with_lines if line is not None)
    return KindCount(
        kind=group.kind,
        held=len(group.things),
        homes=group.homes,
        money=group.money,
        accepted=states[HandoverState.ACCEPTED],
        proposed=states[HandoverState.PROPOSED],
        disputed=states[HandoverState.DISPUTED],
        stayed=states[HandoverState.STAYED],
        lacking=sum(line.lacks_consent for _, line in with_lines if line is not None),
        without=without,
        undecided=[*without, *disputed],
    )


def _shares(groups: Iterable[Group], by_thing: Mapping[tuple[str, int], Handover]) -> list[Share]:
    """What each successor gets by the lines, by name; what has no line yet is last."""
    held: dict[Organisation | None, dict[tuple[str, int], Held]] = defaultdict(dict)
    for group in groups:
        for thing in group.things:
            key = group.kind.code, thing.pk
            line = by_thing.get(key)
            held[line.successor if line is not None else None][key] = thing
    return [Share(body, things) for body, things in sorted(held.items(), key=_by_name_and_nobody_last)]


def _by_name_and_nobody_last(item: tuple[Organisation | None, object]) -> tuple[bool, str]:
    body, _ = item
    return body is None, body.name if body is not None else ""


def with_steps(lines: QuerySet[Handover]) -> QuerySet[Handover]:
    """The lines with their successor and everybody who proposed, answered or recorded something; two queries."""
    parts = AcceptedPart.objects.select_related("organisation", "accepted_by").order_by("organisation__name", "pk")
    people = ("proposed_by", "answered_by", "consent_recorded_by")
    return lines.select_related("successor", *people).prefetch_related(Prefetch("accepted_parts", parts))


def _to_hand_over(succession: Succession, predecessor: Organisation, day: dt.date) -> list[Group]:
    groups = held_by(predecessor, day)
    if succession.undoes is None:
        return groups
    handovers = []
    for group in groups:
        records = group.kind.records(predecessor, day)
        back = set(records.filter(_going_back(succession, group.kind, records)).values_list("pk", flat=True))
        handovers.append(replace(group, things=[thing for thing in group.things if thing.pk not in back]))
    return [group for group in handovers if group.things]


def is_passing_back(undoing: Succession) -> bool:
    """Whether what the succession that this one undoes has passed on is still passing back."""
    undone = undoing.undoes
    if undone is None:
        return False
    return undone.moved_rows.exists() or undone.handovers.filter(state=HandoverState.APPLIED).exists()


def _going_back(succession: Succession, kind: Obligation, records: QuerySet[Any]) -> Q:
    """Which of these records pass back by themselves, because the succession undoes the one that passed them on."""
    if succession.undoes is None:
        return Q(pk__in=[])
    applied = succession.undoes.handovers.filter(kind=kind.code, state=HandoverState.APPLIED)
    moved = succession.undoes.moved_rows.filter(table=records.model._meta.label)
    return Q(pk__in=applied.values("record")) | Q(pk__in=moved.values("row"))


def _terms(lines: Iterable[Handover]) -> list[LineTerms]:
    """What the lines say besides what passes on, alike ones together."""
    labels = {kind.code: kind.label for kind in obligations()}
    alike = Counter(
        (
            labels.get(line.kind, line.kind),
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
    return [LineTerms(*said, lines) for said, lines in sorted(alike.items(), key=lambda item: item[0][:4])]


def shares_together(estates: Sequence[Estate]) -> list[Share]:
    """What each successor gets from all predecessors together; what has no line yet is last."""
    shares: dict[Organisation | None, list[Share]] = defaultdict(list)
    for share in (share for estate in estates for share in estate.shares):
        shares[share.successor].append(share)
    return [sum_of(parts, successor=body) for body, parts in sorted(shares.items(), key=_by_name_and_nobody_last)]


def sum_of(parts: Sequence[Share], *, successor: Organisation | None = None) -> Share:
    """Several shares as one."""
    return Share(successor, {key: one for part in parts for key, one in part.held.items()})


def after_all(shares: Sequence[Share], day: dt.date, *, of: Collection[int] | None = None) -> list[After]:
    """What each successor holds on a day, gets by these shares, and holds afterwards, by name.

    `of`: the organisations (ids) whose other holdings the reader may know of; None: all.
    """
    holdings = []
    for share in shares:
        if share.successor is None:
            continue
        if of is not None and share.successor.pk not in of:
            holdings.append(After(share.successor, share))
            continue
        groups = held_by(share.successor, day)
        own = {(group.kind.code, thing.pk): thing for group in groups for thing in group.things}
        both = Share(share.successor, {**share.held, **own})
        holdings.append(After(share.successor, share, Share(share.successor, own), both))
    return holdings


def readable_titles(
    kind: Obligation,
    holder: Organisation,
    records: Collection[int] | None,
    user: User,
    *,
    limit: int | None = None,
) -> dict[int, str]:
    """Titles of those of the holder's records that the person may read today, by id; of all without `records`.

    Who left a partnership or plan reads it as it was, so its title today is not theirs.
    """
    rows = kind.records(holder, timezone.localdate())
    if records is not None:
        rows = rows.filter(pk__in=records)
    read = getattr(rows, "known_today_to", None) or getattr(rows, "visible_to", None)
    if read is None:
        return {}
    return {row.pk: kind.describe(row, holder).title for row in read(user).order_by("pk")[:limit]}


def count_undecided(succession: Succession, predecessor: Organisation, day: dt.date) -> int:
    """How many things of the predecessor have no line, or a disputed one; one query, without reading them.

    Without what passes back by itself, and what cannot pass on: see `count_stayed`.
    """
    lines = succession.handovers.filter(predecessor=predecessor).exclude(state=HandoverState.DISPUTED)

    def undecided(kind: Obligation) -> QuerySet[Any]:
        records = kind.records(predecessor, day).exclude(pk__in=lines.filter(kind=kind.code).values("record"))
        return records.exclude(_going_back(succession, kind, records))

    return _count_all(undecided(kind) for kind in obligations())


def count_stayed(lines: QuerySet[Handover], predecessor: Organisation, day: dt.date) -> int:
    """How many things could not pass on by these lines of the predecessor, and are not over since; two queries."""
    kinds = lines.order_by("kind").values_list("kind", flat=True).distinct()
    return _count_all(
        obligation(kind).records(predecessor, day).filter(pk__in=lines.filter(kind=kind).values("record"))
        for kind in kinds
    )


def count_held(organisation: Organisation, day: dt.date) -> int:
    """How many things the organisation holds on the day, of every kind; one query."""
    return _count_all(kind.records(organisation, day) for kind in obligations())


def _count_all(queries: Iterable[QuerySet[Any, Any]]) -> int:
    parts = [query.order_by().values_list("pk") for query in queries]
    return parts[0].union(*parts[1:], all=True).count() if parts else 0


def estates_of(succession: Succession, day: dt.date, *, of: Collection[int] | None = None) -> list[Estate]:
    """The estates of the predecessors, by name; only those that involve one of the organisations `of`."""
    ties = succession.ties.select_related("predecessor")
    if of is not None:
        ties = ties.filter(Q(predecessor__in=of) | Q(successor__in=of))
    bodies = {tie.predecessor_id: tie.predecessor for tie in ties}
    return [estate_of(succession, body, day) for body in sorted(bodies.values(), key=lambda body: (body.name, body.pk))]


def lines_to_answer(succession: Succession, successors: Collection[int]) -> list[Handover]:
    """The lines that wait for these organisations, with all who share them; those to answer soonest first."""
    waiting = with_steps(succession.handovers.waiting_for(successors)).select_related("predecessor")
    waiting = waiting.prefetch_related("others")
    return list(waiting.order_by(F("due_on").asc(nulls_last=True), "predecessor__name", "kind", "title", "pk"))


def proposed_to(succession: Succession, successors: Collection[int]) -> list[dict[str, Any]]:
    """What waits for these organisations' answer: `before` (the predecessor's name), `count`, `homes` and `due`."""
    waiting = succession.handovers.waiting_for(successors).values(before=F("predecessor__name"))
    counted = waiting.annotate(count=Count("pk"), homes=Sum("homes"), due=Min("due_on")).order_by("before")
    return [{**one} for one in counted]


def lines_lacking_consent(succession: Succession, led: Collection[int] | None) -> QuerySet[Handover]:
    """The lines that wait for a consent, of bodies that one leads (ids; None: all)."""
    lines = succession.handovers.lacking_consent()
    if led is not None:
        lines = lines.filter(Q(predecessor__in=led) | Q(successor__in=led))
    lines_found = with_steps(lines).select_related("predecessor").prefetch_related("others")
    return lines_found.order_by("consent", "predecessor__name", "kind", "title", "pk")


def titles_of(lines: Iterable[Handover], user: User) -> dict[int, str]:
    """The titles of lines, by id: that of the record if the person may read it."""
    alike: dict[tuple[str, Organisation], list[Handover]] = defaultdict(list)
    for line in lines:
        alike[line.kind, line.predecessor].append(line)
    titles: dict[int, str] = {}
    for (kind, predecessor), group in alike.items():
        readable = readable_titles(obligation(kind), predecessor, [line.record for line in group], user)
        titles |= {line.pk: readable.get(line.record, line.title) for line in group}
    return titles
