"""Registry of what rooms put on the agenda of a partnership's next meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Status
from partnerships.kit.dates import long_date
from partnerships.people.models import User

#: How long before its review or end date a partnership is on the agenda.
_SOON = dt.timedelta(days=90)


class Purpose(StrEnum):
    """What an item asks of the meeting."""

    DECISION = "decision"
    DISCUSSION = "discussion"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item that a room proposes: about one record, named as timelines name it.

    It is shown to those who may read the record (`activity.registry`). `path` is the record's page.
    """

    subject_kind: str
    subject_id: int
    title: str
    path: str
    purpose: Purpose
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Since:
    """The period that a meeting looks back on: from the last meeting to now."""

    last: dt.datetime
    now: dt.datetime


#: What the person may read of the room's records that the meeting should look at.
Suggest = Callable[[User, Partnership, Since], Sequence[Suggestion]]


@dataclass(frozen=True, slots=True)
class Source:
    """One reason to be on the agenda. `name` is stored, and never changes."""

    name: str
    heading: str
    subject_kind: str
    suggest: Suggest


_sources: dict[str, Source] = {}


def register_agenda(name: str, heading: str, subject_kind: str, suggest: Suggest) -> None:
    """Register a source of items; sources are asked in the order of their names.

    `heading` says what its items are ("Overdue commitments").
    """
    _sources[name] = Source(name, heading, subject_kind, suggest)


def agenda_sources() -> tuple[Source, ...]:
    """Every source, by name."""
    return tuple(_sources[name] for name in sorted(_sources))


def subject_kinds() -> frozenset[str]:
    """Kinds of record that items may be about."""
    return frozenset(source.subject_kind for source in _sources.values())


def decisions_needed(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """What the partnership itself must decide: sign-off, review and end."""
    last = timezone.localdate(since.now) + _SOON
    if partnership.is_over:
        return []
    if partnership.status == Status.AWAITING_SIGN_OFF:
        words, detail = "Agree the terms", ""
    elif partnership.status == Status.UNDER_REVIEW:
        renewing = Partnership.objects.visible_to(user).live().filter(redefines=partnership).exists()
        words = "Agree the terms of the successor" if renewing else "Hold the review: carry on, renew or end"
        detail = ""
    elif partnership.review_on and partnership.review_on <= last:
        words, detail = "Prepare the review", f"Due {long_date(partnership.review_on)}"
    elif partnership.ends_on and partnership.ends_on <= last:
        words, detail = "Decide what follows when the partnership ends", f"It ends {long_date(partnership.ends_on)}"
    else:
        return []
    path = reverse("agreements:detail", args=[partnership.pk])
    return [Suggestion("partnership", partnership.pk, words, path, Purpose.DECISION, detail)]
