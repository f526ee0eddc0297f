"""Records which organisations are missing from the latest list of a register."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import lock_organisation, record_event
from partnerships.people.models import User


@transaction.atomic
def mark_missing(
    *, organisation: Organisation, register: str, as_of: dt.date, author: User | None, now: dt.datetime
) -> bool:
    """Record that an organisation is missing from a register's latest list, and return whether that is new.

    Each register counts separately, because a council can be missing from one of two lists.
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
    """Record that an organisation is in a register again, or that an administrator has checked it.

    Without a register, it is no longer missing from any. Returns whether anything changed.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_organisation(organisation.pk)
    before = locked.missing_from
    after = {name: day for name, day in before.items() if register and name != register}
    if after == before:
        return False
    _save_missing(organisation, locked, after)
    record_event(
        organisation,
        EventKind.BACK_IN_LIST,
        author=author,
        now=now,
        data={"before": {"missing_from": sorted(before)}, "after": {"missing_from": sorted(after)}},
    )
    return True


def _save_missing(organisation: Organisation, locked: Organisation, missing_from: dict[str, str]) -> None:
    locked.missing_from = missing_from
    locked.missing_since = min(map(dt.date.fromisoformat, missing_from.values()), default=None)
    locked.save(update_fields=["missing_from", "missing_since"])
    organisation.missing_from, organisation.missing_since = locked.missing_from, locked.missing_since
