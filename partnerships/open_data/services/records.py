"""Keep the rows of a standard's file beside what they became."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.rights import require
from partnerships.open_data.models import Record
from partnerships.open_data.values import Cells
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.models import Plan

Thing = TypeVar("Thing", Plan, DeveloperAgreement, Commitment)
_COLUMNS = {Plan: "plan", DeveloperAgreement: "agreement", Commitment: "commitment"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A row: its number in the file, its texts, and what the plan says of them."""

    position: int
    cells: Cells
    key: str = ""
    values: Cells = field(default_factory=dict)


def _bodies_of(thing: Plan | DeveloperAgreement | Commitment) -> list[int]:
    """The organisations that it belongs to (ids)."""
    if isinstance(thing, Plan):
        return list(thing.owners.values_list("organisation", flat=True))
    if isinstance(thing, DeveloperAgreement):
        return [thing.organisation_id]
    return [thing.receiver_id] if thing.receiver_id else []


def is_held(thing: Plan | DeveloperAgreement | Commitment, now: dt.datetime) -> bool:
    """Whether it is a plan under embargo.

    No row of it is kept, because its public file would show most cells as they are.
    """
    return isinstance(thing, Plan) and thing.embargoed_until is not None and thing.embargoed_until > now


def _is_same_row(record: Record, row: Kept) -> bool:
    """Whether a row that was kept is the same as one that was read.

    Sites that have left a register have no key in its plan: there, the reference tells.
    """
    if record.key and row.key:
        return record.key == row.key
    return _reference(record.cells) == _reference(row.cells)


def _reference(cells: Cells) -> str:
    return " ".join(cells.get("SiteReference", cells.get("reference", "")).split())


def _said(row: Record | Kept) -> dict[str, Any]:
    """What a row says and where it stands: rows with the same are not written again."""
    return {"position": row.position, "cells": row.cells, "key": row.key, "values": row.values}


@transaction.atomic
def keep_rows(
    *,
    dataset: str,
    rows: Mapping[Thing, Sequence[Kept]],
    incomplete: Collection[int] = (),
    author: User | None,
    now: dt.datetime,
) -> None:
    """Keep the rows of one file in the place of those kept before of the same things.

    By those who keep the directory, and leads of the organisations whose things they are. What is the same already is
    not written. The things are all of one kind. Of those that are `incomplete` (ids), other rows stay. Of plans under
    embargo all rows stay (`is_held`).
    """
    if not rows:
        return
    roles = roles_of(author, now)
    require(roles.keeps_directory or all(roles.led_among(_bodies_of(thing)) for thing in rows))
    rows = {thing: kept for thing, kept in rows.items() if not is_held(thing, now)}
    if not rows:
        return
    column = _COLUMNS[type(next(iter(rows)))]
    before: dict[int, list[Record]] = defaultdict(list)
    known = Record.objects.filter(dataset=dataset, **{f"{column}__in": [thing.pk for thing in rows]})
    for record in known.order_by("position", "pk"):
        before[getattr(record, f"{column}_id")].append(record)
    gone: list[int] = []
    fresh: list[Record] = []
    for thing, kept in rows.items():
        had = before[thing.pk]
        if thing.pk in incomplete:
            had = [earlier for earlier in had if any(_is_same_row(earlier, row) for row in kept)]
        if [_said(row) for row in had] == [_said(row) for row in kept]:
            continue
        gone += [row.pk for row in had]
        fresh += [Record(dataset=dataset, read_at=now, **{column: thing}, **_said(row)) for row in kept]
    Record.objects.filter(pk__in=gone).delete()
    Record.objects.bulk_create(fresh, batch_size=500)
