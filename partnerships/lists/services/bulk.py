"""Change several rows of a list at once."""

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

#: At most this many rows can be changed at once, because all are locked until the last has changed.
MAX_CHANGED = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rows that were changed, and the rows that were left out, each with the reason."""

    changed: list[Any]
    left_out: list[tuple[Any, str]]


class UnableToChangeRows(Exception):
    """Raised if the reader chose more rows than can be changed at once."""


@transaction.atomic
def change_rows(
    *,
    definition: ListDefinition,
    action: BulkAction,
    row_ids: Collection[int],
    person: User,
    chosen: Mapping[str, Any],
    now: dt.datetime,
) -> Outcome:
    """Apply an action to each of these rows that the person may see, in order of id.

    The service of the row's room locks each row and checks the person's rights. If it refuses a row, this row does not
    change, but the other rows do. Emails about all rows are recorded in the same transaction. Raises
    `UnableToChangeRows`.
    """
    require(has_open_account(person) and definition.may_open(person))
    if len(row_ids) > MAX_CHANGED:
        raise UnableToChangeRows(f"You can change at most {MAX_CHANGED} rows at once. Filter the list first.")

    rows = list(definition.readable(person).filter(pk__in=row_ids).order_by("pk"))
    definition.make_ready(person, rows, [definition.first])
    outcome = Outcome(changed=[], left_out=[])
    reason_by_id = action.left_out(person, rows, now)
    for row in rows:
        reason = reason_by_id.get(row.pk, "") or _change_or_explain(row, action, person, chosen, now)
        if reason:
            outcome.left_out.append((row, reason))
        else:
            outcome.changed.append(row)

    if outcome.changed:
        action.tell(rows=outcome.changed, person=person, chosen=chosen, now=now)
    return outcome


def _change_or_explain(row: Any, action: BulkAction, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> str:
    """Change one row and return "", or return the reason why the service refuses the row.

    Each row is changed within a savepoint. If the service refuses it, only its changes are undone.
    """
    refusals: tuple[type[Exception], ...] = (UnableToAct, *action.refusals)
    try:
        with transaction.atomic():
            action.change(row=row, person=person, chosen=chosen, now=now)
    except refusals as error:
        return str(error)
    return ""
