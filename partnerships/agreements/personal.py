"""Rules for erasing and exporting the personal data in posts."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import CONTACT_FIELDS, CONTACT_RETENTION_MONTHS, Holder, HolderQuerySet
from partnerships.people.models import User
from partnerships.people.personal import ErasureAction, Rule
from partnerships.people.retention import change_in_batches


def clear_contacts_of(person: User) -> int:
    """Clear the contact details of a person in all posts. Contacts without an account are found by their address."""
    own_contacts = Q(person=person.pk) | Q(email__iexact=person.email, person=None)
    return Holder.objects.filter(own_contacts).clear_contacts()


def clear_old_contacts(now: dt.datetime, dry_run: bool) -> int:
    """Clear the contact details of holders whose time in a post ended at least `CONTACT_RETENTION_MONTHS` ago."""
    last_kept_day = timezone.localdate(now) - dt.timedelta(days=CONTACT_RETENTION_MONTHS * 365 // 12)
    former_holders = Holder.objects.filter(ends_on__lte=last_kept_day, cleared_at=None)
    return change_in_batches(former_holders, HolderQuerySet.clear_contacts, dry_run=dry_run)


_PURPOSE = "so that partners know how to reach the holder of a post"
# `clear_contacts_of` clears all contact fields at once. Each field still needs a rule of its own, because the list of
# rules must be complete.
RULES = (
    Rule("agreements.Post", "created_by", ErasureAction.KEEP, "who created the post", ("role", "title", "created_at")),
    Rule(
        "agreements.Holder",
        "person",
        ErasureAction.KEEP,
        "who held a post, and when",
        ("post", "email", "phone", "working_days", "note", "starts_on", "ends_on"),
    ),
    Rule("agreements.Holder", "added_by", ErasureAction.KEEP, "who named the holder", ("added_at",)),
    *(
        Rule("agreements.Holder", field, ErasureAction.CLEAR, _PURPOSE, apply=clear_contacts_of)
        for field in CONTACT_FIELDS
    ),
    Rule("agreements.Holder", "reason", ErasureAction.CLEAR, "why the holder changed", apply=clear_contacts_of),
)
