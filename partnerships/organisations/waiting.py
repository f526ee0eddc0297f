"""Collect the tasks of one person or of many people from all sources."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Value

from partnerships.kit.waiting import TaskCompleter, WaitingTask, Work
from partnerships.organisations.audience import Crowd, People, Reach, people_reached
from partnerships.organisations.holdings import is_page_being_made
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class TaskSource:
    """One kind of task on My work, such as lines to answer, with the people who may have such tasks."""

    #: Returns the tasks of a person. If there may be thousands, returns them as `TaskRows`.
    of: Callable[[User, dt.datetime], Sequence[WaitingTask]]
    #: Returns the records that may be tasks at a moment, with the routes to people. Everybody else has no tasks.
    reaches: Callable[[dt.datetime], Sequence[Reach]]
    #: True if most people have such a task. A page then calls `of` without checking `reaches`, because the check would
    #: take as long.
    is_usual: bool = False
    #: Returns the lookups that `of` needs first.
    lookups: Callable[[User, dt.datetime], Sequence[Lookup]] | None = None


def with_full_texts(brief_tasks: Sequence[WaitingTask]) -> list[WaitingTask]:
    """Return the same tasks in the same order, with their full texts.

    Tasks of one kind are completed together, and one query makes the first queries of all kinds.
    """
    tasks = list(brief_tasks)
    positions_by_completer: defaultdict[TaskCompleter, list[int]] = defaultdict(list)
    for position, task in enumerate(tasks):
        if task.completer is not None:
            positions_by_completer[task.completer].append(position)
    brief_tasks_by_completer = {
        completer: [tasks[position] for position in positions]
        for completer, positions in positions_by_completer.items()
    }

    read_ahead([query for completer, brief in brief_tasks_by_completer.items() for query in completer.lookups(brief)])
    for completer, positions in positions_by_completer.items():
        full_tasks = completer(brief_tasks_by_completer[completer])
        for position, full_task in zip(positions, full_tasks, strict=True):
            tasks[position] = full_task
    return tasks


def tasks_from(sources: Iterable[TaskSource], user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks of one person from all sources, the most urgent first."""
    return with_full_texts(Work(source.of(user, now) for source in sources).first())


def brief_tasks_from(sources: Sequence[TaskSource], person: User, now: dt.datetime) -> Work:
    """Return one person's tasks in brief, for a page that shows only a few of them.

    Call `with_full_texts` for the few that the page shows.
    """
    return Work(source.of(person, now) for source in _sources_with_tasks(sources, person, now))


def tasks_for_people(
    sources: Sequence[TaskSource], people: Collection[User], now: dt.datetime
) -> dict[int, list[WaitingTask]]:
    """Return the tasks of many people, by the id of the person.

    One query finds out which sources have tasks for which people. Only these sources are then queried.
    """
    if not people:
        return {}
    if len(people) == 1 and is_page_being_made():
        (person,) = people
        return {person.pk: with_full_texts(brief_tasks_from(sources, person, now).first())}
    reaches = [(source, reach) for source in sources for reach in source.reaches(now)]
    crowd = Crowd(person.pk for person in people)
    person_ids_by_source: dict[TaskSource, set[int]] = {source: set() for source in sources}
    for (source, _), reached_people in zip(
        reaches, people_reached([reach for _, reach in reaches], crowd), strict=True
    ):
        person_ids_by_source[source] |= reached_people
    return {
        person.pk: tasks_from((source for source in sources if person.pk in person_ids_by_source[source]), person, now)
        for person in people
    }


def first_task_lookups(sources: Sequence[TaskSource], person: User, now: dt.datetime) -> list[Lookup]:
    """Return the queries that `brief_tasks_from` makes first, for `read_ahead`."""
    unusual_sources = tuple(source for source in sources if not source.is_usual)
    return [
        lookup(_source_indexes, person, now, sources=unusual_sources),
        *_first_lookups([source for source in sources if source.is_usual], person, now),
    ]


def _first_lookups(sources: Iterable[TaskSource], person: User, now: dt.datetime) -> list[Lookup]:
    return [first_lookup for source in sources if source.lookups for first_lookup in source.lookups(person, now)]


def _sources_with_tasks(sources: Sequence[TaskSource], person: User, now: dt.datetime) -> list[TaskSource]:
    """Return the sources that may have tasks for one person. One query checks all sources that are not usual."""
    unusual_sources = tuple(source for source in sources if not source.is_usual)
    unusual_with_tasks = {
        unusual_sources[index] for index in rows_for(_source_indexes, person, now, sources=unusual_sources)
    }
    read_ahead(_first_lookups(unusual_with_tasks, person, now))
    return [source for source in sources if source.is_usual or source in unusual_with_tasks]


def _source_indexes(person: User, now: dt.datetime, *, sources: Sequence[TaskSource]) -> QuerySet[Any, int]:
    """Return the index of each source with a record that reaches the person or one of their organisations."""
    queries: list[QuerySet[Any, Any]] = []
    for index, source in enumerate(sources):
        for reach in source.reaches(now):
            for route in reach.routes:
                if isinstance(route, People):
                    ids = [person.pk]
                else:
                    ids = list(Membership.objects.organisations_of(person, *route.roles))
                if ids:
                    # One record is enough. Without the limit, PostgreSQL would check thousands of records.
                    queries.append(reach.reached_ids(route, ids).order_by().values_list(Value(index), flat=True)[:1])
    first_query, *other_queries = queries
    return first_query.union(*other_queries)
