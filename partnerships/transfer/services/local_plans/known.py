"""The imported plans, and which row of a file is which of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Handover, HandoverState, Organisation
from partnerships.plans.models import Plan, PlanOwner
from partnerships.transfer.reading.local_plans import LocalPlan, LocalPlans


class Known:
    """The imported plans, by the reference in the published file."""

    def __init__(self) -> None:
        self.plans = list(
            Plan.objects.exclude(external_reference="")
            .filter(kind="local_plan")
            .prefetch_related("owners")
            .order_by("pk")
        )
        self._by_reference: dict[str, list[Plan]] = {}
        for plan in self.plans:
            self._by_reference.setdefault(plan.external_reference.partition("#")[0], []).append(plan)
        self._bodies: dict[int, set[int]] = defaultdict(set)
        for plan_id, body in PlanOwner.ever.filter(plan__in=self.plans).values_list("plan_id", "organisation_id"):
            self._bodies[plan_id].add(body)
        passed = Handover.objects.filter(kind="plans", state=HandoverState.APPLIED, record__in=list(self._bodies))
        for plan_id, body in passed.values_list("record", "predecessor"):
            self._bodies[plan_id].add(body)

    @property
    def references(self) -> set[str]:
        """The references of the imported plans in the published file."""
        return set(self._by_reference)

    def called(self, reference: str, bodies: Collection[int] = ()) -> list[Plan]:
        """Return the imported plans with this reference; with `bodies` (ids), those that one of them owns or owned."""
        plans = self._by_reference.get(reference, ())
        return [plan for plan in plans if not bodies or self._bodies[plan.pk] & set(bodies)]

    def expected(
        self, listed: LocalPlans, owners: dict[str, Organisation], own: Organisation | None = None
    ) -> list[Plan]:
        """Return the plans that the file should have.

        All, those of a standard file's authorities, or of whose own it is.
        """
        if not listed.is_standard and own is None:
            return self.plans
        authorities = {own.pk} if own is not None else {body.pk for body in owners.values()}
        return [plan for plan in self.plans if {owner.organisation_id for owner in plan.owners.all()} & authorities]

    def external(self, plan: LocalPlan, listed: LocalPlans) -> str:
        """Return a new plan's reference, with its name if several plans share it."""
        several = [one for one in listed.plans if one.reference == plan.reference]
        taken = {one.external_reference for one in self._by_reference.get(plan.reference, ())}
        if len(several) == 1 and plan.reference not in taken:
            return plan.reference[:200]
        return plan.key[:200]

    def is_anothers(self, plan: LocalPlan, existing: Plan | None, owners: Mapping[str, Organisation]) -> bool:
        """Return whether none of the authorities that the row names owns the plan or did before.

        Unknown authorities leave it open: no.
        """
        if existing is None or not all(curie in owners for curie in plan.organisations):
            return False
        return not {owners[curie].pk for curie in plan.organisations} & self._bodies[existing.pk]

    def matched(self, listed: LocalPlans, owners: Mapping[str, Organisation]) -> list[tuple[LocalPlan, Plan | None]]:
        """Return each row with its plan.

        Matched by reference, then by name if several share one. If one row and one plan of its authorities are left
        over, they match: authorities do not know each other's references, so two may use the same one.
        """
        plans: dict[str, Plan] = {}
        groups: dict[str, list[LocalPlan]] = {}
        for plan in listed.plans:
            groups.setdefault(plan.reference, []).append(plan)
        for reference, rows in groups.items():
            left = list(self._by_reference.get(reference, ()))
            waiting = []
            for row in rows:
                alike = [
                    one
                    for one in left
                    if one.external_reference == row.key or fold_name(one.title) == fold_name(row.name)
                ]
                same = min(alike, key=lambda one: self.is_anothers(row, one, owners), default=None)
                if same is None:
                    waiting.append(row)
                else:
                    plans[row.key] = same
                    left.remove(same)
            if len(waiting) == 1:
                own = [one for one in left if not self.is_anothers(waiting[0], one, owners)]
                if len(own) == 1:
                    plans[waiting[0].key] = own[0]
        return [(plan, plans.get(plan.key)) for plan in listed.plans]
