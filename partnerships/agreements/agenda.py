"""Hook through which rooms propose items for the agenda of a partnership's next meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.db.models import Model, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Status
from partnerships.kit.dates import long_date
from partnerships.organisations.audience import Reader
from partnerships.organisations.statements import Lookup, lookup, read_ahead
from partnerships.people.models import User

#: A review or an end date is on the agenda from this long before.
_SOON = dt.timedelta(days=90)
#: One source proposes at most this many items for one partnership.
MAX_OF_ONE_SOURCE = 20
Row = TypeVar("Row", bound=Model)


class Purpose(StrEnum):
    """The purposes for which an item can be on the agenda of a meeting."""

    DECISION = "decision"
    DISCUSSION = "discussion"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class AgendaSuggestion:
    """An item about one record that a room proposes for a partnership.

    `subject_kind` is the kind of the record, such as "commitment" (see `activity.registry`). Only people who may read
    the record see the item. `path` is the page of the record.
    """

    partnership_id: int
    subject_kind: str
    subject_id: int
    title: str
    path: str
    purpose: Purpose
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LookBack:
    """The period on which a meeting looks back. It begins with the last meeting of each partnership (id)."""

    last: Mapping[int, dt.datetime]
    now: dt.datetime


#: Returns items about the room's records that the person may read, for meetings of these partnerships.
Suggest = Callable[[User, Sequence[Partnership], LookBack], Sequence[AgendaSuggestion]]
#: Composes the query of a source, for a person, the ids of partnerships and the present time.
ComposeRows = Callable[[User, list[int], dt.datetime], QuerySet[Any, Any]]


@dataclass(frozen=True, slots=True)
class AgendaSource:
    """One reason for items on the agenda, for example that commitments are overdue.

    `name` is stored, and never changes. `rows` compose the queries that `suggest` makes with `rows_for`.
    """

    name: str
    heading: str
    subject_kind: str
    suggest: Suggest
    rows: tuple[ComposeRows, ...] = ()


_sources: dict[str, AgendaSource] = {}


def register_agenda(name: str, heading: str, subject_kind: str, suggest: Suggest, *rows: ComposeRows) -> None:
    """Register a source of items. `heading` names its items ("Overdue commitments").

    Agendas list the sources by name, so names begin with a number. Pass each function with which `suggest` calls
    `rows_for(function, user, ids_of(partnerships), since.now)`. All sources are then read in one query.
    """
    _sources[name] = AgendaSource(name, heading, subject_kind, suggest, rows)


def agenda_sources() -> tuple[AgendaSource, ...]:
    """Return every source, in the order of their names."""
    return tuple(_sources[name] for name in sorted(_sources))


def ids_of(partnerships: Iterable[Partnership]) -> list[int]:
    """Return the ids of the partnerships, in their order."""
    return [partnership.pk for partnership in partnerships]


def suggestions_by_source(
    reader: Reader, partnerships: Sequence[Partnership], since: LookBack
) -> list[tuple[AgendaSource, Sequence[AgendaSuggestion]]]:
    """Return every source with its items for these partnerships, in the order of the sources.

    Each source is called once for all partnerships, and one query reads the rows of all sources.
    """
    if not partnerships:
        return []
    read_ahead(suggestion_lookups(reader, ids_of(partnerships), since.now))
    # `suggest` is typed for a person, but its queries start from `visible_to`, which takes any reader.
    return [(source, source.suggest(reader, partnerships, since)) for source in agenda_sources()]  # type: ignore[arg-type]


def suggestion_lookups(reader: Reader, partnership_ids: list[int], now: dt.datetime) -> list[Lookup]:
    """Return the lookups with which `suggestions_by_source` begins, for `read_ahead`."""
    return [
        lookup(compose_rows, reader, partnership_ids, now)
        for source in agenda_sources()
        for compose_rows in source.rows
    ]


def subject_kinds() -> frozenset[str]:
    """Return the kinds of record that items may be about."""
    return frozenset(source.subject_kind for source in _sources.values())


def first_rows_of_each(rows: QuerySet[Row, Row], *order: str, partnership: str = "partnership") -> QuerySet[Any, Any]:
    """Return the first `MAX_OF_ONE_SOURCE` rows of each partnership in this order.

    `partnership` is the lookup from a row to its partnership.
    """
    rank = Window(RowNumber(), partition_by=[partnership], order_by=order)
    return rows.annotate(rank=rank).filter(rank__lte=MAX_OF_ONE_SOURCE).order_by(*order)


def suggest_decisions(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Return the decisions that the partnerships themselves need: sign-off, review and end."""
    return [item for partnership in partnerships for item in _decision_due(user, partnership, since)]


def _decision_due(user: User, partnership: Partnership, since: LookBack) -> list[AgendaSuggestion]:
    """Return the next decision of a partnership in a list, or an empty list if none is due soon."""
    horizon = timezone.localdate(since.now) + _SOON
    if partnership.is_over:
        return []
    if partnership.status == Status.AWAITING_SIGN_OFF:
        title, detail = "Agree the terms", ""
    elif partnership.status == Status.UNDER_REVIEW:
        is_being_renewed = Partnership.objects.visible_to(user).live().filter(redefines=partnership).exists()
        review = "Hold the review, and decide whether to carry on, renew or end"
        title = "Agree the terms of the successor" if is_being_renewed else review
        detail = ""
    elif partnership.review_on and partnership.review_on <= horizon:
        title, detail = "Prepare the review", f"Due {long_date(partnership.review_on)}"
    elif partnership.ends_on and partnership.ends_on <= horizon:
        title, detail = "Decide what follows when the partnership ends", f"It ends {long_date(partnership.ends_on)}"
    else:
        return []

    path = reverse("agreements:detail", args=[partnership.pk])
    return [
        AgendaSuggestion(
            partnership_id=partnership.pk,
            subject_kind="partnership",
            subject_id=partnership.pk,
            title=title,
            path=path,
            purpose=Purpose.DECISION,
            detail=detail,
        )
    ]
