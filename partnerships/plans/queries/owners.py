"""The present and former owners of plans, and the organisations that may become owners."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.organisations.lineage import holders_at
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.naming import AsAt, show_names_of_day
from partnerships.people.models import User
from partnerships.plans.models import OwnershipOffer, Plan, PlanOwner, Version
from partnerships.plans.queries.former_plans import plans_as_read_by

if TYPE_CHECKING:
    from partnerships.organisations.models import OrganisationQuerySet


def owners_by_age(plan: Plan) -> list[PlanOwner]:
    """Return the plan's owners, oldest first. This makes no query after `for_listing`.

    If `plans_as_read_by` has changed the plan to its state in the past, the owners of that time are returned.
    """
    if plan.owners_at_departure is not None:
        return plan.owners_at_departure
    if "owners" in getattr(plan, "_prefetched_objects_cache", {}):
        return list(plan.owners.all())
    return list(plan.owners.select_related("organisation").order_by("pk"))


def owners_at_version(plan: Plan, version: Version, *, is_newest: bool = False) -> list[PlanOwner]:
    """Return the owners when a version was published, with the names that they had then.

    If an owner has passed the plan on to a successor since, the earlier owner is returned. For the newest version
    of a plan that is not over, the present owners are returned, with both their names then and now. The objects are
    changed for display, so never save them.
    """
    owners = owners_by_age(plan)
    day = timezone.localdate(version.published_at)
    if is_newest and not plan.is_over:
        show_names_of_day((), with_present=[(day, owner.organisation) for owner in owners])
        return owners
    if plan.owners_at_departure is None:
        _show_predecessors(plan, owners, moment=version.published_at)
    show_names_of_day((day, owner.organisation) for owner in owners)
    return owners


def _show_predecessors(plan: Plan, owners: Iterable[PlanOwner], *, moment: dt.datetime) -> None:
    """Replace each organisation that took over the plan after a moment with its predecessor.

    The objects are changed for display, so never save them.
    """
    predecessor_by_successor = holders_at("plans", plan.pk, moment)
    if not predecessor_by_successor:
        return
    # If a predecessor owned the plan together with its successor, it has an ownership that ended. Both are then owners.
    predecessor_ids = [predecessor.pk for predecessor in predecessor_by_successor.values()]
    predecessor_ownerships = PlanOwner.ever.filter(plan=plan, organisation__in=predecessor_ids)
    ids_with_ownership = set(predecessor_ownerships.values_list("organisation", flat=True))
    for owner in owners:
        predecessor = predecessor_by_successor.get(owner.organisation_id)
        if predecessor is not None and predecessor.pk not in ids_with_ownership:
            owner.organisation = predecessor


def set_owner_names_of_day(plans: Iterable[Plan]) -> None:
    """Change the names of the owners of listed plans to their names on the day of the last version.

    Plans that are not over show the present names too. Fetch the plans with `for_listing`. This makes one query for
    all plans.
    """
    owners_of_ended_plans: list[AsAt] = []
    owners_of_live_plans: list[AsAt] = []
    for plan in plans:
        if plan.last_published_at is None:
            continue
        day = timezone.localdate(plan.last_published_at)
        owners_on_day = owners_of_ended_plans if plan.is_over else owners_of_live_plans
        owners_on_day.extend((day, owner.organisation) for owner in owners_by_age(plan))
    show_names_of_day(owners_of_ended_plans, with_present=owners_of_live_plans)


def parties_allowed_to_own(organisations: QuerySet[Organisation] | None = None) -> QuerySet[Party]:
    """Return the present parties that may own and sign plans of their partnership, which excludes observers.

    With `organisations`, only the parties of these organisations are returned.
    """
    parties = Party.objects.filter(status=PartyStatus.ACCEPTED).exclude(role=PartyRole.OBSERVER)
    return parties if organisations is None else parties.filter(organisation__in=organisations)


def possible_owners(partnership: Partnership) -> OrganisationQuerySet:
    """Return the present parties of a partnership that may own its plans, as organisations."""
    parties = parties_allowed_to_own().filter(partnership=partnership)
    return Organisation.objects.current().filter(pk__in=parties.values("organisation"))


def possible_new_owners(plan: Plan, giver: Organisation) -> OrganisationQuerySet:
    """Return the organisations to which the giver, an owner, may offer the plan.

    These are the other parties of the plan's partnership, without observers and present owners. If the plan has no
    partnership, they are the organisations that are in a live partnership with the giver.
    """
    present_owners = plan.owners.values("organisation")
    if plan.partnership is not None:
        return possible_owners(plan.partnership).exclude(pk__in=present_owners)
    giver_parties = Party.objects.accepted().filter(organisation=giver)
    giver_partnerships = Partnership.objects.live().filter(pk__in=giver_parties.values("partnership"))
    partners = parties_allowed_to_own().filter(partnership__in=giver_partnerships)
    return Organisation.objects.current().filter(pk__in=partners.values("organisation")).exclude(pk__in=present_owners)


def ownerships_led_by(user: User, plan: Plan) -> list[PlanOwner]:
    """Return the plan's present ownerships by organisations that the person leads."""
    led_organisations = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    return list(plan.owners.filter(organisation__in=led_organisations).select_related("organisation").order_by("pk"))


