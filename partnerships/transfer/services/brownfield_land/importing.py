"""Importing a register of brownfield land."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.open_data.services import FileRow, keep_rows
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
from partnerships.transfer.reading.standard_cells import day_in
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reading.values import text
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.brownfield_land.authorities import sites_by_council
from partnerships.transfer.services.brownfield_land.content import content_of_sites, keyed_sites, title_of
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import settled_date
from partnerships.transfer.services.directory import Import, Progress, silent
from partnerships.transfer.services.files import File, Given, import_files
from partnerships.transfer.services.older_plans import record_past
from partnerships.transfer.services.outcomes import Outcome, refuse_unusable
from partnerships.transfer.services.plan_versions import (
    create_from_file,
    in_words,
    publish_changes,
    remark_on_embargo,
    said_before,
)
from partnerships.transfer.services.refusals import refuse_file_with_row

#: The kind of plan that holds a register.
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
    progress: Progress = silent,
) -> Outcome:
    """Import the sites of one or more councils, each as a public plan of its own.

    `council` owns the rows that do not say whose they are. Rows that cannot be used are set aside, and their sites stay
    as they are. Raises `UnableToRead` with every problem of a file that is refused.
    """
    choices = Choices(as_of=as_of, all_or_nothing=all_or_nothing, council=council.pk if council else None)
    given = Given(files=(file,), author=author, now=now, choices=choices, progress=progress, keep=not dry_run)
    return import_files(apply_brownfield_land, given, dry_run=dry_run)


def apply_brownfield_land(given: Given) -> ImportRun:
    """Import a register inside the caller's transaction; the run."""
    sheets = read_sheets(given.files[0].data, given.files[0].name)
    brownfield_land = read_brownfield_land(sheets, given.known(0, sheets))
    refuse_unusable(brownfield_land.list_file, all_or_nothing=given.choices.all_or_nothing)
    report = Report()
    day = settled_date(
        given=given.choices.as_of,
        named=given.named_date,
        said=given.latest_date(Register.BROWNFIELD_LAND)
        if brownfield_land.list_file.is_corrected
        else brownfield_land.written_on,
        now=given.now,
        report=report,
    )
    run = given.start(Register.BROWNFIELD_LAND, day, report=report, list_file=brownfield_land.list_file)
    with report.timed(), refuse_file_with_row(run):
        council = given.organisation or Organisation.objects.filter(pk=given.choices.council or 0).first()
        _apply_register(brownfield_land, council, run)
    report.account_for(brownfield_land.list_file)
    return given.finish(given.new_run(run.register, day), run, EventKind.BROWNFIELD_LAND_IMPORTED)


def _apply_register(brownfield_land: BrownfieldLand, council: Organisation | None, run: Import) -> None:
    """Publish the sites of each council.

    A council that fails sets its own rows aside.
    """
    for line in brownfield_land.list_file.remarks:
        run.report.remark(line)
    # Rows that somebody corrected say nothing about other sites.
    gaps = brownfield_land.gaps | ({""} if brownfield_land.list_file.is_corrected else set())
    by_council = sites_by_council(brownfield_land.sites, council, run)
    done = 0
    for body, sites in by_council.items():
        run.row = sites[0].row
        try:
            with transaction.atomic():
                _apply(body, sites, gaps, run)
        except (InvalidContent, UnableToCreatePlan, UnableToPublish) as error:
            problem = Problem(sites[0].row, "", in_words(error), "Correct the rows of this council.")
            if not run.rows_stand_alone:
                raise UnableToRead([problem]) from error
            for site in sites:
                run.set_aside(run.list_file.row_set_aside([replace(problem, row=site.row)]))
        done += len(sites)
        run.progress(done, len(brownfield_land.sites))
    run.row = None


def _apply(council: Organisation, sites: Sequence[Site], gaps: frozenset[str], run: Import) -> None:
    """Publish what the file says of the council's sites, and keep its rows."""
    external = f"{KIND}#{council.pk}"
    existing = Plan.objects.filter(external_reference=external).first()
    newer = _newer_than(existing, sites) if existing is not None else None
    if existing is not None and newer is None:
        sites, gaps = _without_older(existing, sites, gaps, run)
    before = said_before(existing, is_open=newer is not None)
    standing = [site for site in sites if site.ended is None or site.ended > run.as_of]
    keyed = keyed_sites(standing, before)
    today = content_of(existing, existing.current_number) if existing is not None else None
    content = normalise(content_of_sites(council, keyed, before, gaps, today))
    if existing is not None and newer is not None:
        changed = record_past(existing, content, normalise(before or content), run)
        run.report.remark(
            f"The rows of {council.name} are older than those of its last file, of {long_date(newer)}: they add to "
            f"the history and change nothing current. The register has {'' if changed else 'not '}changed since."
        )
        return
    if existing is None:
        plan = _create(council, content, external, run)
    else:
        plan = existing
        if before is not None and content == normalise(before):
            run.report.count("left_alone")
        else:
            publish_changes(plan, before, content, run)
        remark_on_embargo(plan, run)
    _keep(plan, sites, keyed, content, gaps, run)


def _without_older(
    plan: Plan, sites: Sequence[Site], gaps: frozenset[str], run: Import
) -> tuple[Sequence[Site], frozenset[str]]:
    """The sites to write, and the references to leave as they are.

    The latter are `gaps` and those with newer rows here.
    """
    known = _days_of(plan)
    older = [site for site in sites if (day := _updated(site.cells)) and day < (known.get(site.reference) or day)]
    if not older:
        return sites, gaps
    run.report.remark(
        f"{plan.title}: {len(older):,} {'row is' if len(older) == 1 else 'rows are'} older than what was read before, "
        "and left out."
    )
    references = {site.reference for site in older}
    return [site for site in sites if site.reference not in references], gaps | references


def _days_of(plan: Plan) -> dict[str, dt.date | None]:
    """The days on which the rows of a register were updated, by the reference of their sites."""
    return {text(record.cells["SiteReference"]): _updated(record.cells) for record in plan.records.order_by("position")}


def _newer_than(plan: Plan, sites: Sequence[Site]) -> dt.date | None:
    """The date of the council's last file if it is newer, by the `LastUpdatedDate` of the sites that both have."""
    known = _days_of(plan)
    newer = None
    for site in sites:
        here, last = _updated(site.cells), known.get(site.reference)
        if here and last and here > last:
            return None
        if here and last and here < last:
            newer = max(last, newer or last)
    return newer


def _updated(cells: Mapping[str, str]) -> dt.date | None:
    """The day on which a row was updated; None if it says none."""
    return day_in(cells, "LastUpdatedDate")


def _create(council: Organisation, content: Content, external: str, run: Import) -> Plan:
    title = title_of(council)
    plan = create_from_file(owners=[council], title=title, kind=KIND, content=content, external=external, run=run)
    count = len(content["sites"])
    run.report.count("created", f"{plan.title}: {count:,} {'site' if count == 1 else 'sites'}")
    return plan


def _keep(
    plan: Plan,
    sites: Sequence[Site],
    keyed: dict[str, Site],
    content: Content,
    gaps: frozenset[str],
    run: Import,
) -> None:
    key_of = {site.row: key for key, site in keyed.items()}
    said = {site["key"]: site_values(site) for site in content["sites"]}
    rows = [
        FileRow(site.row, site.cells, key_of.get(site.row, ""), said.get(key_of.get(site.row, ""), {}))
        for site in sites
    ]
    incomplete = [plan.pk] if gaps else []
    keep_rows(dataset=BROWNFIELD_LAND.code, rows={plan: rows}, incomplete=incomplete, author=run.author, now=run.now)
