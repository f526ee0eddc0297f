"""Record organisations that a register's latest list no longer has."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import (
    Organisation,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import lock_organisation, record_event
from partnerships.people.models import User


@transaction.atomic
def mark_missing(
    *, organisation: Organisation, register: str, as_of: dt.date, author: User | None, now: dt.datetime
) -> bool:
    """Record that a register's latest list lacks it; whether that is new.

    Each register counts separately: a council can be missing from one of two lists.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_organisation(organisation.pk)
    if register in locked.missing_from:
        return False
    _save_missing(organisation, locked, {**locked.missing_from, register: as_of.isoformat()})
    record_event(
        organisation,
        EventKind.MISSING_FROM_LIST,
        author=author,
        now=now,
        data={"after": {"missing_from": register, "since": as_of.isoformat()}},
    )
    return True


@transaction.atomic
def mark_found(*, organisation: Organisation, author: User | None, now: dt.datetime, register: str = "") -> bool:
    """Record that its register lists it again, or that somebody checked it.

    With a register, only that register's mark is cleared. Returns whether anything changed.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_organisation(organisation.pk)
    before = locked.missing_from
    left = {name: day for name, day in before.items() if register and name != register}
    if left == before:
        return False
    _save_missing(organisation, locked, left)
    record_event(
        organisation,
        EventKind.BACK_IN_LIST,
        author=author,
        now=now,
        data={"before": {"missing_from": sorted(before)}, "after": {"missing_from": sorted(left)}},
    )
    return True


def _save_missing(organisation: Organisation, locked: Organisation, missing_from: dict[str, str]) -> None:
    locked.missing_from = missing_from
    locked.missing_since = min(map(dt.date.fromisoformat, missing_from.values()), default=None)
    locked.save(update_fields=["missing_from", "missing_since"])
    organisation.missing_from, organisation.missing_since = locked.missing_from, locked.missing_since
