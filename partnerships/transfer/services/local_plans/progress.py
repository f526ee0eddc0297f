"""The Planning Inspectorate's list of how far local plans have come: it has stages and no names of plans.

It fills history: a plan that has one of the row's dates gets a line, and a row that no plan has becomes a plan of its
own, closed if newer lists of plans were imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import Organisation, Scheme
from partnerships.plans.content import Content, InvalidContent, normalise
from partnerships.plans.models import Plan, PlanOwner
from partnerships.plans.services import UnableToChangeStatus, UnableToCreatePlan, UnableToPublish
from partnerships.transfer.local_plan_content import content_with_milestones
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.reading.local_plans import Milestone
from partnerships.transfer.reading.plan_events import EVENTS
from partnerships.transfer.services.dating import newer_list
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.local_plans.known import WITHOUT_REFERENCE
from partnerships.transfer.services.older_plans import close_as_gone, record_past
from partnerships.transfer.services.plan_versions import create_from_file, in_words, said_before
from partnerships.transfer.services.simple_lists import SimpleList

#: The event of each stage, the last stage first, and what a title calls it.
_STAGES = {
    "adopted": ("plan-adopted", "adopted"),
    "sound": ("planning-inspectorate-found-sound", "found sound"),
    "submitted": ("submit-plan-for-examination", "submitted"),
    "published": ("reg-19-publication-local-plan-published", "published"),
}


def _apply(table: Table, faults: Collector, run: Import) -> int:
    """Add each row to the history of its plan, or add its plan; a row without a stage says nothing."""
    directory = Directory()
    plans = _plans_by_owner()
    for done, line in enumerate(table, start=1):
        code = faults.required(line, "code").upper()
        stages = {code: day for code in _STAGES if (day := faults.partial(line, code))}
        body = directory.holder(Scheme.GSS, code) or directory.holder(Scheme.LOCAL_AUTHORITY_FORMER, code)
        if code and body is None:
            found = f"no council in the directory has the code “{code}”."
            faults.add_problem(line, "code", found, "Correct it, or import the list of councils that has it.")
        if line.number in faults.bad_rows or body is None:
            continue
        if not stages:
            run.report.count("left_alone")
            continue
        try:
            with transaction.atomic():
                _apply_line(line, body, stages, plans[body.pk], run)
        except (InvalidContent, UnableToChangeStatus, UnableToCreatePlan, UnableToPublish) as error:
            faults.add_problem(line, "code", in_words(error), "Correct the row.")
        run.progress(done, len(table.rows))
    return 0


def _plans_by_owner() -> dict[int, list[Plan]]:
    """The local plans of each organisation that owns or owned them."""
    found: dict[int, list[Plan]] = defaultdict(list)
    owners = PlanOwner.ever.filter(plan__kind="local_plan").select_related("plan")
    for owner in owners.order_by("plan_id"):
        found[owner.organisation_id].append(owner.plan)
    return found


def _apply_line(
    line: Line, body: Organisation, stages: Mapping[str, PartialDate], plans: list[Plan], run: Import
) -> None:
    keyed = {
        event: Milestone(line.number, event, EVENTS[event], stages[stage], is_forecast=False, note="")
        for stage, (event, _) in _STAGES.items()
        if stage in stages
    }
    title = _title(line, body, stages)
    own = next((plan for plan in plans if plan.title == title), None)
    if own is not None:
        run.report.count("left_alone")
        return
    for plan in plans:
        said = said_before(plan, is_open=True)
        if said is not None and _has_a_date(said["milestones"], keyed):
            before = normalise(said)
            record_past(plan, normalise(content_with_milestones(before, keyed)), before, run)
            return
    plans.append(_create(title, body, keyed, run))


def _has_a_date(milestones: Sequence[Mapping[str, Any]], keyed: Mapping[str, Milestone]) -> bool:
    """Whether one of the milestones is of a stage and on its day, as precise as both say."""
    for item in milestones:
        stage = keyed.get(item["key"])
        day = item["actual"] or item["forecast"]
        if stage is not None and day:
            other = PartialDate.parse(day)
            if other.earliest <= stage.date.latest and stage.date.earliest <= other.latest:
                return True
    return False


def _title(line: Line, body: Organisation, stages: Mapping[str, PartialDate]) -> str:
    """`Local plan of Adur District Council, adopted 14 December 2017`."""
    stage = next(code for code in _STAGES if code in stages)
    return f"Local plan of {line.text('name') or body.name}, {_STAGES[stage][1]} {stages[stage].words}"[:200]


def _create(title: str, body: Organisation, keyed: Mapping[str, Milestone], run: Import) -> Plan:
    empty: Content = normalise(
        {"about": {"title": title, "summary": f"From {run.source}, which has no names of plans."}}
    )
    plan = create_from_file(
        owners=[body],
        title=title,
        kind="local_plan",
        content=normalise(content_with_milestones(empty, keyed)),
        external=f"{WITHOUT_REFERENCE}progress {title}"[:200],
        run=run,
    )
    newer = newer_list(register=Register.LOCAL_PLANS, digest="", as_of=run.as_of)
    closed = ""
    if newer is not None and newer.as_of is not None:
        close_as_gone(plan, newer.as_of, run)
        closed = ", closed: newer lists of plans do not have it"
    run.report.count("created", f"{title}{closed}")
    return plan


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
