"""The action “Follow” for several rows. Lists offer it if their rows can be followed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import kind_of
from partnerships.digests.services import UnableToSubscribe, subscribe
from partnerships.kit.lists import BulkAction, ListDefinition, only_button
from partnerships.people.models import User


def follow_action(definition: ListDefinition) -> BulkAction | None:
    """Return the action that follows the records of several rows, or None if the rows cannot be followed.

    The followed record need not be the row itself. For example, the row of a contact follows the contact's partnership.
    """
    if definition.followed is None:
        return None
    target_of = definition.followed

    def reasons_to_leave_out(person: User, rows: Sequence[Any], _now: dt.datetime) -> Mapping[int, str]:
        """Return why rows are left out, by row id. If several rows have the same record, only the first follows it."""
        target_by_row_id = {row.pk: target for row in rows if (target := target_of(row)) is not None}
        followed_keys = _followed_keys(person, list(target_by_row_id.values()))
        reason_by_row_id: dict[int, str] = {}
        keys_of_earlier_rows: set[tuple[str, int]] = set()
        for row in rows:
            target = target_by_row_id.get(row.pk)
            if target is None:
                reason_by_row_id[row.pk] = "These rows do not belong to a partnership, so you cannot follow them."
                continue
            key = (kind_of(target), target.pk)
            if key in followed_keys:
                reason_by_row_id[row.pk] = "You already follow what these rows are about."
            elif key in keys_of_earlier_rows:
                reason_by_row_id[row.pk] = "You also chose another row of the same plan, partnership or organisation."
            else:
                keys_of_earlier_rows.add(key)
        return reason_by_row_id

    def follow_record(*, row: Any, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
        subscribe(person=person, target=target_of(row), author=person, now=now)

    return BulkAction(
        name="follow",
        label=definition.follow_words,
        done="you now follow this",
        form=only_button("Follow these"),
        left_out=reasons_to_leave_out,
        change=follow_record,
        refusals=(UnableToSubscribe,),
    )


def _followed_keys(person: User, targets: Sequence[Any]) -> set[tuple[str, int]]:
    """Return the kind and id of each of these records that the person follows. Makes one query per kind."""
    ids_by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for target in targets:
        ids_by_kind[kind_of(target)].append(target.pk)
    subscriptions = Subscription.objects.confirmed().filter(person=person, key="")
    followed_keys: set[tuple[str, int]] = set()
    for kind, target_ids in ids_by_kind.items():
        followed_ids = subscriptions.filter(**{f"{kind}__in": target_ids}).values_list(kind, flat=True)
        followed_keys.update((kind, pk) for pk in followed_ids)
    return followed_keys
