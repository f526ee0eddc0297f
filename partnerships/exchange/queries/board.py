"""The board: entries that match a filter, and counts of these entries.

Readers never see or count entries that they may not read. Counting hundreds of thousands of rows for each page is slow,
so entries for the whole network are counted in advance (`EntryCount`). The other entries that a reader may read are few
and found by index. With keywords, a place or an organisation, counting stops at `CAP`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db.models import OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.utils import timezone

from partnerships.commitments.quantities import quantity_words
from partnerships.exchange.matching import names_in_words
from partnerships.exchange.models import (
    FINAL_STATUSES,
    ROUTES,
    UNANSWERED_STATUSES,
    Audience,
    Direction,
    Entry,
    EntryQuerySet,
    Theme,
    status_in_words,
    theme_number,
)
from partnerships.exchange.queries.permission_sql import Fragment, Reader, for_reader, is_reached_by, sql_of, union_all
from partnerships.exchange.reach import Places, near_keys
from partnerships.kit.database import rows_of
from partnerships.kit.lists import unquoted
from partnerships.organisations.audience import Network
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.models import Area
from partnerships.organisations.naming import official_name_at, with_present_name
from partnerships.people.models import User

#: Filtered entries are counted up to this number; above it, pages say “more than 1,000”.
CAP = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the board and of the list. Without statuses, only open entries are shown."""

    words: str = ""
    directions: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    organisation: str = ""
    area: int | None = None
    standing: bool = False
    #: Only entries without an answer, the longest waiting first.
    oldest: bool = False
    #: Only entries that have had no answer for more than this many days.
    waiting: int | None = None

    @property
    def order(self) -> tuple[str, str]:
        """Return the order: newest first, or longest without an answer first. It ends in a unique key."""
        return ("shared_at", "pk") if self.oldest else ("-shared_at", "-pk")

    @property
    def is_counted(self) -> bool:
        """Return whether the stored counts are enough, because the filters use only direction, theme and status."""
        is_limited = bool(self.words or self.organisation or self.area or self.standing or self.oldest)
        return not is_limited and self.waiting is None


def board_entries(user: User, filters: Filters) -> EntryQuerySet:
    """Return the shared entries that match the filters and that the person may see, in no order."""
    return _matching(Entry.objects.visible_to(user), filters)


def _matching(entries: EntryQuerySet, filters: Filters) -> EntryQuerySet:
    """Return the entries that are shared and match all filters."""
    entries = _matching_details(entries.exclude(shared_at=None), filters)
    if filters.directions:
        entries = entries.filter(direction__in=filters.directions)
    if filters.themes:
        entries = entries.filter(theme__in=filters.themes)
    if filters.statuses:
        return entries.filter(status__in=filters.statuses)
    return entries.filter(is_open=True)


def _matching_details(entries: EntryQuerySet, filters: Filters) -> EntryQuerySet:
    """Return the entries that match the filters for which there are no stored counts (`Filters.is_counted`)."""
    if filters.words:
        entries = entries.filter(words=SearchQuery(filters.words, config="english", search_type="websearch"))
    if filters.organisation:
        exact_name = unquoted(filters.organisation)
        if exact_name:
            entries = entries.filter(organisation__name=exact_name)
        else:
            entries = entries.filter(organisation__in=organisation_ids_by_name(filters.organisation))
    if filters.area:
        themes = filters.themes or tuple(Theme.by_code())
        # An entry for a county has the keys of its districts too, so it is found for a district.
        keys = [key for theme in themes for key in near_keys(theme_number(theme), [filters.area], Places())]
        entries = entries.filter(reach__overlap=keys)
    if filters.standing:
        entries = entries.filter(standing=True)
    if filters.oldest or filters.waiting is not None:
        # A standing offer needs no answer.
        entries = entries.unanswered().filter(standing=False)
    if filters.waiting is not None:
        entries = entries.filter(shared_at__date__lt=timezone.localdate() - dt.timedelta(days=filters.waiting))
    return entries


