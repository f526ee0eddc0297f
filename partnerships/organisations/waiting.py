"""Collects what waits for one person or for many, from all sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.signals import setting_changed
from django.db.models import QuerySet, Value
from django.utils import timezone

from partnerships.kit.database import rows_of
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Crowd, People, Reach, reached
from partnerships.organisations.holdings import is_remembering
from partnerships.organisations.models import Membership, Role
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
    if len(people) == 1 and is_remembering():
        (person,) = people
        some = reached_with_kept_sql(sources, person, now)
        if some is not None:
            return {person.pk: waiting_from(some, person, now)}
    reaches = [(source, reach) for source in sources for reach in source.reaches(now)]
    crowd = Crowd(person.pk for person in people)
    asked: dict[Source, set[int]] = {source: set() for source in sources}
    for (source, _), found in zip(reaches, reached([reach for _, reach in reaches], crowd), strict=True):
        asked[source] |= found
    return {
        person.pk: waiting_from((source for source in sources if person.pk in asked[source]), person, now)
        for person in people
    }


#: Microseconds of the moment that statements are composed with; moments derived from it are recognised by them.
_MARK = 987_653
#: Stand for the person's own id and, below it, for the ids of their organisations in some roles. No row has such an id.
_PERSON = -9_007_199_254_740_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """SQL in pieces, the roles behind each stand-in, the source of each part."""

    pieces: tuple[str, ...]
    params: tuple[Any, ...]
    composed_at: dt.datetime
    roles: tuple[tuple[str, ...], ...]
    sources: tuple[Source, ...]


#: By sources, day and the roles that the person has; None where the SQL depends on another moment.
_kept: dict[Hashable, _Kept | None] = {}
_MAX_KEPT = 100
_UNKNOWN = "unknown"
setting_changed.connect(lambda **_: _kept.clear(), weak=False, dispatch_uid="reached_with_kept_sql")


def reached_with_kept_sql(sources: Sequence[Source], person: User, now: dt.datetime) -> list[Source] | None:
    """The sources that may have something for one person; one query. For pages only.

    Composing this statement takes longer than everything else on My work, so its SQL is kept for the day.
    """
    held = {roles: Membership.objects.organisations_of(person, *roles) for roles in [(), *((role,) for role in Role)]}
    key = (tuple(sources), timezone.localdate(now), tuple(bool(ids) for ids in held.values()))
    kept = _kept.get(key, _UNKNOWN)
    if isinstance(kept, str):
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        kept = _kept[key] = _composed(sources, person, now)
    if kept is None:
        return None
    ids: dict[Any, list[int]] = {_PERSON: [person.pk]}
    for place, roles in enumerate(kept.roles, start=1):
        ids[_PERSON - place] = list(Membership.objects.organisations_of(person, *roles))
    sql, values = [kept.pieces[0]], []
    for param, piece in zip(kept.params, kept.pieces[1:], strict=True):
        if isinstance(param, int) and param in ids:
            sql.append(", ".join(["%s"] * len(ids[param])))
            values += ids[param]
        else:
            sql.append("%s")
            is_moment = isinstance(param, dt.datetime) and param.microsecond == _MARK
            values.append(param + (now - kept.composed_at) if is_moment else param)
        sql.append(piece)
    found = {place for _, place in rows_of("".join(sql), values)}
    some = {source for place, source in enumerate(kept.sources) if place in found}
    return [source for source in sources if source in some]


def _composed(sources: Sequence[Source], person: User, now: dt.datetime) -> _Kept | None:
    """The statement for people with these roles; None if it cannot be kept."""
    moment = now.replace(microsecond=_MARK)
    stand_ins: dict[tuple[str, ...], int] = {}
    parts: list[QuerySet[Any, Any]] = []
    behind: list[Source] = []
    for source in sources:
        for reach in source.reaches(moment):
            for route in reach.routes:
                if isinstance(route, People):
                    stand_in = _PERSON
                elif Membership.objects.organisations_of(person, *route.roles):
                    stand_in = stand_ins.setdefault(route.roles, _PERSON - 1 - len(stand_ins))
                else:
                    continue
                parts.append(reach.ends(route, [stand_in]).annotate(end=Value(len(parts))))
                behind.append(source)
    sql, params = parts[0].union(*parts[1:]).query.sql_with_params()
    if any(isinstance(param, dt.datetime) and param.microsecond not in {0, _MARK} for param in params):
        return None
    return _Kept(tuple(sql.split("%s")), tuple(params), moment, tuple(stand_ins), tuple(behind))
