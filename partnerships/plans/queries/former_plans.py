"""Plans as they were when an organisation left them, for people of former parties and owners.

For example, Westmarch leaves a partnership in May. Its people then see the partnership's plans with the titles,
versions and owners of May, whatever changes later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Least

from partnerships.activity.models import Event
from partnerships.activity.registry import Records
from partnerships.agreements.models import FORMER_STATUSES, Party, PartyStatus
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.plans.models import PastPartnership, Plan, PlanOwner, PlanQuerySet, Status, Version, left_plan_after

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from partnerships.people.models import User


def _left_at_by_plan(user: User | AnonymousUser, plans: Collection[Plan]) -> dict[int, dt.datetime]:
    """Return when the person's organisations last left each plan, by plan id.

    An organisation leaves a plan when it leaves the plan's partnership or stops owning the plan. It also leaves the
    plan when the plan is taken out of a partnership to which the organisation belongs.
    """
    left_at_by_plan: dict[int, dt.datetime] = {}
    for plan_id, left_at in rows_for(_departures, user, [plan.pk for plan in plans]):
        if left_at is not None:
            left_at_by_plan[plan_id] = max(left_at, left_at_by_plan.get(plan_id, left_at))
    return left_at_by_plan


def departures_lookup(user: User | AnonymousUser, plan_ids: list[int]) -> Lookup:
    """Return the lookup that `plans_as_read_by` makes for these plans, for `read_ahead`."""
    return lookup(_departures, user, plan_ids)


def _departures(user: User | AnonymousUser, plan_ids: list[int]) -> QuerySet[Any, tuple[int, dt.datetime | None]]:
    """Return the departures of the person's organisations from these plans, as pairs of plan id and time."""
    own_organisations = Organisation.objects.of_person(user).values("pk")
    former_parties = Party.objects.filter(
        organisation__in=own_organisations, status__in=FORMER_STATUSES, partnership__plans__in=plan_ids
    )
    ended_ownerships = PlanOwner.ever.filter(
        organisation__in=own_organisations, ended_at__isnull=False, plan__in=plan_ids
    )
    past_partnerships = PastPartnership.objects.filter(
        Q(partnership__parties__status=PartyStatus.ACCEPTED)
        | Q(partnership__parties__status__in=FORMER_STATUSES, partnership__parties__left_at__isnull=False),
        plan__in=plan_ids,
        partnership__parties__organisation__in=own_organisations,
    )
    # Either the plan or the organisation left the partnership first. `Least` ignores NULL, for parties that remain.
    past_partnerships = past_partnerships.annotate(until=Least("left_at", "partnership__parties__left_at"))

    party_departures: QuerySet[Any, Any] = former_parties.order_by().values_list("partnership__plans", "left_at")
    return party_departures.union(
        ended_ownerships.order_by().values_list("plan", "ended_at"),
        past_partnerships.order_by().values_list("plan", "until"),
        all=True,
    )


def plans_as_read_by(user: User | AnonymousUser, plans: Iterable[Plan]) -> list[Plan]:
    """Return the plans as the person may read them.

    A plan that the person's organisation has left, and that the person may not read today for another reason, is
    returned as it was when the organisation left. Its fields then contain old values, so never save it.
    """
    plans = list(plans)
    left_at_by_plan = _left_at_by_plan(user, plans) if user.is_authenticated and plans else {}
    if not left_at_by_plan:
        return plans
    visible_today = Plan.objects.visible_today_to(user).filter(pk__in=list(left_at_by_plan))
    ids_visible_today = set(visible_today.values_list("pk", flat=True))
    for plan in plans:
        if plan.pk in left_at_by_plan and plan.pk not in ids_visible_today:
            _set_past_values(user, plan, left_at_by_plan[plan.pk])
    return plans


def _set_past_values(user: User | AnonymousUser, plan: Plan, left_at: dt.datetime) -> None:
    """Set the plan's title, version, status and owners to their values when the person's organisation left."""
    readable_versions = Version.objects.visible_to(user).filter(plan=plan).without_content()
    last_version = readable_versions.order_by("-number").first()
    if last_version is None:
        return
    plan.title = last_version.title
    plan.current_number = last_version.number
    plan.last_published_at = last_version.published_at
    plan.embargoed_until = None
    plan.status = _status_at(plan, left_at)
    if plan.status != Status.SUPERSEDED:
        plan.superseded_by_id = None

    had_begun = Q(began_at=None) | Q(began_at__lte=left_at)
    had_not_ended = Q(ended_at=None) | Q(ended_at__gte=left_at)
    owners = PlanOwner.ever.filter(had_begun, had_not_ended, plan=plan)
    plan.owners_at_departure = list(owners.select_related("organisation").order_by("pk"))


def _status_at(plan: Plan, moment: dt.datetime) -> str:
    """Return the status of the plan at a moment.

    The table of plans contains only the present status. The last event up to the moment has the status after it.
    """
    about_plan = Q(target_kind__in=("plan", "plan_draft", "plan_signing"), target_id=plan.pk)
    about_version = Q(target_kind="plan_version", target_id__in=plan.versions.values("pk"))
    events = Event.objects.filter(about_plan | about_version, at__lte=moment, data__after__has_key="status")
    event_data = events.order_by("-at", "-id").values_list("data", flat=True).first()
    status: str = event_data["after"]["status"] if event_data else Status.SHARED
    return status


def title_condition_for(user: User | AnonymousUser, title_condition: Q) -> Q:
    """Return the condition that the title of a plan, as the person sees it, meets `title_condition`.

    For example, a person whose organisation left before a plan was renamed finds the plan by its old title only.
    """
    has_title_today = Q(pk__in=plans_titled_today(user, title_condition).values("pk"))
    return has_title_today | condition_on_past_title(user, title_condition)


def plans_titled_today(user: User | AnonymousUser, title_condition: Q) -> PlanQuerySet:
    """Return the plans with a title that meets the condition, among those that the person may read today."""
    return Plan.objects.visible_today_to(user).filter(title_condition)


def condition_on_past_title(user: User | AnonymousUser, title_condition: Q) -> Q:
    """Return the condition that a plan that the person's organisations left had such a title in a readable version."""
    visible_today = Plan.objects.visible_today_to(user).values("pk")
    former_plans = Plan.objects.formerly_shared_with(user).values("pk")
    versions = Version.objects.visible_to(user).filter(title_condition, plan__in=former_plans)
    return Q(pk__in=versions.exclude(plan__in=visible_today).values("plan"))


def events_of_plans(user: User, records: Records) -> Q:
    """Return the condition that the person may see an event about one of these plans.

    If the person's organisation left the plan, the person still sees the events until then.
    """
    readable_plans = Plan.objects.visible_today_to(user).filter(pk__in=records).values("pk")
    return Q(target_id__in=readable_plans) | left_plan_after(user, plan="target_id", at="at")
