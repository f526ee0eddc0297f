"""Import published local plans as public plans of their councils, and publish a version for each change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
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
from partnerships.transfer.reading.local_plans import read_local_plans
from partnerships.transfer.reading.plan_rows import LocalPlan, LocalPlans
from partnerships.transfer.reading.problems import Problem
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list
from partnerships.transfer.services.directory import Progress, RunningImport, ignore_progress
from partnerships.transfer.services.files import File, ImportRequest, import_files
from partnerships.transfer.services.local_plans.ages import OlderPlans, PlanAges
from partnerships.transfer.services.local_plans.corrected import add_corrected
from partnerships.transfer.services.local_plans.imported_plans import ImportedPlans
from partnerships.transfer.services.local_plans.owners import owners_by_curie, set_plan_aside
from partnerships.transfer.services.local_plans.row_saving import RowsToSave
from partnerships.transfer.services.outcomes import Outcome, refuse_unusable
from partnerships.transfer.services.plan_versions import (
    create_from_file,
    error_in_words,
    last_file_content,
    publish_changes,
    remark_on_embargo,
)
from partnerships.transfer.services.refusals import refuse_file_with_row

#: The publisher of the files, which the note of each version names.
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
    progress: Progress = ignore_progress,
) -> Outcome:
    """Import local plans and their milestones, and publish a version of each plan that has changed.

    Rows with problems are set aside, and a plan with such a row keeps its milestones. With `all_or_nothing`, a single
    such row refuses the files. A plan that is missing from the files is not removed, but gets an event in its history.
    If the files are refused, raises `UnableToRead` with every problem.
    """
    choices = Choices(as_of=as_of, all_or_nothing=all_or_nothing)
    import_request = ImportRequest(
        files=(plans, timetable), author=author, now=now, choices=choices, progress=progress, keep=not dry_run
    )
    return import_files(apply_local_plans, import_request, dry_run=dry_run)


def apply_local_plans(import_request: ImportRequest) -> ImportRun:
    """Import plans and their timetable inside the caller's transaction, and return the run."""
    imported_plans = ImportedPlans()
    plan_files = _read(import_request, imported_plans)
    for list_file in plan_files.list_files:
        refuse_unusable(list_file, all_or_nothing=import_request.choices.all_or_nothing)

    report = Report()
    day = import_request.settle_date(
        Register.LOCAL_PLANS,
        is_corrected=plan_files.is_corrected,
        date_in_rows=plan_files.written_on,
        report=report,
    )
    source = f"{' and '.join(filter(None, import_request.names))} ({PUBLISHER}), as of {long_date(day)}"
    plans_file, timetable_file = plan_files.list_files
    run = import_request.start(Register.LOCAL_PLANS, day, report=report, list_file=plans_file, source=source)
    for row in timetable_file.set_aside:
        run.set_aside(row)

    newer_run = newer_list(
        register=run.register, digest=import_request.digest, as_of=day, organisation=import_request.organisation
    )
    with report.timed(), refuse_file_with_row(run):
        ages = PlanAges(plan_files, newer_run, run.organisation)
        _apply_plans(plan_files, imported_plans, ages, run, plans_name=import_request.names[0])
    report.account_for(*plan_files.list_files)
    return import_request.finish(import_request.new_run(run.register, day), run, EventKind.LOCAL_PLANS_IMPORTED)


def _read(import_request: ImportRequest, imported_plans: ImportedPlans) -> LocalPlans:
    """Return the plans in the two files of the request. Raises `UnableToRead` if a file is not the expected one."""
    plan_sheets, timetable_sheets = (file.sheets for file in import_request.files)
    plans_name, timetable_name = import_request.names
    return read_local_plans(
        plan_sheets,
        timetable_sheets,
        plans_name=plans_name,
        timetable_name=timetable_name,
        known_headings=(
            import_request.known_headings(0, plan_sheets),
            import_request.known_headings(1, timetable_sheets),
        ),
        earlier_references=imported_plans.references,
    )


