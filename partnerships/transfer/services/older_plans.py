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

#: The largest number of changes that a line of history names. Of the others, it gives only the number.
_MAX_CHANGES = 10
#: The largest number of characters in a line of history.
_MAX_CHARACTERS = 2000


def record_older_content(plan: Plan, older_content: Content, before: Content, run: RunningImport) -> bool:
    """Record what has changed in the plan since an older file, and return whether anything has.

    The plan's history gets a line, because no version can be inserted between published ones. Importing the same files
    again adds no second line, even if they have other names. `older_content` is from the older file. `before` is from
    the newest file whose version is not under embargo. The line describes only content that everybody may read.
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
    reason = f"{run.source}. Changed since: {since}"[:_MAX_CHARACTERS]
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
    run.report.count("changed", f"{plan.title}, changed since {long_date(run.as_of)}: {since}"[:_MAX_CHARACTERS])
    return True


def close_missing_from_newer_files(plan: Plan, newer_date: dt.date, run: RunningImport) -> None:
    """Close a plan that is in an older file, but not in newer ones."""
    reason = f"The plan is in {run.source}, but missing from newer files, such as those of {long_date(newer_date)}."
    change_status(plan=plan, to=Status.CLOSED, reason=reason, author=run.author, now=run.now)
