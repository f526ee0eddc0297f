"""Rules for erasing and exporting the personal data of this room."""

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
_RULES_OF_POSTS = (
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

#: The personal data of this room, and what an erasure does with each field.
RULES = (
    Rule(
        "agreements.Notice",
        "given_by",
        ErasureAction.KEEP,
        "who gave notice",
        ("given_at", "reason", "last_day"),
    ),
    Rule(
        "agreements.Notice",
        "withdrawn_by",
        ErasureAction.KEEP,
        "who withdrew the notice",
        ("withdrawn_at", "withdrawn_because"),
    ),
    Rule(
        "agreements.DateReminder",
        "person",
        ErasureAction.DELETE,
        "which dates a person was reminded of",
        ("kind", "on"),
    ),
    Rule(
        "agreements.Objective",
        "owner",
        ErasureAction.KEEP,
        "who is responsible for the objective",
        ("text", "target_on"),
    ),
    Rule(
        "agreements.Objective",
        "created_by",
        ErasureAction.KEEP,
        "who added the objective",
        ("text", "created_at"),
    ),
    Rule(
        "agreements.ObjectiveProgress",
        "by",
        ErasureAction.KEEP,
        "who reported progress",
        ("on", "figure", "note"),
    ),
    Rule("agreements.ObjectiveLink", "linked_by", ErasureAction.KEEP, "who linked a record", ("linked_at",)),
    Rule(
        "agreements.Partnership",
        "created_by",
        ErasureAction.KEEP,
        "who started the partnership",
        ("title", "created_at"),
    ),
    Rule("agreements.Party", "invited_by", ErasureAction.KEEP, "who invited an organisation", ("invited_at",)),
    Rule(
        "agreements.Party",
        "answered_by",
        ErasureAction.KEEP,
        "who answered the invitation",
        ("answered_at", "status", "reason"),
    ),
    Rule(
        "agreements.TermsProposal",
        "author",
        ErasureAction.KEEP,
        "who proposed the terms",
        ("number", "reason", "created_at"),
    ),
    Rule(
        "agreements.TermsProposal",
        "updated_by",
        ErasureAction.KEEP,
        "who last changed the draft",
        ("updated_at",),
    ),
    Rule(
        "agreements.TermsVersion",
        "author",
        ErasureAction.KEEP,
        "who sent the terms for signature",
        ("published_at",),
    ),
    Rule("agreements.TermsSignatory", "asked_by", ErasureAction.KEEP, "who asked for a signature", ("asked_at",)),
    Rule(
        "agreements.TermsSignature",
        "person",
        ErasureAction.KEEP,
        "who signed the terms, because a contract keeps its signatures",
        ("name", "role", "decision", "reason", "how", "signed_at"),
    ),
    Rule(
        "agreements.TermsSignature",
        "recorded_by",
        ErasureAction.KEEP,
        "who recorded a signature on paper",
        ("signed_on", "signed_at"),
    ),
    Rule(
        "agreements.Document",
        "added_by",
        ErasureAction.KEEP,
        "who added the document",
        ("title", "file_name", "added_at"),
    ),
    *_RULES_OF_POSTS,
)
