"""Describes what emails of the ledger contain, for readers of the ledger."""

from __future__ import annotations

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject
from partnerships.digests.queries.naming import set_names_for
from partnerships.people.models import User


def with_names(person: User, deliveries: list[Delivery]) -> list[Delivery]:
    """Set which subscriptions of these emails the reader may see by name; returns the emails."""
    asking = [delivery.subscription for delivery in deliveries if delivery.subscription is not None]
    if person.is_staff:
        for subscription in asking:
            subscription.named = True
    else:
        set_names_for(person, asking, timezone.now())
    return deliveries


def with_items(deliveries: list[Delivery]) -> list[Delivery]:
    """Read what is in these emails, in two queries for all; returns the emails."""
    items = DeliveryItem.objects.select_related("plan").order_by("pk")
    subjects = DeliverySubject.objects.select_related("subject").order_by("pk")
    prefetch_related_objects(deliveries, Prefetch("items", queryset=items), Prefetch("subjects", queryset=subjects))
    return deliveries


def items_of(delivery: Delivery, publishable_ids: set[int] | None) -> list[str]:
    """Return lines about what an email contains, and why parts were left out. `with_items` must be called first.

    With `publishable_ids`, only lines about these plans.
    """
    contents = [
        _text_of_item(item)
        for item in delivery.items.all()
        if publishable_ids is None or item.plan_id in publishable_ids
    ]
    if publishable_ids is None:
        contents += [_text_of_subject(subject) for subject in delivery.subjects.all()]
    if delivery.subscription is not None:
        contents.append(f"Asks whether they want digests about {delivery.subscription.shown_name}")
    return contents


def _text_of_item(item: DeliveryItem) -> str:
    """Return a line about a plan in an email."""
    versions = f"version {item.from_number} to {item.to_number}" if item.from_number else "new"
    return f"{item.plan.title}, {versions}" + _left_out(item.left_out)


def _text_of_subject(told: DeliverySubject) -> str:
    """Return a line about a subject in an email; administrators see its kind and id, not its name."""
    record = f"{told.subject.get_kind_display()} {told.subject.record_id}"
    return f"{record}, changes {told.from_number + 1} to {told.to_number}" + _left_out(told.left_out)


def _left_out(reason: str) -> str:
    return f": left out because {reason}" if reason else ""
