"""The register of what people own for an organisation; every room adds its kinds.

It is used when a person leaves: what they own is handed over, and things without an owner are listed for the leads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


class UnableToHandOver(Exception):
    """The person does not act for the organisation, a reason is missing, or nothing is left to hand over."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing that has or needs an owner."""

    pk: int
    title: str
    path: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Handover:
    """A thing of an organisation that is handed over to a person."""

    pk: int
    organisation: Organisation
    to: User
    reason: str
    author: User
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnedKind:
    """A kind of thing that a person can own for an organisation."""

    code: str
    label: str
    #: The columns that refer to the owner, as "app.Model.field".
    fields: tuple[str, ...]
    #: Returns what a person owns for an organisation on a day.
    held: Callable[[User, Organisation, dt.date], Sequence[Thing]]
    #: Returns what has no owner on a day, or an owner who no longer acts for the organisation.
    left: Callable[[Organisation, dt.date], Sequence[Thing]]
    #: Calls the service that sets the new owner. Raises `UnableToHandOver`.
    hand_over: Callable[[Handover], None]
    #: Whether My work has a line for each thing without an owner.
    waits_alone: bool = False
    #: Whether `hand_over` is called for each thing if a person leaves and names a successor. Kinds without it have a
    #: departure hook of their own.
    goes_to_colleague: bool = False


def acting_for(organisation: Organisation, day: dt.date) -> QuerySet[Membership, int]:
    """Return the ids of the people who act for the organisation on a day, as a subquery."""
    return Membership.objects.current(day).filter(organisation=organisation).values_list("person", flat=True)


def left_by(organisation: Organisation, day: dt.date) -> QuerySet[Membership, int]:
    """Return the ids of the people who acted for the organisation but do not on this day, as a subquery."""
    former = Membership.objects.filter(organisation=organisation, accepted_at__isnull=False)
    return former.exclude(person__in=acting_for(organisation, day)).values_list("person", flat=True)


_kinds: dict[str, OwnedKind] = {}


def register_owned(kind: OwnedKind) -> None:
    """Register a kind under its code."""
    _kinds[kind.code] = kind


def owned_kinds() -> tuple[OwnedKind, ...]:
    """Return every registered kind, by label."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.label))


def kind_of(code: str) -> OwnedKind:
    """Return the kind with this code. Raises `UnableToHandOver` if there is none."""
    if code not in _kinds:
        raise UnableToHandOver("Choose what to hand over.")
    return _kinds[code]


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one kind that a person owns, or that have no owner."""

    kind: OwnedKind
    things: Sequence[Thing]


def held_by(person: User, organisation: Organisation, day: dt.date) -> list[Group]:
    """Return the things that a person owns for the organisation, by kind, without empty kinds."""
    groups = (Group(kind, kind.held(person, organisation, day)) for kind in owned_kinds())
    return [group for group in groups if group.things]


def left_without_owner(organisation: Organisation, day: dt.date) -> list[Group]:
    """Return the things of the organisation that have no owner, by kind, without empty kinds."""
    groups = (Group(kind, kind.left(organisation, day)) for kind in owned_kinds())
    return [group for group in groups if group.things]
