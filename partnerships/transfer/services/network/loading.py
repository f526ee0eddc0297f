"""Load a network from one file.

The events of the file are replayed in order of date through the services of the other rooms.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
from collections import Counter
from pathlib import PurePath

from django.db import connection, transaction
from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import recording_no_emails
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register, RunStatus
from partnerships.transfer.network_format.reading import read_network
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.locking import lock_imports
from partnerships.transfer.services.network.commitments import schedule_commitments
from partnerships.transfer.services.network.conversations import schedule_conversations
from partnerships.transfer.services.network.directory import load_areas, load_organisations, load_people
from partnerships.transfer.services.network.entries import schedule_entries
from partnerships.transfer.services.network.groups import schedule_groups
from partnerships.transfer.services.network.meetings import schedule_meetings
from partnerships.transfer.services.network.nominations import schedule_nominations
from partnerships.transfer.services.network.objectives import schedule_objectives
from partnerships.transfer.services.network.partnerships import schedule_partnerships
from partnerships.transfer.services.network.plans import schedule_plans
from partnerships.transfer.services.network.posts import schedule_facilitators, schedule_posts
from partnerships.transfer.services.network.recommendations import schedule_recommendations
from partnerships.transfer.services.network.replaying import Network, UnableToLoad, errors_at
from partnerships.transfer.services.network.reports import schedule_reports
from partnerships.transfer.services.network.subscriptions import schedule_subscriptions
from partnerships.transfer.services.network.surveys import schedule_surveys
from partnerships.transfer.services.network.terms import schedule_terms
from partnerships.transfer.services.recording import new_run, record_import, settle_run

#: The functions that schedule the events of each list, except organisations, people and memberships. Plans come before
#: lists that refer to plans.
SCHEDULES = (
    schedule_partnerships,
    schedule_terms,
    schedule_groups,
    schedule_posts,
    schedule_entries,
    schedule_commitments,
    schedule_objectives,
    schedule_conversations,
    schedule_plans,
    schedule_meetings,
    schedule_reports,
    schedule_nominations,
    schedule_recommendations,
    schedule_surveys,
    schedule_facilitators,
    schedule_subscriptions,
)


def load_network(
    *,
    data: bytes,
    file_name: str,
    author: User | None,
    now: dt.datetime,
    dry_run: bool = False,
    demo: bool = False,
) -> tuple[ImportRun, bool]:
    """Load a whole network file or nothing. Return the run, and whether it is new.

    Loading the same file again does nothing. With `demo`, every account gets the file's demonstration password. No
    emails are sent. Raises `UnableToRead` with every problem and its path.
    """
    file = read_network(data, now)
    digest = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        lock_imports()
        require(roles_of(author, now).may_change_directory)
        earlier_run = _earlier_run(file["name"])
        if earlier_run is not None and earlier_run.sha256 == digest:
            return earlier_run, False
        if earlier_run is not None:
            raise _refuse_other_file_of_network(file["name"], earlier_run)

        network = Network(file, now, author, demo)
        earlier_callbacks = list(connection.run_on_commit)
        with recording_no_emails():
            counts = _replay(network)
        # Callbacks of the replayed services are dropped, because they would nudge workers about events of long ago.
        connection.run_on_commit = earlier_callbacks

        run = new_run(
            register=Register.NETWORK,
            file_name=PurePath(file_name).name,
            sha256=digest,
            as_of=timezone.localdate(now),
            author=author,
            now=now,
        )
        settle_run(run, Report(counts=Counter(created=sum(counts.values()))))
        run.report |= {"network": file["name"], "counts": counts}
        if dry_run:
            transaction.set_rollback(True)
        else:
            run.save(force_insert=True)
            record_import(run, EventKind.NETWORK_LOADED, author=author, now=now, counts=counts)
    return run, True


def _refuse_other_file_of_network(name: str, earlier_run: ImportRun) -> UnableToRead:
    """Return the error for another file with the name of a network that was loaded before."""
    fault = (
        f"a network “{name}” was loaded on {long_date(timezone.localdate(earlier_run.started_at))} from another file."
    )
    remedy = "A network can only be loaded once: change it on the site, or give the file another name."
    return UnableToRead([Problem(None, "", fault, remedy, path="name")])


def _earlier_run(name: str) -> ImportRun | None:
    """Return the last import of a network with this name, or None if there was none."""
    runs = ImportRun.objects.filter(register=Register.NETWORK, status=RunStatus.APPLIED, report__network=name)
    return runs.order_by("-started_at", "-pk").first()


def _replay(network: Network) -> dict[str, int]:
    """Create areas, organisations and people, replay all events in order of date, and return the counts.

    Raises `UnableToLoad`, with the path in the file, for an event in the future or against the rules.
    """
    load_areas(network)
    load_organisations(network)
    load_people(network)
    for schedule in SCHEDULES:
        schedule(network)
    while network.steps:
        step = heapq.heappop(network.steps)
        with errors_at(step.path):
            if step.at > network.now:
                raise UnableToLoad(
                    f"the date {long_date(step.at.date())} is in the future.", "Enter a date in the past."
                )
            step.play(step.at)
    counts = {kind: len(network.file[kind]) for kind in LISTS if network.file[kind]}
    versions = sum(len(plan["versions"]) for plan in network.file["plans"])
    return {**counts, "versions": versions} if versions else counts


#: The lists whose sizes are counted, in the order of the command's last line.
LISTS = (
    "organisations",
    "people",
    "memberships",
    "partnerships",
    "entries",
    "commitments",
    "objectives",
    "conversations",
    "meetings",
    "plans",
    "subscriptions",
)
