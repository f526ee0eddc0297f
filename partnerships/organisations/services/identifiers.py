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
from partnerships.organisations.models import Identifier, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


class UnableToAddIdentifier(Exception):
    """Raised if the identifier is empty or belongs to another organisation."""


class UnableToCorrectIdentifier(Exception):
    """Raised if the reason or value is missing, the dates are impossible, or the identifier belongs to another body."""


class IdentifierFields(TypedDict, total=False):
    """Fields of an identifier that can be corrected. With another scheme, it would be another identifier."""

    organisation: Organisation
    value: str
    valid_from: dt.date | None
    valid_to: dt.date | None


def holder_in_words(identifiers: Sequence[tuple[str, str]]) -> str:
    """Return a sentence that names the organisation with one of these identifiers; "" if no organisation has one."""
    is_one_of_these = Q(pk__in=[])
    for scheme, value in identifiers:
        is_one_of_these |= Q(scheme=scheme, value=value)
    identifier = Identifier.objects.filter(is_one_of_these).select_related("organisation").order_by("pk").first()
    return f"{identifier} already belongs to {identifier.organisation.name}. Check the value." if identifier else ""


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
    """Return the organisation's identifier with this value, which is added if necessary.

    Raises `UnableToAddIdentifier`.
    """
    require(roles_of(author, now).may_change_directory)
    value = value.strip()
    if not value:
        raise UnableToAddIdentifier("Enter the value of the identifier.")

    identifier, is_new = Identifier.objects.get_or_create(
        scheme=scheme,
        value=value,
        defaults={"organisation": organisation, "valid_from": valid_from, "valid_to": valid_to},
    )
    if identifier.organisation_id != organisation.pk:
        raise UnableToAddIdentifier(f"{identifier} already belongs to {identifier.organisation.name}. Check the value.")
    if is_new:
        data = {"after": {"identifier": str(identifier)}, "reason": reason.strip()}
        record_event(organisation, EventKind.IDENTIFIER_ADDED, author=author, now=now, data=data)
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
    """Correct an identifier, and return the names of the changed fields.

    If the identifier moves to another organisation, the history of both has the event. Raises
    `UnableToCorrectIdentifier`.
    """
    require(roles_of(author, now).may_change_directory)
    identifiers = Identifier.objects.select_for_update(of=("self",)).select_related("organisation")
    locked_identifier = identifiers.get(pk=identifier.pk)
    old_holder = locked_identifier.organisation
    old_identifier = str(locked_identifier)

    before, after = apply_changes(locked_identifier, fields)
    if not before:
        return ()
    if not reason.strip():
        raise UnableToCorrectIdentifier("Enter a reason.")
    locked_identifier.value = locked_identifier.value.strip()
    _check_corrected(locked_identifier)
    locked_identifier.save(update_fields=list(before))

    new_holder = locked_identifier.organisation
    data = {
        "before": {"identifier": old_identifier, **before},
        "after": {"identifier": str(locked_identifier), **after},
        "reason": reason.strip(),
    }
    for holder in {old_holder.pk: old_holder, new_holder.pk: new_holder}.values():
        record_event(holder, EventKind.IDENTIFIER_CORRECTED, author=author, now=now, data=data)

    # The caller's object gets the new values, too.
    for name in before:
        setattr(identifier, name, getattr(locked_identifier, name))
    return tuple(before)


def _check_corrected(identifier: Identifier) -> None:
    """Raise `UnableToCorrectIdentifier` if the value or the dates are not valid, or another identifier is the same."""
    first_day, end_day = identifier.valid_from, identifier.valid_to
    if not identifier.value:
        raise UnableToCorrectIdentifier("Enter the value of the identifier.")
    if first_day and end_day and end_day < first_day:
        raise UnableToCorrectIdentifier("The end must be on or after the start. Correct one of the two dates.")
    duplicates = Identifier.objects.filter(scheme=identifier.scheme, value=identifier.value).exclude(pk=identifier.pk)
    if duplicate := duplicates.select_related("organisation").first():
        raise UnableToCorrectIdentifier(
            f"{duplicate} already belongs to {duplicate.organisation.name}. Check the value."
        )
