"""Add corrected rows of a timetable, which are uploaded without the rows of their plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from partnerships.kit.dates import long_date
from partnerships.open_data.models import Record
from partnerships.open_data.standards import TIMETABLE
from partnerships.plans.content import InvalidContent, normalise
from partnerships.plans.models import Plan
from partnerships.plans.services import UnableToPublish
from partnerships.transfer.local_plan_content import content_with_milestones
from partnerships.transfer.reading.milestone_keys import corrected_keys
from partnerships.transfer.reading.plan_rows import LocalPlans, Milestone
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.standard_cells import date_in_cells
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.local_plans.imported_plans import ImportedPlans
from partnerships.transfer.services.local_plans.row_saving import RowsToSave
from partnerships.transfer.services.older_plans import record_older_content
from partnerships.transfer.services.plan_versions import (
    error_in_words,
    last_file_content,
    publish_changes,
    remark_on_embargo,
)


def add_corrected(
    plan_files: LocalPlans,
    imported_plans: ImportedPlans,
    rows_to_save: RowsToSave,
    newer_file_date: dt.date | None,
    run: RunningImport,
) -> None:
    """Add corrected milestones to the plans of earlier imports.

    Milestones are set aside if their reference means several plans or none, or if the plan is not the importer's.
    `newer_file_date` is the date of newer files, if the date of the files decides their age, or else None.
    """
    for reference, milestones in plan_files.corrected.items():
        plans = imported_plans.with_reference(reference)
        if run.organisation is not None:
            plans = [plan for plan in plans if _is_owner(run.organisation.pk, plan)]
        if len(plans) != 1:
            fault, remedy = _problem_with_reference(reference, plans, run)
            _set_aside(milestones, fault, remedy, plan_files, run)
            continue

        current_milestones = [
            milestone for milestone in milestones if milestone.ended is None or milestone.ended > run.as_of
        ]
        run.row = milestones[0].row
        try:
            _add(plans[0], current_milestones, rows_to_save, newer_file_date, run)
        except (InvalidContent, UnableToPublish) as error:
            _set_aside(milestones, error_in_words(error), "Correct the row.", plan_files, run)


def _is_owner(organisation_id: int, plan: Plan) -> bool:
    """Return whether the organisation is one of the plan's owners."""
    return organisation_id in {owner.organisation_id for owner in plan.owners.all()}


def _problem_with_reference(reference: str, plans: Sequence[Plan], run: RunningImport) -> tuple[str, str]:
    """Return the problem and the remedy if a reference means several plans, or none."""
    if plans:
        fault = f"{len(plans)} plans have the reference “{reference}”."
        return fault, "Correct the reference in the complete files, and import them again."
    if run.organisation is not None:
        fault = f"“{reference}” is not a plan of {run.organisation.name}."
        return fault, "Remove the row. Only the plan’s own authorities can import it."
    return f"no imported plan has the reference “{reference}”.", "Import the complete files first."


def _add(
    plan: Plan,
    milestones: Sequence[Milestone],
    rows_to_save: RowsToSave,
    newer_file_date: dt.date | None,
    run: RunningImport,
) -> None:
    """Add corrected milestones to a plan. Milestones older than the saved rows only add to its history."""
    records = list(Record.objects.filter(dataset=TIMETABLE.code, plan=plan).order_by("position", "pk"))
    before = normalise(last_file_content(plan) or {})
    keys = corrected_keys(milestones, [(record.key, record.cells) for record in records], before["milestones"])
    milestone_by_key = dict(zip(keys, milestones, strict=True))

    newer_date = _newest_saved_date(milestone_by_key, records) or newer_file_date
    if newer_date is not None:
        public_content = normalise(last_file_content(plan, is_open=True) or {})
        older_content = normalise(content_with_milestones(public_content, milestone_by_key))
        record_older_content(plan, older_content, public_content, run)
        run.report.remark(
            f"{plan.title}: these rows are older than those imported before, of {long_date(newer_date)}, so they only "
            "add to its history."
        )
        return

    content = normalise(content_with_milestones(before, milestone_by_key))
    if content == before:
        run.report.count("left_alone")
    else:
        publish_changes(plan, before, content, run)
    rows_to_save.add_milestones(plan, milestone_by_key, content)
    remark_on_embargo(plan, run)


def _newest_saved_date(milestone_by_key: Mapping[str, Milestone], records: Sequence[Record]) -> dt.date | None:
    """Return the latest entry date of the saved rows that are newer than the corrected rows, or None if none is."""
    saved_date_by_key = {record.key: date_in_cells(record.cells, "entry-date") for record in records}
    newer_dates = []
    for key, milestone in milestone_by_key.items():
        entry_date = date_in_cells(milestone.cells, "entry-date")
        saved_date = saved_date_by_key.get(key)
        if entry_date and saved_date and entry_date < saved_date:
            newer_dates.append(saved_date)
    return max(newer_dates, default=None)


def _set_aside(
    milestones: Sequence[Milestone], fault: str, remedy: str, plan_files: LocalPlans, run: RunningImport
) -> None:
    """Set the rows of the milestones aside.

    Raises `UnableToRead` instead if rows must not be set aside one by one.
    """
    problems = [Problem(milestone.row, "plan", fault, remedy) for milestone in milestones]
    if not run.sets_bad_rows_aside:
        raise UnableToRead(problems)
    timetable = plan_files.list_files[1]
    for problem in problems:
        run.set_aside(timetable.row_set_aside([problem]))
