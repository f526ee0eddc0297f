"""What emails of the ledger contain, in words for their reader."""

from __future__ import annotations

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject
from partnerships.digests.queries.naming import named_for
from partnerships.people.models import User


def with_names(person: User, deliveries: list[Delivery]) -> list[Delivery]:
    """These emails; subscriptions are named only where the reader may know."""
    asking = [delivery.subscription for delivery in deliveries if delivery.subscription is not None]
    if person.is_staff:
        for subscription in asking:
            subscription.named = True
    else:
        named_for(person, asking, timezone.now())
    return deliveries


def with_items(deliveries: list[Delivery]) -> list[Delivery]:
    """The same emails with what is in them, in two queries."""
    items = DeliveryItem.objects.select_related("plan").order_by("pk")
    subjects = DeliverySubject.objects.select_related("subject").order_by("pk")
    prefetch_related_objects(deliveries, Prefetch("items", queryset=items), Prefetch("subjects", queryset=subjects))
    return deliveries


def items_of(delivery: Delivery, publishable_ids: set[int] | None) -> list[str]:
    """What was in it, and why some was left out.

    Only about the plans in `publishable_ids` (all if None). Needs `with_items`.
    """
    said = [_said_of(row) for row in delivery.items.all() if publishable_ids is None or row.plan_id in publishable_ids]
    if publishable_ids is None:
        said += [_said_of_subject(subject) for subject in delivery.subjects.all()]
    if delivery.subscription is not None:
        said.append(f"Asks whether they want digests about {delivery.subscription.called}")
    return said


def _said_of(row: DeliveryItem) -> str:
    what = f"version {row.from_number} to {row.to_number}" if row.from_number else "new"
    return f"{row.plan.title}, {what}" + (f": left out because {row.left_out}" if row.left_out else "")


def _said_of_subject(row: DeliverySubject) -> str:
    what = f"{row.subject.get_kind_display()} {row.subject.record_id}, changes {row.from_number + 1} to {row.to_number}"
    return what + (f": left out because {row.left_out}" if row.left_out else "")
