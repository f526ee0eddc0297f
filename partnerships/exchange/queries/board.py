"""The board: entries that fit a filter, and how many there are of each direction, theme and status.

Nothing is shown or counted that the reader may not see. Counting hundreds of thousands of rows for every page is slow,
so: what the whole network may read is kept counted (`EntryCount`); what the reader sees besides is little and found by
index; and where words, a place or an organisation are asked for, counting stops at `CAP`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, Q, Sum

from partnerships.exchange.models import (
    ROUTES,
    THEME_NUMBERS,
    Audience,
    Direction,
    Entry,
    EntryCount,
    EntryQuerySet,
    Status,
)
from partnerships.exchange.reach import Places, near_keys
from partnerships.organisations.audience import Organisations
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User

#: Filtered results are counted up to here; beyond it a page says "more than 1,000".
CAP = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asks the board for. Without statuses: what still wants an answer."""

    words: str = ""
    directions: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    organisation: str = ""
    area: int | None = None
    standing: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether the counters can answer: nothing is asked for but direction, theme and status."""
        return not (self.words or self.organisation or self.area or self.standing)


def board(user: User, filters: Filters) -> EntryQuerySet:
    """The shared entries that the person may see and that fit; not ordered."""
    entries = _narrowed(Entry.objects.visible_to(user).exclude(status=Status.DRAFT), filters)
    if filters.directions:
        entries = entries.filter(direction__in=filters.directions)
    if filters.themes:
        entries = entries.filter(theme__in=filters.themes)
    if filters.statuses:
        return entries.filter(status__in=filters.statuses)
    return entries.filter(is_open=True)


def _narrowed(entries: EntryQuerySet, filters: Filters) -> EntryQuerySet:
    """Those that fit what the counters do not know: words, organisation, place, standing."""
    if filters.words:
        entries = entries.filter(words=SearchQuery(filters.words, config="english", search_type="websearch"))
    if filters.organisation:
        named = Organisation.objects.filter(
            Q(name__icontains=filters.organisation) | Q(short_name__icontains=filters.organisation)
        )
        entries = entries.filter(organisation__in=named.order_by().values("pk"))
    if filters.area:
        themes = filters.themes or tuple(THEME_NUMBERS)
        # An entry for the county has the keys of its districts: so the district's page finds it.
        keys = [key for theme in themes for key in near_keys(THEME_NUMBERS[theme], [filters.area], Places())]
        entries = entries.filter(reach__overlap=keys)
    if filters.standing:
        entries = entries.filter(standing=True)
    return entries


@dataclass(slots=True)
class Counts:
    """How many entries there are by each choice of the filter, given the others; `capped` when there are more."""

    capped: bool = False
    directions: Counter[str] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All that fit, in both directions that the filter wants."""
        return sum(self.directions.values())


_Cell = tuple[str, str, str, bool, int]


def counts(user: User, filters: Filters) -> Counts:
    """Count what `board` would show, and what each other choice of direction, theme and status would."""
    if filters.is_counted:
        return _summed([*_network_cells(), *_restricted_cells(user)], filters)
    entries = _narrowed(Entry.objects.visible_to(user).exclude(status=Status.DRAFT), filters)
    if not filters.statuses:
        entries = entries.filter(is_open=True)
    rows = list(entries.order_by().values_list("direction", "theme", "status", "is_open")[: CAP + 1])
    found = _summed([(*row, 1) for row in rows[:CAP]], filters)
    found.capped = len(rows) > CAP
    return found


def _network_cells() -> list[_Cell]:
    sums = EntryCount.objects.values_list("direction", "theme", "status", "is_open").annotate(all=Sum("number"))
    return list(sums)


def _restricted_cells(user: User) -> list[_Cell]:
    """What the person sees besides what everyone does: each way in by its own index, then counted once."""
    mine = Membership.objects.current().of_person(user).values("organisation")
    ways = [
        Entry.objects.filter(route.when, **{f"{route.path}__in": mine})
        .exclude(audience=Audience.NETWORK)
        .order_by()
        .values("pk")
        for route in ROUTES
        if isinstance(route, Organisations)
    ]
    entries = Entry.objects.filter(pk__in=ways[0].union(*ways[1:])).exclude(status=Status.DRAFT)
    cells = entries.order_by().values_list("direction", "theme", "status", "is_open").annotate(all=Count("pk"))
    return list(cells)


def _summed(cells: Iterable[_Cell], filters: Filters) -> Counts:
    found = Counts()
    for direction, theme, status, is_open, number in cells:
        right_status = status in filters.statuses if filters.statuses else is_open
        right_theme = not filters.themes or theme in filters.themes
        right_direction = not filters.directions or direction in filters.directions
        if right_status and right_theme and right_direction:
            found.directions[direction] += number
        if right_status and right_direction:
            found.themes[theme] += number
        if right_theme and right_direction:
            found.statuses[status] += number
    for direction in Direction.values:
        if filters.directions and direction not in filters.directions:
            found.directions.pop(direction, None)
    return found
