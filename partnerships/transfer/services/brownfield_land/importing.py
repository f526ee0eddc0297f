"""Importing a register of brownfield land."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import PurePath

from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.open_data.services import Kept, keep_rows
from partnerships.open_data.standards import BROWNFIELD_LAND
from partnerships.open_data.values import site_values
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.content import Content, InvalidContent, normalise
from partnerships.plans.models import Audience, Plan
from partnerships.plans.services import UnableToCreatePlan, UnableToPublish, create_plan, publish_version
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Register
from partnerships.transfer.reading.brownfield_land import BrownfieldLand, Site, read_brownfield_land
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.brownfield_land.authorities import sites_by_council
from partnerships.transfer.services.brownfield_land.content import content_of_sites, keyed_sites, title_of
from partnerships.transfer.services.dating import settled_date
from partnerships.transfer.services.directory import Import, Progress, silent
from partnerships.transfer.services.local_plans import File
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.plan_versions import in_words, publish_changes, said_before
from partnerships.transfer.services.recording import new_run, record_import, settle_run
from partnerships.transfer.services.registers import Outcome, last_line, refuse_unusable
from partnerships.transfer.services.rows import row_errors

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
    found = read_brownfield_land(read_sheets(file.data, file.name))
    refuse_unusable(found.about, all_or_nothing=all_or_nothing)
    report = Report()
    named = date_in_file_name(PurePath(file.name).name)
    day = settled_date(given=as_of, named=named, said=found.written_on, now=now, report=report)
    run = Import(
        register=Register.BROWNFIELD_LAND,
        author=author,
        now=now,
        as_of=day,
        progress=progress,
        report=report,
        source=f"{file.name}, as of {long_date(day)}",
        listed=found.about,
        rows_stand_alone=not all_or_nothing,
    )
    for row in found.about.set_aside:
        run.set_aside(row)
    with transaction.atomic():
        wait_for_turn()
        require(roles_of(author, now).keeps_directory)
        with row_errors(run):
            _bring(found, council, run)
        report.account_for(found.about)
        made = new_run(
            register=run.register,
            file_name=file.name,
            sha256=hashlib.sha256(file.data).hexdigest(),
            as_of=day,
            author=author,
            now=now,
        )
        settle_run(made, report)
        if dry_run:
            transaction.set_rollback(True)
        else:
            made.save(force_insert=True)
            record_import(made, EventKind.BROWNFIELD_LAND_IMPORTED, author=author, now=now)
    return Outcome(made, last_line(made, applied=not dry_run))


def _bring(found: BrownfieldLand, council: Organisation | None, run: Import) -> None:
    for line in found.about.remarks:
        run.report.remark(line)
    by_council = sites_by_council(found.sites, council, run)
    done = 0
    for body, sites in by_council.items():
        run.row = sites[0].row
        try:
            with transaction.atomic():
                _apply(body, sites, found.gaps, run)
        except (InvalidContent, UnableToCreatePlan, UnableToPublish) as error:
            raise UnableToRead(
                [Problem(sites[0].row, "", in_words(error), "Correct the rows of this council.")]
            ) from error
        done += len(sites)
        run.progress(done, len(found.sites))
    run.row = None


def _apply(council: Organisation, sites: Sequence[Site], gaps: frozenset[str], run: Import) -> None:
    """Publish what the file says of the council's sites, and keep its rows."""
    external = f"{KIND}#{council.pk}"
    existing = Plan.objects.filter(external_reference=external).first()
    before = said_before(existing)
    standing = [site for site in sites if site.ended is None or site.ended > run.as_of]
    keyed = keyed_sites(standing, before)
    content = normalise(content_of_sites(council, keyed, before, gaps))
    if existing is None:
        plan = _create(council, content, external, run)
    else:
        plan = existing
        if before is not None and content == normalise(before):
            run.report.count("left_alone")
        else:
            publish_changes(plan, before, content, run)
    _keep(plan, sites, keyed, content, gaps, run)


def _create(council: Organisation, content: Content, external: str, run: Import) -> Plan:
    plan = create_plan(
        owners=[council],
        partnership=None,
        title=title_of(council),
        kind=KIND,
        audience=Audience.PUBLIC,
        author=run.author,
        now=run.now,
        content=content,
        external_reference=external,
    )
    publish_version(
        plan=plan,
        author=run.author,
        note=f"Imported from {run.source}.",
        now=run.now,
        content=content,
        source=run.source[:300],
    )
    run.report.count("created", f"{plan.title}: {len(content['sites']):,} sites")
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
        Kept(site.row, site.cells, key_of.get(site.row, ""), said.get(key_of.get(site.row, ""), {})) for site in sites
    ]
    incomplete = [plan.pk] if gaps else []
    keep_rows(dataset=BROWNFIELD_LAND.code, rows={plan: rows}, incomplete=incomplete, author=run.author, now=run.now)
