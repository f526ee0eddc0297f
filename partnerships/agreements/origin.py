"""Hook for rooms whose records objectives come from.

A room above registers an `Origin` at start-up. The form of a new objective with `?from=recommendation-12` asks the
origin called `recommendation` what record 12 suggests. When the objective is made, the room stores the link in its own
table, in the same transaction. The objective's page lists the records that the reader may see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from partnerships.agreements.models import Objective, Partnership
from partnerships.kit.http import row_number
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Suggested:
    """A record that an objective comes from: its name, its page, and the words that it suggests."""

    words: str
    path: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of record that objectives come from.

    `suggest` gives None if the person may not use the record in this partnership. `link` stores the link; it is called
    with the partnership locked.
    """

    name: str
    suggest: Callable[[User, Partnership, int], Suggested | None]
    link: Callable[[Objective, int, User, dt.datetime], None]
    links_of: Callable[[Objective, User], Sequence[Suggested]]


@dataclass(frozen=True, slots=True)
class From:
    """One record that an objective is made from."""

    origin: Origin
    record: int


_origins: dict[str, Origin] = {}


def register_origin(origin: Origin) -> None:
    """Allow objectives to be made from records of this kind."""
    _origins[origin.name] = origin


def read_from(text: str) -> From | None:
    """The record behind `recommendation-12`; None for an unknown kind."""
    name, _, number = text.rpartition("-")
    origin, record = _origins.get(name), row_number(number)
    return From(origin, record) if origin is not None and record is not None else None


def links_of(objective: Objective, user: User) -> list[Suggested]:
    """Every record behind the objective that this person may see."""
    return [link for name in sorted(_origins) for link in _origins[name].links_of(objective, user)]
