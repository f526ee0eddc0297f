"""What can be done with several stakeholders of the list at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.kit.forms import Form, Helper
from partnerships.kit.lists import BulkAction
from partnerships.people.models import User


class AskAgainForm(Form):
    """Nothing to fill in."""

    def __init__(self, data: QueryDict | None, _person: User, _rows: Sequence[Subscription]) -> None:
        super().__init__(data)
        self.helper = Helper(self, submit="Ask again")


def _left_out(_person: User, rows: Sequence[Subscription], _now: dt.datetime) -> dict[int, str]:
    return {row.pk: "These have answered already." for row in rows if not row.is_waiting}


def _ask_again(*, row: Subscription, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.ask_again(subscription=row, author=person, now=now)


#: Each email asks about one thing, because each needs an answer of its own.
ASK_AGAIN = BulkAction(
    name="ask",
    label="Ask again",
    done="asked again",
    form=AskAgainForm,
    left_out=_left_out,
    change=_ask_again,
    refusals=(services.UnableToSubscribe,),
)
