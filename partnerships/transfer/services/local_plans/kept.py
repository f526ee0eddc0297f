"""The rows of plans and timetables, kept so that they can be written again."""

from __future__ import annotations

import datetime as dt

from partnerships.kit.dates import long_date
from partnerships.open_data.models import Record
from partnerships.open_data.services import Kept, keep_rows
from partnerships.open_data.standards import PLAN, TIMETABLE
from partnerships.open_data.values import milestone_values, plan_values
from partnerships.people.models import User
from partnerships.plans.content import Content
from partnerships.plans.models import Plan
from partnerships.transfer.local_plan_content import milestones_by_key
from partnerships.transfer.reading.local_plans import LocalPlan, LocalPlans
from partnerships.transfer.reading.problems import unable


def refuse_older_rows(listed: LocalPlans) -> None:
    """Refuse a council's file that is older than its last one, by the newest `entry-date` of each.

    The files of other councils do not count. Raises `UnableToRead`.
    """
    references = [plan.reference for plan in listed.plans]
    rows = Record.objects.filter(
        dataset__in=[PLAN.code, TIMETABLE.code], plan__external_reference__in=references
    ).values_list("cells__entry-date", flat=True)
    newest = max((day for day in rows if day and is_day(day)), default="")
    if listed.written_on is not None and newest > listed.written_on.isoformat():
        ours, theirs = long_date(listed.written_on), long_date(dt.date.fromisoformat(newest))
        raise unable(
            f"its newest row was entered on {ours}, and the last file of these plans had one of {theirs}: this one "
            "would take the plans back in time.",
            "Give the newest file.",
        )


def is_day(text: str) -> bool:
    """Whether it is a day such as 2026-03-25."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


class KeptRows:
    """The rows of the plans that went in."""

    def __init__(self) -> None:
        self._plans: dict[Plan, list[Kept]] = {}
        self._events: dict[Plan, list[Kept]] = {}
        #: Plans with a row of their timetable set aside.
        self._incomplete: set[int] = set()

    def add(self, plan: LocalPlan, body: Plan, before: Content | None, content: Content) -> None:
        """Add the rows of a plan; `before` and `content` are what the last file said and this one says."""
        self._plans[body] = [Kept(plan.row, plan.cells, values=plan_values(content))]
        said = {item["key"]: milestone_values(item) for item in content["milestones"]}
        rows = [
            Kept(milestone.row, milestone.cells, key, said[key])
            for key, milestone in milestones_by_key(plan, before).items()
        ]
        self._events[body] = sorted(rows, key=lambda row: row.position)
        if plan.gaps:
            self._incomplete.add(body.pk)

    def save(self, *, author: User | None, now: dt.datetime) -> None:
        """Keep them."""
        keep_rows(dataset=PLAN.code, rows=self._plans, author=author, now=now)
        keep_rows(dataset=TIMETABLE.code, rows=self._events, incomplete=self._incomplete, author=author, now=now)
