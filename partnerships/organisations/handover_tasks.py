"""Tasks on My work for leads, about records without an owner and about the handovers of successions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Organisations, People, Reach
from partnerships.organisations.holding_counts import count_stayed, count_undecided
from partnerships.organisations.models import (
    KINDS_KEEPING_PREDECESSOR,
    Handover,
    HandoverState,
    Membership,
    Organisation,
    Role,
    Succession,
    SuccessionStatus,
    SuccessionTie,
)
from partnerships.organisations.owned import OwnedKind, left_without_owner, owned_kinds
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User


def _reach_of_leavers(now: dt.datetime) -> Reach:
    """Return the ended memberships, with the route to the leads of their organisations.

    Organisations without former members have no records without an owner.
    """
    ended = Membership.objects.filter(accepted_at__isnull=False, ends_on__lte=timezone.localdate(now))
    return Reach(ended, (Organisations("organisation", roles=(Role.LEAD,)),))


def _organisations_with_leavers(user: User, now: dt.datetime) -> QuerySet[Organisation]:
    """Return the organisations that the person leads and that had other members, by name."""
    led_organisations = Organisation.objects.of_person(user, Role.LEAD)
    organisation_ids = _reach_of_leavers(now).of(user).values("organisation")
    return led_organisations.filter(pk__in=organisation_ids).order_by("name", "pk")


def _kinds_in_one_task() -> list[OwnedKind]:
    """Return the kinds of owned record that share a task; the other kinds have a task for each record."""
    return [kind for kind in owned_kinds() if not kind.waits_alone]


def _left_without_owner_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each organisation with records without an owner, except kinds that have their own tasks."""
    tasks = []
    for body in rows_for(_organisations_with_leavers, user, now):
        if groups := left_without_owner(body.pk, now, kinds=_kinds_in_one_task()):
            counts_in_words = ", ".join(f"{group.kind.label} ({len(group.records)})" for group in groups)
            tasks.append(
                WaitingTask(
                    action="Hand over records without an owner",
                    title=f"{counts_in_words} of {body.display_name}",
                    path=reverse("organisations:without-owner", args=[body.pk]),
                )
            )
    return tasks


def _left_without_owner_lookups(user: User, now: dt.datetime) -> list[Lookup]:
    """Return the lookups that the tasks about records without an owner need.

    Most leads lead one organisation, so its records are read in the same query. For a person who leads several, it is
    not known yet which of these have leavers, so their records are queried later.
    """
    led_ids = Membership.objects.ids_led_by(user)
    lookups = [lookup(_organisations_with_leavers, user, now)]
    if len(led_ids) == 1:
        lookups += [kind.lookup_without_owner(led_ids[0], now) for kind in _kinds_in_one_task()]
    return lookups


#: Tasks of leads about records that nobody took over.
LEFT_OVER = (
    TaskSource(_left_without_owner_tasks, lambda now: (_reach_of_leavers(now),), lookups=_left_without_owner_lookups),
)


#: How long before and after vesting day the predecessors' leads have the task to propose who takes over.
ASKING_PERIOD = dt.timedelta(days=366)


def _ties_that_vest_soon(now: dt.datetime) -> QuerySet[SuccessionTie]:
    """Return the ties from bodies that end to their successors, within `ASKING_PERIOD` of vesting day.

    A body that continues keeps its records, so its leads need not propose who takes over.
    """
    today = timezone.localdate(now)
    near_successions = Succession.objects.live().filter(
        vests_on__gte=today - ASKING_PERIOD, vests_on__lte=today + ASKING_PERIOD
    )
    near_successions = near_successions.exclude(undone_by__status=SuccessionStatus.EFFECTIVE)
    tie_to_itself = SuccessionTie.objects.filter(
        succession=OuterRef("succession"), predecessor=OuterRef("predecessor"), successor=OuterRef("predecessor")
    )
    ties = SuccessionTie.objects.filter(
        succession__in=near_successions.exclude(kind__in=KINDS_KEEPING_PREDECESSOR)
    ).exclude(successor=None)
    return ties.filter(~Exists(tie_to_itself))


