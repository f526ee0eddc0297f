"""Retention: letters as sent are kept for 30 days, the shared pieces as long as letters need them, counters for a
day; who was asked to follow something and never answered is forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Exists, F, OuterRef, QuerySet

from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    Preference,
    Publication,
    Slot,
    Subscription,
    SubscriptionStatus,
    TypedAddress,
)
from partnerships.outbox import retention as outbox
from partnerships.people.models import Invitation, User
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import delete_in_batches, for_each, register_retention

#: How long a publication that was told is kept.
KEPT = dt.timedelta(days=30)
#: How long somebody who was asked to follow something, and has not answered, is remembered after the last letter:
#: the link in it holds for 14 days.
UNANSWERED = dt.timedelta(days=30)


def _publications(now: dt.datetime) -> QuerySet[Publication]:
    return Publication.objects.filter(spread_at__lte=now - KEPT, number__lt=F("plan__current_number"))


def _typed(now: dt.datetime) -> QuerySet[TypedAddress]:
    return TypedAddress.objects.filter(typed_at__lte=now - dt.timedelta(days=1))


def _slots(now: dt.datetime) -> QuerySet[Slot]:
    return Slot.objects.filter(slot_on__lt=(now - dt.timedelta(days=7)).date())


def _items_of_dropped_emails() -> QuerySet[DeliveryItem]:
    """Items of emails that went with their month."""
    return DeliveryItem.objects.filter(delivery__lt=outbox.lowest_number() or 0)


def tidy(*, now: dt.datetime, dry_run: bool = False) -> dict[str, int]:
    """Remove what is older than it is kept, or only count it; says how much of what."""
    gone: tuple[tuple[str, QuerySet[Any]], ...] = (
        ("publications", _publications(now)),
        ("typed addresses", _typed(now)),
        ("dates of digests", _slots(now)),
    )
    emails = {
        "bodies": outbox.clear_bodies(now=now, dry_run=dry_run),
        "addresses": outbox.clear_addresses(now=now, dry_run=dry_run),
        "counts and parts": outbox.remove_counts(now=now, dry_run=dry_run),
        "months": 0 if dry_run else outbox.drop_partitions(),
        "items": delete_in_batches(_items_of_dropped_emails(), dry_run=dry_run),
    }
    return emails | {name: delete_in_batches(rows, dry_run=dry_run) for name, rows in gone}


def never_answered(now: dt.datetime) -> Iterator[User]:
    """People without an account whom somebody asked to follow something, who never answered, and whom nothing else
    here names.

    Who said no to something or to all questions is remembered, even if a partner has asked again since: otherwise their
    no would go with them.
    """
    theirs = Subscription.objects.filter(person=OuterRef("pk"))
    lately = Delivery.objects.filter(recipient=OuterRef("pk"), created_at__gt=now - UNANSWERED)
    found = User.objects.filter(
        Exists(theirs),
        ~Exists(theirs.exclude(status=SubscriptionStatus.ASKED)),
        ~Exists(theirs.filter(refused_at__isnull=False)),
        ~Exists(Preference.objects.filter(person=OuterRef("pk"), refused_at__isnull=False)),
        ~Exists(theirs.filter(asked_at__gt=now - UNANSWERED)),
        ~Exists(lately),
        ~Exists(Invitation.objects.open(now).filter(person=OuterRef("pk"))),
        account_since=None,
        erased_at=None,
    )
    for person in found.order_by("pk"):
        if not any(_names(model, field, person) for model, field in _elsewhere()):
            yield person


def _elsewhere() -> Iterator[tuple[type, str]]:
    """Every field of other rooms that refers to a person."""
    for model in apps.get_models():
        if model._meta.app_label in {"digests", "people", "account"} or hasattr(model, "pgh_tracked_model"):
            continue
        if model._meta.managed and not model._meta.proxy:
            for field in model._meta.concrete_fields:
                if field.related_model is User:
                    yield model, field.name


def _names(model: type, field: str, person: User) -> bool:
    found: bool = model._default_manager.filter(**{field: person.pk}).exists()  # type: ignore[attr-defined]  # a model's
    return found


def _forget(now: dt.datetime, dry_run: bool) -> int:
    people = list(never_answered(now))
    if dry_run:
        return len(people)
    reason = "Was asked and never answered."
    return for_each(people, lambda person: erase_person(person=person, author=None, reason=reason, now=now))


def register() -> None:
    """Say it all, once, at start-up."""
    basis = "public task: working together on housing"
    register_retention(
        "emails",
        what="Emails as they were sent, where they went, and who got what when",
        purpose="showing what somebody was told",
        basis=basis,
        kept_for="the text 30 days, the address a year, the row three years",
        apply=lambda now, dry_run: sum(tidy(now=now, dry_run=dry_run).values()),
    )
    register_retention(
        "stakeholders who never answered",
        what="Name and address of somebody who was asked to follow something",
        purpose="asking them",
        basis=basis,
        kept_for="30 days after the last letter that asked; whoever said no is remembered",
        apply=_forget,
    )
