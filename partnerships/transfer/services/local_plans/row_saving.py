"""Save the rows of plans and timetables with the texts of the file, so that they can be published again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from partnerships.open_data.services import FileRow, save_rows
from partnerships.open_data.standards import PLAN, TIMETABLE
from partnerships.open_data.values import milestone_values, plan_values
from partnerships.people.models import User
from partnerships.plans.content import Content
from partnerships.plans.models import Plan
from partnerships.transfer.local_plan_content import milestones_by_key
from partnerships.transfer.reading.plan_rows import LocalPlan, Milestone


class RowsToSave:
    """Collects the rows of plans that were imported, and saves all of them at the end."""

    def __init__(self) -> None:
        self._plan_rows: dict[Plan, list[FileRow]] = {}
        self._event_rows: dict[Plan, list[FileRow]] = {}
        #: The ids of plans whose timetable has more rows than the collected ones. The other saved rows are not deleted.
        self._incomplete_ids: set[int] = set()

    def add(self, row: LocalPlan, plan: Plan, before: Content | None, content: Content) -> None:
        """Add the row of a plan and the rows of its timetable.

        `before` is the content according to the previous file, `content` the content according to this one.
        """
        self._plan_rows[plan] = [FileRow(position=row.row, cells=row.cells, values=plan_values(content))]
        self._event_rows[plan] = _event_rows(milestones_by_key(row, before), content)
        if row.gaps:
            self._incomplete_ids.add(plan.pk)

    def add_milestones(self, plan: Plan, milestone_by_key: Mapping[str, Milestone], content: Content) -> None:
        """Add some rows of a plan's timetable. The plan's other saved rows are not deleted."""
        self._event_rows[plan] = _event_rows(milestone_by_key, content)
        self._incomplete_ids.add(plan.pk)

    def save(self, *, author: User | None, now: dt.datetime) -> None:
        """Save the collected rows."""
        save_rows(dataset=PLAN.code, rows=self._plan_rows, author=author, now=now)
        save_rows(
            dataset=TIMETABLE.code, rows=self._event_rows, incomplete=self._incomplete_ids, author=author, now=now
        )


def _event_rows(milestone_by_key: Mapping[str, Milestone], content: Content) -> list[FileRow]:
    """Return the rows of milestones in the order of the file, with the values of the plan's content."""
    values_by_key = {milestone["key"]: milestone_values(milestone) for milestone in content["milestones"]}
    rows = [
        FileRow(position=milestone.row, cells=milestone.cells, key=key, values=values_by_key[key])
        for key, milestone in milestone_by_key.items()
    ]
    return sorted(rows, key=lambda row: row.position)
