"""Personal data in posts: what erasure and export do with it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import CONTACT_FIELDS, KEPT_MONTHS, Holder, HolderQuerySet
from partnerships.people.models import User
from partnerships.people.personal import Fate, Rule
from partnerships.people.retention import change_in_batches


def clear_contacts_of(person: User) -> int:
    """Empty what posts hold about a person, by account or by address."""
    own_contacts = Q(person=person.pk) | Q(email__iexact=person.email, person=None)
    return Holder.objects.filter(own_contacts).clear_contacts()


def clear_old_contacts(now: dt.datetime, dry_run: bool) -> int:
    """Empty the contact data of those whose time in a post ended `KEPT_MONTHS` ago."""
    last = timezone.localdate(now) - dt.timedelta(days=KEPT_MONTHS * 365 // 12)
    old = Holder.objects.filter(ends_on__lte=last, cleared_at=None)
    return change_in_batches(old, HolderQuerySet.clear_contacts, dry_run=dry_run)


_WHY = "so that partners know how to reach the holder of a post"
#: All contact data goes with the address; the other fields have rules so that none is overlooked.
RULES = (
    Rule("agreements.Post", "created_by", Fate.KEEP, "who created it", ("role", "title", "created_at")),
    Rule(
        "agreements.Holder",
        "person",
        Fate.KEEP,
        "who held a post, and when",
        ("post", "email", "phone", "working_days", "note", "starts_on", "ends_on"),
    ),
    Rule("agreements.Holder", "added_by", Fate.KEEP, "who named the holder", ("added_at",)),
    *(Rule("agreements.Holder", field, Fate.CLEAR, _WHY, apply=clear_contacts_of) for field in CONTACT_FIELDS),
    Rule("agreements.Holder", "reason", Fate.CLEAR, "why the holder changed", apply=clear_contacts_of),
)
