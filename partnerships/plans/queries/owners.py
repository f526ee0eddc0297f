"""Who owns a plan or may own it, open offers, and ownerships that ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.organisations.lineage import held_then
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.naming import AsAt, show_as_at
from partnerships.people.models import User
from partnerships.plans.models import OwnershipOffer, Plan, PlanOwner, Version
from partnerships.plans.queries.past import as_read_by

if TYPE_CHECKING:
    from partnerships.organisations.models import OrganisationQuerySet


def owners_of(plan: Plan) -> list[PlanOwner]:
    """The plan's owners, oldest first.

    Needs no query after `for_listing`. For a plan shown as it was when its reader left, the owners at that time.
    """
    if plan.owners_then is not None:
        return plan.owners_then
    fetched = "owners" in getattr(plan, "_prefetched_objects_cache", {})
    return list(plan.owners.all() if fetched else plan.owners.select_related("organisation").order_by("pk"))


def owners_as_at(plan: Plan, version: Version, *, is_newest: bool = False) -> list[PlanOwner]:
    """The owners as they were, and were called, when a version was published.

    An organisation that has passed the plan on since then is shown, not its successor. With `is_newest`, and while the
    plan is not over: the present owners, with their present names beside those of the day.

    For display only: never save these objects.
    """
    owners = owners_of(plan)
    day = timezone.localdate(version.published_at)
    if is_newest and not plan.is_over:
        show_as_at((), with_present=[(day, owner.organisation) for owner in owners])
        return owners
    if plan.owners_then is None:
        _say_who_owned(plan, owners, version.published_at)
    show_as_at((day, owner.organisation) for owner in owners)
    return owners


def _say_who_owned(plan: Plan, owners: Iterable[PlanOwner], at: dt.datetime) -> None:
    """Put the organisation that held each ownership at a moment in its owner.

    For display only: never save these objects.
    """
    then = held_then("plans", plan.pk, at)
    if not then:
        return
    # A predecessor that owned the plan together with its successor still has its own row, which ended.
    ended = PlanOwner.ever.filter(plan=plan, organisation__in=[body.pk for body in then.values()])
    beside = set(ended.values_list("organisation", flat=True))
    for owner in owners:
        body = then.get(owner.organisation_id)
        if body is not None and body.pk not in beside:
            owner.organisation = body


def name_owners_as_at(plans: Iterable[Plan]) -> None:
    """Give the owners of listed plans their names on the day of the last version.

    One query for all plans, which must be read with `for_listing`. Plans that are not over get the present names too.
    """
    over: list[AsAt] = []
    remaining: list[AsAt] = []
    for plan in plans:
        if plan.last_published_at is not None:
            day = timezone.localdate(plan.last_published_at)
            (over if plan.is_over else remaining).extend((day, owner.organisation) for owner in owners_of(plan))
    show_as_at(over, with_present=remaining)


def taking_part(organisations: QuerySet[Organisation] | None = None) -> QuerySet[Party]:
    """Present parties that may own and sign plans: all except observers."""
    parties = Party.objects.filter(status=PartyStatus.ACCEPTED).exclude(role=PartyRole.OBSERVER)
    return parties if organisations is None else parties.filter(organisation__in=organisations)


def present_members(partnership: Partnership) -> OrganisationQuerySet:
    """The organisations that may own plans of a partnership.

    They are its present parties except observers.
    """
    parties = taking_part().filter(partnership=partnership)
    return Organisation.objects.current().filter(pk__in=parties.values("organisation"))


def may_be_offered(plan: Plan, offered_for: Organisation) -> OrganisationQuerySet:
    """The organisations to which an owner may offer the plan.

    Members of its partnership; for a plan without one, organisations with which the owner is in a live partnership.
    """
    owners = plan.owners.values("organisation")
    if plan.partnership is not None:
        return present_members(plan.partnership).exclude(pk__in=owners)
    own = Party.objects.present().filter(organisation=offered_for)
    shared = Partnership.objects.live().filter(pk__in=own.values("partnership"))
    partners = taking_part().filter(partnership__in=shared)
    return Organisation.objects.current().filter(pk__in=partners.values("organisation")).exclude(pk__in=owners)


def owners_led_by(user: User, plan: Plan) -> list[PlanOwner]:
    """The plan's present ownerships by organisations that the person leads."""
    led = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    return list(plan.owners.filter(organisation__in=led).select_related("organisation").order_by("pk"))


def offers_waiting(user: User) -> QuerySet[OwnershipOffer]:
    """Open offers to or from organisations that the person leads."""
    offers = OwnershipOffer.objects.visible_to(user).waiting()
    return offers.select_related("plan", "organisation", "offered_for", "offered_by").order_by("offered_at", "pk")


def ended_ownerships(user: User) -> QuerySet[PlanOwner]:
    """Ended ownerships that the person may see.

    Those of organisations that the person leads, and all of plans that these organisations own now.
    """
    led = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    owned = PlanOwner.objects.filter(organisation__in=led).values("plan")
    ended = PlanOwner.ever.filter(Q(organisation__in=led) | Q(plan__in=owned), ended_at__isnull=False)
    return ended.select_related("plan", "organisation")


@dataclass(frozen=True, slots=True)
class Ended:
    """An ownership that ended, with the plan's title as the reader knows it."""

    owner: PlanOwner
    title: str
    path: str


def ended_lines(user: User, rows: Sequence[PlanOwner]) -> list[Ended]:
    """Ended ownerships with the title and page of each plan.

    A draft that the reader can no longer see has neither.
    """
    seen = Plan.objects.visible_to(user).filter(pk__in=[row.plan_id for row in rows])
    plans = {plan.pk: plan for plan in as_read_by(user, seen)}
    return [
        Ended(row, plans[row.plan_id].title, plans[row.plan_id].get_absolute_url())
        if row.plan_id in plans
        else Ended(row, "A draft that was not published", "")
        for row in rows
    ]
