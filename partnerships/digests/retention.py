"""Deletes old emails and the records that belong to them, and erases stakeholders who never answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

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
from partnerships.digests.models.stops import UNDO_PERIOD
from partnerships.digests.queries.stoppable import kinds_stopped_by_params
from partnerships.outbox import retention as outbox
from partnerships.outbox.models import Email
from partnerships.people.models import Invitation, User
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import count_successes, delete_in_batches, register_retention

#: How long a publication is stored after its followers were marked.
PUBLICATIONS_KEPT = dt.timedelta(days=30)
#: How long notices stay in the inbox, read or not.
NOTICES_KEPT = dt.timedelta(days=365)
#: How long a person who never answered is stored after the last email that asked them. Its link works for 14 days.
UNANSWERED_KEPT = dt.timedelta(days=30)


def _old_publications(now: dt.datetime) -> QuerySet[Publication]:
    return Publication.objects.filter(spread_at__lte=now - PUBLICATIONS_KEPT, number__lt=F("plan__current_number"))


def _old_email_requests(now: dt.datetime) -> QuerySet[EmailRequest]:
    return EmailRequest.objects.filter(typed_at__lte=now - dt.timedelta(days=1))


def _old_slots(now: dt.datetime) -> QuerySet[Slot]:
    return Slot.objects.filter(slot_on__lt=(now - dt.timedelta(days=7)).date())


def _old_notices(now: dt.datetime) -> QuerySet[InboxItem]:
    return InboxItem.objects.filter(created_at__lte=now - NOTICES_KEPT)


def _old_stops(now: dt.datetime) -> QuerySet[Stop]:
    return Stop.objects.filter(at__lte=now - UNDO_PERIOD)


def _items_of_dropped_emails(now: dt.datetime) -> QuerySet[DeliveryItem]:
    return DeliveryItem.objects.filter(delivery__lt=outbox.lowest_id() or 0)


def _subjects_of_dropped_emails(now: dt.datetime) -> QuerySet[DeliverySubject]:
    return DeliverySubject.objects.filter(delivery__lt=outbox.lowest_id() or 0)


class _RowRule(NamedTuple):
    """A rule of retention that deletes the old rows of a table; `old_rows` finds them."""

    name: str
    what: str
    kept_for: str
    old_rows: Callable[[dt.datetime], QuerySet[Any]]


_ROW_RULES = (
    _RowRule(
        "items of digests",
        "Which plans were in a digest",
        "three years, as for the email itself",
        _items_of_dropped_emails,
    ),
    _RowRule(
        "changes in digests",
        "Which changes of partnerships, asks and commitments were in a digest",
        "three years, as for the email itself",
        _subjects_of_dropped_emails,
    ),
    _RowRule("publications", "Versions sent to followers", "30 days", _old_publications),
    _RowRule("typed addresses", "Addresses entered by people who are not signed in", "a day", _old_email_requests),
    _RowRule("stops that can be undone", "What a person stopped, so that they can undo it", "30 days", _old_stops),
    _RowRule("dates of digests", "Days on which a person had a digest", "7 days", _old_slots),
    _RowRule("notices in inboxes", "What each person was told, and whether they read it", "12 months", _old_notices),
    _RowRule(
        "shared parts of emails", "Text that many emails share", "33 days after its last use", outbox.unused_parts
    ),
    _RowRule("emails before a restore", "Emails delivered before a restore", "30 days", outbox.old_deliveries),
    _RowRule("counts of emails", "How many emails were sent in a minute", "a day", outbox.old_counts),
    _RowRule(
        "reports from providers", "Which reports from mail providers we have processed", "a year", outbox.old_reports
    ),
    _RowRule("old Message-IDs", "Message-IDs from before the outbox", "as long as their email", outbox.old_message_ids),
)


def _removals() -> dict[str, Callable[[dt.datetime, bool], int]]:
    """Return the function of each rule by name; it takes `now` and `dry_run`, and returns how many rows it removed."""
    removals: dict[str, Callable[[dt.datetime, bool], int]] = {
        "text of emails": lambda now, dry_run: outbox.clear_bodies(now=now, dry_run=dry_run),
        "addresses of emails": lambda now, dry_run: outbox.clear_addresses(
            now=now, kinds_with_params=kinds_stopped_by_params(), dry_run=dry_run
        ),
        "rows of emails": lambda _now, dry_run: 0 if dry_run else outbox.drop_partitions(),
    }
    for rule in _ROW_RULES:
        removals[rule.name] = partial(_delete, rule)
    return removals


def _delete(rule: _RowRule, now: dt.datetime, dry_run: bool) -> int:
    """Delete the old rows of a rule, and return how many."""
    return delete_in_batches(rule.old_rows(now), dry_run=dry_run)


def tidy(*, now: dt.datetime, dry_run: bool = False) -> dict[str, int]:
    """Apply every rule about emails, and return how many rows each removed, by the name of the rule.

    If a rule fails, the others are applied all the same; then the first failure is raised.
    """
    removals = _removals()
    count_by_rule: dict[str, int] = {}

    def apply(name: str) -> None:
        count_by_rule[name] = removals[name](now, dry_run)

    count_successes(removals, apply)
    return count_by_rule


def stakeholders_who_never_answered(now: dt.datetime) -> Iterator[User]:
    """Yield stakeholders who were asked a question, never answered, and are named in no other record.

    They were asked to follow a record, or to take part in a survey that has closed. People who refused anything are not
    among them, even if they were asked again since, because their refusal would be deleted with them.
    """
    own_subscriptions = Subscription.objects.filter(person=OuterRef("pk"))
    recent_emails = Email.objects.filter(person_id=OuterRef("pk"), created_at__gt=now - UNANSWERED_KEPT)
    users = User.objects.filter(
        ~Exists(own_subscriptions.exclude(status=SubscriptionStatus.ASKED)),
        ~Exists(own_subscriptions.filter(refused_at__isnull=False)),
        ~Exists(Preference.objects.filter(person=OuterRef("pk"), refused_at__isnull=False)),
        ~Exists(own_subscriptions.filter(asked_at__gt=now - UNANSWERED_KEPT)),
        ~Exists(recent_emails),
        ~Exists(Invitation.objects.open_at(now).filter(person=OuterRef("pk"))),
        joined_at__lte=now - UNANSWERED_KEPT,
        account_since=None,
        erased_at=None,
        is_staff=False,
    )
    for person in users.order_by("pk"):
        if not any(_is_named_in(model, field, person) for model, field in _person_fields_of_other_rooms()):
            yield person


def _person_fields_of_other_rooms() -> Iterator[tuple[type, str]]:
    """Yield every model of another room with a foreign key to a person, and the name of the field."""
    for model in apps.get_models():
        if model._meta.app_label in {"digests", "people", "account"} or hasattr(model, "pgh_tracked_model"):
            continue
        if model._meta.managed and not model._meta.proxy:
            for field in model._meta.concrete_fields:
                if field.related_model is User:
                    yield model, field.name


def _is_named_in(model: type, field: str, person: User) -> bool:
    """Return True if a record of this model refers to the person in this field."""
    exists: bool = model._default_manager.filter(**{field: person.pk}).exists()  # type: ignore[attr-defined]  # a model's
    return exists


def _erase_never_answered(now: dt.datetime, dry_run: bool) -> int:
    """Erase people who never answered, and return how many."""
    people = list(stakeholders_who_never_answered(now))
    if dry_run:
        return len(people)
    reason = "The person was asked and never answered."
    return count_successes(people, lambda person: erase_person(person=person, author=None, reason=reason, now=now))


def register() -> None:
    """Register the rules of this room with the list of retention rules, at start-up."""
    basis = "public task: working together on housing"
    removals = _removals()
    descriptions = (
        ("text of emails", "The text of emails as sent", "30 days"),
        ("addresses of emails", "Addresses and subjects of emails, and mail servers' replies", "a year"),
        ("rows of emails", "Who got which email and when", "three years, a month at a time"),
        *((rule.name, rule.what, rule.kept_for) for rule in _ROW_RULES),
    )

    for name, what, kept_for in descriptions:
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
        what="Name and address of a person who was asked to follow something, or asked or named in a survey",
        purpose="asking them",
        basis=basis,
        kept_for="30 days after the last email that asked, but refusals are kept",
        apply=_erase_never_answered,
    )
