"""The board: entries that match a filter, and counts of them.

Readers never see or count entries that they may not read. Counting hundreds of thousands of rows for each page is slow.
So entries for the whole network are counted in advance (`EntryCount`), and what else the reader sees is small and found
by index. With keywords, a place or an organisation, counting stops at `CAP`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db.models import OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.utils import timezone

from partnerships.commitments.quantities import quantity_words
from partnerships.exchange.matching import listed
from partnerships.exchange.models import (
    OVER,
    ROUTES,
    UNANSWERED,
    Audience,
    Direction,
    Entry,
    EntryQuerySet,
    Theme,
    status_in_words,
    theme_number,
)
from partnerships.exchange.queries.permission_sql import Fragment, Reader, for_reader, reached_by, sql_of, union_all
from partnerships.exchange.reach import Places, near_keys
from partnerships.kit.database import rows_of
from partnerships.kit.lists import unquoted
from partnerships.organisations.audience import Network
from partnerships.organisations.lineage import found_by_name
from partnerships.organisations.models import Area
from partnerships.organisations.naming import beside_present, named_then
from partnerships.people.models import User

#: Filtered results are counted up to this; above it, pages say “more than 1,000”.
CAP = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show on the board. No statuses means everything that is open."""

    words: str = ""
    directions: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    organisation: str = ""
    area: int | None = None
    standing: bool = False
    #: Only entries without an answer, the longest waiting first.
    oldest: bool = False
    #: Only entries without an answer for more than this many days.
    waiting: int | None = None

    @property
    def order(self) -> tuple[str, str]:
        """Newest first, or longest waiting first; ends in a unique key."""
        return ("shared_at", "pk") if self.oldest else ("-shared_at", "-pk")

    @property
    def is_counted(self) -> bool:
        """Whether the stored counts can answer it."""
        return not (
            self.words or self.organisation or self.area or self.standing or self.oldest or self.waiting is not None
        )


def board(user: User, filters: Filters) -> EntryQuerySet:
    """Shared entries that match and that the person may see; not ordered."""
    return _fitting(Entry.objects.visible_to(user), filters)


def _fitting(entries: EntryQuerySet, filters: Filters) -> EntryQuerySet:
    """Shared entries that match."""
    entries = _narrowed(entries.exclude(shared_at=None), filters)
    if filters.directions:
        entries = entries.filter(direction__in=filters.directions)
    if filters.themes:
        entries = entries.filter(theme__in=filters.themes)
    if filters.statuses:
        return entries.filter(status__in=filters.statuses)
    return entries.filter(is_open=True)


def _narrowed(entries: EntryQuerySet, filters: Filters) -> EntryQuerySet:
    """Apply the filters that the stored counts do not have."""
    if filters.words:
        entries = entries.filter(words=SearchQuery(filters.words, config="english", search_type="websearch"))
    if filters.organisation:
        name = unquoted(filters.organisation)
        side = Q(organisation__name=name) if name else Q(organisation__in=found_by_name(filters.organisation))
        entries = entries.filter(side)
    if filters.area:
        themes = filters.themes or tuple(Theme.by_code())
        # An entry for a county has the keys of its districts, so it is found for a district.
        keys = [key for theme in themes for key in near_keys(theme_number(theme), [filters.area], Places())]
        entries = entries.filter(reach__overlap=keys)
    if filters.standing:
        entries = entries.filter(standing=True)
    if filters.oldest or filters.waiting is not None:
        # As on cards, where a standing offer never waits.
        entries = entries.unanswered().filter(standing=False)
    if filters.waiting is not None:
        entries = entries.filter(shared_at__date__lt=timezone.localdate() - dt.timedelta(days=filters.waiting))
    return entries


@dataclass(frozen=True, slots=True)
class Card:
    """What a card on the board shows."""

    pk: int
    direction: str
    theme: str
    status: str
    is_open: bool
    title: str
    statement: str
    standing: bool
    organisation: str
    closes_on: dt.date | None
    shared_at: dt.datetime | None
    answered_at: dt.datetime | None
    amount: str
    areas: tuple[str, ...]

    #: Matches that the reader may see; None where they are not counted.
    matches: int | None = None

    @property
    def waiting_since(self) -> dt.date | None:
        """Since which day it has had no answer; None if it does not wait."""
        waits = self.status in UNANSWERED and self.answered_at is None and not self.standing
        return timezone.localdate(self.shared_at) if waits and self.shared_at else None

    @property
    def days_waiting(self) -> int | None:
        """For how many days it has had no answer; None if it does not wait."""
        since = self.waiting_since
        return (timezone.localdate() - since).days if since else None

    @property
    def status_label(self) -> str:
        """The status in words."""
        return status_in_words(self.status, self.answered_at, standing=self.standing)

    @property
    def theme_label(self) -> str:
        """The theme in words."""
        return Theme.label_of(self.theme)

    @property
    def area_names(self) -> str:
        """`Fareham, Gosport and 3 more`."""
        return listed(self.areas)


def card_of(entry: Entry) -> Card:
    """The card of an entry read with `for_listing`."""
    return Card(
        pk=entry.pk,
        direction=entry.direction,
        title=entry.title,
        statement=entry.statement,
        theme=entry.theme,
        status=entry.status,
        standing=entry.standing,
        organisation=entry.organisation.name,
        areas=tuple(area.name for area in entry.areas.all()),
        closes_on=entry.closes_on,
        shared_at=entry.shared_at,
        answered_at=entry.answered_at,
        amount=entry.amount,
        is_open=entry.is_open,
    )


