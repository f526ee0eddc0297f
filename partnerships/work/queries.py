"""Collect the tasks of a person from every lower room, for My work and digests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from partnerships.agreements import queries as agreements
from partnerships.commitments import queries as commitments
from partnerships.conversations import queries as conversations
from partnerships.exchange import queries as exchange
from partnerships.kit.waiting import WaitingTask, Work
from partnerships.nominations import queries as nominations
from partnerships.organisations.handover_tasks import HANDING_OVER, LEFT_OVER
from partnerships.organisations.statements import Lookup
from partnerships.organisations.succession_tasks import OVERDUE
from partnerships.organisations.waiting import TaskSource, brief_tasks_from, first_task_lookups, tasks_for_people
from partnerships.people.models import User
from partnerships.plans import queries as plans
from partnerships.recommendations import queries as recommendations
from partnerships.surveys import queries as surveys

#: The sources of every room below this one. A new room adds its `TASK_SOURCES` here. Rooms above call
#: `register_sources`.
SOURCES: list[TaskSource] = [
    *agreements.TASK_SOURCES,
    *exchange.TASK_SOURCES,
    *plans.TASK_SOURCES,
    *commitments.TASK_SOURCES,
    *conversations.TASK_SOURCES,
    *nominations.TASK_SOURCES,
    *surveys.TASK_SOURCES,
    *recommendations.TASK_SOURCES,
    *LEFT_OVER,
    *HANDING_OVER,
    *OVERDUE,
]


def register_sources(sources: Iterable[TaskSource]) -> None:
    """Add the sources of a room above this one, at start-up. Sources that are already registered are left out."""
    SOURCES.extend(source for source in sources if source not in SOURCES)


def tasks_of_person(person: User, now: dt.datetime) -> list[WaitingTask]:
    """Return all tasks of a person with an account, the most urgent first."""
    return tasks_of_people([person], now)[person.pk]


def brief_tasks(person: User, now: dt.datetime) -> Work:
    """Return a person's tasks without texts that need queries, for a page that shows a few of many tasks.

    Call `in_full` to add the texts of the tasks that the page shows.
    """
    if person.is_stakeholder:
        return Work([])
    return brief_tasks_from(SOURCES, person, now)


def work_lookups(person: User, now: dt.datetime) -> list[Lookup]:
    """Return the look-ups with which `brief_tasks` begins.

    `read_ahead` makes them together with the look-ups of the page.
    """
    if person.is_stakeholder:
        return []
    return first_task_lookups(SOURCES, person, now)


def tasks_of_people(people: Collection[User], now: dt.datetime) -> dict[int, list[WaitingTask]]:
    """Return the tasks of each person, by the person's id; no tasks for stakeholders and people who have left.

    Two queries find the people who have tasks at all, so that no other queries are needed for the rest.
    """
    account_holders = [person for person in people if person.is_active and not person.is_stakeholder]
    tasks_by_person: dict[int, list[WaitingTask]] = {person.pk: [] for person in people}
    return tasks_by_person | tasks_for_people(SOURCES, account_holders, now)