@dataclass(frozen=True, slots=True)
class _PlanImport:
    """One import of local plans, with its files, the plans to compare with, and the rows to save."""

    plan_files: LocalPlans
    imported_plans: ImportedPlans
    #: The authorities in the files by their CURIEs, without those that are not in the directory.
    owners: dict[str, Organisation]
    ages: PlanAges
    older_plans: OlderPlans
    rows_to_save: RowsToSave
    run: RunningImport

    def may_apply(self, row: LocalPlan, existing_plan: Plan | None) -> bool:
        """Return whether the importer may import the plan. A plan of other authorities is set aside.

        An organisation may import only its own plans. Administrators may import any plan, unless an authority that the
        row does not name owns it here.
        """
        if not all(curie in self.owners for curie in row.organisations):
            return False  # `owners_by_curie` has set the row aside.
        importer = self.run.organisation
        if importer is None:
            may_apply = not self.imported_plans.belongs_to_others(row, existing_plan, self.owners)
        else:
            is_named = importer.pk in {self.owners[curie].pk for curie in row.organisations}
            may_apply = is_named and (existing_plan is None or importer.pk in _owner_ids(existing_plan))
        if not may_apply:
            problem = _problem_of_ownership(row, existing_plan, self.owners, importer)
            set_plan_aside(problem, row, self.plan_files, self.run)
        return may_apply

    def apply(self, row: LocalPlan, existing_plan: Plan | None) -> Plan | None:
        """Publish one plan, or add an older plan to the history.

        Returns the plan, or None for an older plan that no earlier import has created.
        """
        newer_date = self.ages.newer_than(row)
        if newer_date is not None:
            owners = [self.owners[curie] for curie in row.organisations]
            self.older_plans.add(row, existing_plan, owners=owners, newer_date=newer_date, plan_files=self.plan_files)
            return existing_plan

        before = last_file_content(existing_plan)
        content = normalise(content_from_file(row, before))
        if existing_plan is None:
            plan = self._create(row, content)
        else:
            plan = existing_plan
            self._update(row, plan, before, content)
        _close(row, plan, self.run)
        self.rows_to_save.add(row, plan, before, content)
        remark_on_embargo(plan, self.run)
        return plan

    def _create(self, row: LocalPlan, content: Content) -> Plan:
        """Create a public plan of the authorities in the row.

        In an organisation's own files, only that organisation becomes an owner, because others must accept an
        invitation.
        """
        owners = [self.owners[curie] for curie in row.organisations]
        if self.run.organisation is not None and len(owners) > 1:
            self.run.report.remark(
                f"{row.name}: the file names {_names(owners)}. The plan starts with {self.run.organisation.name} as "
                "its owner. Invite the other owners on its page."
            )
            owners = [self.run.organisation]
        plan = create_from_file(
            owners=owners,
            title=row.name,
            kind="local_plan",
            content=content,
            external_reference=self.imported_plans.new_reference(row, self.plan_files),
            run=self.run,
        )
        self.run.report.count("created", f"{row.name} ({_names(owners)})")
        return plan

    def _update(self, row: LocalPlan, plan: Plan, before: Content | None, content: Content) -> None:
        """Publish the changes of the file to an existing plan."""
        owners = [self.owners[curie] for curie in row.organisations]
        if _owner_ids(plan) != {owner.pk for owner in owners}:
            self.run.report.remark(
                f"{row.name}: the file names {_names(owners)} as its authorities, but they are not its owners here. If "
                "the file is right, change the owners on its page."
            )
        if before is None or content != normalise(before):
            publish_changes(plan, before, content, self.run)
        elif plan.is_over or not _has_ended(row, self.run):
            # A plan that this file ends is counted in `_close`, so do not count it here.
            self.run.report.count("left_alone")


