"""Plans as they were when an organisation left them, for people of former parties and owners."""

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
    """Return when the person's organisations last left each plan, by the id of the plan.

    An organisation leaves a plan when it leaves the plan's partnership, when it stops owning the plan, and when the
    plan leaves a partnership to which the organisation belongs.
    """
    left_at_by_pk: dict[int, dt.datetime] = {}
    for pk, left_at in rows_for(_departures, user, [plan.pk for plan in plans]):
        if left_at is not None:
            left_at_by_pk[pk] = max(left_at, left_at_by_pk.get(pk, left_at))
    return left_at_by_pk


def departures_lookup(user: User | AnonymousUser, plans: list[int]) -> Lookup:
    """Return the lookup that `plans_as_read_by` makes for these plans (ids), for `read_ahead`."""
    return lookup(_departures, user, plans)


def _departures(user: User | AnonymousUser, ids: list[int]) -> QuerySet[Any, tuple[int, dt.datetime | None]]:
    """Return each departure of the person's organisations from these plans: the id of the plan, and the moment."""
    own_organisations = Organisation.objects.of_person(user).values("pk")
    parties = Party.objects.filter(
        organisation__in=own_organisations, status__in=FORMER_STATUSES, partnership__plans__in=ids
    )
    ended_ownerships = PlanOwner.ever.filter(organisation__in=own_organisations, ended_at__isnull=False, plan__in=ids)
    past_partnerships = PastPartnership.objects.filter(
        Q(partnership__parties__status=PartyStatus.ACCEPTED)
        | Q(partnership__parties__status__in=FORMER_STATUSES, partnership__parties__left_at__isnull=False),
        plan__in=ids,
        partnership__parties__organisation__in=own_organisations,
    ).annotate(until=Least("left_at", "partnership__parties__left_at"))

    left_by_party: QuerySet[Any, Any] = parties.order_by().values_list("partnership__plans", "left_at")
    return left_by_party.union(
        ended_ownerships.order_by().values_list("plan", "ended_at"),
        past_partnerships.order_by().values_list("plan", "until"),
        all=True,
    )


def plans_as_read_by(user: User | AnonymousUser, plans: Iterable[Plan]) -> list[Plan]:
    """Return the plans as the person may read them: as they are, or as they were when their organisation left.

    Never save a plan that is shown as it was.
    """
    plans = list(plans)
    left_at_by_pk = _left_at_by_plan(user, plans) if user.is_authenticated and plans else {}
    if not left_at_by_pk:
        return plans
    known_today = Plan.objects.visible_today_to(user).filter(pk__in=list(left_at_by_pk))
    known_ids = set(known_today.values_list("pk", flat=True))
    for plan in plans:
        if plan.pk in left_at_by_pk and plan.pk not in known_ids:
            _show_past(user, plan, left_at_by_pk[plan.pk])
    return plans


def _show_past(user: User | AnonymousUser, plan: Plan, left_at: dt.datetime) -> None:
    """Set the plan's title, version, status and owners to those of the moment when the person's organisation left."""
    own_version = Version.objects.visible_to(user).filter(plan=plan).without_content().order_by("-number").first()
    if own_version is None:
        return
    plan.title = own_version.title
    plan.current_number = own_version.number
    plan.last_published_at = own_version.published_at
    plan.embargoed_until = None
    plan.status = _status_at(plan, left_at)
    if plan.status != Status.SUPERSEDED:
        plan.superseded_by_id = None

    had_begun = Q(began_at=None) | Q(began_at__lte=left_at)
    had_not_ended = Q(ended_at=None) | Q(ended_at__gte=left_at)
    owners = PlanOwner.ever.filter(had_begun, had_not_ended, plan=plan)
    plan.owners_at_departure = list(owners.select_related("organisation").order_by("pk"))


def _status_at(plan: Plan, moment: dt.datetime) -> str:
    """Return the status of the plan at a moment, from the last earlier event that changed the status."""
    about_plan = Q(target_kind__in=("plan", "plan_draft", "plan_signing"), target_id=plan.pk)
    about_version = Q(target_kind="plan_version", target_id__in=plan.versions.values("pk"))
    events = Event.objects.filter(about_plan | about_version, at__lte=moment, data__after__has_key="status")
    last_data = events.order_by("-at", "-id").values_list("data", flat=True).first()
    status: str = last_data["after"]["status"] if last_data else Status.SHARED
    return status


def title_condition_for(user: User | AnonymousUser, title_condition: Q) -> Q:
    """Return the condition on plans whose title, as the person sees it, meets `title_condition`."""
    return Q(pk__in=plans_titled_today(user, title_condition).values("pk")) | condition_on_past_title(
        user, title_condition
    )


def plans_titled_today(user: User | AnonymousUser, title_condition: Q) -> PlanQuerySet:
    """Return plans that the person may read today and whose title meets the condition."""
    return Plan.objects.visible_today_to(user).filter(title_condition)


def condition_on_past_title(user: User | AnonymousUser, title_condition: Q) -> Q:
    """Return the condition on plans that the person sees only as they were, with a title that met `title_condition`."""
    known_today = Plan.objects.visible_today_to(user).values("pk")
    known_once = Plan.objects.formerly_shared_with(user).values("pk")
    own_versions = (
        Version.objects.visible_to(user).filter(title_condition, plan__in=known_once).exclude(plan__in=known_today)
    )
    return Q(pk__in=own_versions.values("plan"))


def events_of_plans(user: User, records: Records) -> Q:
    """Return the condition on events about these plans that the person may see."""
    readable_plans = Plan.objects.visible_today_to(user).filter(pk__in=records).values("pk")
    return Q(target_id__in=readable_plans) | left_plan_after(user, plan="target_id", at="at")
