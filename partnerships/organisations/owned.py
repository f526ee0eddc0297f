"""The register of the kinds of record that a person owns for an organisation, such as commitments and posts.

Every room adds its kinds. When a person leaves, a colleague takes over their records. If nobody does, the records are
listed for the leads as records without an owner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User


class UnableToHandOver(Exception):
    """Raised if the person does not act for the organisation, a reason is missing, or nothing is left to hand over."""


@dataclass(frozen=True, slots=True)
class OwnedRecord:
    """A record that has or needs an owner."""

    pk: int
    title: str
    path: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class OwnershipHandover:
    """A record of an organisation, and the person who takes it over."""

    pk: int
    organisation: Organisation
    to: User
    reason: str
    author: User
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnedKind:
    """A kind of record that a person can own for an organisation."""

    code: str
    label: str
    #: The columns that refer to the owner, as "app.Model.field".
    fields: tuple[str, ...]
    #: Returns the records that a person owns for an organisation on a day.
    held: Callable[[User, Organisation, dt.date], Sequence[OwnedRecord]]
    #: Returns the query of an organisation's (id) records without an owner at a moment. An owner who no longer acts for
    #: the organisation does not count. The function must be at module level, because its SQL is stored.
    rows_without_owner: Callable[[int, dt.datetime], QuerySet[Any]]
    #: Returns the rows of this query as records.
    to_records: Callable[[Sequence[Any]], list[OwnedRecord]]
    #: Calls the service that sets the new owner. May raise `UnableToHandOver`.
    hand_over: Callable[[OwnershipHandover], None]
    #: True if My work has a separate line for each record without an owner.
    waits_alone: bool = False
    #: True if `hand_over` is called for each record when a person leaves and names a successor. Other kinds have their
    #: own departure hook.
    goes_to_colleague: bool = False

    def without_owner(self, organisation_id: int, now: dt.datetime) -> list[OwnedRecord]:
        """Return the organisation's records of this kind without an owner."""
        return self.to_records(rows_for(self.rows_without_owner, organisation_id, now))

    def lookup_without_owner(self, organisation_id: int, now: dt.datetime) -> Lookup:
        """Return the lookup that a later `without_owner` needs, for `read_ahead`."""
        return lookup(self.rows_without_owner, organisation_id, now)


def acting_people_of(organisation: Organisation | int, day: dt.date) -> QuerySet[Membership, int]:
    """Return the ids of the people who act for the organisation on a day, as a subquery."""
    return Membership.objects.current(day).filter(organisation=organisation).values_list("person", flat=True)


def former_people_of(organisation: Organisation | int, day: dt.date) -> QuerySet[Membership, int]:
    """Return the ids of the people who once acted for the organisation but do not on this day, as a subquery."""
    accepted_memberships = Membership.objects.filter(organisation=organisation, accepted_at__isnull=False)
    return accepted_memberships.exclude(person__in=acting_people_of(organisation, day)).values_list("person", flat=True)


_kinds: dict[str, OwnedKind] = {}


def register_owned(kind: OwnedKind) -> None:
    """Register a kind of owned record under its code."""
    _kinds[kind.code] = kind


def owned_kinds() -> tuple[OwnedKind, ...]:
    """Return every registered kind of owned record, sorted by label."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.label))


def owned_kind_with_code(code: str) -> OwnedKind:
    """Return the kind of owned record with this code. Raises `UnableToHandOver` if the code is not registered."""
    if code not in _kinds:
        raise UnableToHandOver("Choose what to hand over.")
    return _kinds[code]


@dataclass(frozen=True, slots=True)
class OwnedGroup:
    """Records of one kind that a person owns, or that have no owner."""

    kind: OwnedKind
    records: Sequence[OwnedRecord]


def owned_records_by_kind(person: User, organisation: Organisation, day: dt.date) -> list[OwnedGroup]:
    """Return the records that a person owns for the organisation, grouped by kind, without empty kinds."""
    groups = (OwnedGroup(kind, kind.held(person, organisation, day)) for kind in owned_kinds())
    return [group for group in groups if group.records]


def left_without_owner(
    organisation_id: int, now: dt.datetime, *, kinds: Sequence[OwnedKind] | None = None
) -> list[OwnedGroup]:
    """Return the organisation's records without an owner, grouped by kind, without empty kinds.

    `kinds` are the kinds to query; None for all kinds. While a page is made, one query reads the records of all kinds.
    """
    queried_kinds = owned_kinds() if kinds is None else kinds
    read_ahead([kind.lookup_without_owner(organisation_id, now) for kind in queried_kinds])
    groups = (OwnedGroup(kind, kind.without_owner(organisation_id, now)) for kind in queried_kinds)
    return [group for group in groups if group.records]
