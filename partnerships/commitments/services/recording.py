"""Helpers of the services: locks, new ids and references, and events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from partnerships.activity.services import record
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment
from partnerships.commitments.quantities import quantity_words
from partnerships.kit.dates import long_date
from partnerships.kit.text import shorten
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def lock_commitment(commitment: Commitment) -> Commitment:
    """Lock a commitment, and return its present state with the organisations fetched."""
    return (
        Commitment.objects.select_for_update(of=("self",))
        .select_related("giver", "receiver", "partnership", "owner", "replaces")
        .get(pk=commitment.pk)
    )


def next_ids(count: int = 1) -> list[int]:
    """Reserve new ids from the sequence before inserting, because each row stores a reference with its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [Commitment._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def reference_for(pk: int) -> str:
    """Return the reference that people use for a commitment, such as `C-1042`."""
    return f"C-{pk}"


def acts_for(person: User, organisation: Organisation | None, *roles: str) -> bool:
    """Return whether the person acts for the organisation in one of these roles; without roles, in any."""
    if organisation is None:
        return False
    memberships = Membership.objects.current().of_person(person, *roles)
    return memberships.filter(organisation=organisation).exists()


def record_event(
    commitment: Commitment,
    event: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event on the commitment and its partnership.

    `data` are JSON values, never a file's content.
    """
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="commitment",
        target_id=commitment.pk,
        within_kind="partnership" if commitment.partnership_id else "",
        within_id=commitment.partnership_id,
        now=now,
        data={"title": title_of(commitment), **data},
    )


def title_of(commitment: Commitment) -> str:
    """Return the reference and the start of the text, for timelines and lists of tasks."""
    return f"{commitment.reference} {shorten(commitment.text, 90)}"


def terms_of(commitment: Commitment) -> dict[str, Any]:
    """Return the terms as text, for an event.

    The owner is left out, because events store people only as ids.
    """
    return {
        "text": commitment.text,
        "quantity": quantity_words(commitment.quantity, commitment.unit),
        "due": long_date(commitment.due_on) if commitment.due_on else "",
    }