@dataclass(frozen=True, slots=True)
class Card:
    """An entry as its card on the board shows it, without the rows of the database."""

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
    #: The number of matches that the reader may see; None if they are not counted.
    matches: int | None = None

    @property
    def waiting_since(self) -> dt.date | None:
        """Return the day on which the entry was shared if it still has no answer; None if it needs none."""
        is_waiting = self.status in UNANSWERED_STATUSES and self.answered_at is None and not self.standing
        return timezone.localdate(self.shared_at) if is_waiting and self.shared_at else None

    @property
    def days_waiting(self) -> int | None:
        """Return the number of days for which the entry has had no answer; None if it needs none."""
        since = self.waiting_since
        return (timezone.localdate() - since).days if since else None

    @property
    def status_label(self) -> str:
        """Return the status as readers see it."""
        return status_in_words(self.status, self.answered_at, standing=self.standing)

    @property
    def theme_label(self) -> str:
        """Return the label of the theme."""
        return Theme.label_of(self.theme)

    @property
    def area_names(self) -> str:
        """Return the names of the areas as text: `Fareham, Gosport and 3 more`."""
        return names_in_words(self.areas)


def card_of(entry: Entry) -> Card:
    """Return the card of an entry that was fetched with `for_listing`."""
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
    """The number of entries that each choice in the filter would show.

    `capped` is True if there are more than `CAP`.
    """

    capped: bool = False
    directions: Counter[str] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Return the number of all entries that match, in both directions."""
        return sum(self.directions.values())


class _Row(NamedTuple):
    """A row that the board's statement returns: a count of entries, or a card.

    `number` is the count, or the id of the card's entry. In counts, the columns after `is_open` are None.
    """

    kind: str
    number: int
    direction: str
    theme: str
    status: str
    is_open: bool
    title: str
    statement: str
    standing: bool
    organisation_now: str
    organisation_then: str
    closes_on: dt.date | None
    shared_at: dt.datetime | None
    answered_at: dt.datetime | None
    quantity: Decimal | None
    unit: str
    areas: list[str]

    def as_card(self) -> Card:
        """Return the row as a card.

        The organisation has the name that it had when the entry was shared and, unless the entry is over, its present
        name beside it.
        """
        if self.status in FINAL_STATUSES:
            organisation = self.organisation_then
        else:
            organisation = with_present_name(self.organisation_then, self.organisation_now)
        return Card(
            pk=self.number,
            direction=self.direction,
            theme=self.theme,
            status=self.status,
            is_open=self.is_open,
            title=self.title,
            statement=self.statement,
            standing=self.standing,
            organisation=organisation,
            closes_on=self.closes_on,
            shared_at=self.shared_at,
            answered_at=self.answered_at,
            amount=quantity_words(self.quantity, self.unit),
            areas=tuple(self.areas),
        )


def _counts_of_choices(rows: Iterable[_Row], filters: Filters) -> Counts:
    """Add up the rows for each choice of direction, theme and status in the filter panel.

    The count of a theme is what choosing this theme would show, so the chosen themes do not limit it. The same holds
    for statuses. The counts of directions apply all filters, because pages show their sum as the total.
    """
    counts = Counts()
    for row in rows:
        has_status = row.status in filters.statuses if filters.statuses else row.is_open
        has_theme = not filters.themes or row.theme in filters.themes
        has_direction = not filters.directions or row.direction in filters.directions
        if has_status and has_theme and has_direction:
            counts.directions[row.direction] += row.number
        if has_status and has_direction:
            counts.themes[row.theme] += row.number
        if has_theme and has_direction:
            counts.statuses[row.status] += row.number
    for direction in Direction.values:
        if filters.directions and direction not in filters.directions:
            counts.directions.pop(direction, None)
    return counts


@dataclass(frozen=True, slots=True)
class Board:
    """The cards of the board by direction, and the counts for the filter."""

    sides: dict[str, list[Card]]
    counts: Counts


def read_board(reader: Reader, filters: Filters, limit: int) -> Board:
    """Return the first `limit` entries of each direction, and the counts for the filter.

    One statement reads both, so that PostgreSQL finds the entries that the reader may read only once.
    """
    sql, values = for_reader(_statement(filters, limit, reader.has_account, reader.today), reader)
    sides: dict[str, list[Card]] = {direction: [] for direction in filters.directions or Direction.values}
    count_rows: list[_Row] = []
    for row in map(_Row._make, rows_of(sql, values)):
        if row.kind == _COUNT:
            count_rows.append(row)
        else:
            sides[row.direction].append(row.as_card())
    counts = _counts_of_choices(count_rows, filters)
    counts.capped = not filters.is_counted and sum(row.number for row in count_rows) > CAP
    return Board(sides=sides, counts=counts)


#: The `kind` of a row that is a count.
_COUNT = "count"
#: The columns that both counts and cards have, in the order of `_Row`.
_SHARED_COLUMNS = ("direction", "theme", "status", "is_open")
#: The columns that only cards have, in the order of `_Row`. The names of the areas follow them.
_CARD_COLUMNS = (
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
    """Return the statement for counts and cards.

    Its table `seen` has the entries that this reader may read and that are not for everyone.
    """
    seen_sql, seen_values = sql_of(_restricted(has_account))
    statements = [_counts(filters, has_account)]
    if limit:
        statements += _sides(filters, limit, has_account)
    sql, values = union_all(*statements)
    return f"WITH seen (id) AS MATERIALIZED ({seen_sql}) {sql}", (*seen_values, *values)


def _restricted(has_account: bool) -> QuerySet[Entry, Any]:
    """Return the ids of readable entries that are not for everyone, by one indexed query for each route.

    A route is a reason for which a person may read an entry: for example, the entry asks their organisation.
    """
    entries = Entry.objects.exclude(audience=Audience.NETWORK) if has_account else Entry.objects.all()
    routes = [route for route in ROUTES if not isinstance(route, Network)]
    queries = [entries.filter(is_reached_by(route)).order_by().values("pk") for route in routes]
    return queries[0].union(*queries[1:])


def _readable(has_account: bool) -> EntryQuerySet:
    """Return the entries that the reader may read: the entries in `seen`, and the entries for everyone."""
    condition = Q(pk__in=RawSQL("SELECT id FROM seen", ()))
    for route in ROUTES:
        if isinstance(route, Network) and has_account:
            condition |= route.when
    return Entry.objects.filter(condition)


def _sides(filters: Filters, limit: int, has_account: bool) -> list[Fragment]:
    """Return one statement for the cards of each direction."""
    area_names = Area.objects.filter(entries=OuterRef("pk")).order_by("name", "pk").values("name")
    entries = _matching(_readable(has_account), filters).annotate(organisation_then=official_name_at("shared_at"))
    cards = entries.order_by(*filters.order).values_list(
        Value("card"), "pk", *_SHARED_COLUMNS, *_CARD_COLUMNS, ArraySubquery(area_names)
    )
    return [sql_of(cards.filter(direction=direction)[:limit]) for direction in filters.directions or Direction.values]


def _counts(filters: Filters, has_account: bool) -> Fragment:
    """Return the statement for the counts by direction, theme and status.

    If the stored counts are enough for the filters, they are added to the counts of the entries in `seen`. Otherwise
    the statement counts up to `CAP` entries, and one more to find out whether there are more.
    """
    if filters.is_counted:
        shared_entries = Entry.objects.filter(pk__in=RawSQL("SELECT id FROM seen", ())).exclude(shared_at=None)
        limit = None
    else:
        shared_entries = _matching_details(_readable(has_account).exclude(shared_at=None), filters)
        if not filters.statuses:
            shared_entries = shared_entries.filter(is_open=True)
        limit = CAP + 1
    entries_sql, values = sql_of(shared_entries.order_by().values_list(*_SHARED_COLUMNS)[:limit])

    columns = ", ".join(_SHARED_COLUMNS)
    numbers = f"SELECT {columns}, 1 AS number FROM ({entries_sql}) shared"  # noqa: S608  # only column names
    if filters.is_counted and has_account:
        numbers += f" UNION ALL SELECT {columns}, number FROM exchange_entrycount"  # noqa: S608  # the same
    nulls = ", ".join(["NULL"] * (len(_CARD_COLUMNS) + 1))
    sql = f"""
        SELECT '{_COUNT}', sum(number)::int, {columns}, {nulls}
        FROM ({numbers}) counted
        GROUP BY {columns}
    """  # noqa: S608  # the same
    return sql, values