def acceptable_offers(user: User) -> QuerySet[OwnershipOffer]:
    """Return the acceptable offers to or from organisations that the person leads, oldest first."""
    offers = OwnershipOffer.objects.visible_to(user).acceptable()
    return offers.select_related("plan", "organisation", "offered_for", "offered_by").order_by("offered_at", "pk")


def ended_ownerships(user: User) -> QuerySet[PlanOwner]:
    """Return ended ownerships that the person may see, as a lead.

    These are the former ownerships of the organisations that the person leads, and those of other organisations in
    plans that the person's organisations own now.
    """
    led_organisations = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    owned_plans = PlanOwner.objects.filter(organisation__in=led_organisations).values("plan")
    is_readable = Q(organisation__in=led_organisations) | Q(plan__in=owned_plans)
    return PlanOwner.ever.filter(is_readable, ended_at__isnull=False).select_related("plan", "organisation")


def ownerships_of_observers_alone(user: User) -> list[PlanOwner]:
    """Return ownerships of organisations that the person leads, if the only owner of a plan is an observer.

    Observers cannot own plans, so a lead must offer such a plan to another party.
    """
    led_organisations = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    observing_parties = Party.objects.accepted().filter(
        role=PartyRole.OBSERVER,
        partnership=OuterRef("plan__partnership"),
        organisation=OuterRef("organisation"),
    )
    other_owners = PlanOwner.objects.filter(plan=OuterRef("plan")).exclude(pk=OuterRef("pk"))
    owners = PlanOwner.objects.filter(
        Exists(observing_parties), ~Exists(other_owners), organisation__in=led_organisations
    )
    return list(owners.select_related("plan", "organisation").order_by("plan__title", "pk"))


@dataclass(frozen=True, slots=True)
class EndedOwnership:
    """An ownership that ended, with the title that its reader may see."""

    owner: PlanOwner
    title: str
    #: The page of the plan, or "" if the reader can no longer see the plan.
    path: str


def with_titles(user: User, owners: Sequence[PlanOwner]) -> list[EndedOwnership]:
    """Return ended ownerships with the title and page of each plan, as the person may see them."""
    visible_plans = Plan.objects.visible_to(user).filter(pk__in=[owner.plan_id for owner in owners])
    plan_by_pk = {plan.pk: plan for plan in plans_as_read_by(user, visible_plans)}
    ownerships = []
    for owner in owners:
        plan = plan_by_pk.get(owner.plan_id)
        if plan is None:
            ownerships.append(EndedOwnership(owner=owner, title="A plan that has not been published", path=""))
        else:
            ownerships.append(EndedOwnership(owner=owner, title=plan.title, path=plan.get_absolute_url()))
    return ownerships