def _lines_to_propose(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each organisation that the person leads and each of its successions near vesting day."""
    ties = _ties_that_vest_soon(now).filter(predecessor__in=Organisation.objects.of_person(user, Role.LEAD))
    ties = ties.select_related("succession", "predecessor").order_by("pk")
    # A dict, to have each pair only once and in the order of the ties.
    successions_with_predecessor = dict.fromkeys((tie.succession, tie.predecessor) for tie in ties)
    return [task for pair in successions_with_predecessor if (task := _task_to_propose(*pair, now))]


def _is_led(side: str, now: dt.datetime) -> Exists:
    """Return the condition that the organisation in this column, "predecessor" or "successor", has a lead."""
    leads = Membership.objects.current(timezone.localdate(now)).filter(role=Role.LEAD)
    return Exists(leads.filter(organisation=OuterRef(side)))


def _administrators() -> QuerySet[User]:
    return User.objects.filter(is_staff=True, is_active=True)


def _lines_to_propose_for_others(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each succession of organisations without a lead, for administrators.

    The count covers only the first organisation that has records, because each organisation needs a long query, and a
    county may have twelve of them.
    """
    if not user.is_staff:
        return []
    bodies_by_succession: dict[Succession, dict[int, Organisation]] = {}
    ties = _ties_that_vest_soon(now).filter(~_is_led("predecessor", now)).select_related("succession", "predecessor")
    for tie in ties.order_by("pk"):
        bodies_by_succession.setdefault(tie.succession, {})[tie.predecessor_id] = tie.predecessor
    tasks = []
    for succession, bodies_without_lead in bodies_by_succession.items():
        for body in bodies_without_lead.values():
            if task := _task_to_propose(succession, body, now, other_count=len(bodies_without_lead) - 1):
                tasks.append(task)
                break
    return tasks


def _task_to_propose(
    succession: Succession, body: Organisation, now: dt.datetime, *, other_count: int = 0
) -> WaitingTask | None:
    """Return the task about a body's records without a handover line or with a disputed line; None if it has none.

    `other_count` is the number of other bodies of the succession that have no lead either.
    """
    count = count_undecided(succession, body, timezone.localdate(now))
    if not count:
        return None
    title = f"{count} record{pluralize(count)} of {body.display_name}"
    if other_count:
        title = (
            f"{title}, and perhaps records of {other_count} other organisation{pluralize(other_count)} without a lead"
        )
    return WaitingTask(
        action="Say who takes over", title=title, path=reverse("organisations:handover", args=[succession.pk])
    )


def _lines_to_answer_by_succession(user: User) -> QuerySet[Handover, dict[str, Any]]:
    """Return the number of unanswered lines of each succession, and the first day on which one is due."""
    proposed = Handover.objects.awaiting_answer_from(Membership.objects.organisations_of(user, Role.LEAD))
    lines: QuerySet[Handover, Any] = proposed.values("succession").annotate(count=Count("pk"), due=Min("due_on"))
    return lines.order_by("succession")


def _lines_to_answer(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each succession with handover lines for an organisation that the person leads."""
    return [
        WaitingTask(
            action="Answer handover lines",
            title=f"{line['count']} record{pluralize(line['count'])} that your organisation is asked to take over",
            path=reverse("organisations:handover-answer", args=[line["succession"]]),
            due=line["due"],
        )
        for line in rows_for(_lines_to_answer_by_succession, user)
    ]


def _lines_without_answering_lead(now: dt.datetime) -> QuerySet[Handover]:
    """Return the handover lines of live successions that were proposed to an organisation without a lead."""
    return _lines_of_live_successions(Handover.objects.filter(~_is_led("successor", now), state=HandoverState.PROPOSED))


def _leads_to_invite(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each organisation that has lines to answer but no lead, for administrators."""
    if not user.is_staff:
        return []
    lines = _lines_without_answering_lead(now).values("successor", "successor__name")
    return [
        WaitingTask(
            action="Invite a lead to answer handover lines",
            title=f"{row['count']} record{pluralize(row['count'])} proposed to {row['successor__name']}",
            path=reverse("organisations:people", args=[row["successor"]]),
            due=row["due"],
        )
        for row in lines.annotate(count=Count("pk"), due=Min("due_on")).order_by("successor")
    ]


def _lines_that_stayed() -> QuerySet[Handover]:
    """Return the lines of live successions with records that could not be handed over."""
    return _lines_of_live_successions(Handover.objects.filter(state=HandoverState.STAYED))


def _stayed_records_to_settle(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each body with records that could not pass on, for the leads of the successor.

    Administrators have the task if the successor has no lead.
    """
    is_led_by_user = Q(successor__in=Membership.objects.ids_led_by(user))
    is_concerned = is_led_by_user | ~_is_led("successor", now) if user.is_staff else is_led_by_user
    lines = _lines_that_stayed().filter(is_concerned)
    bodies = Organisation.objects.filter(pk__in=lines.values("predecessor")).order_by("name", "pk")
    tasks = []
    for body in bodies:
        if count := count_stayed(lines.filter(predecessor=body), body, timezone.localdate(now)):
            title = f"{count} record{pluralize(count)} of {body.display_name}"
            path = reverse("organisations:without-owner", args=[body.pk])
            tasks.append(WaitingTask(action="Deal with records that could not be handed over", title=title, path=path))
    return tasks


def _lines_of_live_successions(lines: QuerySet[Handover]) -> QuerySet[Handover]:
    """Return those of the lines that belong to a succession that was neither cancelled nor undone."""
    live_successions = Succession.objects.live().exclude(undone_by__status=SuccessionStatus.EFFECTIVE)
    return lines.filter(succession__in=live_successions)


def _lines_lacking_consent() -> QuerySet[Handover]:
    """Return the handover lines of live successions that lack the consent they need."""
    return _lines_of_live_successions(Handover.objects.lacking_consent())


def _without_any_lead(now: dt.datetime) -> Q:
    return Q(~_is_led("predecessor", now), ~_is_led("successor", now))


def _missing_consents_by_succession(user: User, now: dt.datetime) -> QuerySet[Handover, dict[str, Any]]:
    """Return the number of lines of each succession for which the person must record a consent."""
    led_ids = Membership.objects.organisations_of(user, Role.LEAD)
    is_led_by_user = Q(predecessor__in=led_ids) | Q(successor__in=led_ids)
    is_concerned = is_led_by_user | _without_any_lead(now) if user.is_staff else is_led_by_user
    lines: QuerySet[Handover, Any] = _lines_lacking_consent().filter(is_concerned).values("succession")
    return lines.annotate(count=Count("pk")).order_by("succession")


def _consents_to_record(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each succession with lines that lack a consent, for the leads of both sides.

    Administrators have the task if neither side has a lead.
    """
    return [
        WaitingTask(
            action="Record consent",
            title=f"{line['count']} record{pluralize(line['count'])} to hand over",
            path=reverse("organisations:handover-consent", args=[line["succession"]]),
        )
        for line in rows_for(_missing_consents_by_succession, user, now)
    ]


#: Tasks of leads and administrators while a succession is prepared.
HANDING_OVER = (
    TaskSource(
        _lines_to_propose_for_others,
        lambda _: (Reach(_administrators(), (People("pk"),)),),
    ),
    TaskSource(
        _lines_to_propose,
        lambda now: (Reach(_ties_that_vest_soon(now), (Organisations("predecessor", roles=(Role.LEAD,)),)),),
    ),
    TaskSource(
        _lines_to_answer,
        lambda _: (
            Reach(
                Handover.objects.filter(state=HandoverState.PROPOSED),
                (Organisations("successor", roles=(Role.LEAD,)), Organisations("others", roles=(Role.LEAD,))),
            ),
        ),
        lookups=lambda user, _: (lookup(_lines_to_answer_by_succession, user),),
    ),
    TaskSource(
        _leads_to_invite,
        lambda now: (Reach(_administrators().filter(Exists(_lines_without_answering_lead(now))), (People("pk"),)),),
    ),
    TaskSource(
        _stayed_records_to_settle,
        lambda now: (
            Reach(_lines_that_stayed(), (Organisations("successor", roles=(Role.LEAD,)),)),
            Reach(
                _administrators().filter(Exists(_lines_that_stayed().filter(~_is_led("successor", now)))),
                (People("pk"),),
            ),
        ),
    ),
    TaskSource(
        _consents_to_record,
        lambda now: (
            Reach(
                _lines_lacking_consent(),
                (Organisations("predecessor", roles=(Role.LEAD,)), Organisations("successor", roles=(Role.LEAD,))),
            ),
            Reach(
                _administrators().filter(Exists(_lines_lacking_consent().filter(_without_any_lead(now)))),
                (People("pk"),),
            ),
        ),
        lookups=lambda user, now: (lookup(_missing_consents_by_succession, user, now),),
    ),
)
