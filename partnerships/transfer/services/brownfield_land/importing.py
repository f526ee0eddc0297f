"""Import registers of brownfield land, and publish each council's sites as a public plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.kit.text import counted
from partnerships.open_data.services import FileRow, save_rows
from partnerships.open_data.standards import BROWNFIELD_LAND
from partnerships.open_data.values import site_values
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import Content, InvalidContent, normalise
from partnerships.plans.models import Plan
from partnerships.plans.queries import content_of
from partnerships.plans.services import UnableToCreatePlan, UnableToPublish
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.brownfield_land import BrownfieldLand, Site, read_brownfield_land
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.standard_cells import date_in_cells
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reading.values import text
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.brownfield_land.authorities import sites_by_council
from partnerships.transfer.services.brownfield_land.content import content_of_sites, keyed_sites, title_of
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.directory import Progress, RunningImport, ignore_progress
from partnerships.transfer.services.files import File, ImportRequest, import_files
from partnerships.transfer.services.older_plans import record_older_content
from partnerships.transfer.services.outcomes import Outcome, refuse_unusable
from partnerships.transfer.services.plan_versions import (
    create_from_file,
    error_in_words,
    last_file_content,
    publish_changes,
    remark_on_embargo,
)
from partnerships.transfer.services.refusals import refuse_file_with_row

#: The code of the kind of plan for a register.
KIND = "brownfield_land"


def import_brownfield_land(
    *,
    file: File,
    council: Organisation | None = None,
    author: User | None,
    now: dt.datetime,
    as_of: dt.date | None = None,
    all_or_nothing: bool = False,
    dry_run: bool = False,
    progress: Progress = ignore_progress,
) -> Outcome:
    """Import the sites of one or more councils, and publish a plan for each council.

    Rows without an authority belong to `council`. Rows that cannot be used are set aside, and their sites do not
    change. If the file is refused, raises `UnableToRead` with every problem.
    """
    choices = Choices(as_of=as_of, all_or_nothing=all_or_nothing, council=council.pk if council else None)
    import_request = ImportRequest(
        files=(file,), author=author, now=now, choices=choices, progress=progress, keep=not dry_run
    )
    return import_files(apply_brownfield_land, import_request, dry_run=dry_run)


def apply_brownfield_land(import_request: ImportRequest) -> ImportRun:
    """Import a register inside the caller's transaction, and return the run."""
    sheets = read_sheets(import_request.files[0].data, import_request.files[0].name)
    brownfield_land = read_brownfield_land(sheets, import_request.known_headings(0, sheets))
    refuse_unusable(brownfield_land.list_file, all_or_nothing=import_request.choices.all_or_nothing)

    report = Report()
    day = import_request.settle_date(
        Register.BROWNFIELD_LAND,
        is_corrected=brownfield_land.list_file.is_corrected,
        date_in_rows=brownfield_land.written_on,
        report=report,
    )
    run = import_request.start(Register.BROWNFIELD_LAND, day, report=report, list_file=brownfield_land.list_file)
    chosen_council = Organisation.objects.filter(pk=import_request.choices.council or 0)
    with report.timed(), refuse_file_with_row(run):
        council = import_request.organisation or chosen_council.first()
        _apply_register(brownfield_land, council, run)
    report.account_for(brownfield_land.list_file)
    return import_request.finish(import_request.new_run(run.register, day), run, EventKind.BROWNFIELD_LAND_IMPORTED)


def _apply_register(brownfield_land: BrownfieldLand, council: Organisation | None, run: RunningImport) -> None:
    """Publish the sites of each council. If that fails for a council, its rows are set aside."""
    for remark in brownfield_land.list_file.remarks:
        run.report.remark(remark)
    gaps = brownfield_land.gaps
    if brownfield_land.list_file.is_corrected:
        # A file of corrected rows does not list the other sites. "" means that none of them is removed.
        gaps |= {""}
    done_count = 0
    for site_council, sites in sites_by_council(brownfield_land.sites, council, run).items():
        run.row = sites[0].row
        try:
            with transaction.atomic():
                _apply_sites(site_council, sites, gaps, run)
        except (InvalidContent, UnableToCreatePlan, UnableToPublish) as error:
            problem = Problem(sites[0].row, "", error_in_words(error), "Correct the rows of this council.")
            if not run.sets_bad_rows_aside:
                raise UnableToRead([problem]) from error
            for site in sites:
                run.set_aside(run.list_file.row_set_aside([replace(problem, row=site.row)]))
        done_count += len(sites)
        run.progress(done_count, len(brownfield_land.sites))
    run.row = None


