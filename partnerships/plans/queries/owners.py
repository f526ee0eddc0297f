"""Owners of plans: present ones, those of a past day, possible ones, and ownerships that ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
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

    Makes no query after `for_listing`. A plan shown as it was when its reader left has the owners of that time.
    """
    if plan.owners_then is not None:
        return plan.owners_then
    is_prefetched = "owners" in getattr(plan, "_prefetched_objects_cache", {})
    return list(plan.owners.all() if is_prefetched else plan.owners.select_related("organisation").order_by("pk"))


def owners_as_at(plan: Plan, version: Version, *, is_newest: bool = False) -> list[PlanOwner]:
    """The owners when a version was published, under the names they had then.

    Where an owner has passed the plan on to a successor since then, the earlier owner is shown. With `is_newest`, and
    unless the plan is over, the present owners are shown, with their present names beside the former ones. For display
    only: never save these objects.
    """
    owners = owners_of(plan)
    day = timezone.localdate(version.published_at)
    if is_newest and not plan.is_over:
        show_as_at((), with_present=[(day, owner.organisation) for owner in owners])
        return owners
    if plan.owners_then is None:
        _show_owners_at(version.published_at, plan, owners)
    show_as_at((day, owner.organisation) for owner in owners)
    return owners


def _show_owners_at(moment: dt.datetime, plan: Plan, owners: Iterable[PlanOwner]) -> None:
    """Replace each organisation that took the plan over after a moment by the one that owned it then.

    For display only: never save these objects.
    """
    predecessors = held_then("plans", plan.pk, moment)
    if not predecessors:
        return
    # A predecessor that owned the plan together with its successor has a row of its own, which ended.
    ended = PlanOwner.ever.filter(plan=plan, organisation__in=[body.pk for body in predecessors.values()])
    with_own_row = set(ended.values_list("organisation", flat=True))
    for owner in owners:
        predecessor = predecessors.get(owner.organisation_id)
        if predecessor is not None and predecessor.pk not in with_own_row:
            owner.organisation = predecessor


def name_owners_as_at(plans: Iterable[Plan]) -> None:
    """Give the owners of listed plans their names on the day of the last version.

    Plans that are not over show the present names beside them. One query for all plans, which must be read with
    `for_listing`.
    """
    of_plans_over: list[AsAt] = []
    of_other_plans: list[AsAt] = []
    for plan in plans:
        if plan.last_published_at is None:
            continue
        day = timezone.localdate(plan.last_published_at)
        shown = of_plans_over if plan.is_over else of_other_plans
        shown.extend((day, owner.organisation) for owner in owners_of(plan))
    show_as_at(of_plans_over, with_present=of_other_plans)


def parties_that_may_own(organisations: QuerySet[Organisation] | None = None) -> QuerySet[Party]:
    """Present parties that may own and sign plans: all except observers."""
    parties = Party.objects.filter(status=PartyStatus.ACCEPTED).exclude(role=PartyRole.OBSERVER)
    return parties if organisations is None else parties.filter(organisation__in=organisations)


def possible_owners(partnership: Partnership) -> OrganisationQuerySet:
    """The organisations that may own plans of a partnership: its present parties except observers."""
    parties = parties_that_may_own().filter(partnership=partnership)
    return Organisation.objects.current().filter(pk__in=parties.values("organisation"))


def possible_new_owners(plan: Plan, offered_for: Organisation) -> OrganisationQuerySet:
    """The organisations to which an owner may offer the plan.

    Members of its partnership; for a plan without one, organisations with which the owner is in a live partnership.
    """
    owners = plan.owners.values("organisation")
    if plan.partnership is not None:
        return possible_owners(plan.partnership).exclude(pk__in=owners)
    own_parties = Party.objects.present().filter(organisation=offered_for)
    own_partnerships = Partnership.objects.live().filter(pk__in=own_parties.values("partnership"))
    partners = parties_that_may_own().filter(partnership__in=own_partnerships)
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
    """Ended ownerships of organisations that the person leads, and of plans that these organisations own now."""
    led = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    owned = PlanOwner.objects.filter(organisation__in=led).values("plan")
    ended = PlanOwner.ever.filter(Q(organisation__in=led) | Q(plan__in=owned), ended_at__isnull=False)
    return ended.select_related("plan", "organisation")


def owned_by_observers_alone(user: User) -> list[PlanOwner]:
    """Ownerships of a plan by an observer of its partnership that is its only owner, for the observer's leads."""
    led = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    observing = Party.objects.present().filter(role=PartyRole.OBSERVER)
    observing = observing.filter(partnership=OuterRef("plan__partnership"), organisation=OuterRef("organisation"))
    others = PlanOwner.objects.filter(plan=OuterRef("plan")).exclude(pk=OuterRef("pk"))
    alone = PlanOwner.objects.filter(Exists(observing), ~Exists(others), organisation__in=led)
    return list(alone.select_related("plan", "organisation").order_by("plan__title", "pk"))


@dataclass(frozen=True, slots=True)
class EndedOwnership:
    """An ownership that ended, with the title and page of the plan as the reader knows it."""

    owner: PlanOwner
    title: str
    path: str


def ended_with_titles(user: User, rows: Sequence[PlanOwner]) -> list[EndedOwnership]:
    """Ended ownerships with the title and page of each plan; `path` is "" if the reader can no longer see it."""
    visible = Plan.objects.visible_to(user).filter(pk__in=[row.plan_id for row in rows])
    plans = {plan.pk: plan for plan in as_read_by(user, visible)}
    ended = []
    for row in rows:
        plan = plans.get(row.plan_id)
        if plan is None:
            ended.append(EndedOwnership(row, "A draft that was not published", ""))
        else:
            ended.append(EndedOwnership(row, plan.title, plan.get_absolute_url()))
    return ended
