"""The actions for several rows of the lists of stakeholders and of digests sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from partnerships.digests import services
from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject, Subscription
from partnerships.kit.lists import BulkAction, only_button
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.models import Plan


def _reasons_not_to_ask_again(_person: User, rows: Sequence[Subscription], _now: dt.datetime) -> dict[int, str]:
    """Return why people cannot be asked again, by the id of the subscription."""
    return {
        row.pk: "These people have already answered, so you do not need to ask them again."
        for row in rows
        if not row.is_waiting
    }


def _ask_again(*, row: Subscription, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.ask_again(subscription=row, author=person, now=now)


#: Each email asks about one subscription, because each needs an answer of its own.
ASK_AGAIN = BulkAction(
    name="ask",
    label="Ask again",
    done="asked again",
    form=only_button("Ask again"),
    left_out=_reasons_not_to_ask_again,
    change=_ask_again,
    refusals=(services.UnableToSubscribe,),
)


def _reasons_not_to_send_again(person: User, rows: Sequence[Delivery], now: dt.datetime) -> dict[int, str]:
    """Return why this person cannot send emails again, by the id of the email.

    A reason in the email itself replaces a reason in the person's rights.
    """
    reason_by_id: dict[int, str] = {}
    if not roles_of(person, now).may_change_directory:
        reason_by_id |= dict.fromkeys(_with_other_content(person, rows), "Only administrators can send these again.")
    for row in rows:
        if row.is_open:
            reason_by_id[row.pk] = "These emails are still on their way. Wait until they have arrived or failed."
        elif row.is_sent:
            reason_by_id[row.pk] = "A mail server has accepted these emails. Open one to send it again with a reason."
        elif not row.can_be_sent_again:
            reason_by_id[row.pk] = "Only digests can be sent again."
    return reason_by_id


def _with_other_content(person: User, rows: Sequence[Delivery]) -> set[int]:
    """Return the ids of emails with content other than new versions of plans that the person may publish."""
    ids = [row.pk for row in rows]
    publishable = Plan.objects.publishable_by(person).values("pk")
    other_items = DeliveryItem.objects.included().filter(delivery__in=ids).exclude(plan__in=publishable)
    subjects = DeliverySubject.objects.included().filter(delivery__in=ids)
    return {*other_items.values_list("delivery", flat=True), *subjects.values_list("delivery", flat=True)}


def _send_again(*, row: Delivery, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.send_again(delivery=row, author=person, now=now)


SEND_AGAIN = BulkAction(
    name="again",
    label="Send again",
    done="will be sent again",
    form=only_button("Send again"),
    left_out=_reasons_not_to_send_again,
    change=_send_again,
    refusals=(services.UnableToSendAgain,),
)
