"""Milestones that are due soon or overdue are shown on the plan and in My work."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.queries import TASK_SOURCES
from tests.plans.drafts import CONTENT, fewer_homes, publish, published_plan
from tests.support.signing_in import signed_in
from tests.world import World


def plan_with_milestones(world: World, **days: int) -> Plan:
    """Return a published plan with milestones due some days from today."""
    today = timezone.localdate()
    milestones: list[dict[str, Any]] = [
        {"key": name, "name": name.capitalize(), "forecast": (today + dt.timedelta(days=count)).isoformat()}
        for name, count in days.items()
    ]
    return published_plan(world, content=CONTENT | {"milestones": milestones})


def milestone_tasks(person: User) -> list[Any]:
    """Return the tasks about milestones in My work of the person."""
    return [task for task in tasks_from(TASK_SOURCES, person, timezone.now()) if "milestone" in task.action]


def test_milestone_due_soon_is_a_task_of_leads_who_publish_its_change(world: World) -> None:
    plan = plan_with_milestones(world, ballot=5)

    (task,) = milestone_tasks(world.amina)

    assert task.path == reverse("plans:milestone", kwargs={"pk": plan.pk, "key": "ballot"})


def test_milestone_due_soon_is_a_task_of_editors_who_change_the_draft(world: World) -> None:
    plan = plan_with_milestones(world, ballot=5)

    (task,) = milestone_tasks(world.eddie)

    assert task.path == reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "milestones", "key": "ballot"})


@pytest.mark.parametrize("name", ["vera", "ben", "chidi"])
def test_milestone_due_soon_is_no_task_of_people_who_may_not_update_it(world: World, name: str) -> None:
    plan_with_milestones(world, ballot=5)

    tasks = milestone_tasks(getattr(world, name))

    assert tasks == []


@pytest.mark.parametrize("name", ["amina", "eddie"])
def test_links_to_milestones_in_my_work_open(world: World, name: str) -> None:
    plan_with_milestones(world, ballot=-3, permission=10)
    person = getattr(world, name)
    paths = [task.path for task in milestone_tasks(person)]

    statuses = [signed_in(person).get(path).status_code for path in paths]

    assert statuses == [200, 200]


def test_plan_lists_its_milestones_that_are_overdue_or_due_soon(world: World) -> None:
    plan = plan_with_milestones(world, ballot=-3, permission=10, handover=300)

    html = signed_in(world.ben).get(reverse("plans:detail", args=[plan.pk])).content.decode()

    section = html.partition("Due soon and overdue")[2].partition("</section>")[0]
    assert "Ballot" in section
    assert "3 days overdue" in section
    assert "Permission" in section
    assert "due in 10 days" in section
    assert "Handover" not in section


def test_milestones_that_are_overdue_or_due_soon_have_a_tag(world: World) -> None:
    plan = plan_with_milestones(world, ballot=-3, permission=10, handover=300)

    html = signed_in(world.ben).get(reverse("plans:detail", args=[plan.pk])).content.decode()

    assert html.count(">Overdue</strong>") == 1
    assert html.count(">Due soon</strong>") == 1


def test_older_version_does_not_show_milestones_due_soon(world: World) -> None:
    plan = plan_with_milestones(world, permission=10)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")

    html = signed_in(world.ben).get(reverse("plans:version", kwargs={"pk": plan.pk, "number": 1})).content.decode()

    assert "Due soon and overdue" not in html
