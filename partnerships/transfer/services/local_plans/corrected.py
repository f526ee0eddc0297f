"""Rows of a timetable that were set aside alone, and come back without the rows of their plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from partnerships.kit.dates import long_date
from partnerships.open_data.models import Record
from partnerships.open_data.standards import TIMETABLE
from partnerships.plans.content import InvalidContent, normalise
from partnerships.plans.models import Plan
from partnerships.plans.services import UnableToPublish
from partnerships.transfer.local_plan_content import content_with_milestones
from partnerships.transfer.reading.local_plans import LocalPlans, Milestone
from partnerships.transfer.reading.milestone_keys import corrected_keys
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.standard_cells import day_in
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.local_plans.kept import KeptRows
from partnerships.transfer.services.local_plans.known import Known
from partnerships.transfer.services.older_plans import record_past
from partnerships.transfer.services.plan_versions import in_words, publish_changes, remark_on_embargo, said_before


def add_corrected(listed: LocalPlans, known: Known, kept_rows: KeptRows, newer: dt.date | None, run: Import) -> None:
    """Add the milestones to plans that were read before.

    Those of other authorities are set aside. `newer` is the date of newer files, if these go by their date.
    """
    for reference, milestones in listed.corrected.items():
        standing = [milestone for milestone in milestones if milestone.ended is None or milestone.ended > run.as_of]
        plans = known.called(reference)
        own = run.organisation
        if own is not None:
            plans = [plan for plan in plans if own.pk in {owner.organisation_id for owner in plan.owners.all()}]
        if len(plans) == 1:
            run.row = milestones[0].row
            try:
                _add(plans[0], standing, kept_rows, newer, run)
            except (InvalidContent, UnableToPublish) as error:
                _set_aside(milestones, in_words(error), "Correct the row.", listed, run)
        elif plans:
            found = f"{len(plans)} plans have the reference “{reference}”."
            _set_aside(milestones, found, "Correct it in the complete files, and import them again.", listed, run)
        elif own is not None:
            remedy = "Remove the row. Only the plan’s own authorities can import it."
            _set_aside(milestones, f"“{reference}” is not a plan of {own.name}.", remedy, listed, run)
        else:
            remedy = "Import the complete files first."
            _set_aside(milestones, f"no imported plan has the reference “{reference}”.", remedy, listed, run)


def _add(plan: Plan, milestones: Sequence[Milestone], kept_rows: KeptRows, newer: dt.date | None, run: Import) -> None:
    """Add corrected milestones to a plan.

    If older than its own, to its history only.
    """
    records = list(Record.objects.filter(dataset=TIMETABLE.code, plan=plan).order_by("position", "pk"))
    rows = [(record.key, record.cells) for record in records]
    last = {record.key: day_in(record.cells, "entry-date") for record in records}
    before = normalise(said_before(plan) or {})
    keyed = dict(zip(corrected_keys(milestones, rows, before["milestones"]), milestones, strict=True))
    older = [
        day
        for key, one in keyed.items()
        if (day := last.get(key)) and (here := day_in(one.cells, "entry-date")) and here < day
    ]
    if newer := max(older, default=newer):
        known = normalise(said_before(plan, is_open=True) or {})
        record_past(plan, normalise(content_with_milestones(known, keyed)), known, run)
        run.report.remark(
            f"{plan.title}: these rows are older than those imported before, of {long_date(newer)}, so they only "
            "add to its history."
        )
        return
    content = normalise(content_with_milestones(before, keyed))
    if content == before:
        run.report.count("left_alone")
    else:
        publish_changes(plan, before, content, run)
    kept_rows.add_milestones(plan, keyed, content)
    remark_on_embargo(plan, run)


def _set_aside(milestones: Sequence[Milestone], found: str, remedy: str, listed: LocalPlans, run: Import) -> None:
    problems = [Problem(milestone.row, "plan", found, remedy) for milestone in milestones]
    if not run.rows_stand_alone:
        raise UnableToRead(problems)
    for problem in problems:
        run.set_aside(listed.list_files[1].row_set_aside([problem]))
