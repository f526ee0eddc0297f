"""Recognise local plans that are older than earlier imports, and only add to their histories."""

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
from partnerships.transfer.reading.plan_rows import LocalPlan, LocalPlans
from partnerships.transfer.reading.standard_cells import date_in_cells
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.local_plans.imported_plans import ImportedPlans
from partnerships.transfer.services.older_lists import RowAges, remark_on_older_rows
from partnerships.transfer.services.older_plans import close_missing_from_newer_files, record_older_content
from partnerships.transfer.services.plan_versions import create_from_file, last_file_content

#: The dataset of a saved row, the reference of its plan, and the row's own reference.
_RowKey = tuple[str, str, str]


class PlanAges:
    """Compares the plans in the files with earlier imports, and finds the plans whose files are older.

    A plan's age follows from the `entry-date` of its row and of its milestones' rows, compared with the same rows in
    earlier files. A plan without such rows is as old as the other plans of its authorities. If these have no such rows
    either, the date of the files decides: for files of the whole country, and for an organisation's own files in which
    no row can be compared.
    """

    def __init__(self, plan_files: LocalPlans, newer_run: ImportRun | None, importer: Organisation | None) -> None:
        self._ages = RowAges()
        for row, date_pairs in _date_pairs(plan_files):
            self._ages.add(row.key, row.organisations, date_pairs)
        if importer is not None:
            date_of_files_decides = not self._ages.is_compared
        else:
            date_of_files_decides = not plan_files.is_standard
        #: The date of newer files of an earlier import, if the date of the files decides, or else None.
        self.newer_file_date = newer_run.as_of if newer_run is not None and date_of_files_decides else None
        self._curies_with_older_plans = {
            curie for row in plan_files.plans if self.newer_than(row) for curie in row.organisations
        }

    def newer_than(self, row: LocalPlan) -> dt.date | None:
        """Return the date of this plan's earlier import, if it is newer than the row, or else None."""
        return self._ages.newer_than(row.key, row.organisations, self.newer_file_date)

    def plans_that_can_be_missing(self, plans: list[Plan], owners: Mapping[str, Organisation]) -> list[Plan]:
        """Return the plans without those of authorities for which these files are older than an earlier import.

        An older file cannot have plans that were added after it was made, so such a plan is not missing from it.
        """
        if self.newer_file_date:
            return []
        ids_with_older_plans = {owners[curie].pk for curie in self._curies_with_older_plans if curie in owners}
        return [
            plan for plan in plans if not {owner.organisation_id for owner in plan.owners.all()} & ids_with_older_plans
        ]


def _date_pairs(plan_files: LocalPlans) -> Iterator[tuple[LocalPlan, list[tuple[dt.date, dt.date]]]]:
    """Yield each plan with two dates for each of its rows that an earlier file had too.

    The first date is in this file. The second was in the file from which the row was last imported.
    """
    last_dates = _last_dates(plan_files)
    for row in plan_files.plans:
        rows = [(PLAN.code, row.cells), *((TIMETABLE.code, milestone.cells) for milestone in row.milestones)]
        date_pairs = []
        for dataset, cells in rows:
            own_reference = cells.get("reference", "")
            date = date_in_cells(cells, "entry-date")
            last_date = last_dates.get((dataset, row.key, own_reference)) or last_dates.get(
                (dataset, row.reference, own_reference)
            )
            if date and last_date:
                date_pairs.append((date, last_date))
        yield row, date_pairs


def _last_dates(plan_files: LocalPlans) -> dict[_RowKey, dt.date]:
    """Return the latest entry dates of the saved rows of these plans. Uses one query."""
    references = {reference for row in plan_files.plans for reference in (row.reference, row.key)}
    records = Record.objects.filter(dataset__in=[PLAN.code, TIMETABLE.code], plan__external_reference__in=references)
    last_dates: dict[_RowKey, dt.date] = {}
    for dataset, plan_reference, cells in records.values_list("dataset", "plan__external_reference", "cells"):
        key = (dataset, plan_reference, cells.get("reference", ""))
        date = date_in_cells(cells, "entry-date")
        if date is not None:
            last_dates[key] = max(date, last_dates.get(key, date))
    return last_dates


class OlderPlans:
    """Adds the plans of older files to the plans' histories, and counts the differences for the report."""

    def __init__(self, imported_plans: ImportedPlans, run: RunningImport) -> None:
        self._imported_plans = imported_plans
        self._run = run
        self._existing_count = self._changed_count = self._gone_count = 0
        self._newest_date: dt.date | None = None

    def add(
        self,
        row: LocalPlan,
        existing_plan: Plan | None,
        *,
        owners: Sequence[Organisation],
        newer_date: dt.date,
        plan_files: LocalPlans,
    ) -> None:
        """Record how a plan has changed since the older file.

        A plan that newer files do not have is created as closed. In an organisation's own files, only that organisation
        becomes its owner, because other owners must be invited.
        """
        run = self._run
        self._newest_date = max(newer_date, self._newest_date or newer_date)
        before = last_file_content(existing_plan, is_open=True)
        content = normalise(content_from_file(row, before))
        if existing_plan is not None:
            self._existing_count += 1
            self._changed_count += record_older_content(existing_plan, content, normalise(before or content), run)
            return

        plan = create_from_file(
            owners=[run.organisation] if run.organisation else list(owners),
            title=row.name,
            kind="local_plan",
            content=content,
            external_reference=self._imported_plans.new_reference(row, plan_files),
            run=run,
        )
        close_missing_from_newer_files(plan, newer_date, run)
        self._gone_count += 1
        run.report.count("created", f"{row.name}, closed: newer files do not have it")

    def remark_on_differences(self, plans_not_in_files: Sequence[Plan]) -> None:
        """Add a remark on how many plans have changed, gone and been added since, if any plan is older."""
        if self._newest_date is None:
            return
        remark_on_older_rows(
            self._run,
            self._newest_date,
            "plans",
            changed_count=self._changed_count,
            existing_count=self._existing_count,
            gone_count=self._gone_count,
            later_count=sum(not plan.is_over for plan in plans_not_in_files),
        )
