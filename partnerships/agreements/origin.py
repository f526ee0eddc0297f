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
    """A record that something comes from: its name, its page, and the text that it suggests."""

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
    """Return the record behind `recommendation-12`, which a thing of this model is to come from.

    None if the kind is unknown.
    """
    name, _, digits = text.rpartition("-")
    origin, record_id = _origins.get((target_model, name)), row_number(digits)
    return From(origin, record_id) if origin is not None and record_id is not None else None


def _origins_of(target_model: type[Model]) -> list[Origin]:
    return [
        _origins[target_model, name]
        for model, name in sorted(_origins, key=lambda key: key[1])
        if model is target_model
    ]


def links_of(thing: Model, user: User) -> list[Suggested]:
    """Return every record behind an objective, ask, offer or conversation that this person may see."""
    origins = _origins_of(type(thing))
    lookups_with_rows = with_rows(thing.pk, *(rows for origin in origins for rows in origin.rows))
    return [
        link
        for origin in origins
        if not origin.rows or lookups_with_rows.intersection(origin.rows)
        for link in origin.links_of(thing, user)
    ]
