"""What emails of the ledger contain, in words for their reader."""

from __future__ import annotations

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject
from partnerships.digests.queries.naming import set_names_for
from partnerships.people.models import User


def with_names(person: User, deliveries: list[Delivery]) -> list[Delivery]:
    """Return these emails, after setting which of their subscriptions may be named to the reader."""
    asking = [delivery.subscription for delivery in deliveries if delivery.subscription is not None]
    if person.is_staff:
        for subscription in asking:
            subscription.named = True
    else:
        set_names_for(person, asking, timezone.now())
    return deliveries


def with_items(deliveries: list[Delivery]) -> list[Delivery]:
    """Return these emails, after reading what is in them in two queries."""
    items = DeliveryItem.objects.select_related("plan").order_by("pk")
    subjects = DeliverySubject.objects.select_related("subject").order_by("pk")
    prefetch_related_objects(deliveries, Prefetch("items", queryset=items), Prefetch("subjects", queryset=subjects))
    return deliveries


def items_of(delivery: Delivery, publishable_ids: set[int] | None) -> list[str]:
    """What was in an email, and why parts of it were left out.

    Only about the plans in `publishable_ids` (all if None). Needs `with_items`.
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
    versions = f"version {item.from_number} to {item.to_number}" if item.from_number else "new"
    return f"{item.plan.title}, {versions}" + _left_out(item.left_out)


def _text_of_subject(told: DeliverySubject) -> str:
    record = f"{told.subject.get_kind_display()} {told.subject.record_id}"
    return f"{record}, changes {told.from_number + 1} to {told.to_number}" + _left_out(told.left_out)


def _left_out(reason: str) -> str:
    return f": left out because {reason}" if reason else ""
