"""What every service here needs: the row under lock, its next number, and the line in the timeline."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.utils.text import Truncator

from partnerships.activity.services import record
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment
from partnerships.commitments.quantities import quantity_words
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def locked(commitment: Commitment) -> Commitment:
    """The commitment as it stands, its row locked until the transaction ends; with its organisations."""
    return (
        Commitment.objects.select_for_update(of=("self",))
        .select_related("giver", "receiver", "partnership", "owner", "replaces")
        .get(pk=commitment.pk)
    )


def next_numbers(count: int = 1) -> list[int]:
    """Fresh keys for new commitments, so that the reference can be written with the row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [Commitment._meta.db_table, count],
        )
        return [number for (number,) in cursor.fetchall()]


def reference_for(number: int) -> str:
    """What people call it: `C-1042`."""
    return f"C-{number}"


def acts_for(person: User, organisation: Organisation | None, *roles: str) -> bool:
    """Whether the person acts for the organisation today, in one of the roles where any is given."""
    if organisation is None:
        return False
    mine = Membership.objects.current().of_person(person, *roles)
    return mine.filter(organisation=organisation).exists()


def note(
    commitment: Commitment,
    event: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Write a line in the commitment's timeline, and in its partnership's. `data` holds JSON values, never a file's
    content.
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
    """What a timeline and a list of tasks call it: the reference and the beginning of its words."""
    return f"{commitment.reference} {Truncator(commitment.text).chars(90)}"


def terms_of(commitment: Commitment) -> dict[str, Any]:
    """The terms in words, for before and after. The owner is not among them: events name people by number alone."""
    return {
        "text": commitment.text,
        "quantity": quantity_words(commitment.quantity, commitment.unit),
        "due": long_date(commitment.due_on) if commitment.due_on else "",
    }
