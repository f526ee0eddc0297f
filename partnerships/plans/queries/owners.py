"""Owners of plans: present, former and possible owners, and ownerships that ended."""

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
    """Return the plan's owners, oldest first.

    This makes no query after `for_listing`. A plan shown as it was when its reader left has the owners of that
    time.
    """
    if plan.owners_at_departure is not None:
        return plan.owners_at_departure
    if "owners" in getattr(plan, "_prefetched_objects_cache", {}):
        return list(plan.owners.all())
    return list(plan.owners.select_related("organisation").order_by("pk"))


def owners_at_version(plan: Plan, version: Version, *, is_newest: bool = False) -> list[PlanOwner]:
    """Return the owners when a version was published, under their names of that time.

    If an owner has passed the plan on to a successor since, the earlier owner is returned. For the newest version
    of a plan that is not over, the present owners are returned, with their present names beside the former names.
    The objects are for display only: never save them.
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

    The changed objects are for display only: never save them.
    """
    predecessor_by_successor = holders_at("plans", plan.pk, moment)
    if not predecessor_by_successor:
        return
    # A predecessor that owned the plan together with its successor has its own row, which ended.
    predecessor_ids = [predecessor.pk for predecessor in predecessor_by_successor.values()]
    own_rows = PlanOwner.ever.filter(plan=plan, organisation__in=predecessor_ids)
    ids_with_own_row = set(own_rows.values_list("organisation", flat=True))
    for owner in owners:
        predecessor = predecessor_by_successor.get(owner.organisation_id)
        if predecessor is not None and predecessor.pk not in ids_with_own_row:
            owner.organisation = predecessor


def set_owner_names_of_day(plans: Iterable[Plan]) -> None:
    """Change the names of the owners of listed plans to their names on the day of the last version.

    Plans that are not over show the present names too. This makes one query for all plans, which must be fetched
    with `for_listing`.
    """
    then_only: list[AsAt] = []
    then_and_now: list[AsAt] = []
    for plan in plans:
        if plan.last_published_at is None:
            continue
        day = timezone.localdate(plan.last_published_at)
        names = then_only if plan.is_over else then_and_now
        names.extend((day, owner.organisation) for owner in owners_by_age(plan))
    show_names_of_day(then_only, with_present=then_and_now)


def parties_allowed_to_own(organisations: QuerySet[Organisation] | None = None) -> QuerySet[Party]:
    """Return the present parties that may own and sign plans, which are all except observers."""
    parties = Party.objects.filter(status=PartyStatus.ACCEPTED).exclude(role=PartyRole.OBSERVER)
    return parties if organisations is None else parties.filter(organisation__in=organisations)


def possible_owners(partnership: Partnership) -> OrganisationQuerySet:
    """Return the organisations that may own plans of a partnership: its present parties except observers."""
    parties = parties_allowed_to_own().filter(partnership=partnership)
    return Organisation.objects.current().filter(pk__in=parties.values("organisation"))


def possible_new_owners(plan: Plan, giver: Organisation) -> OrganisationQuerySet:
    """Return the organisations to which the giver, an owner, may offer the plan.

    These are the members of the plan's partnership, except present owners. For a plan without a partnership, they
    are the organisations with which the giver is in a live partnership.
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
    """Return ended ownerships that the person may see.

    The person may see the ownerships of organisations that they lead, and of plans that these organisations own
    now.
    """
    led_organisations = Organisation.objects.of_person(user, Role.LEAD).values("pk")
    owned_plans = PlanOwner.objects.filter(organisation__in=led_organisations).values("plan")
    is_readable = Q(organisation__in=led_organisations) | Q(plan__in=owned_plans)
    return PlanOwner.ever.filter(is_readable, ended_at__isnull=False).select_related("plan", "organisation")


def ownerships_of_observers_alone(user: User) -> list[PlanOwner]:
    """Return ownerships that the person's organisations must pass on, because observers cannot own plans.

    In each case, the only owner of the plan has become an observer of the plan's partnership.
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
    """An ownership that ended, with the title that its reader may see.

    `path` is the page of the plan; "" if the reader can no longer see it.
    """

    owner: PlanOwner
    title: str
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
