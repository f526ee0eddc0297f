"""Plans of files older than the last ones fill history, as at their date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from partnerships.open_data.models import Record
from partnerships.open_data.standards import PLAN, TIMETABLE
from partnerships.organisations.models import Organisation
from partnerships.plans.content import normalise
from partnerships.plans.models import Plan
from partnerships.transfer.local_plan_content import content_from_file
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.local_plans import LocalPlan, LocalPlans
from partnerships.transfer.reading.standard_cells import day_in
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.local_plans.known import Known
from partnerships.transfer.services.older_plans import close_as_gone, record_past
from partnerships.transfer.services.plan_versions import create_from_file, said_before
from partnerships.transfer.services.vintages import Ages, remark_on_older_rows

#: The dataset of a row, the reference of its plan here, and its own reference.
_Key = tuple[str, str, str]


class Vintages:
    """Which plans of the files are older than what was read of them before.

    A plan goes by the `entry-date` of its row and its milestones' rows that a file before had too: it is older if one
    of them is earlier and none later. A plan without such rows goes as the others of its authorities. Where these say
    nothing either, files of the whole country go by their date; so do an organisation's own in which nothing can be
    compared.
    """

    def __init__(self, listed: LocalPlans, newer: ImportRun | None, own: Organisation | None) -> None:
        self._ages = Ages()
        for plan, both in _dates(listed):
            self._ages.add(plan.key, plan.organisations, both)
        goes_by_date = not self._ages.is_compared if own is not None else not listed.is_standard
        self._otherwise = newer.as_of if newer is not None and goes_by_date else None
        self._older = {curie for plan in listed.plans if self.newer_than(plan) for curie in plan.organisations}

    @property
    def newer_by_date(self) -> dt.date | None:
        """The date of newer files, if these go by their date."""
        return self._otherwise

    def newer_than(self, plan: LocalPlan) -> dt.date | None:
        """Return the date of what was read before, if that is newer."""
        return self._ages.newer_than(plan.key, plan.organisations, self._otherwise)

    def without_older(self, plans: list[Plan], owners: Mapping[str, Organisation]) -> list[Plan]:
        """Return the plans that files which are not older should have."""
        if self._otherwise:
            return []
        older = {owners[curie].pk for curie in self._older if curie in owners}
        return [plan for plan in plans if not {owner.organisation_id for owner in plan.owners.all()} & older]


def _dates(listed: LocalPlans) -> Iterator[tuple[LocalPlan, list[tuple[dt.date, dt.date]]]]:
    """Yield each plan with the dates of the rows that a file before had too.

    Each row has two dates: the one here, and its last one.
    """
    references = {one for plan in listed.plans for one in (plan.reference, plan.key)}
    known: dict[_Key, dt.date] = {}
    rows = Record.objects.filter(dataset__in=[PLAN.code, TIMETABLE.code], plan__external_reference__in=references)
    for dataset, plan_reference, cells in rows.values_list("dataset", "plan__external_reference", "cells"):
        key = dataset, plan_reference, cells.get("reference", "")
        if day := day_in(cells, "entry-date"):
            known[key] = max(day, known.get(key, day))
    for plan in listed.plans:
        both = []
        for dataset, cells in [
            (PLAN.code, plan.cells),
            *((TIMETABLE.code, milestone.cells) for milestone in plan.milestones),
        ]:
            here, own = day_in(cells, "entry-date"), cells.get("reference", "")
            last = known.get((dataset, plan.key, own)) or known.get((dataset, plan.reference, own))
            if here and last:
                both.append((here, last))
        yield plan, both


class Past:
    """Fills the history of plans from older files, and compares them with the plans here."""

    def __init__(self, known: Known, run: Import) -> None:
        self._known, self._run = known, run
        self._changed = self._gone = 0
        self._known_plans = 0
        self._newer: dt.date | None = None

    def add(
        self,
        plan: LocalPlan,
        existing: Plan | None,
        owners: Sequence[Organisation],
        newer: dt.date,
        listed: LocalPlans,
    ) -> None:
        """Record what has changed since in a plan.

        One that newer files do not have is added as closed. In an organisation's own files it begins as its alone.
        """
        run, self._newer = self._run, max(newer, self._newer or newer)
        before = said_before(existing, is_open=True)
        content = normalise(content_from_file(plan, before))
        if existing is not None:
            self._known_plans += 1
            self._changed += record_past(existing, content, normalise(before or content), run)
            return
        external = self._known.external(plan, listed)
        made = create_from_file(
            owners=[run.organisation] if run.organisation else list(owners),
            title=plan.name,
            kind="local_plan",
            content=content,
            external=external,
            run=run,
        )
        close_as_gone(made, newer, run)
        self._gone += 1
        run.report.count("created", f"{plan.name}, closed: newer files do not have it")

    def compare(self, missing: Sequence[Plan]) -> None:
        """Say in the report how many plans changed, went and came since.

        `missing` are those not in the files.
        """
        if self._newer is None:
            return
        later = sum(not plan.is_over for plan in missing)
        remark_on_older_rows(
            self._run,
            self._newer,
            "plans",
            changed=self._changed,
            known=self._known_plans,
            gone=self._gone,
            later=later,
        )
