"""Importing published local plans as plans of their councils.

They are public, and each changed file adds one version.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit.dates import long_date
from partnerships.kit.text import counted
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import Content, InvalidContent, normalise
from partnerships.plans.models import Plan
from partnerships.plans.models import Status as PlanStatus
from partnerships.plans.services import (
    UnableToChangeStatus,
    UnableToCreatePlan,
    UnableToPublish,
    change_status,
)
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.local_plan_content import content_from_file
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.local_plans import LocalPlan, LocalPlans, read_local_plans
from partnerships.transfer.reading.problems import Problem
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list, settled_date
from partnerships.transfer.services.directory import Import, Progress, silent
from partnerships.transfer.services.files import File, Given, import_files
from partnerships.transfer.services.local_plans.corrected import add_corrected
from partnerships.transfer.services.local_plans.kept import KeptRows
from partnerships.transfer.services.local_plans.known import Known
from partnerships.transfer.services.local_plans.older import Past, Vintages
from partnerships.transfer.services.local_plans.owners import owners_of, set_plan_aside
from partnerships.transfer.services.outcomes import Outcome, refuse_unusable
from partnerships.transfer.services.plan_versions import (
    create_from_file,
    in_words,
    publish_changes,
    remark_on_embargo,
    said_before,
)
from partnerships.transfer.services.refusals import refuse_file_with_row

#: The note of every version: names the file and its publisher.
PUBLISHER = "planning data platform, MHCLG"


def import_local_plans(
    *,
    plans: File,
    timetable: File,
    author: User | None,
    now: dt.datetime,
    as_of: dt.date | None = None,
    all_or_nothing: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Import local plans and milestones; each changed plan gets a version.

    Rows with problems are set aside, and a plan with such a row keeps the milestones that it has; with
    `all_or_nothing`, one such row refuses the files. A plan missing from the file stays, with an event in its history.
    Raises `UnableToRead` with every problem of files that are refused.
    """
    choices = Choices(as_of=as_of, all_or_nothing=all_or_nothing)
    given = Given(
        files=(plans, timetable), author=author, now=now, choices=choices, progress=progress, keep=not dry_run
    )
    return import_files(apply_local_plans, given, dry_run=dry_run)


def apply_local_plans(given: Given) -> ImportRun:
    """Import plans and their timetable inside the caller's transaction, and return the run."""
    plans, timetable = (file.sheets for file in given.files)
    plans_name, timetable_name = given.names
    known = Known()
    listed = read_local_plans(
        plans,
        timetable,
        plans_name=plans_name,
        timetable_name=timetable_name,
        known=(given.known(0, plans), given.known(1, timetable)),
        read_before=known.references,
    )
    for list_file in listed.list_files:
        refuse_unusable(list_file, all_or_nothing=given.choices.all_or_nothing)
    report = Report()
    day = settled_date(
        given=given.choices.as_of,
        named=given.named_date,
        said=given.latest_date(Register.LOCAL_PLANS) if listed.is_corrected else listed.written_on,
        now=given.now,
        report=report,
    )
    source = f"{' and '.join(filter(None, given.names))} ({PUBLISHER}), as of {long_date(day)}"
    run = given.start(Register.LOCAL_PLANS, day, report=report, list_file=listed.list_files[0], source=source)
    for row in (row for list_file in listed.list_files[1:] for row in list_file.set_aside):
        run.set_aside(row)
    newer = newer_list(register=run.register, digest=given.digest, as_of=day, organisation=given.organisation)
    with report.timed(), refuse_file_with_row(run):
        _apply_plans(listed, known, run, plans_name, Vintages(listed, newer, run.organisation))
    report.account_for(*listed.list_files)
    return given.finish(given.new_run(run.register, day), run, EventKind.LOCAL_PLANS_IMPORTED)


