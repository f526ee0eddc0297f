"""Record how a plan has changed since an older file, as a line in the plan's history."""

from __future__ import annotations

import datetime as dt

from partnerships.activity.services import record
from partnerships.kit.dates import long_date
from partnerships.plans.changes import changes_between
from partnerships.plans.content import Content, content_for_outside
from partnerships.plans.models import Plan, Status
from partnerships.plans.services import change_status
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.older_lists import ids_with_event_of_files

#: The most changes that a line of history names; others are only counted.
_MAX_CHANGES = 10
#: The most characters of a line of history.
_MAX_WORDS = 2000


def record_older_content(plan: Plan, older_content: Content, before: Content, run: RunningImport) -> bool:
    """Record what has changed in the plan since an older file, and return whether anything has.

    Published versions cannot change, and no version can come between them, so the history of the plan gets a line
    instead. Importing the same files again adds no line, whatever their names. `older_content` is the content according
    to the older file, `before` according to the newest file, in a version without an embargo. Only content that
    everybody may read is described.
    """
    plan_changes = changes_between(content_for_outside(older_content), content_for_outside(before))
    if not plan_changes:
        run.report.count("left_alone")
        return False
    if ids_with_event_of_files(EventKind.IN_OLDER_FILE, [plan.pk], run):
        run.report.count("left_alone")
        return True

    since = "; ".join(change.sentence() for change in plan_changes[:_MAX_CHANGES])
    unnamed_count = len(plan_changes) - _MAX_CHANGES
    if unnamed_count > 0:
        since += f"; and {unnamed_count:,} more changes"
    reason = f"{run.source}. Changed since: {since}"[:_MAX_WORDS]
    record(
        actor_id=run.author.pk if run.author else None,
        kind=EventKind.IN_OLDER_FILE,
        target_kind="plan",
        target_id=plan.pk,
        within_kind="plan",
        within_id=plan.pk,
        now=run.now,
        data={"title": plan.title, "plan": plan.pk, "reason": reason, "file": run.digest},
    )
    run.report.count("changed", f"{plan.title}, changed since {long_date(run.as_of)}: {since}"[:_MAX_WORDS])
    return True


def close_missing_from_newer_files(plan: Plan, newer_date: dt.date, run: RunningImport) -> None:
    """Close a plan that is in an older file, but not in newer ones."""
    reason = f"The plan is in {run.source}, but missing from newer files, such as those of {long_date(newer_date)}."
    change_status(plan=plan, to=Status.CLOSED, reason=reason, author=run.author, now=run.now)
