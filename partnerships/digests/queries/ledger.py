"""The ledger as its readers see it: letters that went out, what is due, and who had a letter sent again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from partnerships.activity.models import Event
from partnerships.digests.models import Delivery, Told
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models import Plan

#: What the timeline says of a letter that somebody had sent again.
SENT_AGAIN = "sent a letter again"


@dataclass(frozen=True, slots=True)
class SentAgain:
    """Somebody had a letter sent again: as the delivery `repeat`, for a reason that may be empty."""

    at: dt.datetime
    by: str
    reason: str
    repeat: int


def may_look(user: User) -> bool:
    """Whether the ledger is open to the person: to administrators and leads."""
    return user.is_staff or Membership.objects.current().of_person(user, Role.LEAD).exists()


def ledger_of(user: User) -> QuerySet[Delivery]:
    """Deliveries the person may look up: an administrator all of them, a lead those that tell of plans they may
    publish, and those that ask whom their organisation added."""
    rows = Delivery.objects.select_related(
        "recipient", "subscription__plan", "subscription__partnership", "subscription__organisation"
    )
    if not user.is_staff:
        mine = Plan.objects.publishable_by(user).values("pk")
        asked = Organisation.objects.of_person(user, Role.LEAD).values("pk")
        rows = rows.filter(
            Q(pk__in=Delivery.objects.filter(items__plan__in=mine).values("pk"))
            | Q(pk__in=Delivery.objects.filter(subscription__added_for__in=asked).values("pk"))
        )
    return rows.order_by("-pk")


def due_within(user: User, *, until: dt.datetime) -> QuerySet[Told]:
    """What is due up to a moment, soonest first: all for an administrator, for a lead that of their plans."""
    rows = Told.objects.filter(due_at__lte=until).select_related("recipient", "plan")
    if not user.is_staff:
        rows = rows.filter(plan__in=Plan.objects.publishable_by(user).values("pk"))
    return rows.order_by("due_at", "pk")


def sendings_again(delivery: Delivery) -> list[SentAgain]:
    """Who had this letter sent again, when, and why."""
    events = list(
        Event.objects.filter(target_kind="delivery", target_id=delivery.pk, verb=SENT_AGAIN).order_by("at", "pk")
    )
    people = User.objects.in_bulk([event.actor_id for event in events if event.actor_id])
    return [
        SentAgain(
            at=event.at,
            by=people[event.actor_id].display_name if event.actor_id in people else "Somebody",
            reason=event.data.get("reason", ""),
            repeat=event.data.get("repeat", 0),
        )
        for event in events
    ]
