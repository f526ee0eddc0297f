"""Retention of emails, and of stakeholders who never answered or are no longer named anywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.apps import apps
from django.db.models import Exists, F, OuterRef, QuerySet

from partnerships.digests.models import (
    DeliveryItem,
    DeliverySubject,
    EmailRequest,
    InboxItem,
    Preference,
    Publication,
    Slot,
    Stop,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.models.stops import UNDO_WITHIN
from partnerships.digests.queries.stoppable import kinds_stopped_by_params
from partnerships.outbox import retention as outbox
from partnerships.outbox.models import Email
from partnerships.people.models import Invitation, User
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import delete_in_batches, for_each, register_retention

#: How long a spread publication is kept.
KEPT = dt.timedelta(days=30)
#: How long notices stay in the inbox, read or not.
NOTICES_KEPT = dt.timedelta(days=365)
#: How long people who did not answer are kept after the last email that asked them. Its link works for 14 days.
UNANSWERED = dt.timedelta(days=30)


def _publications(now: dt.datetime) -> QuerySet[Publication]:
    return Publication.objects.filter(spread_at__lte=now - KEPT, number__lt=F("plan__current_number"))


def _typed(now: dt.datetime) -> QuerySet[EmailRequest]:
    return EmailRequest.objects.filter(typed_at__lte=now - dt.timedelta(days=1))


def _slots(now: dt.datetime) -> QuerySet[Slot]:
    return Slot.objects.filter(slot_on__lt=(now - dt.timedelta(days=7)).date())


def _notices(now: dt.datetime) -> QuerySet[InboxItem]:
    return InboxItem.objects.filter(created_at__lte=now - NOTICES_KEPT)


def _stops(now: dt.datetime) -> QuerySet[Stop]:
    return Stop.objects.filter(at__lte=now - UNDO_WITHIN)


def _items_of_dropped_emails(now: dt.datetime) -> QuerySet[DeliveryItem]:
    return DeliveryItem.objects.filter(delivery__lt=outbox.lowest_number() or 0)


def _subjects_of_dropped_emails(now: dt.datetime) -> QuerySet[DeliverySubject]:
    return DeliverySubject.objects.filter(delivery__lt=outbox.lowest_number() or 0)


#: Small tables whose old rows are deleted: name of the rule, what it covers, how long it is kept, and the rows.
_ROWS: tuple[tuple[str, str, str, Callable[[dt.datetime], QuerySet[Any]]], ...] = (
    ("items of digests", "Which plans were in a digest", "as long as its email: three years", _items_of_dropped_emails),
    (
        "changes in digests",
        "Which changes of partnerships, asks and commitments were in a digest",
        "as long as its email: three years",
        _subjects_of_dropped_emails,
    ),
    ("publications", "Versions sent to followers", "30 days", _publications),
    ("typed addresses", "Addresses typed by people who are not signed in", "a day", _typed),
    ("stops that can be undone", "What somebody stopped, to undo it", "30 days", _stops),
    ("dates of digests", "Days on which somebody had a digest", "7 days", _slots),
    ("notices in inboxes", "What each person was told, and whether they read it", "12 months", _notices),
    ("shared parts of emails", "Text that many emails share", "33 days after its last use", outbox.old_parts),
    ("emails before a restore", "Emails delivered before a restore", "30 days", outbox.old_deliveries),
    ("counts of emails", "How many emails were sent in a minute", "a day", outbox.old_counts),
    ("reports from providers", "Which reports were acted on", "a year", outbox.old_reports),
    ("old Message-IDs", "Message-IDs from before the outbox", "as long as their email", outbox.old_message_ids),
)


def _removals() -> dict[str, Callable[[dt.datetime, bool], int]]:
    """What each rule about emails does, by the name of the rule."""
    removals: dict[str, Callable[[dt.datetime, bool], int]] = {
        "text of emails": lambda now, dry_run: outbox.clear_bodies(now=now, dry_run=dry_run),
        "addresses of emails": lambda now, dry_run: outbox.clear_addresses(
            now=now, keeping=kinds_stopped_by_params(), dry_run=dry_run
        ),
        "rows of emails": lambda _now, dry_run: 0 if dry_run else outbox.drop_partitions(),
    }
    for name, _what, _kept_for, rows in _ROWS:
        removals[name] = partial(_delete, rows)
    return removals


def _delete(rows: Callable[[dt.datetime], QuerySet[Any]], now: dt.datetime, dry_run: bool) -> int:
    return delete_in_batches(rows(now), dry_run=dry_run)


def tidy(*, now: dt.datetime, dry_run: bool = False) -> dict[str, int]:
    """Apply every rule about emails; return how much each removed.

    Raises the first failure, after all the others have run.
    """
    counts: dict[str, int] = {}

    def apply(name: str) -> None:
        counts[name] = removals[name](now, dry_run)

    removals = _removals()
    for_each(removals, apply)
    return counts


def never_answered(now: dt.datetime) -> Iterator[User]:
    """Stakeholders who never answered, or were only asked to answer a survey, and appear nowhere else.

    People asked in a survey, or named to read its comments, follow nothing, and once it is over no row names them.
    People who refused something or all questions are kept, even if they were asked again since: otherwise the refusal
    would be deleted too.
    """
    own_subscriptions = Subscription.objects.filter(person=OuterRef("pk"))
    lately = Email.objects.filter(person_id=OuterRef("pk"), created_at__gt=now - UNANSWERED)
    users = User.objects.filter(
        ~Exists(own_subscriptions.exclude(status=SubscriptionStatus.ASKED)),
        ~Exists(own_subscriptions.filter(refused_at__isnull=False)),
        ~Exists(Preference.objects.filter(person=OuterRef("pk"), refused_at__isnull=False)),
        ~Exists(own_subscriptions.filter(asked_at__gt=now - UNANSWERED)),
        ~Exists(lately),
        ~Exists(Invitation.objects.open(now).filter(person=OuterRef("pk"))),
        joined_at__lte=now - UNANSWERED,
        account_since=None,
        erased_at=None,
        is_staff=False,
    )
    for person in users.order_by("pk"):
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
    exists: bool = model._default_manager.filter(**{field: person.pk}).exists()  # type: ignore[attr-defined]  # a model's
    return exists


def _forget(now: dt.datetime, dry_run: bool) -> int:
    people = list(never_answered(now))
    if dry_run:
        return len(people)
    reason = "Was asked and never answered."
    return for_each(people, lambda person: erase_person(person=person, author=None, reason=reason, now=now))


def register() -> None:
    """Register the rules; once, at start-up."""
    basis = "public task: working together on housing"
    removals = _removals()
    described = (
        ("text of emails", "The text of emails as sent", "30 days"),
        ("addresses of emails", "Addresses and subjects of emails, and mail servers' replies", "a year"),
        ("rows of emails", "Who got which email and when", "three years, a month at a time"),
        *((name, what, kept_for) for name, what, kept_for, _rows in _ROWS),
    )
    for name, what, kept_for in described:
        register_retention(
            name,
            what=what,
            purpose="sending emails, and showing what was sent",
            basis=basis,
            kept_for=kept_for,
            apply=removals[name],
        )
    register_retention(
        "stakeholders who never answered",
        what="Name and address of somebody who was asked to follow something, or asked or named in a survey",
        purpose="asking them",
        basis=basis,
        kept_for="30 days after the last email that asked; refusals are kept",
        apply=_forget,
    )