def _apply_plans(
    plan_files: LocalPlans, imported_plans: ImportedPlans, ages: PlanAges, run: RunningImport, *, plans_name: str
) -> None:
    """Publish each plan that differs from its current version, and report on the others."""
    for remark in plan_files.remarks:
        run.report.remark(remark)
    plan_files = _without_withdrawn(plan_files, run)
    plans, milestones = counted(len(plan_files.plans), "plan"), counted(plan_files.milestone_count, "milestone")
    run.report.remark(f"The files have {plans} with {milestones}.")

    owners = owners_by_curie(plan_files, run, plans_name)
    plan_import = _PlanImport(
        plan_files=plan_files,
        imported_plans=imported_plans,
        owners=owners,
        ages=ages,
        older_plans=OlderPlans(imported_plans, run),
        rows_to_save=RowsToSave(),
        run=run,
    )
    ids_in_files = _apply_each(plan_import, plans_name)
    add_corrected(plan_files, imported_plans, plan_import.rows_to_save, ages.newer_file_date, run)
    run.row = None
    plan_import.rows_to_save.save(author=run.author, now=run.now)

    expected_plans = imported_plans.expected_plans(plan_files, owners, run.organisation)
    plans_to_check = ages.plans_that_can_be_missing(expected_plans, owners)
    # A file of corrected rows does not have the other plans, so they are not missing.
    if not plan_files.is_corrected:
        _record_missing(plans_to_check, ids_in_files, run)
    plan_import.older_plans.remark_on_differences(
        [plan for plan in expected_plans if plan not in plans_to_check and plan.pk not in ids_in_files]
    )


def _apply_each(plan_import: _PlanImport, plans_name: str) -> set[int]:
    """Apply each plan, and return the ids of the plans in the files. A plan that is refused is set aside."""
    run, plan_files = plan_import.run, plan_import.plan_files
    matched_rows = plan_import.imported_plans.match_rows(plan_files, plan_import.owners)
    ids_in_files: set[int] = set()
    for done_count, (row, existing_plan) in enumerate(matched_rows, start=1):
        plan = existing_plan
        if plan_import.may_apply(row, existing_plan):
            run.row = row.row
            try:
                with transaction.atomic():
                    plan = plan_import.apply(row, existing_plan)
            except (InvalidContent, UnableToChangeStatus, UnableToCreatePlan, UnableToPublish) as error:
                problem = Problem(row.row, "", error_in_words(error), "Correct the row.", plans_name)
                set_plan_aside(problem, row, plan_files, run, error)
        if plan is not None:
            ids_in_files.add(plan.pk)
        run.progress(done_count, len(plan_files.plans))
    return ids_in_files


def _owner_ids(plan: Plan) -> set[int]:
    """Return the ids of the organisations that own the plan."""
    return {owner.organisation_id for owner in plan.owners.all()}


def _names(organisations: Sequence[Organisation]) -> str:
    """Return the names of the organisations, separated by commas."""
    return ", ".join(organisation.name for organisation in organisations)


def _problem_of_ownership(
    row: LocalPlan, existing_plan: Plan | None, owners: Mapping[str, Organisation], importer: Organisation | None
) -> Problem:
    """Return why the importer may not import the plan, and what to do.

    `importer` is None for an administrator.
    """
    name_by_id = {owners[curie].pk: owners[curie].name for curie in row.organisations}
    current_owner_ids = _owner_ids(existing_plan) if existing_plan is not None else set()
    current_owners_named_in_row = [name for pk, name in name_by_id.items() if pk in current_owner_ids]

    # The row does not name the authority that imports it.
    if importer is not None and importer.pk not in name_by_id:
        fault = f"the plan is not {importer.name}’s."
        return Problem(row.row, "reference", fault, "Remove the row. Only the plan’s own authorities can import it.")

    # The row also names an owner of the plan here, which can invite the importer.
    if importer is not None and current_owners_named_in_row:
        fault = f"the plan is already here and belongs to {' and '.join(current_owners_named_in_row)}."
        remedy = f"Ask them to invite {importer.name} as an owner on the plan’s page, then import it again."
        return Problem(row.row, "reference", fault, remedy)

    fault = f"another authority’s plan has the reference “{row.reference}”."
    # An administrator may have the wrong authority in the row.
    if importer is None and existing_plan is not None:
        owner_names = " and ".join(owner.organisation.name for owner in existing_plan.owners.all())
        remedy = f"The plan here is {owner_names}’s. Correct the authority, or give the row a reference of its own."
        return Problem(row.row, "reference", fault, remedy)

    # Two plans of different authorities have the same reference.
    return Problem(row.row, "reference", fault, "Give the plan a reference of its own.")