def _apply_sites(council: Organisation, sites: Sequence[Site], gaps: frozenset[str], run: RunningImport) -> None:
    """Publish the council's sites, and save their rows.

    `gaps` has the references of sites that stay in the plan although the file has no usable row of them. If the file is
    older than the council's last one, only the plan's history gets a line.
    """
    external_reference = f"{KIND}#{council.pk}"
    existing_plan = Plan.objects.filter(external_reference=external_reference).first()
    newer_date = _date_of_newer_file(existing_plan, sites) if existing_plan is not None else None
    if existing_plan is not None and newer_date is None:
        sites, gaps = _without_older_rows(existing_plan, sites, gaps, run)
    content_of_last_file = last_file_content(existing_plan, is_open=newer_date is not None)
    current_sites = [site for site in sites if site.ended is None or site.ended > run.as_of]
    site_by_key = keyed_sites(current_sites, content_of_last_file)
    newest_content = content_of(existing_plan, existing_plan.current_number) if existing_plan is not None else None
    content = normalise(content_of_sites(council, site_by_key, content_of_last_file, gaps, newest_content))

    if existing_plan is not None and newer_date is not None:
        has_changed = record_older_content(existing_plan, content, normalise(content_of_last_file or content), run)
        run.report.remark(
            f"The rows of {council.name} are older than those of its last file, of {long_date(newer_date)}, so they "
            f"only add to the history. The register has {'' if has_changed else 'not '}changed since."
        )
        return

    if existing_plan is None:
        plan = _create(council, content, external_reference, run)
    else:
        plan = existing_plan
        _update(plan, content_of_last_file, content, run)
    _save_rows(plan, sites, site_by_key, content, gaps, run)


def _update(plan: Plan, content_of_last_file: Content | None, content: Content, run: RunningImport) -> None:
    """Publish the changes since the last file, if there are any."""
    if content_of_last_file is not None and content == normalise(content_of_last_file):
        run.report.count("left_alone")
    else:
        publish_changes(plan, content_of_last_file, content, run)
    remark_on_embargo(plan, run)


def _without_older_rows(
    plan: Plan, sites: Sequence[Site], gaps: frozenset[str], run: RunningImport
) -> tuple[Sequence[Site], frozenset[str]]:
    """Return the sites without those whose rows are older than the saved rows, and `gaps` with their references."""
    saved_dates = _update_dates(plan)
    older_references = set()
    for site in sites:
        updated_on, saved_on = _updated_on(site.cells), saved_dates.get(site.reference)
        if updated_on and saved_on and updated_on < saved_on:
            older_references.add(site.reference)
    older_count = sum(site.reference in older_references for site in sites)
    if not older_count:
        return sites, gaps
    rows = counted(older_count, "row")
    they_are = "it is" if older_count == 1 else "they are"
    run.report.remark(f"{plan.title}: we left out {rows}, because {they_are} older than those of its last file.")
    return [site for site in sites if site.reference not in older_references], gaps | older_references


def _update_dates(plan: Plan) -> dict[str, dt.date | None]:
    """Return the dates on which the saved rows of a register were updated, by the references of the sites."""
    records = plan.records.order_by("position")
    return {text(record.cells["SiteReference"]): _updated_on(record.cells) for record in records}


def _date_of_newer_file(plan: Plan, sites: Sequence[Site]) -> dt.date | None:
    """Return the date of the council's last file if this file is older. None otherwise.

    This file is older if at least one of its rows is older than the saved row of the site, and none is newer.
    """
    saved_dates = _update_dates(plan)
    latest_saved_date = None
    for site in sites:
        updated_on, saved_on = _updated_on(site.cells), saved_dates.get(site.reference)
        if not updated_on or not saved_on:
            continue
        if updated_on > saved_on:
            return None
        if updated_on < saved_on:
            latest_saved_date = max(saved_on, latest_saved_date or saved_on)
    return latest_saved_date


def _updated_on(cells: Mapping[str, str]) -> dt.date | None:
    """Return the date on which a row was last updated, or None if the row has none."""
    return date_in_cells(cells, "LastUpdatedDate")


def _create(council: Organisation, content: Content, external_reference: str, run: RunningImport) -> Plan:
    """Create the public plan of a council that has no register yet."""
    title = title_of(council)
    plan = create_from_file(
        owners=[council], title=title, kind=KIND, content=content, external_reference=external_reference, run=run
    )
    run.report.count("created", f"{plan.title}: {counted(len(content['sites']), 'site')}")
    return plan


def _save_rows(
    plan: Plan,
    sites: Sequence[Site],
    site_by_key: dict[str, Site],
    content: Content,
    gaps: frozenset[str],
    run: RunningImport,
) -> None:
    """Save the rows of the sites. A row of a site that has left the register is saved without a key."""
    key_by_row = {site.row: key for key, site in site_by_key.items()}
    values_by_key = {site["key"]: site_values(site) for site in content["sites"]}
    file_rows = []
    for site in sites:
        key = key_by_row.get(site.row, "")
        file_rows.append(FileRow(position=site.row, cells=site.cells, key=key, values=values_by_key.get(key, {})))
    incomplete = [plan.pk] if gaps else []
    save_rows(
        dataset=BROWNFIELD_LAND.code, rows={plan: file_rows}, incomplete=incomplete, author=run.author, now=run.now
    )
