"""What organisations become: successions in force, and who answers when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.answering import NOBODY, STRENGTH, Answer, Life, Step, Tie, in_force, who_answers
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.holdings import among
from partnerships.organisations.models import (
    CERTAIN,
    KEEPING,
    Handover,
    HandoverState,
    Organisation,
    Status,
    Succession,
    SuccessionKind,
    SuccessionQuerySet,
    SuccessionStatus,
    SuccessionTie,
)
from partnerships.organisations.naming import organisations_named

#: Kinds of succession that pass what a body held to its successors.
INHERITING = frozenset(SuccessionKind) - {SuccessionKind.BOUNDARY_CHANGE}


def with_ties(successions: QuerySet[Succession]) -> QuerySet[Succession]:
    """The successions with their ties and organisations, in two more queries."""
    ties = SuccessionTie.objects.select_related("predecessor", "successor").order_by(
        "predecessor__name", "successor__name", "function", "pk"
    )
    return successions.prefetch_related(Prefetch("ties", ties))


def rivals_of(succession: Succession) -> SuccessionQuerySet:
    """Other pending proposals for the same place, the first recorded first."""
    if not succession.place:
        return Succession.objects.none()
    pending = Succession.objects.pending().filter(place__iexact=succession.place)
    return pending.exclude(proposal__iexact=succession.proposal).order_by("pk")


def of_same_order(succession: Succession) -> SuccessionQuerySet:
    """The successions of its order, itself included, by number.

    They have the same proposal for a place and the same vesting day. Those that undo others form a group of their own.
    Without a place there is only itself.
    """
    alike = Succession.objects.live()
    if not succession.place or succession.vests_on is None:
        return alike.filter(pk=succession.pk)
    return alike.filter(
        place__iexact=succession.place,
        proposal__iexact=succession.proposal,
        vests_on=succession.vests_on,
        undoes__isnull=succession.undoes_id is None,
    ).order_by("pk")


def with_it(succession: Succession) -> SuccessionQuerySet:
    """The other successions of its order that have the same status."""
    return of_same_order(succession).filter(status=succession.status).exclude(pk=succession.pk)


def is_in_force(succession: Succession) -> bool:
    """Whether it has taken effect, and nothing that undoes it is in force."""
    if succession.status != SuccessionStatus.EFFECTIVE:
        return False
    return not any(is_in_force(other) for other in succession.undone_by.all())


def brought_about(succession: Succession) -> Succession:
    """If this one undoes an undoing, the succession that is in effect again.

    Else itself.
    """
    while succession.undoes is not None and succession.undoes.undoes is not None:
        succession = succession.undoes.undoes
    return succession


def told_in(params: Mapping[str, Any]) -> list[Succession]:
    """The successions that an email with these params tells of, with their ties.

    Empty for an email whose params were cleared.
    """
    if "succession" not in params:
        return []
    numbers = [params["succession"], *params.get("also", ())]
    successions = with_ties(Succession.objects.select_related("undoes")).in_bulk(numbers)
    return [successions[number] for number in numbers]


def successions_of(organisation: Organisation) -> QuerySet[Succession]:
    """Live successions that concern it, with their ties; newest first."""
    live = with_ties(Succession.objects.live().concerning(organisation))
    return live.order_by(F("vests_on").desc(nulls_last=True), "-pk")


def pending_successions() -> QuerySet[Succession]:
    """Every succession that is to come, with its ties; the next first.

    `changed_at` is the moment of its last change.
    """
    pending = with_ties(Succession.objects.pending()).annotate(changed_at=Max("events__pgh_created_at"))
    return pending.order_by(F("vests_on").asc(nulls_last=True), "place", "proposal", "pk")


def changes_of(succession: Succession) -> list[Event]:
    """The events of a succession, newest first.

    Each organisation concerned has one of its own; the first stands for them.
    """
    bodies = {pk for tie in succession.ties.all() for pk in (tie.predecessor_id, tie.successor_id) if pk}
    events = Event.objects.filter(
        target_kind="organisation",
        target_id__in=bodies,
        kind__in=[
            EventKind.SUCCESSION_RECORDED,
            EventKind.SUCCESSION_CORRECTED,
            EventKind.SUCCESSION_STATUS_CHANGED,
        ],
        data__after__succession=succession.pk,
    )
    return list({(event.at, event.kind): event for event in events.order_by("-at", "-pk")}.values())


def ending(succession: Succession) -> list[Organisation]:
    """The predecessors that end with the succession, by number."""
    ties = list(succession.ties.select_related("predecessor"))
    lasting = _going_on(succession, ties)
    ended = {tie.predecessor_id: tie.predecessor for tie in ties if tie.predecessor_id not in lasting}
    return [ended[pk] for pk in sorted(ended)]


def going_on(succession: Succession) -> set[int]:
    """The ids of predecessors that do not end with the succession.

    Without a query after `with_ties`.
    """
    return _going_on(succession, succession.ties.all())


def _going_on(succession: Succession, ties: Iterable[SuccessionTie]) -> set[int]:
    return {tie.predecessor_id for tie in ties if succession.kind in KEEPING or tie.successor_id == tie.predecessor_id}


def held_then(kind: str, record: int, at: dt.datetime) -> dict[int, Organisation]:
    """Who held a record of a kind of obligation at a moment, by the body (id) to which it has passed since."""
    passed = Handover.objects.filter(kind=kind, record=record, state=HandoverState.APPLIED, applied_at__gt=at)
    holders: dict[int, Organisation] = {}
    for line in passed.select_related("predecessor").order_by("applied_at", "pk"):
        # Of several that passed to one body, the first gave it the row; the others ended.
        holders.setdefault(line.successor_id, holders.pop(line.predecessor_id, line.predecessor))
    return holders


def steps_from(bodies: Iterable[int], *, kinds: Collection[str] | None = None) -> list[Step]:
    """Every certain succession of these bodies and of what they became.

    Bodies are ids. One query for each link of the longest chain, and one more.
    """
    successions: dict[int, Succession] = {}
    seen: set[int] = set()
    frontier = set(bodies)
    while frontier:
        seen |= frontier
        certain = Succession.objects.filter(status__in=CERTAIN).exclude(pk__in=successions)
        if kinds is not None:
            certain = certain.filter(kind__in=kinds)
        rows = certain.filter(among("ties__predecessor", list(frontier))).distinct().prefetch_related("ties")
        successions |= {row.pk: row for row in rows}
        frontier = {tie.successor_id for row in rows for tie in row.ties.all() if tie.successor_id} - seen
    return [_step(row) for row in successions.values()]


def _step(succession: Succession) -> Step:
    """The succession as the pure calculation takes it."""
    ties = tuple(
        Tie(
            predecessor=tie.predecessor_id,
            successor=tie.successor_id or NOBODY,
            role=tie.role,
            function=tie.function_id or "",
            share=None if tie.share is None else Fraction(tie.share),
        )
        for tie in succession.ties.all()
    )
    return Step(
        number=succession.pk,
        vests=succession.vests_on,
        ties=ties,
        ends=succession.kind not in KEEPING,
        divides=succession.kind == SuccessionKind.BOUNDARY_CHANGE,
        undoes=succession.undoes_id,
    )


def _past(steps: Iterable[Step], day: dt.date) -> list[Step]:
    return in_force(step for step in steps if step.vests is None or step.vests.latest <= day)


def _after(steps: Iterable[Step], body: int) -> set[int]:
    """The bodies that followed this one, without itself."""
    return {
        tie.successor
        for step in steps
        for tie in step.ties
        if tie.predecessor == body and tie.successor not in (NOBODY, body) and tie.role in STRENGTH
    }


def _ended_by(step: Step) -> set[int]:
    """The bodies that a step ends: its predecessors, unless they continue."""
    if not step.ends:
        return set()
    continuing = {tie.predecessor for tie in step.ties if tie.successor == tie.predecessor}
    return {tie.predecessor for tie in step.ties} - continuing


def successors_on(
    organisation: Organisation, on: dt.date | None = None, *, kinds: Collection[str] = INHERITING
) -> list[Organisation]:
    """Its direct successors by that day (by default today).

    Of successions that are certain and not undone; one of unknown date counts.
    """
    steps = _past(steps_from([organisation.pk], kinds=kinds), on or timezone.localdate())
    return list(Organisation.objects.filter(pk__in=_after(steps, organisation.pk)).order_by("name", "pk"))


def successors_of_each(organisations: Collection[int], on: dt.date) -> dict[int, list[int]]:
    """The ids of the direct successors of each of these bodies by that day, as in `successors_on`."""
    steps = _past(steps_from(organisations, kinds=INHERITING), on)
    return {body: sorted(_after(steps, body)) for body in organisations}


def followers_of_each(organisations: Collection[int], on: dt.date) -> dict[int, list[int]]:
    """For those of these bodies that ended by that day, the ids of the bodies that followed them directly."""
    steps = _past(steps_from(organisations, kinds=INHERITING), on)
    ended = set[int]().union(*(_ended_by(step) for step in steps))
    return {body: sorted(_after(steps, body)) for body in organisations if body in ended}


def predecessors_of_each(organisations: Collection[int], on: dt.date) -> dict[int, list[int]]:
    """The ids of the bodies that each of these follows directly by that day."""
    ties = SuccessionTie.objects.filter(successor__in=organisations).values_list("predecessor", flat=True)
    before = set(ties)
    predecessors: dict[int, list[int]] = {body: [] for body in organisations}
    for predecessor, successors in successors_of_each(before, on).items():
        for body in successors:
            if body in predecessors:
                predecessors[body].append(predecessor)
    return predecessors


def _ending_ties() -> QuerySet[SuccessionTie]:
    """The ties in effect by which a body ended and another followed it."""
    undone = Succession.objects.filter(undone_by__status=SuccessionStatus.EFFECTIVE)
    return (
        SuccessionTie.objects.filter(succession__status=SuccessionStatus.EFFECTIVE, role__in=STRENGTH)
        .exclude(succession__kind__in=KEEPING)
        .exclude(succession__in=undone.values("pk"))
        .exclude(successor=F("predecessor"))
    )


#: Organisations by a name, and the ended bodies that they followed, through any number of links.
_FOUND = """
    WITH RECURSIVE found (id) AS (
        {named} UNION SELECT ended.body FROM ({ended}) ended (body, follower) JOIN found ON ended.follower = found.id
    ) SELECT id FROM found
