"""Services of the ledger: sending an email again, and recording that an administrator looked at an email."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Delivery, DeliveryItem, DeliveryKind, DeliverySubject, OpenDigest
from partnerships.digests.rights import may_send_again
from partnerships.digests.services.emails import record_digest_email
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.outbox.models import Email
from partnerships.people.models import SecurityEvent, SecurityEventKind, User


class UnableToSendAgain(Exception):
    """The email has nothing to send again, is still on its way, or needs a reason."""


@transaction.atomic
def send_again(*, delivery: Delivery, author: User, reason: str = "", now: dt.datetime) -> Email:
    """Record a new email with the same news; the rights of its reader are checked again when it is sent.

    Only one repeat of an email may be on its way. If a mail server accepted the email, a reason is needed. Raises
    `UnableToSendAgain`.
    """
    original_id = delivery.repeat_of_id or delivery.pk
    # Lock both emails, by evaluating the query, before reading them.
    list(Email.objects.select_for_update().filter(pk__in=[delivery.pk, original_id]).order_by("pk"))
    delivery = Delivery.objects.get(pk=delivery.pk)
    items = list(DeliveryItem.objects.included().filter(delivery=delivery))
    subjects = list(DeliverySubject.objects.included().filter(delivery=delivery))

    roles = roles_of(author, now)
    require(may_send_again([item.plan_id for item in items], author, roles))
    require(not subjects or roles.may_change_directory)
    if delivery.is_open:
        raise UnableToSendAgain("This email is still on its way. Wait until it has arrived or failed.")
    if delivery.is_sent and not reason.strip():
        raise UnableToSendAgain("A mail server has accepted this email. Enter a reason for sending it again.")
    if delivery.kind != DeliveryKind.DIGEST or not (items or subjects):
        raise UnableToSendAgain("Only digests that contain changes can be sent again.")
    if OpenDigest.objects.filter(recipient=delivery.recipient_id, repeat_of_id=original_id).exists():
        raise UnableToSendAgain("This email is already waiting to be sent again. You do not need to do anything.")

    repeat = record_digest_email(
        DeliveryKind.DIGEST, recipient_id=delivery.recipient_id, repeat_of_id=original_id, now=now
    )
    _copy_contents(repeat, items, subjects)
    record(
        actor_id=author.pk,
        kind=EventKind.SENT_AGAIN,
        target_kind="delivery",
        target_id=delivery.pk,
        now=now,
        data={"repeat": repeat.pk, "status": delivery.status, "reason": reason.strip()[:300]},
    )
    return repeat


def _copy_contents(repeat: Email, items: Iterable[DeliveryItem], subjects: Iterable[DeliverySubject]) -> None:
    """Give a repeat the same plans and subjects as the email that it repeats."""
    DeliveryItem.objects.bulk_create(
        DeliveryItem(
            delivery_id=repeat.pk,
            plan_id=item.plan_id,
            from_number=item.from_number,
            to_number=item.to_number,
            reading_class=item.reading_class,
        )
        for item in items
    )
    DeliverySubject.objects.bulk_create(
        DeliverySubject(
            delivery_id=repeat.pk,
            subject_id=subject.subject_id,
            from_number=subject.from_number,
            to_number=subject.to_number,
            told=subject.told,
        )
        for subject in subjects
    )


@transaction.atomic
def record_look(
    *, person: User, administrator: User, event: EventKind, kind: str, number: int, reason: str, now: dt.datetime
) -> None:
    """Record that an administrator looked at a person's email, also in the person's security log.

    `kind` and `number` are the kind and id of the record that the administrator looked at.
    """
    require(roles_of(administrator, now).is_administrator)
    SecurityEvent.objects.create(person=person, kind=SecurityEventKind.DIGEST_SEEN, at=now)
    record(
        actor_id=administrator.pk,
        kind=event,
        target_kind=kind,
        target_id=number,
        now=now,
        data={"reason": reason},
    )
