"""Reads which emails were sent, which news is due, and who had an email sent again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from partnerships.activity.models import Event
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Delivery, DeliveryItem, DeliveryKind, Watermark
from partnerships.digests.queries.addresses import people_with_known_address
from partnerships.digests.queries.subscriptions import may_ask_stakeholders
from partnerships.kit.text import without_addresses
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models import Plan

#: A search of the ledger passes at most this many people to PostgreSQL as a list, and more as a subquery.
_MAX_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class SentAgain:
    """One request to send an email again."""

    at: dt.datetime
    by: str
    #: The reason may be empty.
    reason: str
    #: The id of the email that was created.
    repeat: int


def may_look(user: User) -> bool:
    """Return whether the person may see the ledger, as administrators and leads may."""
    return user.is_staff or bool(Membership.objects.organisations_of(user, Role.LEAD))


def tabs_for(user: User) -> dict[str, Any]:
    """Return which tabs of digests this person may open, as context for the template of the tabs."""
    return {"may_look": may_look(user), "may_add": may_ask_stakeholders(user)}


def ledger_of(user: User) -> QuerySet[Delivery]:
    """Return the emails that the person may look up, newest first.

    Administrators see all emails. Leads see emails about plans that they may publish, and confirmations to stakeholders
    whom their organisation asked.
    """
    rows = Delivery.objects.select_related(
        "recipient", "subscription__plan", "subscription__partnership", "subscription__organisation"
    )
    if not user.is_staff:
        own_plans = Plan.objects.publishable_by(user).values("pk")
        organisations = Organisation.objects.of_person(user, Role.LEAD).values("pk")
        with_own_plans = DeliveryItem.objects.filter(plan__in=own_plans).values("delivery_id")
        own_confirmations = Delivery.objects.filter(
            kind=DeliveryKind.CONFIRMATION, subscription__added_for__in=organisations
        ).values("pk")
        # A union, because with OR, PostgreSQL reads the whole ledger.
        rows = rows.filter(pk__in=with_own_plans.union(own_confirmations))
    return rows.order_by("-pk")


@dataclass(frozen=True, slots=True)
class Shown:
    """An email as a reader of the ledger may see it."""

    delivery: Delivery
    #: The name or, if the reader may see it, the address of the recipient.
    who: str
    #: The address; "" if the reader may not see it.
    address: str

    def answer_of_server(self, text: str) -> str:
        """Return an answer of a mail server, without addresses that the reader may not see."""
        return text if self.address else without_addresses(text)

    @property
    def reason(self) -> str:
        """Return why the email failed, bounced or was not sent."""
        return self.answer_of_server(self.delivery.reason)


def shown_to(reader: User, deliveries: Collection[Delivery]) -> list[Shown]:
    """Return these emails with what the reader may know about their recipients.

    A confirmation shows only the address that was typed, because its recipient has not confirmed who they are.
    """
    recipient_ids = {delivery.recipient_id for delivery in deliveries}
    known_people = people_with_known_address(reader).filter(pk__in=recipient_ids)
    known_ids = set(known_people.values_list("pk", flat=True))
    shown_emails = []
    for delivery in deliveries:
        recipient = delivery.recipient
        address = ""
        if recipient.pk in known_ids:
            address = delivery.address or recipient.email
        has_known_name = delivery.kind != DeliveryKind.CONFIRMATION and bool(recipient.name)
        if address and not has_known_name:
            who = address
        else:
            who = recipient.display_name
        shown_emails.append(Shown(delivery=delivery, who=who, address=address))
    return shown_emails


def with_words(reader: User, rows: QuerySet[Delivery], words: str) -> QuerySet[Delivery]:
    """Return the emails whose recipient has this text in the name, or in an address that the reader may see."""
    people_by_address = people_with_known_address(reader).filter(email__icontains=words)
    if reader.is_staff:
        people_by_name = User.objects.filter(name__icontains=words)
        people = people_by_name.values_list("pk", flat=True).union(people_by_address.values_list("pk", flat=True))
        # PostgreSQL knows the length of a list, but not of a subquery. For a short list it looks up the emails of each
        # person, and for many people it reads the newest emails.
        first_ids = list(people[: _MAX_LISTED + 1])
        return rows.filter(recipient__in=first_ids if len(first_ids) <= _MAX_LISTED else people)
    # People who have not confirmed are found only by the address that was typed.
    by_name = rows.filter(recipient__name__icontains=words)
    by_name = by_name.exclude(subscription__isnull=False, subscription__confirmed_at=None)
    return rows.filter(recipient__in=people_by_address.values("pk")) | by_name


def due_within(user: User, *, until: dt.datetime) -> QuerySet[Watermark]:
    """Return the watermarks of plans that are due by `until`, the soonest first.

    Leads see only watermarks of their plans.
    """
    rows = Watermark.objects.filter(due_at__lte=until).select_related("recipient", "plan")
    if not user.is_staff:
        rows = rows.filter(plan__in=Plan.objects.publishable_by(user).values("pk"))
    return rows.order_by("due_at", "pk")


def repeats_of(delivery: Delivery) -> list[SentAgain]:
    """Return who had this email sent again, when and why, the earliest first."""
    sent_again = Event.objects.filter(target_kind="delivery", target_id=delivery.pk, kind=EventKind.SENT_AGAIN)
    events = list(sent_again.order_by("at", "pk"))
    people = User.objects.in_bulk([event.actor_id for event in events if event.actor_id])
    return [
        SentAgain(
            at=event.at,
            by=people[event.actor_id].display_name if event.actor_id in people else "A former member",
            reason=event.data.get("reason", ""),
            repeat=event.data.get("repeat", 0),
        )
        for event in events
    ]
