"""Hook for rooms whose records lead to objectives, asks, offers and conversations of a partnership.

A room above registers an `Origin` for each model at start-up. The form of a new objective with
`?from=recommendation-12` asks the origin called `recommendation` what record 12 suggests. When the objective is made,
the room stores the link in its own table, in the same transaction. The objective's page lists the records that the
reader may see. Commitments have their own hook (`commitments.origins`), because they need no partnership.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from partnerships.agreements.models import Objective, Partnership
from partnerships.kit.http import row_number
from partnerships.organisations.statements import RowsAbout, with_rows
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Suggested:
    """A record that something comes from.

    Its name, its page, and the words that it suggests.
    """

    words: str
    path: str
    text: str = ""


class UnableToLinkOrigin(Exception):
    """What was made is of another partnership than the record, or its author may not link it; the message says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of record that things of one model (`made`) come from.

    `suggest` gives None if the person may not use the record in this partnership. `link` stores the link, or raises
    `UnableToLinkOrigin`; for objectives the partnership is locked then. `rows` are the links of one thing: where they
    are given and there are none, `links_of` is not asked.
    """

    name: str
    suggest: Callable[[User, Partnership, int], Suggested | None]
    link: Callable[[Any, int, User, dt.datetime], None]
    links_of: Callable[[Any, User], Sequence[Suggested]]
    made: type[Model] = Objective
    rows: tuple[RowsAbout, ...] = ()


@dataclass(frozen=True, slots=True)
class From:
    """One record that something is made from."""

    origin: Origin
    record: int


_origins: dict[tuple[type[Model], str], Origin] = {}


def register_origin(origin: Origin) -> None:
    """Allow things of its model to be made from records of this kind."""
    _origins[origin.made, origin.name] = origin


def read_from(text: str, target_model: type[Model] = Objective) -> From | None:
    """The record behind `recommendation-12` that a thing of this model is to come from; None for an unknown kind."""
    name, _, number = text.rpartition("-")
    origin, record = _origins.get((target_model, name)), row_number(number)
    return From(origin, record) if origin is not None and record is not None else None


def _of(target_model: type[Model]) -> list[Origin]:
    return [
        _origins[target_model, name]
        for model, name in sorted(_origins, key=lambda key: key[1])
        if model is target_model
    ]


def links_of(thing: Model, user: User) -> list[Suggested]:
    """Every record behind an objective, ask, offer or conversation that this person may see."""
    kinds = _of(type(thing))
    there = with_rows(thing.pk, *(rows for origin_kind in kinds for rows in origin_kind.rows))
    return [
        link
        for origin_kind in kinds
        if not origin_kind.rows or there.intersection(origin_kind.rows)
        for link in origin_kind.links_of(thing, user)
    ]
