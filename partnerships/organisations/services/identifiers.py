"""Add and correct the identifiers of organisations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Q

from partnerships.activity.values import apply_changes
from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    Identifier,
    Organisation,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


class UnableToAddIdentifier(Exception):
    """The identifier is empty or belongs to another organisation."""


class UnableToCorrectIdentifier(Exception):
    """The correction is invalid.

    The reason or value is missing, the dates are impossible, or the identifier belongs to another organisation.
    """


class IdentifierFields(TypedDict, total=False):
    """Fields of an identifier that can be corrected.

    Not its scheme: in another scheme it is another identifier.
    """

    organisation: Organisation
    value: str
    valid_from: dt.date | None
    valid_to: dt.date | None


def holder_of(identifiers: Sequence[tuple[str, str]]) -> str:
    """Says which organisation holds one of the identifiers; empty: none."""
    condition = Q(pk__in=[])
    for scheme, value in identifiers:
        condition |= Q(scheme=scheme, value=value)
    identifier = Identifier.objects.filter(condition).select_related("organisation").order_by("pk").first()
    return f"{identifier} already belongs to {identifier.organisation.name}." if identifier else ""


@transaction.atomic
def add_identifier(
    *,
    organisation: Organisation,
    scheme: str,
    value: str,
    author: User | None,
    now: dt.datetime,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    reason: str = "",
) -> Identifier:
    """The identifier, created unless this organisation has it already. Raises `UnableToAddIdentifier`."""
    require(roles_of(author, now).keeps_directory)
    value = value.strip()
    if not value:
        raise UnableToAddIdentifier("Give the identifier a value.")
    identifier, created = Identifier.objects.get_or_create(
        scheme=scheme,
        value=value,
        defaults={"organisation": organisation, "valid_from": valid_from, "valid_to": valid_to},
    )
    if identifier.organisation_id != organisation.pk:
        raise UnableToAddIdentifier(f"{identifier} already belongs to {identifier.organisation.name}.")
    if created:
        record_event(
            organisation,
            EventKind.IDENTIFIER_ADDED,
            author=author,
            now=now,
            data={"after": {"identifier": str(identifier)}, "reason": reason.strip()},
        )
    return identifier


@transaction.atomic
def correct_identifier(
    *,
    identifier: Identifier,
    reason: str,
    author: User | None,
    now: dt.datetime,
    **fields: Unpack[IdentifierFields],
) -> tuple[str, ...]:
    """Correct an identifier and return the names of the changed fields.

    If it moves to another organisation, the event is in both organisations' timelines. Raises
    `UnableToCorrectIdentifier`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = Identifier.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=identifier.pk)
    holder, was = locked.organisation, str(locked)
    before, after = apply_changes(locked, fields)
    if not before:
        return ()
    if not reason.strip():
        raise UnableToCorrectIdentifier("Give a reason.")
    locked.value = locked.value.strip()
    if not locked.value:
        raise UnableToCorrectIdentifier("Give the identifier a value.")
    if locked.valid_from and locked.valid_to and locked.valid_to < locked.valid_from:
        raise UnableToCorrectIdentifier("The end must not be before the start.")
    taken = Identifier.objects.filter(scheme=locked.scheme, value=locked.value).exclude(pk=locked.pk)
    if other := taken.select_related("organisation").first():
        raise UnableToCorrectIdentifier(f"{other} already belongs to {other.organisation.name}.")
    locked.save(update_fields=list(before))
    for body in {holder.pk: holder, locked.organisation_id: locked.organisation}.values():
        record_event(
            body,
            EventKind.IDENTIFIER_CORRECTED,
            author=author,
            now=now,
            data={
                "before": {"identifier": was, **before},
                "after": {"identifier": str(locked), **after},
                "reason": reason.strip(),
            },
        )
    for name in before:
        setattr(identifier, name, getattr(locked, name))
    return tuple(before)
