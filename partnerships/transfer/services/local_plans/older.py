"""Plans of files older than the last ones fill history, as at their date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

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
from partnerships.transfer.services.vintages import remark_on_newer_files

#: The dataset of a row, the reference of its plan, and its own reference.
_Key = tuple[str, str, str]


class Vintages:
    """Which plans of the files are older than the last file of their authorities.

    Files of the whole country go by their date. Files of the standard and an organisation's own have the plans of a few
    authorities: those go by the `entry-date` of the rows that their last file has too, and one newer row makes all of
    them new. Own files that have no such row go by their date too.
    """

    def __init__(self, listed: LocalPlans, newer: ImportRun | None, own: Organisation | None) -> None:
        by_rows, day = listed.is_standard or own is not None, newer.as_of if newer is not None else None
        self._all = None if by_rows else day
        self._of_authorities: dict[tuple[str, ...], dt.date] = {}
        if by_rows:
            self._of_authorities = _older_rows(listed, otherwise=day if own is not None else None)

    def newer_than(self, plan: LocalPlan) -> dt.date | None:
        """The date of the newer file, if there is one."""
        return self._all or self._of_authorities.get(plan.organisations)

    def without_older(self, plans: list[Plan], owners: Mapping[str, Organisation]) -> list[Plan]:
        """The plans that files which are not older should have."""
        if self._all:
            return []
        older = {owners[curie].pk for curies in self._of_authorities for curie in curies if curie in owners}
        return [plan for plan in plans if not {one.organisation_id for one in plan.owners.all()} & older]


def _older_rows(listed: LocalPlans, *, otherwise: dt.date | None) -> dict[tuple[str, ...], dt.date]:
    """The authorities whose last file was newer, with the newest date in it; `otherwise` if no row can be compared."""
    references = [plan.reference for plan in listed.plans]
    known: dict[_Key, dt.date] = {}
    for record in Record.objects.filter(
        dataset__in=[PLAN.code, TIMETABLE.code], plan__external_reference__in=references
    ).select_related("plan"):
        if record.plan is not None and (day := day_in(record.cells, "entry-date")):
            known[record.dataset, record.plan.external_reference, record.cells.get("reference", "")] = day
    older: dict[tuple[str, ...], dt.date] = {}
    newer: set[tuple[str, ...]] = set()
    is_compared = False
    for plan in listed.plans:
        for dataset, cells in [(PLAN.code, plan.cells), *((TIMETABLE.code, one.cells) for one in plan.milestones)]:
            here = day_in(cells, "entry-date")
            last = known.get((dataset, plan.reference, cells.get("reference", "")))
            if here is None or last is None:
                continue
            is_compared = True
            if here > last:
                newer.add(plan.organisations)
            elif here < last:
                older[plan.organisations] = max(last, older.get(plan.organisations, last))
    if otherwise is not None and not is_compared:
        return {plan.organisations: otherwise for plan in listed.plans}
    return {authorities: day for authorities, day in older.items() if authorities not in newer}


class Past:
    """Fills the history of plans from older files, and compares them with the plans here."""

    def __init__(self, known: Known, run: Import) -> None:
        self._known, self._run = known, run
        self._changed = self._gone = 0
        self._seen: set[int] = set()
        self._newer: dt.date | None = None

    def add(
        self,
        plan: LocalPlan,
        existing: Plan | None,
        owners: Sequence[Organisation],
        newer: dt.date,
        listed: LocalPlans,
    ) -> None:
        """Record what has changed since in a plan; one that newer files do not have is added as closed.

        In an organisation's own files it begins as its alone.
        """
        run, self._newer = self._run, max(newer, self._newer or newer)
        before = said_before(existing, is_open=True)
        content = normalise(content_from_file(plan, before))
        if existing is not None:
            self._seen.add(existing.pk)
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

    def compare(self, expected: Sequence[Plan]) -> None:
        """Say in the report how many plans changed, went and came since."""
        if self._newer is None:
            return
        later = sum(not plan.is_over and plan.pk not in self._seen for plan in expected)
        remark_on_newer_files(
            self._run,
            self._newer,
            "plans",
            changed=self._changed,
            known=len(self._seen),
            gone=self._gone,
            later=later,
        )
