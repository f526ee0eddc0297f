"""Import the Planning Inspectorate's list of the stages that local plans have reached.

The list has stages, but no names of plans, so it only adds to histories: of the plan that has one of the row's dates
or, if none has, of the council. It does not create plans, and does not close any, because newer lists of plans leave
out most councils.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import Organisation
from partnerships.plans.content import InvalidContent, normalise
from partnerships.plans.models import Plan, PlanOwner
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.local_plan_content import content_with_milestones
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.reading.plan_events import EVENTS
from partnerships.transfer.reading.plan_rows import Milestone
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.older_plans import record_older_content
from partnerships.transfer.services.plan_versions import error_in_words, last_file_content
from partnerships.transfer.services.simple_lists import SimpleList

#: The stages in the order in which a plan reaches them, each with its event and its name in a council's history.
_STAGES = {
    "published": ("reg-19-publication-local-plan-published", "published"),
    "submitted": ("submit-plan-for-examination", "submitted"),
    "sound": ("planning-inspectorate-found-sound", "found sound"),
    "adopted": ("plan-adopted", "adopted"),
}


def _apply(table: Table, collector: Collector, run: RunningImport) -> int:
    """Add each row to the history of its plan or, if no plan has one of its dates, of its council.

    A row without any stage adds nothing. Returns 0, since no row is outside England.
    """
    directory = Directory()
    plans_by_owner = _plans_by_owner()
    recorded_lines = _recorded_lines()
    for done_count, line in enumerate(table, start=1):
        code = collector.required(line, "code").upper()
        date_by_stage = {stage: date for stage in _STAGES if (date := collector.partial(line, stage))}
        council = directory.with_code(code)
        if code and council is None:
            fault = f"no council in the directory has the code “{code}”."
            collector.add_problem(
                line, "code", fault, "Correct the code, or import the list of councils that has this council."
            )
        if line.number in collector.bad_rows or council is None:
            continue
        if not date_by_stage:
            run.report.count("left_alone")
            continue
        try:
            with transaction.atomic():
                _apply_line(line, council, date_by_stage, plans_by_owner[council.pk], recorded_lines, run)
        except InvalidContent as error:
            collector.add_problem(line, "code", error_in_words(error), "Correct the row.")
        run.progress(done_count, len(table.rows))
    return 0


def _plans_by_owner() -> dict[int, list[Plan]]:
    """Return the local plans that each organisation owns or ever owned, by the organisation's id."""
    plans_by_owner: dict[int, list[Plan]] = defaultdict(list)
    owners = PlanOwner.ever.filter(plan__kind="local_plan").select_related("plan")
    for owner in owners.order_by("plan_id"):
        plans_by_owner[owner.organisation_id].append(owner.plan)
    return plans_by_owner


def _recorded_lines() -> set[tuple[int, str]]:
    """Return the council's id and the text of each line that earlier imports added to a council's history."""
    return set(Event.objects.filter(kind=EventKind.PLANS_IN_OLDER_FILE).values_list("target_id", "data__plan"))


def _apply_line(
    line: Line,
    council: Organisation,
    date_by_stage: Mapping[str, PartialDate],
    plans: list[Plan],
    recorded_lines: set[tuple[int, str]],
    run: RunningImport,
) -> None:
    """Add the dates of a row to the history of the plan that has one of them, or else of the council."""
    milestone_by_event = {
        event: Milestone(
            row=line.number, event=event, name=EVENTS[event], date=date_by_stage[stage], is_forecast=False, note=""
        )
        for stage, (event, _) in _STAGES.items()
        if stage in date_by_stage
    }
    for plan in plans:
        content = last_file_content(plan, is_open=True)
        if content is not None and _has_date_of_stage(content["milestones"], milestone_by_event):
            before = normalise(content)
            record_older_content(plan, normalise(content_with_milestones(before, milestone_by_event)), before, run)
            return
    _add_to_history_of_council(line, council, date_by_stage, recorded_lines, run)


def _add_to_history_of_council(
    line: Line,
    council: Organisation,
    date_by_stage: Mapping[str, PartialDate],
    recorded_lines: set[tuple[int, str]],
    run: RunningImport,
) -> None:
    """Add a line with the dates of a row to the council's history, unless an earlier import has added it."""
    dates = ", ".join(
        f"{label} {date_by_stage[stage].words}" for stage, (_, label) in _STAGES.items() if stage in date_by_stage
    )
    history_line = f"{line.text('name') or council.name}: {dates}"
    if (council.pk, history_line) in recorded_lines:
        run.report.count("left_alone")
        return
    recorded_lines.add((council.pk, history_line))
    record(
        actor_id=run.author.pk if run.author else None,
        kind=EventKind.PLANS_IN_OLDER_FILE,
        target_kind="organisation",
        target_id=council.pk,
        now=run.now,
        data={"reason": f"{run.source}. {history_line}.", "plan": history_line},
    )
    run.report.count(
        "changed",
        f"{history_line}. No plan of {council.name} has one of these dates, so they were added to its history",
    )


def _has_date_of_stage(milestones: Sequence[Mapping[str, Any]], milestone_by_event: Mapping[str, Milestone]) -> bool:
    """Return whether a milestone of one of the stages may have been on the day of that stage.

    Dates may be imprecise: “2017” and “11 April 2017” can be the same day.
    """
    for milestone in milestones:
        stage = milestone_by_event.get(milestone["key"])
        date_text = milestone["actual"] or milestone["forecast"]
        if stage is not None and date_text:
            date = PartialDate.parse(date_text)
            if date.earliest <= stage.date.latest and stage.date.earliest <= date.latest:
                return True
    return False


PROGRESS = SimpleList(
    Register.PLAN_PROGRESS,
    (
        Column("code", ("lpaonscode", "onscode", "gsscode", r"lad\d\dcd"), "LPA ONS Code", required=True),
        Column("name", ("localcouncil", "localauthority", "council", "lpaname", "name"), "Local Council"),
        Column("updated", ("lastupdated",), "Last Updated"),
        Column("published", ("published", "publication"), "Published"),
        Column("submitted", ("submitted", "submission"), "Submitted", required=True),
        Column("sound", ("foundsound", "sound"), "Found Sound"),
        Column("adopted", ("adopted", "adoption"), "Adopted", required=True),
    ),
    "the list of the progress of local plans",
    _apply,
)