@dataclass(slots=True)
class Counts:
    """How many entries each choice in the filter would show.

    `capped` means that there are more.
    """

    capped: bool = False
    directions: Counter[str] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All entries that match, in both directions."""
        return sum(self.directions.values())


_Cell = tuple[str, str, str, bool, int]


def _summed(cells: Iterable[_Cell], filters: Filters) -> Counts:
    counts = Counts()
    for direction, theme, status, is_open, number in cells:
        right_status = status in filters.statuses if filters.statuses else is_open
        right_theme = not filters.themes or theme in filters.themes
        right_direction = not filters.directions or direction in filters.directions
        if right_status and right_theme and right_direction:
            counts.directions[direction] += number
        if right_status and right_direction:
            counts.themes[theme] += number
        if right_theme and right_direction:
            counts.statuses[status] += number
    for direction in Direction.values:
        if filters.directions and direction not in filters.directions:
            counts.directions.pop(direction, None)
    return counts


@dataclass(frozen=True, slots=True)
class Board:
    """Both sides, newest first, and the counts for the filter."""

    sides: dict[str, list[Card]]
    counts: Counts


def read(reader: Reader, filters: Filters, limit: int) -> Board:
    """The first `limit` entries on each side, and the counts for the filter.

    One statement, so that what the reader may see is found once.
    """
    sql, values = for_reader(_statement(filters, limit, reader.has_account, reader.today), reader)
    sides: dict[str, list[Card]] = {direction: [] for direction in filters.directions or Direction.values}
    cells: list[_Cell] = []
    for kind, number, direction, theme, status, is_open, *row in rows_of(sql, values):
        if kind == _CELL:
            cells.append((direction, theme, status, is_open, number))
            continue
        title, text, standing, organisation, then, closes_on, shared_at, answered_at, quantity, unit, areas = row
        sides[direction].append(
            Card(
                pk=number,
                direction=direction,
                theme=theme,
                status=status,
                is_open=is_open,
                title=title,
                statement=text,
                standing=standing,
                organisation=then if status in OVER else beside_present(then, organisation),
                closes_on=closes_on,
                shared_at=shared_at,
                answered_at=answered_at,
                amount=quantity_words(quantity, unit),
                areas=tuple(areas),
            )
        )
    counted = _summed(cells, filters)
    counted.capped = not filters.is_counted and sum(cell[-1] for cell in cells) > CAP
    return Board(sides, counted)


_CELL = "cell"
#: Columns of both counts and cards, then of cards only.
_BOTH = ("direction", "theme", "status", "is_open")
_CARD = (
    "title",
    "statement",
    "standing",
    "organisation__name",
    "organisation_then",
    "closes_on",
    "shared_at",
    "answered_at",
    "quantity",
    "unit",
)


@lru_cache(maxsize=512)
def _statement(filters: Filters, limit: int, has_account: bool, today: dt.date) -> Fragment:
    """What the reader alone sees (`seen`), the counts and both sides, as SQL."""
    seen, values = sql_of(_restricted(has_account))
    sql, more = union_all(_cells(filters, has_account), *(_sides(filters, limit, has_account) if limit else ()))
    return f"WITH seen (id) AS MATERIALIZED ({seen}) {sql}", (*values, *more)


def _restricted(has_account: bool) -> QuerySet[Entry, Any]:
    """Ids of entries that are not for everyone; one indexed query per route."""
    besides = Entry.objects.exclude(audience=Audience.NETWORK) if has_account else Entry.objects.all()
    ways = [
        besides.filter(reached_by(route)).order_by().values("pk") for route in ROUTES if not isinstance(route, Network)
    ]
    return ways[0].union(*ways[1:])


def _readable(has_account: bool) -> EntryQuerySet:
    condition = Q(pk__in=RawSQL("SELECT id FROM seen", ()))
    for route in ROUTES:
        if isinstance(route, Network) and has_account:
            condition |= route.when
    return Entry.objects.filter(condition)


def _sides(filters: Filters, limit: int, has_account: bool) -> list[Fragment]:
    areas = Area.objects.filter(entries=OuterRef("pk")).order_by("name", "pk").values("name")
    entries = _fitting(_readable(has_account), filters).annotate(organisation_then=named_then("shared_at"))
    entries = entries.order_by(*filters.order)
    return [
        sql_of(
            entries.filter(direction=direction).values_list(Value("card"), "pk", *_BOTH, *_CARD, ArraySubquery(areas))[
                :limit
            ]
        )
        for direction in filters.directions or Direction.values
    ]


def _cells(filters: Filters, has_account: bool) -> Fragment:
    """Counts by direction, theme and status; stored ones where possible."""
    blank = ", ".join(["NULL"] * (len(_CARD) + 1))
    columns = ", ".join(_BOTH)
    shared = Entry.objects.filter(pk__in=RawSQL("SELECT id FROM seen", ())).exclude(shared_at=None)
    if not filters.is_counted:
        shared = _narrowed(_readable(has_account).exclude(shared_at=None), filters)
        shared = shared if filters.statuses else shared.filter(is_open=True)
    sql, values = sql_of(shared.order_by().values_list(*_BOTH)[: None if filters.is_counted else CAP + 1])
    network = "UNION ALL SELECT direction, theme, status, is_open, number FROM exchange_entrycount"
    stored = network if filters.is_counted and has_account else ""
    each = f"SELECT {columns}, 1 AS number FROM ({sql}) counted {stored}"  # noqa: S608  # only column names
    summed = f"SELECT '{_CELL}', sum(number)::int, {columns}, {blank} FROM ({each}) cells GROUP BY {columns}"  # noqa: S608  # the same
    return summed, values
