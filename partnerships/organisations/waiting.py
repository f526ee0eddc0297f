"""Collects what waits for one person or for many, from all sources."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Value

from partnerships.kit.waiting import Complete, Waiting, Work
from partnerships.organisations.audience import Crowd, People, Reach, reached
from partnerships.organisations.holdings import is_remembering
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing that waits for people."""

    #: Exactly what waits for a person; `InOrder` where that may be thousands.
    of: Callable[[User, dt.datetime], Sequence[Waiting]]
    #: The records that may wait at a moment, with their routes. A person whom none reaches is skipped.
    reaches: Callable[[dt.datetime], Sequence[Reach]]
    #: Most people have something of it. A page then calls `of` at once: checking first would cost as much again.
    is_usual: bool = False
    #: The queries that `of` makes first.
    lookups: Callable[[User, dt.datetime], Sequence[Lookup]] | None = None


def in_full(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return the same things, in the same order, with all their words.

    Things of one kind are completed together, and the first queries of all kinds are made in one go.
    """
    things = list(waiting)
    positions_by_complete: defaultdict[Complete, list[int]] = defaultdict(list)
    for position, thing in enumerate(things):
        if thing.complete is not None:
            positions_by_complete[thing.complete].append(position)
    brief_things_by_complete = {
        complete: [things[position] for position in positions] for complete, positions in positions_by_complete.items()
    }

    read_ahead([query for complete, brief in brief_things_by_complete.items() for query in complete.lookups(brief)])
    for complete, positions in positions_by_complete.items():
        full_things = complete(brief_things_by_complete[complete])
        for position, full_thing in zip(positions, full_things, strict=True):
            things[position] = full_thing
    return things


def waiting_from(sources: Iterable[Source], user: User, now: dt.datetime) -> list[Waiting]:
    """Return what waits for one person, from all sources, most urgent first."""
    return in_full(Work(source.of(user, now) for source in sources).first())


def waiting_in_brief(sources: Sequence[Source], person: User, now: dt.datetime) -> Work:
    """Like `waiting_from`, for a page that shows a few things: call `in_full` for those."""
    return Work(source.of(person, now) for source in _those_with_something(sources, person, now))


def waiting_from_all(sources: Sequence[Source], people: Collection[User], now: dt.datetime) -> dict[int, list[Waiting]]:
    """Return what waits for many people, by their ids.

    Two queries for all; then each person's sources that may have something.
    """
    if not people:
        return {}
    if len(people) == 1 and is_remembering():
        (person,) = people
        return {person.pk: in_full(waiting_in_brief(sources, person, now).first())}
    reaches = [(source, reach) for source in sources for reach in source.reaches(now)]
    crowd = Crowd(person.pk for person in people)
    person_ids_by_source: dict[Source, set[int]] = {source: set() for source in sources}
    for (source, _), reached_people in zip(reaches, reached([reach for _, reach in reaches], crowd), strict=True):
        person_ids_by_source[source] |= reached_people
    return {
        person.pk: waiting_from(
            (source for source in sources if person.pk in person_ids_by_source[source]), person, now
        )
        for person in people
    }


def waiting_lookups(sources: Sequence[Source], person: User, now: dt.datetime) -> list[Lookup]:
    """Return the queries that `waiting_in_brief` makes first, for `read_ahead`."""
    unusual = tuple(source for source in sources if not source.is_usual)
    return [
        lookup(_ends, person, now, sources=unusual),
        *_first_of([source for source in sources if source.is_usual], person, now),
    ]


def _first_of(sources: Iterable[Source], person: User, now: dt.datetime) -> list[Lookup]:
    return [first_lookup for source in sources if source.lookups for first_lookup in source.lookups(person, now)]


def _those_with_something(sources: Sequence[Source], person: User, now: dt.datetime) -> list[Source]:
    """Return the sources that may have something for one person; one query about those that are not usual."""
    unusual = tuple(source for source in sources if not source.is_usual)
    sources_found = {unusual[place] for place in rows_for(_ends, person, now, sources=unusual)}
    read_ahead(_first_of(sources_found, person, now))
    return [source for source in sources if source.is_usual or source in sources_found]


def _ends(person: User, now: dt.datetime, *, sources: Sequence[Source]) -> QuerySet[Any, int]:
    """Places of the sources with a record whose route ends at the person or at their organisations."""
    parts: list[QuerySet[Any, Any]] = []
    for place, source in enumerate(sources):
        for reach in source.reaches(now):
            for route in reach.routes:
                if isinstance(route, People):
                    ids = [person.pk]
                else:
                    ids = list(Membership.objects.organisations_of(person, *route.roles))
                if ids:
                    # One record is enough: of thousands, PostgreSQL would check each.
                    parts.append(reach.ends(route, ids).order_by().values_list(Value(place), flat=True)[:1])
    return parts[0].union(*parts[1:])
