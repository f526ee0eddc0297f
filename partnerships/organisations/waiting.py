"""Collects what waits for one person or for many, from all sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Crowd, Reach, reached
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing that waits for people.

    `of` returns exactly what waits for a person. `reaches` are the records that may wait at a moment, with their
    routes; a person whom they do not reach is skipped.
    """

    of: Callable[[User, dt.datetime], list[Waiting]]
    reaches: Callable[[dt.datetime], Sequence[Reach]]


def waiting_from(sources: Iterable[Source], user: User, now: dt.datetime) -> list[Waiting]:
    """What waits for one person, from all sources, most urgent first."""
    return sorted((one for source in sources for one in source.of(user, now)), key=Waiting.oldest_first)


def waiting_from_all(sources: Sequence[Source], people: Collection[User], now: dt.datetime) -> dict[int, list[Waiting]]:
    """What waits for many people, by their ids.

    Two queries for all; then each person's sources that may have something.
    """
    if not people:
        return {}
    reaches = [(source, reach) for source in sources for reach in source.reaches(now)]
    crowd = Crowd(person.pk for person in people)
    asked: dict[Source, set[int]] = {source: set() for source in sources}
    for (source, _), found in zip(reaches, reached([reach for _, reach in reaches], crowd), strict=True):
        asked[source] |= found
    return {
        person.pk: waiting_from((source for source in sources if person.pk in asked[source]), person, now)
        for person in people
    }
