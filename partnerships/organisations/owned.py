"""What people own for an organisation; every room registers its kinds.

Used when somebody leaves: what they hold is handed over, and nothing stays without an owner.
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
    """One thing that has, or needs, an owner."""

    pk: int
    title: str
    path: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Handover:
    """One thing of an organisation that passes to a person."""

    pk: int
    organisation: Organisation
    to: User
    reason: str
    author: User
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnedKind:
    """A kind of thing that a person can own for an organisation.

    `fields` are the columns that name the owner, as "app.Model.field". `held` returns what a person owns for the
    organisation. `left` returns what has no owner, or one who no longer acts for it. `hand_over` calls the service
    that names the new owner; it raises `UnableToHandOver`. `waits_alone`: each thing without an owner is a line in My
    work. `goes_to_colleague`: when somebody leaves and names a successor, `hand_over` is called for each thing; other
    kinds have a departure hook of their own.
    """

    code: str
    label: str
    fields: tuple[str, ...]
    held: Callable[[User, Organisation, dt.date], Sequence[Thing]]
    left: Callable[[Organisation, dt.date], Sequence[Thing]]
    hand_over: Callable[[Handover], None]
    waits_alone: bool = False
    goes_to_colleague: bool = False


def acting_for(organisation: Organisation, day: dt.date) -> QuerySet[Membership, int]:
    """Ids of the people who act for the organisation on the day, as a subquery."""
    return Membership.objects.current(day).filter(organisation=organisation).values_list("person", flat=True)


def left_by(organisation: Organisation, day: dt.date) -> QuerySet[Membership, int]:
    """Ids of the people who acted for the organisation and do not on the day, as a subquery."""
    former = Membership.objects.filter(organisation=organisation, accepted_at__isnull=False)
    return former.exclude(person__in=acting_for(organisation, day)).values_list("person", flat=True)


_kinds: dict[str, OwnedKind] = {}


def register_owned(kind: OwnedKind) -> None:
    """Register a kind under its code."""
    _kinds[kind.code] = kind


def owned_kinds() -> tuple[OwnedKind, ...]:
    """Every registered kind, by label."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.label))


def kind_of(code: str) -> OwnedKind:
    """The kind with this code. Raises `UnableToHandOver` if there is none."""
    if code not in _kinds:
        raise UnableToHandOver("Choose what to hand over.")
    return _kinds[code]


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one kind."""

    kind: OwnedKind
    things: Sequence[Thing]


def held_by(person: User, organisation: Organisation, day: dt.date) -> list[Group]:
    """What the person owns for the organisation, by kind.

    Kinds with nothing are left out.
    """
    groups = (Group(kind, kind.held(person, organisation, day)) for kind in owned_kinds())
    return [group for group in groups if group.things]


def left_without_owner(organisation: Organisation, day: dt.date) -> list[Group]:
    """What has no owner in the organisation, by kind.

    Kinds with nothing are left out.
    """
    groups = (Group(kind, kind.left(organisation, day)) for kind in owned_kinds())
    return [group for group in groups if group.things]
