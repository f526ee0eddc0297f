"""Describes the contents of emails in the ledger, for readers of the ledger."""

from __future__ import annotations

from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from partnerships.digests.models import Delivery, DeliveryItem, DeliverySubject
from partnerships.digests.queries.naming import set_names_for
from partnerships.people.models import User


def with_names(person: User, deliveries: list[Delivery]) -> list[Delivery]:
    """Set which subscriptions of these emails the reader may see by name, and return the emails."""
    subscriptions = [delivery.subscription for delivery in deliveries if delivery.subscription is not None]
    if person.is_staff:
        for subscription in subscriptions:
            subscription.named = True
    else:
        set_names_for(person, subscriptions, timezone.now())
    return deliveries


def with_items(deliveries: list[Delivery]) -> list[Delivery]:
    """Fetch the plans and subjects in these emails, with two queries for all, and return the emails."""
    items = DeliveryItem.objects.select_related("plan").order_by("pk")
    subjects = DeliverySubject.objects.select_related("subject").order_by("pk")
    prefetch_related_objects(deliveries, Prefetch("items", queryset=items), Prefetch("subjects", queryset=subjects))
    return deliveries


def items_of(delivery: Delivery, publishable_ids: set[int] | None) -> list[str]:
    """Return lines about what an email contains, and why parts were left out. Call `with_items` first.

    With `publishable_ids`, only lines about these plans.
    """
    items = list(delivery.items.all())
    if publishable_ids is not None:
        items = [item for item in items if item.plan_id in publishable_ids]
    contents = [_text_of_item(item) for item in items]
    if publishable_ids is None:
        contents += [_text_of_subject(subject) for subject in delivery.subjects.all()]
    if delivery.subscription is not None:
        contents.append(f"Asks whether they want digests about {delivery.subscription.shown_name}")
    return contents


def _text_of_item(item: DeliveryItem) -> str:
    """Return a line about a plan in an email."""
    versions = f"version {item.from_number} to {item.to_number}" if item.from_number else "new"
    return f"{item.plan.title}, {versions}{_left_out(item.left_out)}"


def _text_of_subject(subject_item: DeliverySubject) -> str:
    """Return a line about a subject in an email, with its kind and id instead of its name, for administrators."""
    record = f"{subject_item.subject.get_kind_display()} {subject_item.subject.record_id}"
    changes = f"changes {subject_item.from_number + 1} to {subject_item.to_number}"
    return f"{record}, {changes}{_left_out(subject_item.left_out)}"


def _left_out(reason: str) -> str:
    """Return the end of a line: why the part was left out, or "" if the email contains the part."""
    return f": left out because {reason}" if reason else ""
