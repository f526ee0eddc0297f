"""Hook for rooms whose records lead to new objectives, asks, offers and conversations of a partnership.

For example, an objective follows from a recommendation. The form of a new objective is opened with
`?from=recommendation-12`, and asks the origin called `recommendation` what record 12 suggests. When the objective is
created, the room of recommendations stores the link in its own table, in the same transaction. The objective's page
lists the recommendations that the reader may see. Commitments have their own hook (`commitments.origins`), because they
need no partnership.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from partnerships.agreements.models import Objective, Partnership
from partnerships.kit.http import row_number
from partnerships.organisations.statements import Lookup, RowsAbout, functions_with_rows, rows_lookup
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class OriginSuggestion:
    """A record from which a new record can be made, with the text that it suggests."""

    words: str
    path: str
    text: str = ""


class UnableToLinkOrigin(Exception):
    """The new record cannot be linked to the record from which it is made. The message gives the reason.

    For example, they belong to different partnerships, or the author may not link them.
    """


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of record from which records of one model (`target_model`) can be made.

    `suggest` returns None if the person may not use the record in this partnership. `link` stores the link, or raises
    `UnableToLinkOrigin`. While an objective is linked, its partnership is locked. `links_of` returns the records behind
    one target. `rows` are lookups of these links. If they find no link, `links_of` is not called.
    """

    name: str
    suggest: Callable[[User, Partnership, int], OriginSuggestion | None]
    link: Callable[[Any, int, User, dt.datetime], None]
    links_of: Callable[[Any, User], Sequence[OriginSuggestion]]
    target_model: type[Model] = Objective
    rows: tuple[RowsAbout, ...] = ()


@dataclass(frozen=True, slots=True)
class OriginRecord:
    """The record from which a new record is made."""

    origin: Origin
    record: int


_origins: dict[tuple[type[Model], str], Origin] = {}


def register_origin(origin: Origin) -> None:
    """Allow records of the origin's model to be made from records of this kind."""
    _origins[origin.target_model, origin.name] = origin


def record_named_in(text: str, target_model: type[Model] = Objective) -> OriginRecord | None:
    """Return the record that a text such as `recommendation-12` names, or None if the kind is unknown."""
    name, _, digits = text.rpartition("-")
    origin, record_id = _origins.get((target_model, name)), row_number(digits)
    return OriginRecord(origin, record_id) if origin is not None and record_id is not None else None


def _origins_of(target_model: type[Model]) -> list[Origin]:
    """Return the origins of records of this model, in the order of their names."""
    return [
        _origins[target_model, name]
        for model, name in sorted(_origins, key=lambda key: key[1])
        if model is target_model
    ]


def _rows_of_origins(target_model: type[Model]) -> list[RowsAbout]:
    """Return the functions that return the links behind a record of this model."""
    return [rows for origin in _origins_of(target_model) for rows in origin.rows]


def origin_lookups(target_model: type[Model], pk: int) -> list[Lookup]:
    """Return the lookups with which `read_ahead` reads the rows for a later `origin_links_of`."""
    rows_of_origins = _rows_of_origins(target_model)
    return [rows_lookup(pk, *rows_of_origins)] if rows_of_origins else []


def origin_links_of(target: Model, user: User) -> list[OriginSuggestion]:
    """Return the records from which an objective, ask, offer or conversation was made, if the person may see them."""
    lookups_with_rows = functions_with_rows(target.pk, *_rows_of_origins(type(target)))
    return [
        link
        for origin in _origins_of(type(target))
        if not origin.rows or lookups_with_rows.intersection(origin.rows)
        for link in origin.links_of(target, user)
    ]
