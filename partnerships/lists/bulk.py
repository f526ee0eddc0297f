"""Follow several rows of a list.

Offered by lists whose rows can be followed.
"""

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
    """The action that follows the records which the rows of a list belong to; None if the list offers none."""
    if definition.followed is None:
        return None
    target_of = definition.followed

    def left_out(person: User, rows: Sequence[Any], _now: dt.datetime) -> Mapping[int, str]:
        """Reasons by row id. If several rows share a record, for example a plan, only the first row follows it."""
        reasons: dict[int, str] = {}
        seen: set[tuple[str, int]] = set()
        followed = _followed(person, [target for row in rows if (target := target_of(row)) is not None])
        for row in rows:
            target = target_of(row)
            if target is None:
                reasons[row.pk] = "These rows do not belong to a partnership, so you cannot follow them."
            elif (subject := (kind_of(target), target.pk)) in followed:
                reasons[row.pk] = "You already follow these."
            elif subject in seen:
                reasons[row.pk] = "Another row that you chose has the same plan, partnership or organisation."
            else:
                seen.add(subject)
        return reasons

    def change(*, row: Any, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
        subscribe(person=person, target=target_of(row), author=person, now=now)

    return BulkAction(
        name="follow",
        label=definition.follow_words,
        done="followed from now on",
        form=only_button("Follow these"),
        left_out=left_out,
        change=change,
        refusals=(UnableToSubscribe,),
    )


def _followed(person: User, targets: Sequence[Any]) -> set[tuple[str, int]]:
    """The targets that the person follows, each as its kind and id. One query per kind."""
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for target in targets:
        by_kind[kind_of(target)].append(target.pk)
    followed = Subscription.objects.confirmed().filter(person=person, key="")
    return {
        (kind, pk)
        for kind, target_ids in by_kind.items()
        for pk in followed.filter(**{f"{kind}__in": target_ids}).values_list(kind, flat=True)
    }
