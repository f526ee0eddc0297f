"""A person's roles in a plan, and the plans of a person's organisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from partnerships.agreements.models import Party, PartyStatus
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models import Plan, PlanOwner, PlanQuerySet, ReadingClass, plan_readers

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def readers_of(plan: Plan) -> QuerySet[User]:
    """Return the people with an account who may read the published plan. Stakeholders are left out."""
    return plan_readers(plan)


@dataclass(frozen=True, slots=True)
class PlanRoles:
    """A person's roles in the owners of a plan, and whether the person acts for a present party.

    These rules agree with `fully_readable_by`, `editable_by` and `publishable_by`, which are querysets for many plans.
    """

    roles: frozenset[str]
    is_party: bool

    @property
    def reader(self) -> ReadingClass:
        """Return the class in which the person reads the plan (docs/rights.md)."""
        return ReadingClass.INSIDE if self.roles or self.is_party else ReadingClass.OUTSIDE

    @property
    def may_edit(self) -> bool:
        """Return whether the person may edit the draft, as an editor or lead of an owner."""
        return not self.roles.isdisjoint(EDITING_ROLES)

    @property
    def may_publish(self) -> bool:
        """Return whether the person may publish the plan, as a lead of an owner."""
        return Role.LEAD in self.roles


def plan_roles_of(user: User | AnonymousUser, plan: Plan) -> PlanRoles:
    """Return the person's roles in the plan, from the memberships of today."""
    if not user.is_authenticated or not user.is_active:
        return PlanRoles(frozenset(), is_party=False)
    role_by_organisation = Membership.objects.roles_of(user)
    owner_ids = {owner.organisation_id for owner in plan.owners.all()}
    owner_roles = frozenset(role for pk, role in role_by_organisation.items() if pk in owner_ids)
    if owner_roles or plan.partnership_id is None or not role_by_organisation:
        return PlanRoles(roles=owner_roles, is_party=False)
    parties = Party.objects.filter(partnership=plan.partnership_id, status=PartyStatus.ACCEPTED)
    own_parties = parties.filter(organisation__in=list(role_by_organisation))
    return PlanRoles(roles=owner_roles, is_party=own_parties.exists())


def reading_class(user: User | AnonymousUser, plan: Plan) -> ReadingClass:
    """Return the class in which the person reads the plan (docs/rights.md)."""
    return plan_roles_of(user, plan).reader


def my_plans(user: User) -> PlanQuerySet:
    """Return the plans that the person's organisations own and that the person may see."""
    own_organisations = Organisation.objects.of_person(user)
    return Plan.objects.visible_to(user).filter(
        pk__in=PlanOwner.objects.filter(organisation__in=own_organisations).values("plan")
    )


def owner_acted_for(user: User, plan: Plan) -> Organisation | None:
    """Return the owner for which the person acts, or None. If there are several, this is the first by name."""
    owners = plan.owners.values("organisation")
    return Organisation.objects.of_person(user).filter(pk__in=owners).order_by("name", "pk").first()


def organisation_names_by_person(person_ids: Iterable[int]) -> dict[int, str]:
    """Return the names of the organisations for which each person acts today, by person id.

    Several names are joined with commas, as in "Larkhaven Homes, Westmarch Council".
    """
    names_by_person: dict[int, list[str]] = {}
    memberships = Membership.objects.current().filter(person__in=set(person_ids)).order_by("organisation__name", "pk")
    for person, name in memberships.values_list("person", "organisation__name"):
        names_by_person.setdefault(person, []).append(name)
    return {person: ", ".join(dict.fromkeys(names)) for person, names in names_by_person.items()}