def _without_withdrawn(plan_files: LocalPlans, run: RunningImport) -> LocalPlans:
    """Return the plans without the milestones that the platform has withdrawn."""
    withdrawn_milestones = [
        milestone
        for row in plan_files.plans
        for milestone in row.milestones
        if milestone.ended and milestone.ended <= run.as_of
    ]
    if not withdrawn_milestones:
        return plan_files
    rows = ", ".join(str(milestone.row) for milestone in withdrawn_milestones[:20])
    run.report.remark(f"Milestones whose end-date has passed were left out, because they are withdrawn (rows {rows}).")
    plans = tuple(
        replace(
            row, milestones=tuple(milestone for milestone in row.milestones if milestone not in withdrawn_milestones)
        )
        for row in plan_files.plans
    )
    return replace(plan_files, plans=plans)


def _has_ended(row: LocalPlan, run: RunningImport) -> bool:
    """Return whether the plan had ended by the date of the files."""
    return row.ended is not None and row.ended <= run.as_of


def _close(row: LocalPlan, plan: Plan, run: RunningImport) -> None:
    """Close the plan if it has ended according to the file, unless it is closed already."""
    if row.ended is None or not _has_ended(row, run):
        return
    # Publishing may have changed the status in the database.
    plan.refresh_from_db()
    if plan.is_over:
        return
    reason = f"{run.source} says that the plan ended on {long_date(row.ended)}."
    change_status(plan=plan, to=PlanStatus.CLOSED, reason=reason, author=run.author, now=run.now)
    run.report.count("closed", f"{row.name}: ended on {long_date(row.ended)}")


def _record_missing(plans: list[Plan], ids_in_files: set[int], run: RunningImport) -> None:
    """Report plans that are missing from the files, and plans that are in them again.

    A plan's history gets an event when the plan goes missing and when it returns, but not at each import in between.
    """
    events = Event.objects.filter(
        target_kind="plan",
        target_id__in=[plan.pk for plan in plans],
        kind__in=[EventKind.MISSING_FROM_FILE, EventKind.BACK_IN_FILE],
    )
    last_kind_by_plan = dict(events.order_by("at", "pk").values_list("target_id", "kind"))
    for plan in plans:
        is_missing = plan.pk not in ids_in_files
        was_missing = last_kind_by_plan.get(plan.pk) == EventKind.MISSING_FROM_FILE
        if is_missing:
            run.report.count(
                "missing", f"{plan.title} ({plan.external_reference}): no longer in the file, but kept unchanged"
            )
        elif was_missing:
            run.report.count("returned", plan.title)
        if is_missing != was_missing:
            _record_on_plan(plan, EventKind.MISSING_FROM_FILE if is_missing else EventKind.BACK_IN_FILE, run)


def _record_on_plan(plan: Plan, kind: EventKind, run: RunningImport) -> None:
    """Record an event of the import on a plan, with the files as its reason."""
    record(
        actor_id=run.author.pk if run.author else None,
        kind=kind,
        target_kind="plan",
        target_id=plan.pk,
        within_kind="plan",
        within_id=plan.pk,
        now=run.now,
        data={"title": plan.title, "plan": plan.pk, "reason": run.source},
    )
