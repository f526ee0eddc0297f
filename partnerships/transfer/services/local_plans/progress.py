"""The Planning Inspectorate's list of how far local plans have come.

It has stages and no names of plans.

It fills history: a plan that has one of the row's dates gets a line, and else its council does. No row becomes a plan:
they name none, and newer lists of plans leave out most councils, so they do not say that it has ended.
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
from partnerships.transfer.reading.local_plans import Milestone
from partnerships.transfer.reading.plan_events import EVENTS
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.older_plans import record_past
from partnerships.transfer.services.plan_versions import in_words, said_before
from partnerships.transfer.services.simple_lists import SimpleList

#: The event of each stage in their order, and what a line in the history of a council calls it.
_STAGES = {
    "published": ("reg-19-publication-local-plan-published", "published"),
    "submitted": ("submit-plan-for-examination", "submitted"),
    "sound": ("planning-inspectorate-found-sound", "found sound"),
    "adopted": ("plan-adopted", "adopted"),
}


def _apply(table: Table, collector: Collector, run: Import) -> int:
    """Add each row to the history of its plan, or else of its council.

    A row without a stage says nothing.
    """
    directory = Directory()
    plans = _plans_by_owner()
    told = _told_of_councils()
    for done, line in enumerate(table, start=1):
        code = collector.required(line, "code").upper()
        stages = {code: day for code in _STAGES if (day := collector.partial(line, code))}
        body = directory.of_code(code)
        if code and body is None:
            found = f"no council in the directory has the code “{code}”."
            collector.add_problem(line, "code", found, "Correct it, or import the list of councils that has it.")
        if line.number in collector.bad_rows or body is None:
            continue
        if not stages:
            run.report.count("left_alone")
            continue
        try:
            with transaction.atomic():
                _apply_line(line, body, stages, plans[body.pk], told, run)
        except InvalidContent as error:
            collector.add_problem(line, "code", in_words(error), "Correct the row.")
        run.progress(done, len(table.rows))
    return 0


def _plans_by_owner() -> dict[int, list[Plan]]:
    """Return the local plans of each organisation that owns or owned them."""
    plans: dict[int, list[Plan]] = defaultdict(list)
    owners = PlanOwner.ever.filter(plan__kind="local_plan").select_related("plan")
    for owner in owners.order_by("plan_id"):
        plans[owner.organisation_id].append(owner.plan)
    return plans


def _told_of_councils() -> set[tuple[int, str]]:
    """Return pairs of a council's id and a line that an earlier import added to its history."""
    return set(Event.objects.filter(kind=EventKind.PLANS_IN_OLDER_FILE).values_list("target_id", "data__plan"))


def _apply_line(
    line: Line,
    body: Organisation,
    stages: Mapping[str, PartialDate],
    plans: list[Plan],
    told: set[tuple[int, str]],
    run: Import,
) -> None:
    """Record a line's dates with the plan that has one of them, else with the authority."""
    keyed = {
        event: Milestone(line.number, event, EVENTS[event], stages[stage], is_forecast=False, note="")
        for stage, (event, _) in _STAGES.items()
        if stage in stages
    }
    for plan in plans:
        said = said_before(plan, is_open=True)
        if said is not None and _has_a_date(said["milestones"], keyed):
            before = normalise(said)
            record_past(plan, normalise(content_with_milestones(before, keyed)), before, run)
            return
    days = ", ".join(f"{words} {stages[stage].words}" for stage, (_, words) in _STAGES.items() if stage in stages)
    said_of = f"{line.text('name') or body.name}: {days}"
    if (body.pk, said_of) in told:
        run.report.count("left_alone")
        return
    told.add((body.pk, said_of))
    record(
        actor_id=run.author.pk if run.author else None,
        kind=EventKind.PLANS_IN_OLDER_FILE,
        target_kind="organisation",
        target_id=body.pk,
        now=run.now,
        data={"reason": f"{run.source}. {said_of}.", "plan": said_of},
    )
    run.report.count(
        "changed", f"{said_of}. No plan of {body.name} has one of these dates, so they were added to its history"
    )


def _has_a_date(milestones: Sequence[Mapping[str, Any]], keyed: Mapping[str, Milestone]) -> bool:
    """Return whether one of the milestones is of a stage and on its day, as precise as both say."""
    for item in milestones:
        stage = keyed.get(item["key"])
        day = item["actual"] or item["forecast"]
        if stage is not None and day:
            other = PartialDate.parse(day)
            if other.earliest <= stage.date.latest and stage.date.earliest <= other.latest:
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
