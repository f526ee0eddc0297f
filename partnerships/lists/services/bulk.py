"""Doing one thing with several rows of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from partnerships.kit.lists import BulkAction, ListDefinition
from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User

#: Rows that can be changed at once: they are locked until all are done.
MAX_CHANGED = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done: the rows that were changed, and the others with the reason."""

    changed: list[Any]
    left_out: list[tuple[Any, str]]


class UnableToChangeRows(Exception):
    """There are more rows than can be changed at once."""


@transaction.atomic
def change_rows(
    *,
    definition: ListDefinition,
    action: BulkAction,
    numbers: Collection[int],
    person: User,
    chosen: Mapping[str, Any],
    now: dt.datetime,
) -> Outcome:
    """Do the same with each of these rows that the person may see, in order of number.

    Each is one call of its room's service, which checks the person's rights under the row's lock. One that is refused
    stays as it is, and the others are done. All of it and the emails are one transaction. Raises `UnableToChangeRows`.
    """
    require(has_open_account(person) and definition.may_open(person))
    if len(numbers) > MAX_CHANGED:
        raise UnableToChangeRows(f"At most {MAX_CHANGED} rows can be changed at once. Filter the list first.")
    rows = list(definition.readable(person).filter(pk__in=numbers).order_by("pk"))
    definition.make_ready(person, rows, [definition.first])
    outcome, known = Outcome([], []), action.left_out(person, rows, now)
    refusals: tuple[type[Exception], ...] = (UnableToAct, *action.refusals)
    for row in rows:
        reason = known.get(row.pk, "")
        if not reason:
            try:
                with transaction.atomic():
                    action.change(row=row, person=person, chosen=chosen, now=now)
            except refusals as error:
                reason = str(error)
        if reason:
            outcome.left_out.append((row, reason))
        else:
            outcome.changed.append(row)
    if outcome.changed:
        action.tell(rows=outcome.changed, person=person, chosen=chosen, now=now)
    return outcome
