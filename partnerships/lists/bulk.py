"""Following several rows of a list: what any list offers whose rows digests tell of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import kind_of
from partnerships.digests.services import UnableToSubscribe, subscribe
from partnerships.kit.forms import Form, Helper
from partnerships.kit.lists import BulkAction, ListDefinition
from partnerships.people.models import User


class FollowForm(Form):
    """Nothing to fill in."""

    def __init__(self, data: QueryDict | None, _person: User, _rows: Sequence[Any]) -> None:
        super().__init__(data)
        self.helper = Helper(self, submit="Follow these")


def follow_action(definition: ListDefinition) -> BulkAction | None:
    """Following what the rows of a list are about; None if digests cannot tell of it."""
    if definition.followed is None:
        return None
    target_of = definition.followed

    def left_out(person: User, rows: Sequence[Any], _now: dt.datetime) -> Mapping[int, str]:
        """Those that the person follows already, and those of a plan or partnership that another row has."""
        reasons, seen = {}, set()
        known = _followed(person, [target for row in rows if (target := target_of(row)) is not None])
        for row in rows:
            target = target_of(row)
            if target is None:
                reasons[row.pk] = "They belong to no partnership."
            elif target.pk in known:
                reasons[row.pk] = "You follow these already."
            elif target.pk in seen:
                reasons[row.pk] = "Another of these rows has the same plan or partnership."
            else:
                seen.add(target.pk)
        return reasons

    def change(*, row: Any, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
        subscribe(person=person, target=target_of(row), author=person, now=now)

    return BulkAction(
        name="follow",
        label=definition.follow_words,
        done="followed from now on",
        form=FollowForm,
        left_out=left_out,
        change=change,
        refusals=(UnableToSubscribe,),
    )


def _followed(person: User, targets: Sequence[Any]) -> set[int]:
    """Ids of the targets, all of one kind, that the person follows."""
    if not targets:
        return set()
    field = kind_of(targets[0])
    followed = Subscription.objects.confirmed().filter(person=person, key="")
    return set(followed.filter(**{f"{field}__in": [one.pk for one in targets]}).values_list(field, flat=True))
