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
from partnerships.kit.lists import BulkAction
from partnerships.people.models import User


class FollowForm(Form):
    """Nothing to fill in."""

    def __init__(self, data: QueryDict | None, _person: User, _rows: Sequence[Any]) -> None:
        super().__init__(data)
        self.helper = Helper(self, submit="Follow these")


def _left_out(person: User, rows: Sequence[Any], _now: dt.datetime) -> Mapping[int, str]:
    """Those that the person follows already."""
    if not rows:
        return {}
    field = kind_of(rows[0])
    followed = Subscription.objects.confirmed().filter(person=person, key="")
    numbers = followed.filter(**{f"{field}__in": [row.pk for row in rows]}).values_list(field, flat=True)
    return dict.fromkeys(numbers, "You follow these already.")


def _change(*, row: Any, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    subscribe(person=person, target=row, author=person, now=now)


FOLLOW = BulkAction(
    name="follow",
    label="Follow",
    done="followed from now on",
    form=FollowForm,
    left_out=_left_out,
    change=_change,
    refusals=(UnableToSubscribe,),
)
