"""Rules for what an erasure does with emails in the outbox.

They are registered in this room because the outbox is a lower room that knows people only by their id.
"""

from __future__ import annotations

import re

from django.db.models import Q

from partnerships.outbox.models import Email, Lane
from partnerships.people.models import User
from partnerships.people.personal import ErasureAction, Rule


def clear_addresses(person: User) -> int:
    """Clear the address in emails to the person or to the person's address; return the number of emails.

    Password resets store only the address, not the person.
    """
    to_address = Email.objects.filter(person_id=None, address__iexact=person.email)
    count = to_address.update(address="", subject="", reason="", recipe=None)
    return count + Email.objects.filter(person_id=person.pk).exclude(address="").update(address="")


def clear_subjects(person: User) -> int:
    """Clear the subjects of other people's notices that contain the person's name or address.

    Subjects of digests name what changed and never a person. Returns the number of emails.
    """
    names_person = Q(subject__icontains=person.email)
    if person.name.strip():
        names_person |= Q(subject__regex=rf"(^|\W){re.escape(person.name.strip())}($|\W)")
    notices = Email.objects.filter(lane__lt=Lane.DIGEST, settled_at__isnull=False)
    return notices.exclude(subject="").filter(names_person).update(subject="")


RULES = (
    Rule(
        "outbox.Email",
        "person_id",
        ErasureAction.KEEP,
        "the ledger of emails",
        ("kind", "status", "address", "subject", "created_at", "settled_at"),
    ),
    Rule(
        "outbox.Email",
        "address",
        ErasureAction.CLEAR,
        "where an email went",
        person_field="person_id",
        apply=clear_addresses,
    ),
    Rule(
        "outbox.Email",
        "subject",
        ErasureAction.CLEAR,
        "subjects of emails to others that say their name",
        person_field="person_id",
        apply=clear_subjects,
    ),
    Rule("outbox.Email", "recipe", ErasureAction.CLEAR, "the email as sent, with their name", person_field="person_id"),
    Rule("outbox.Email", "memo", ErasureAction.CLEAR, "the tasks that the email listed", person_field="person_id"),
    Rule(
        "outbox.Email",
        "secrets",
        ErasureAction.CLEAR,
        "tokens of an email that is not sent yet",
        person_field="person_id",
    ),
    Rule(
        "outbox.Email",
        "tokens",
        ErasureAction.CLEAR,
        "these tokens, once the email was composed",
        person_field="person_id",
    ),
    Rule(
        "outbox.Email",
        "reason",
        ErasureAction.CLEAR,
        "the answer of the mail server, often with the address",
        person_field="person_id",
    ),
    Rule("outbox.Bounce", "person_id", ErasureAction.KEEP, "which emails bounced", ("kind", "at")),
    Rule(
        "outbox.Bounce", "address", ErasureAction.CLEAR, "which address could not be reached", person_field="person_id"
    ),
    Rule(
        "outbox.Bounce",
        "text",
        ErasureAction.CLEAR,
        "the answer of the mail server about the address",
        person_field="person_id",
    ),
    Rule(
        "outbox.DeliveredBefore", "person_id", ErasureAction.KEEP, "what a restore must not send again", ("kind", "at")
    ),
    Rule(
        "outbox.Suppression",
        "address",
        ErasureAction.DELETE,
        "which address must not be emailed",
        person_field="address",
    ),
)