@dataclass(frozen=True, slots=True)
class _PlanImport:
    """One import of local plans: its files, what is known, and what it keeps of them."""

    listed: LocalPlans
    known: Known
    owners: dict[str, Organisation]
    vintages: Vintages
    past: Past
    kept_rows: KeptRows
    run: Import

    def may_apply(self, plan: LocalPlan, existing: Plan | None) -> bool:
        """Return whether its authorities are known, and the plan is theirs to import; a plan of others is set aside.

        An organisation may import only its own plans, administrators any plan that is not another authority's here.
        """
        if not all(curie in self.owners for curie in plan.organisations):
            return False
        importer = self.run.organisation
        if importer is None:
            is_own = not self.known.is_anothers(plan, existing, self.owners)
        else:
            named = {self.owners[curie].pk for curie in plan.organisations}
            is_own = importer.pk in named and (existing is None or importer.pk in _owner_ids(existing))
        if not is_own:
            problem = _problem_of_ownership(plan, existing, self.owners, importer)
            set_plan_aside(problem, plan, self.listed, self.run)
        return is_own

    def apply(self, plan: LocalPlan, existing: Plan | None) -> Plan | None:
        """Publish one plan, or keep an older one for history; returns the plan here, if there is one."""
        before = said_before(existing)
        if newer := self.vintages.newer_than(plan):
            bodies = [self.owners[curie] for curie in plan.organisations]
            self.past.add(plan, existing, bodies, newer, self.listed)
            return existing
        external = self.known.external(plan, self.listed)
        body, content = _apply_one(plan, existing, before, self.owners, self.run, external=external)
        _close(plan, body, self.run)
        self.kept_rows.add(plan, body, before, content)
        remark_on_embargo(body, self.run)
        return body


def _apply_plans(listed: LocalPlans, known: Known, run: Import, plans_name: str, vintages: Vintages) -> None:
    """Publish each plan that differs from its present version, and report on the others."""
    for line in listed.remarks:
        run.report.remark(line)
    listed = _without_withdrawn(listed, run)
    plans, milestones = counted(len(listed.plans), "plan"), counted(listed.milestone_count, "milestone")
    run.report.remark(f"The files have {plans} with {milestones}.")
    owners = owners_of(listed, run, plans_name)
    past, kept_rows = Past(known, run), KeptRows()
    plan_import = _PlanImport(
        listed=listed, known=known, owners=owners, vintages=vintages, past=past, kept_rows=kept_rows, run=run
    )
    seen = _apply_each(plan_import, plans_name)
    add_corrected(listed, known, kept_rows, vintages.newer_by_date, run)
    run.row = None
    kept_rows.save(author=run.author, now=run.now)
    expected = known.expected(listed, owners, run.organisation)
    current = vintages.without_older(expected, owners)
    if not listed.is_corrected:
        _record_missing(current, seen, run)
    past.compare([plan for plan in expected if plan not in current and plan.pk not in seen])


def _apply_each(plan_import: _PlanImport, plans_name: str) -> set[int]:
    """Apply one plan after the other; one that fails is set aside. Returns the ids of the plans found here."""
    run, listed = plan_import.run, plan_import.listed
    seen: set[int] = set()
    for done, (plan, existing) in enumerate(plan_import.known.matched(listed, plan_import.owners), start=1):
        body = existing
        if plan_import.may_apply(plan, existing):
            run.row = plan.row
            try:
                with transaction.atomic():
                    body = plan_import.apply(plan, existing)
            except (InvalidContent, UnableToChangeStatus, UnableToCreatePlan, UnableToPublish) as error:
                problem = Problem(plan.row, "", in_words(error), "Correct the row.", plans_name)
                set_plan_aside(problem, plan, listed, run, error)
        if body is not None:
            seen.add(body.pk)
        run.progress(done, len(listed.plans))
    return seen


def _owner_ids(plan: Plan) -> set[int]:
    return {owner.organisation_id for owner in plan.owners.all()}


def _problem_of_ownership(
    plan: LocalPlan, existing: Plan | None, owners: Mapping[str, Organisation], importer: Organisation | None
) -> Problem:
    """Return the problem of a plan that the importer may not import, with the remedy.

    `importer` is None for an administrator.
    """
    named = {owners[curie].pk: owners[curie].name for curie in plan.organisations}
    owning_here = [name for pk, name in named.items() if existing and pk in _owner_ids(existing)]
    if importer is not None and importer.pk not in named:
        found, remedy = (
            f"the plan is not {importer.name}’s.",
            "Remove the row. Only the plan’s own authorities can import it.",
        )
    elif importer is not None and owning_here:
        found = f"the plan is already here and belongs to {' and '.join(owning_here)}."
        remedy = f"Ask them to invite {importer.name} as an owner on the plan’s page, then import it again."
    else:
        found = f"another authority’s plan has the reference “{plan.reference}”."
        remedy = "Give it a reference of its own."
        if importer is None and existing is not None:
            whose = " and ".join(owner.organisation.name for owner in existing.owners.all())
            remedy = f"The plan here is {whose}’s. Correct the authority, or give the row a reference of its own."
    return Problem(plan.row, "reference", found, remedy)


