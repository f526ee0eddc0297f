"""Email the holders of posts, and the people who must know that nobody leads an organisation."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.emails import CONTACT
from partnerships.agreements.models import Holder, Post, PostRole
from partnerships.agreements.queries import people_in_post
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.models import User


def email_new_holder(post: Post, holder: Holder, person: User, *, now: dt.datetime) -> None:
    """Email a person with an account that they hold a post."""
    record_email(
        kind="agreements.post_filled",
        person_id=person.pk,
        params={"holder": holder.pk},
        sender_id=post.organisation_id,
        now=now,
    )


@transaction.atomic
def email_contact(holder: Holder, *, now: dt.datetime) -> None:
    """Email a contact without an account about the data that we hold, if we have an address."""
    if holder.email:
        record_email(
            kind=CONTACT,
            params={"holder": holder.pk},
            secrets={"address": holder.email},
            sender_id=holder.post.organisation_id,
            now=now,
        )


def is_emailed_already(holder: Holder) -> bool:
    """Return whether a contact with the same address was added at the same moment, by an earlier row of a spreadsheet.

    That contact's email describes both posts.
    """
    if not holder.email:
        return False
    earlier_rows = Holder.objects.filter(person=None, added_at=holder.added_at, pk__lt=holder.pk)
    return earlier_rows.filter(post__organisation=holder.post.organisation_id, email__iexact=holder.email).exists()


def email_no_lead(*, organisation: Organisation, leaver: User, now: dt.datetime) -> None:
    """Email that nobody leads an organisation any more.

    Administrators and the holders of the organisation's escalation post get the email, but not the person who left.
    """
    today = timezone.localdate(now)
    holders = people_in_post(organisation.pk, PostRole.ESCALATION, day=today)
    administrators = User.objects.filter(is_staff=True, is_active=True)
    recipient_ids = {person.pk for person in (*holders, *administrators)} - {leaver.pk}
    record_emails(
        kind="agreements.no_lead",
        people=sorted(recipient_ids),
        params={"organisation": organisation.pk},
        now=now,
    )
