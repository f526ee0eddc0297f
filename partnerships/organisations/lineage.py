"""Find out which successions are in force, and which organisations followed or preceded another one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Prefetch, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.holdings import id_is_among, rows_once_a_page
from partnerships.organisations.models import (
    CERTAIN_STATUSES,
    KINDS_KEEPING_PREDECESSOR,
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
from partnerships.organisations.responsibility import (
    NOBODY,
    STRENGTH,
    Life,
    Responsibility,
    Step,
    Tie,
    responsible_body,
    steps_in_force,
)
from partnerships.organisations.statements import rows_for

#: The kinds of succession that pass an organisation's records to its successors.
INHERITING = frozenset(SuccessionKind) - {SuccessionKind.BOUNDARY_CHANGE}


def with_ties(successions: QuerySet[Succession]) -> QuerySet[Succession]:
    """Return the successions with their ties and organisations, in one more query."""
    ties = SuccessionTie.objects.select_related("predecessor", "successor").order_by(
        "predecessor__name", "successor__name", "function", "pk"
    )
    return successions.prefetch_related(Prefetch("ties", ties))


def rival_successions(succession: Succession) -> SuccessionQuerySet:
    """Return pending successions for the same place that belong to another proposal, in the order of recording."""
    if not succession.place:
        return Succession.objects.none()
    pending = Succession.objects.pending().filter(place__iexact=succession.place)
    return pending.exclude(proposal__iexact=succession.proposal).order_by("pk")


def successions_of_order(succession: Succession) -> SuccessionQuerySet:
    """Return the successions of the same order, including this succession.

    They have the same place, proposal and vesting day. Successions that undo others form a separate group. A succession
    without a place or vesting day is the only one of its order.
    """
    live = Succession.objects.live()
    if not succession.place or succession.vests_on is None:
        return live.filter(pk=succession.pk)
    return live.filter(
        place__iexact=succession.place,
        proposal__iexact=succession.proposal,
        vests_on=succession.vests_on,
        undoes__isnull=succession.undoes_id is None,
    ).order_by("pk")


def others_of_order_with_status(succession: Succession) -> SuccessionQuerySet:
    """Return the other successions of the same order that have the same status."""
    return successions_of_order(succession).filter(status=succession.status).exclude(pk=succession.pk)


def is_in_force(succession: Succession) -> bool:
    """Return True if the succession has taken effect and has not been undone."""
    if succession.status != SuccessionStatus.EFFECTIVE:
        return False
    return not any(is_in_force(other) for other in succession.undone_by.all())


def effective_succession(succession: Succession) -> Succession:
    """Return the succession that is effective because of this one.

    This is the succession itself or, if it undoes an undoing, the first succession of that chain.
    """
    while succession.undoes is not None and succession.undoes.undoes is not None:
        succession = succession.undoes.undoes
    return succession


def successions_in_email(params: Mapping[str, Any]) -> list[Succession]:
    """Return the successions of an email with these params, with their ties; empty if the params were cleared."""
    if "succession" not in params:
        return []
    ids = [params["succession"], *params.get("also", ())]
    succession_by_id = with_ties(Succession.objects.select_related("undoes")).in_bulk(ids)
    return [succession_by_id[pk] for pk in ids]


def successions_of(organisation: Organisation | int) -> QuerySet[Succession]:
    """Return the live successions of an organisation with their ties, the newest first."""
    live_successions = with_ties(Succession.objects.live().involving(organisation))
    return live_successions.order_by(F("vests_on").desc(nulls_last=True), "-pk")


def pending_successions() -> QuerySet[Succession]:
    """Return all pending successions with their ties, sorted by vesting day.

    `changed_at` is the time of the last change.
    """
    pending = with_ties(Succession.objects.pending()).annotate(changed_at=Max("events__pgh_created_at"))
    return pending.order_by(F("vests_on").asc(nulls_last=True), "place", "proposal", "pk")


def changes_of(succession: Succession) -> list[Event]:
    """Return one event for each change of a succession, the newest first.

    A change is logged once for each organisation, so only one event of each change is returned.
    """
    organisation_ids = {pk for tie in succession.ties.all() for pk in (tie.predecessor_id, tie.successor_id) if pk}
    events = Event.objects.filter(
        target_kind="organisation",
        target_id__in=organisation_ids,
        kind__in=[
            EventKind.SUCCESSION_RECORDED,
            EventKind.SUCCESSION_CORRECTED,
            EventKind.SUCCESSION_STATUS_CHANGED,
        ],
        data__after__succession=succession.pk,
    )
    event_by_change = {(event.at, event.kind): event for event in events.order_by("-at", "-pk")}
    return list(event_by_change.values())


def ending_predecessors(succession: Succession) -> list[Organisation]:
    """Return the predecessors that end with the succession, sorted by id."""
    ties = list(succession.ties.select_related("predecessor"))
    continuing_ids = _continuing_ids(succession, ties)
    ended_by_id = {tie.predecessor_id: tie.predecessor for tie in ties if tie.predecessor_id not in continuing_ids}
    return [ended_by_id[pk] for pk in sorted(ended_by_id)]


def continuing_predecessor_ids(succession: Succession) -> set[int]:
    """Return the ids of the predecessors that continue after the succession; no query if the ties are prefetched."""
    return _continuing_ids(succession, succession.ties.all())


def _continuing_ids(succession: Succession, ties: Iterable[SuccessionTie]) -> set[int]:
    return {
        tie.predecessor_id
        for tie in ties
        if succession.kind in KINDS_KEEPING_PREDECESSOR or tie.successor_id == tie.predecessor_id
    }


def holders_at(kind: str, record_id: int, at: dt.datetime) -> dict[int, Organisation]:
    """Return the organisations that held a record at a moment, by the id of the organisation that has it now."""
    applied_lines = Handover.objects.filter(kind=kind, record=record_id, state=HandoverState.APPLIED, applied_at__gt=at)
    holders: dict[int, Organisation] = {}
    for line in applied_lines.select_related("predecessor").order_by("applied_at", "pk"):
        # If several organisations passed a row to the same successor, it got the first row and the others ended.
        holders.setdefault(line.successor_id, holders.pop(line.predecessor_id, line.predecessor))
    return holders


def steps_of_bodies(body_ids: Iterable[int], *, kinds: Collection[str] | None = None) -> list[Step]:
    """Return all certain successions of these organisations and of the organisations that followed them.

    This takes one query for each link of the longest chain, and one more query.
    """
    succession_by_id: dict[int, Succession] = {}
    visited_ids: set[int] = set()
    next_ids = set(body_ids)
    while next_ids:
        visited_ids |= next_ids
        certain_successions = Succession.objects.filter(status__in=CERTAIN_STATUSES).exclude(pk__in=succession_by_id)
        if kinds is not None:
            certain_successions = certain_successions.filter(kind__in=kinds)
        successions = (
            certain_successions.filter(id_is_among("ties__predecessor", list(next_ids)))
            .distinct()
            .prefetch_related("ties")
        )
        successor_ids = set()
        for succession in successions:
            succession_by_id[succession.pk] = succession
            successor_ids |= {tie.successor_id for tie in succession.ties.all() if tie.successor_id}
        next_ids = successor_ids - visited_ids
    return [_step(succession) for succession in succession_by_id.values()]


def _step(succession: Succession) -> Step:
    """Convert the succession to a `Step`, with which `responsible_body` calculates."""
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
        ends=succession.kind not in KINDS_KEEPING_PREDECESSOR,
        divides=succession.kind == SuccessionKind.BOUNDARY_CHANGE,
        undoes=succession.undoes_id,
    )


def _steps_by(steps: Iterable[Step], day: dt.date) -> list[Step]:
    """Return the steps in force that vested on or before a day, or on an unknown day."""
    return steps_in_force(step for step in steps if step.vests is None or step.vests.latest <= day)


def _successor_ids(steps: Iterable[Step], body_id: int) -> set[int]:
    """Return the ids of the organisations that directly followed this organisation, excluding its own id."""
    return {
        tie.successor
        for step in steps
        for tie in step.ties
        if tie.predecessor == body_id and tie.successor not in (NOBODY, body_id) and tie.role in STRENGTH
    }


def _bodies_ended_by(step: Step) -> set[int]:
    """Return the ids of the predecessors that a step ends. A predecessor that succeeds itself continues."""
    if not step.ends:
        return set()
    continuing_ids = {tie.predecessor for tie in step.ties if tie.successor == tie.predecessor}
    return {tie.predecessor for tie in step.ties} - continuing_ids


def successors_on(
    organisation: Organisation, day: dt.date | None = None, *, kinds: Collection[str] = INHERITING
) -> list[Organisation]:
    """Return the direct successors of an organisation on a day, by default today.

    Only certain successions that were not undone are used, including successions on an unknown day in the past.
    """
    steps = _steps_by(steps_of_bodies([organisation.pk], kinds=kinds), day or timezone.localdate())
    return list(Organisation.objects.filter(pk__in=_successor_ids(steps, organisation.pk)).order_by("name", "pk"))


def successors_of_each(organisation_ids: Collection[int], day: dt.date) -> dict[int, list[int]]:
    """Return the ids of the direct successors of each organisation (id) on a day.

    Only certain successions that were not undone are used.
    """
    steps = _steps_by(steps_of_bodies(organisation_ids, kinds=INHERITING), day)
    return {body: sorted(_successor_ids(steps, body)) for body in organisation_ids}


def followers_of_each(organisation_ids: Collection[int], day: dt.date) -> dict[int, list[int]]:
    """Return the ids of the direct successors of each organisation (id) that had ended by a day.

    Organisations that still existed have no entry.
    """
    steps = _steps_by(steps_of_bodies(organisation_ids, kinds=INHERITING), day)
    ended_ids = set[int]().union(*(_bodies_ended_by(step) for step in steps))
    return {body: sorted(_successor_ids(steps, body)) for body in organisation_ids if body in ended_ids}


def predecessors_of_each(organisation_ids: Collection[int], day: dt.date) -> dict[int, list[int]]:
    """Return the ids of the direct predecessors of each organisation (id) on a day."""
    ties = SuccessionTie.objects.filter(successor__in=organisation_ids)
    candidate_ids = set(ties.values_list("predecessor", flat=True))
    predecessors_by_id: dict[int, list[int]] = {pk: [] for pk in organisation_ids}
    for predecessor_id, successor_ids in successors_of_each(candidate_ids, day).items():
        for successor_id in successor_ids:
            if successor_id in predecessors_by_id:
                predecessors_by_id[successor_id].append(predecessor_id)
    return predecessors_by_id


def _ending_ties() -> QuerySet[SuccessionTie]:
    """Return the ties in effect by which one organisation ended and another organisation followed."""
    undone_successions = Succession.objects.filter(undone_by__status=SuccessionStatus.EFFECTIVE)
    return (
        SuccessionTie.objects.filter(succession__status=SuccessionStatus.EFFECTIVE, role__in=STRENGTH)
        .exclude(succession__kind__in=KINDS_KEEPING_PREDECESSOR)
        .exclude(succession__in=undone_successions.values("pk"))
        .exclude(successor=F("predecessor"))
    )


#: Selects organisations with a name, and the ended organisations that they followed, however long the chain is.
_WITH_PREDECESSORS = """
    WITH RECURSIVE matching (id) AS (
        {named}
        UNION
        SELECT ended.predecessor
          FROM ({ended}) AS ended (predecessor, successor)
          JOIN matching ON ended.successor = matching.id
    )
    SELECT id FROM matching