"""


def found_by_name(words: str) -> RawSQL:
    """Ids of organisations with a present or former name that has every word, and of the ended bodies they followed.

    A subquery, so that a statement that is kept finds names of later.
    """
    ended = _ending_ties().filter(predecessor__status=Status.DISSOLVED).values_list("predecessor", "successor")
    named, its = organisations_named(words).query.sql_with_params()
    ties, theirs = ended.query.sql_with_params()
    return RawSQL(_FOUND.format(named=named, ended=ties), (*its, *theirs))  # noqa: S611 - Django's own SQL


def summed_with(organisation: Organisation) -> list[Organisation]:
    """Ended bodies whose figures count with this one's.

    It alone followed them, directly or through others. Figures of a body that was divided count with nobody's. By name;
    two queries.
    """
    before = followed_alone()
    bodies_summed: set[int] = set()
    frontier = {organisation.pk}
    while frontier:
        frontier = {one for body in frontier for one in before.get(body, ())} - bodies_summed - {organisation.pk}
        bodies_summed |= frontier
    return list(Organisation.objects.filter(pk__in=bodies_summed).order_by("name", "pk")) if bodies_summed else []


def followed_alone() -> dict[int, set[int]]:
    """For each body, by id, the ended bodies that it alone followed directly.

    One query.
    """
    ties = _ending_ties()
    elsewhere = ties.filter(predecessor=OuterRef("predecessor")).exclude(successor=OuterRef("successor"))
    alone = ties.filter(~Exists(elsewhere), predecessor__status=Status.DISSOLVED, successor__isnull=False)
    followed: dict[int, set[int]] = {}
    for predecessor, successor in alone.values_list("predecessor", "successor"):
        if successor is not None:
            followed.setdefault(successor, set()).add(predecessor)
    return followed


def who_answers_for(*, function: str, organisation: Organisation, day: dt.date) -> Answer:
    """Who answers on a day for a function of this organisation.

    `function` is the code of a `Function`.
    """
    steps = steps_from([organisation.pk])
    bodies = {organisation.pk} | {tie.successor for step in steps for tie in step.ties}
    ended_by_step = set[int]().union(*(_ended_by(step) for step in steps))
    rows = Organisation.objects.filter(Q(pk__in=bodies)).values_list("pk", "valid_from", "valid_to")
    lives = {pk: Life(start, None if pk in ended_by_step else end) for pk, start, end in rows}
    return who_answers(function=function, body=organisation.pk, day=day, steps=steps, lives=lives)
