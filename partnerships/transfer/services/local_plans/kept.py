"""The rows of plans and timetables, kept so that they can be written again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from partnerships.open_data.services import FileRow, keep_rows
from partnerships.open_data.standards import PLAN, TIMETABLE
from partnerships.open_data.values import milestone_values, plan_values
from partnerships.people.models import User
from partnerships.plans.content import Content
from partnerships.plans.models import Plan
from partnerships.transfer.local_plan_content import milestones_by_key
from partnerships.transfer.reading.local_plans import LocalPlan, Milestone


class KeptRows:
    """The rows of the plans that went in."""

    def __init__(self) -> None:
        self._plans: dict[Plan, list[FileRow]] = {}
        self._events: dict[Plan, list[FileRow]] = {}
        #: Plans with a row of their timetable set aside.
        self._incomplete: set[int] = set()

    def add(self, plan: LocalPlan, body: Plan, before: Content | None, content: Content) -> None:
        """Add the rows of a plan.

        `before` and `content` are what the last file said and this one says.
        """
        self._plans[body] = [FileRow(plan.row, plan.cells, values=plan_values(content))]
        said = {item["key"]: milestone_values(item) for item in content["milestones"]}
        rows = [
            FileRow(milestone.row, milestone.cells, key, said[key])
            for key, milestone in milestones_by_key(plan, before).items()
        ]
        self._events[body] = sorted(rows, key=lambda row: row.position)
        if plan.gaps:
            self._incomplete.add(body.pk)

    def add_milestones(self, body: Plan, keyed: Mapping[str, Milestone], content: Content) -> None:
        """Add rows of a plan's timetable; its others stay."""
        said = {item["key"]: milestone_values(item) for item in content["milestones"]}
        rows = [FileRow(one.row, one.cells, key, said[key]) for key, one in keyed.items()]
        self._events[body] = sorted(rows, key=lambda row: row.position)
        self._incomplete.add(body.pk)

    def save(self, *, author: User | None, now: dt.datetime) -> None:
        """Keep them."""
        keep_rows(dataset=PLAN.code, rows=self._plans, author=author, now=now)
        keep_rows(dataset=TIMETABLE.code, rows=self._events, incomplete=self._incomplete, author=author, now=now)