"""


def organisation_ids_by_name(words: str) -> RawSQL:
    """Return the ids of organisations that have or had a name with every word, and of ended organisations before them.

    The ended organisations are those that a found organisation followed, directly or through others. The result is a
    subquery and not a list of ids, so that a stored query also finds names that are added later.
    """
    ended = _ending_ties().filter(predecessor__status=Status.DISSOLVED).values_list("predecessor", "successor")
    named_sql, named_params = organisations_named(words).query.sql_with_params()
    ended_sql, ended_params = ended.query.sql_with_params()
    sql = _WITH_PREDECESSORS.format(named=named_sql, ended=ended_sql)
    return RawSQL(sql, (*named_params, *ended_params))  # noqa: S611 - Django's own SQL


def predecessors_summed_with(organisation: Organisation) -> list[Organisation]:
    """Return the ended organisations with figures that are added to this organisation's, sorted by name; two queries.

    This organisation is the only successor of each, directly or through others. If an organisation was divided, its
    figures are not added to those of any successor.
    """
    predecessor_ids_by_id = predecessors_by_sole_successor()
    summed_ids: set[int] = set()
    next_ids = {organisation.pk}
    while next_ids:
        predecessor_ids: set[int] = set()
        for pk in next_ids:
            predecessor_ids |= predecessor_ids_by_id.get(pk, set())
        next_ids = predecessor_ids - summed_ids - {organisation.pk}
        summed_ids |= next_ids
    if not summed_ids:
        return []
    return list(Organisation.objects.filter(pk__in=summed_ids).order_by("name", "pk"))


def predecessors_by_sole_successor() -> dict[int, set[int]]:
    """Return the ids of ended organisations by the organisation (id) that alone directly followed them.

    A page makes one query, however often it calls this function.
    """
    predecessor_ids_by_id: dict[int, set[int]] = {}
    for predecessor_id, successor_id in rows_once_a_page((sole_successions,), lambda: rows_for(sole_successions)):
        predecessor_ids_by_id.setdefault(successor_id, set()).add(predecessor_id)
    return predecessor_ids_by_id


def sole_successions() -> QuerySet[SuccessionTie, tuple[int, int]]:
    """Return each ended organisation that a single organisation directly followed, with that organisation, as ids."""
    ties = _ending_ties()
    to_another_successor = ties.filter(predecessor=OuterRef("predecessor")).exclude(successor=OuterRef("successor"))
    only_ties = ties.filter(
        ~Exists(to_another_successor), predecessor__status=Status.DISSOLVED, successor__isnull=False
    )
    return only_ties.values_list("predecessor", "successor")


def responsible_body_for(*, function: str, organisation: Organisation, day: dt.date) -> Responsibility:
    """Return who is responsible on a day for a function (the code of a `Function`) of an organisation."""
    steps = steps_of_bodies([organisation.pk])
    organisation_ids = {organisation.pk} | {tie.successor for step in steps for tie in step.ties}
    ended_ids = set[int]().union(*(_bodies_ended_by(step) for step in steps))
    rows = Organisation.objects.filter(pk__in=organisation_ids).values_list("pk", "valid_from", "valid_to")
    # The last day of an organisation that a step ends is known from the step.
    lives = {pk: Life(start, None if pk in ended_ids else end) for pk, start, end in rows}
    return responsible_body(function=function, body=organisation.pk, day=day, steps=steps, lives=lives)
