"""What followers are told: each kind of event is told, with a sentence, or not, with the reason.

Rooms register theirs at start-up.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import TextChoices

from partnerships.activity.subjects import Audience


class Group(TextChoices):
    """What a follower chooses among; also the filters of the inbox."""

    STATUS = "status", "Status"
    PARTIES = "parties", "Parties and roles"
    TERMS = "terms", "Terms"
    DATES = "dates", "Review and end dates"
    OBJECTIVES = "objectives", "Objectives"
    COMMITMENTS = "commitments", "Commitments"
    ASKS_AND_OFFERS = "asks_and_offers", "Asks and offers"
    MEETINGS = "meetings", "Meetings"
    DOCUMENTS = "documents", "Documents"
    REPORTS = "reports", "Progress reports"
    PLANS = "plans", "Plans"
    ORGANISATION = "organisation", "Organisation"
    CONTACTS = "contacts", "Contacts"
    CONVERSATIONS = "conversations", "Conversations"


class Fold(enum.StrEnum):
    """How several events of one object become one line (`folding`)."""

    #: Each field: the first value before and the last value after.
    FIELDS = "fields"
    #: The object begins to exist.
    CREATED = "created"
    #: The object is gone.
    REMOVED = "removed"
    #: Only the newest of this kind.
    LAST = "last"
    #: Every one of them.
    EACH = "each"


@dataclass(frozen=True, slots=True)
class Told:
    """A kind of event that followers are told of.

    `sentence` is used in both parts of an email and in timelines. `about` is the key in an event's data that tells
    apart several objects of one record, such as the organisation that joined. `by_plan_engine`: digests of plans tell
    it already, with what changed in the plan.
    """

    kind: str
    group: Group
    sentence: str
    fold: Fold
    touches_dates_or_money: bool
    may_hear: Audience
    about: str
    by_plan_engine: bool


_told: dict[str, Told] = {}
_untold: dict[str, str] = {}


def register_told(
    kind: TextChoices,
    *,
    group: Group,
    sentence: str,
    fold: Fold,
    touches_dates_or_money: bool = False,
    may_hear: Audience = Audience.INSIDE,
    about: str = "",
    by_plan_engine: bool = False,
) -> None:
    """Register that followers are told of this kind. Raises `ValueError` if it is registered otherwise."""
    told = Told(kind.value, group, sentence, fold, touches_dates_or_money, may_hear, about, by_plan_engine)
    if _told.setdefault(told.kind, told) != told or told.kind in _untold:
        raise ValueError(f"What is told of {told.kind} is registered twice.")


def register_untold(kinds: Iterable[TextChoices], *, because: str) -> None:
    """Register that followers are not told of these kinds, and why.

    Raises `ValueError` if one is registered otherwise.
    """
    for kind in kinds:
        if _untold.setdefault(kind.value, because) != because or kind.value in _told:
            raise ValueError(f"What is told of {kind.value} is registered twice.")


def told_of(kind: str) -> Told | None:
    """How followers are told of this kind; None if they are not."""
    return _told.get(kind)


def told_kinds(groups: Collection[Group] | None = None) -> tuple[Told, ...]:
    """Every kind that is told, of these groups if given, by code."""
    return tuple(_told[code] for code in sorted(_told) if groups is None or _told[code].group in groups)


def untold_kinds() -> Mapping[str, str]:
    """Kinds that followers are not told of, with the reason."""
    return dict(_untold)
