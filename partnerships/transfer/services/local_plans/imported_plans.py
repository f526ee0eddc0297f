"""The local plans of earlier imports, and their matching with the rows of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Handover, HandoverState, Organisation
from partnerships.plans.models import Plan, PlanOwner
from partnerships.transfer.reading.plan_rows import LocalPlan, LocalPlans


class ImportedPlans:
    """The local plans of earlier imports, found by their references in the published file."""

    def __init__(self) -> None:
        self.plans = list(
            Plan.objects.exclude(external_reference="")
            .filter(kind="local_plan")
            .prefetch_related("owners")
            .order_by("pk")
        )
        self._plans_by_reference: dict[str, list[Plan]] = defaultdict(list)
        for plan in self.plans:
            # The external reference of plans that share a reference has the plan's name after a “#”.
            reference = plan.external_reference.partition("#")[0]
            self._plans_by_reference[reference].append(plan)
        #: The ids of the organisations that own or ever owned each plan, by plan id.
        self._owner_ids: dict[int, set[int]] = defaultdict(set)
        owners = PlanOwner.ever.filter(plan__in=self.plans)
        for plan_id, organisation_id in owners.values_list("plan_id", "organisation_id"):
            self._owner_ids[plan_id].add(organisation_id)
        # A file may still name the predecessor of a plan's owner, so predecessors are treated as owners too.
        handovers = Handover.objects.filter(kind="plans", state=HandoverState.APPLIED, record__in=list(self._owner_ids))
        for plan_id, predecessor_id in handovers.values_list("record", "predecessor"):
            self._owner_ids[plan_id].add(predecessor_id)

    @property
    def references(self) -> set[str]:
        """The references of the imported plans in the published file."""
        return set(self._plans_by_reference)

    def with_reference(self, reference: str, owner_ids: Collection[int] = ()) -> list[Plan]:
        """Return the imported plans with a reference.

        With `owner_ids`, return only plans that one of these organisations owns or ever owned.
        """
        plans = self._plans_by_reference.get(reference, [])
        if not owner_ids:
            return list(plans)
        return [plan for plan in plans if self._owner_ids[plan.pk] & set(owner_ids)]

    def expected_plans(
        self, plan_files: LocalPlans, owners: dict[str, Organisation], importer: Organisation | None = None
    ) -> list[Plan]:
        """Return the plans that the files should contain. If one is not there, it is reported as missing.

        An authority's own files should contain its plans. Files of the standard should contain the plans of the
        authorities that they name, and files of the whole country every plan.
        """
        if importer is not None:
            authority_ids = {importer.pk}
        elif plan_files.is_standard:
            authority_ids = {owner.pk for owner in owners.values()}
        else:
            return self.plans
        return [plan for plan in self.plans if {owner.organisation_id for owner in plan.owners.all()} & authority_ids]

    def new_reference(self, row: LocalPlan, plan_files: LocalPlans) -> str:
        """Return the external reference of a new plan, which includes the name if several plans share a reference."""
        is_only_row = sum(other_row.reference == row.reference for other_row in plan_files.plans) == 1
        existing_references = {plan.external_reference for plan in self._plans_by_reference.get(row.reference, ())}
        if is_only_row and row.reference not in existing_references:
            return row.reference[:200]
        return row.key[:200]

    def belongs_to_others(self, row: LocalPlan, plan: Plan | None, owners: Mapping[str, Organisation]) -> bool:
        """Return whether no authority in the row owns or ever owned the plan.

        Returns False for a new plan, and if an authority in the row is not in the directory, because it may be an
        owner.
        """
        if plan is None or not all(curie in owners for curie in row.organisations):
            return False
        return not {owners[curie].pk for curie in row.organisations} & self._owner_ids[plan.pk]

    def match_rows(
        self, plan_files: LocalPlans, owners: Mapping[str, Organisation]
    ) -> list[tuple[LocalPlan, Plan | None]]:
        """Return each row with its imported plan, or None for a new plan."""
        rows_by_reference: dict[str, list[LocalPlan]] = defaultdict(list)
        for row in plan_files.plans:
            rows_by_reference[row.reference].append(row)

        plan_by_key: dict[str, Plan] = {}
        for reference, rows in rows_by_reference.items():
            plan_by_key |= self._match_rows_of_reference(reference, rows, owners)
        return [(row, plan_by_key.get(row.key)) for row in plan_files.plans]

    def _match_rows_of_reference(
        self, reference: str, rows: Collection[LocalPlan], owners: Mapping[str, Organisation]
    ) -> dict[str, Plan]:
        """Return the imported plans of the rows that share a reference, by the keys of the rows.

        Rows are matched by name. If a single row remains, it is matched with the only remaining plan of its
        authorities, since the plan may have been renamed. Plans of other authorities are not matched in this way,
        because two authorities may use the same reference without knowing.
        """
        plan_by_key: dict[str, Plan] = {}
        remaining_plans = self.with_reference(reference)
        remaining_rows = []
        for row in rows:
            namesakes = [
                plan
                for plan in remaining_plans
                if plan.external_reference == row.key or fold_name(plan.title) == fold_name(row.name)
            ]
            if not namesakes:
                remaining_rows.append(row)
                continue
            # Of several such plans, one of the row's own authorities is preferred.
            plan = min(namesakes, key=lambda plan: self.belongs_to_others(row, plan, owners))
            plan_by_key[row.key] = plan
            remaining_plans.remove(plan)

        if len(remaining_rows) == 1:
            row = remaining_rows[0]
            own_plans = [plan for plan in remaining_plans if not self.belongs_to_others(row, plan, owners)]
            if len(own_plans) == 1:
                plan_by_key[row.key] = own_plans[0]
        return plan_by_key
