"""Record which organisations are missing from the latest list of a register."""

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
    """Record that an organisation is missing from a register's latest list; return True if this is new.

    Each register is recorded separately, because a council can be missing from one of two lists.
    """
    require(roles_of(author, now).may_change_directory)
    locked_organisation = lock_organisation(organisation.pk)
    if register in locked_organisation.missing_from:
        return False

    day = as_of.isoformat()
    _save_missing(organisation, locked_organisation, {**locked_organisation.missing_from, register: day})
    data = {"after": {"missing_from": register, "since": day}}
    record_event(organisation, EventKind.MISSING_FROM_LIST, author=author, now=now, data=data)
    return True


@transaction.atomic
def mark_found(*, organisation: Organisation, author: User | None, now: dt.datetime, register: str = "") -> bool:
    """Record that an organisation is in a register again, or that an administrator has checked it.

    Without a register, the organisation is no longer missing from any register. Returns True if anything changed.
    """
    require(roles_of(author, now).may_change_directory)
    locked_organisation = lock_organisation(organisation.pk)
    old_missing_from = locked_organisation.missing_from
    new_missing_from = {name: day for name, day in old_missing_from.items() if register and name != register}
    if new_missing_from == old_missing_from:
        return False

    _save_missing(organisation, locked_organisation, new_missing_from)
    data = {
        "before": {"missing_from": sorted(old_missing_from)},
        "after": {"missing_from": sorted(new_missing_from)},
    }
    record_event(organisation, EventKind.BACK_IN_LIST, author=author, now=now, data=data)
    return True


def _save_missing(organisation: Organisation, locked_organisation: Organisation, missing_from: dict[str, str]) -> None:
    """Save the registers that lack the organisation, and the earliest day; also change the caller's object."""
    missing_since = min(map(dt.date.fromisoformat, missing_from.values()), default=None)
    for row in (organisation, locked_organisation):
        row.missing_from = missing_from
        row.missing_since = missing_since
    locked_organisation.save(update_fields=["missing_from", "missing_since"])