def _without_withdrawn(listed: LocalPlans, run: Import) -> LocalPlans:
    """Return the plans without milestones that the platform has withdrawn."""
    ended = [
        milestone
        for plan in listed.plans
        for milestone in plan.milestones
        if milestone.ended and milestone.ended <= run.as_of
    ]
    if not ended:
        return listed
    rows = ", ".join(str(milestone.row) for milestone in ended[:20])
    run.report.remark(f"Milestones whose end-date has passed were left out, because they are withdrawn (rows {rows}).")
    plans = tuple(
        replace(plan, milestones=tuple(milestone for milestone in plan.milestones if milestone not in ended))
        for plan in listed.plans
    )
    return replace(listed, plans=plans)


def _ends(plan: LocalPlan, run: Import) -> bool:
    return plan.ended is not None and plan.ended <= run.as_of


def _close(plan: LocalPlan, body: Plan, run: Import) -> None:
    """Close the plan if the file says that it has ended."""
    if plan.ended is None or not _ends(plan, run):
        return
    body.refresh_from_db()
    if body.is_over:
        return
    reason = f"Ended on {long_date(plan.ended)}, says {run.source}."
    change_status(plan=body, to=PlanStatus.CLOSED, reason=reason, author=run.author, now=run.now)
    run.report.count("closed", f"{plan.name}: ended on {long_date(plan.ended)}")


def _apply_one(
    plan: LocalPlan,
    existing: Plan | None,
    before: Content | None,
    owners: dict[str, Organisation],
    run: Import,
    *,
    external: str,
) -> tuple[Plan, Content]:
    """Create or change the plan; returns it and the content that the file gives it."""
    bodies = [owners[curie] for curie in plan.organisations]
    content = normalise(content_from_file(plan, before))
    if existing is None and run.organisation is not None and len(bodies) > 1:
        run.report.remark(
            f"{plan.name}: the file names {', '.join(body.name for body in bodies)}. The plan starts with "
            f"{run.organisation.name} as its owner. Invite the other owners on its page."
        )
        bodies = [run.organisation]
    if existing is None:
        made = create_from_file(
            owners=bodies, title=plan.name, kind="local_plan", content=content, external=external, run=run
        )
        run.report.count("created", f"{plan.name} ({', '.join(body.name for body in bodies)})")
        return made, content
    _remark_on_owners(plan, existing, bodies, run)
    if before is not None and content == normalise(before):
        if existing.is_over or not _ends(plan, run):
            run.report.count("left_alone")
        return existing, content
    publish_changes(existing, before, content, run)
    return existing, content


def _remark_on_owners(plan: LocalPlan, existing: Plan, bodies: list[Organisation], run: Import) -> None:
    if _owner_ids(existing) != {body.pk for body in bodies}:
        run.report.remark(
            f"{plan.name}: the file names {', '.join(body.name for body in bodies)} as its authorities, but they "
            f"are not its owners here. If the file is right, change the owners on its page."
        )


def _record_missing(plans: list[Plan], seen: set[int], run: Import) -> None:
    """Report plans that are missing from the file or in it again, and record each change of this in their history."""
    events = Event.objects.filter(
        target_kind="plan",
        target_id__in=[plan.pk for plan in plans],
        kind__in=[EventKind.MISSING_FROM_FILE, EventKind.BACK_IN_FILE],
    )
    last = dict(events.order_by("at", "pk").values_list("target_id", "kind"))
    for plan in plans:
        is_missing = plan.pk not in seen
        was_missing = last.get(plan.pk) == EventKind.MISSING_FROM_FILE
        if is_missing:
            run.report.count(
                "missing", f"{plan.title} ({plan.external_reference}): no longer in the file; kept unchanged"
            )
        elif was_missing:
            run.report.count("returned", plan.title)
        if is_missing != was_missing:
            record(
                actor_id=run.author.pk if run.author else None,
                kind=EventKind.MISSING_FROM_FILE if is_missing else EventKind.BACK_IN_FILE,
                target_kind="plan",
                target_id=plan.pk,
                within_kind="plan",
                within_id=plan.pk,
                now=run.now,
                data={"title": plan.title, "plan": plan.pk, "reason": run.source},
            )
