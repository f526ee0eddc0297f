"""The counterparts of one entry: candidates by index, never by comparing all with all; then scored by `matching`.

Two tiers: those that reach the same places, by the partial GIN index on `reach`, and only where they are fewer than ten
those of the same region. The database orders a tier roughly (words, titles); Python scores the best of it exactly.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramSimilarity
from django.db.models import F, Q

from partnerships.agreements.models import Party
from partnerships.exchange.matching import WORTH_TELLING, Fit, Ground, Half, as_written, fit, telling
from partnerships.exchange.models import (
    ROUTES,
    THEME_NUMBERS,
    Addressee,
    Audience,
    Direction,
    Dismissal,
    Entry,
)
from partnerships.exchange.reach import anywhere, place_of
from partnerships.organisations.audience import visible_to
from partnerships.organisations.models import Area, Organisation
from partnerships.people.models import User

#: How many of a tier are looked at (the newest), how many are scored exactly, and what comes out.
POOL = 300
SCORED = 40
BEST = 10

_LEXEME = re.compile(r"'((?:[^']|'')+)'")


@dataclass(frozen=True, slots=True)
class Found:
    """A counterpart and how well it fits."""

    entry_id: int
    fit: Fit


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    organisation_id: int
    start: dt.date | None
    end: dt.date | None
    quantity: Decimal | None
    agreed: Decimal
    unit: str
    standing: bool
    reach: list[int]
    words: str
    likeness: float


def half(
    start: dt.date | None,
    end: dt.date | None,
    quantity: Decimal | None,
    agreed: Decimal,
    unit: str,
    *,
    standing: bool,
) -> Half:
    """What scoring wants to know of an entry; a standing offer has its whole quantity for everyone."""
    left = None if quantity is None else (quantity if standing else max(quantity - agreed, Decimal(0)))
    return Half(start, end, left, unit)


class AreaNames:
    """Names of areas and what each lies in, read once and kept for a run."""

    def __init__(self, only: Collection[int] | None = None) -> None:
        areas = Area.objects.all() if only is None else Area.objects.filter(pk__in=only)
        self._rows: dict[int, tuple[str, int | None, int | None]] = {
            pk: (name, parent, region)
            for pk, name, parent, region in areas.order_by().values_list("pk", "name", "parent_id", "region_id")
        }

    def of(self, areas: set[int]) -> tuple[str, ...]:
        """The names of the widest of these areas: a county, not also its districts."""
        widest = [area for area in areas if area in self._rows and not areas & set(filter(None, self._rows[area][1:]))]
        return tuple(sorted(self._rows[area][0] for area in widest))


def open_to(organisation_id: int) -> Q:
    """The condition that the people of an organisation may read an entry of another's that is shared."""
    named = Addressee.objects.filter(organisation=organisation_id).values("entry")
    present = Party.objects.present().filter(organisation=organisation_id).values("partnership")
    return (
        Q(audience=Audience.NETWORK)
        | Q(audience=Audience.NAMED, pk__in=named)
        | Q(audience=Audience.PARTNERSHIP, partnership__in=present)
    )


def reached_by(entry: Entry) -> Q:
    """The condition that the organisation of an entry may read this one."""
    if entry.audience == Audience.NETWORK:
        return Q()
    if entry.audience == Audience.NAMED:
        return Q(organisation__in=entry.addressees.values("organisation"))
    return Q(organisation__in=Party.objects.present().filter(partnership=entry.partnership_id).values("organisation"))


def readable_to(user: User) -> Q:
    """The condition that this person may read an entry that is shared."""
    return visible_to(Entry, ROUTES, user)


def put_aside_by(entry: Entry, user: User) -> set[int]:
    """Ids of the counterparts that an organisation of the person said are none."""
    said = Dismissal.objects.filter(organisation__in=Organisation.objects.of_person(user))
    if entry.is_ask:
        return set(said.filter(match__ask=entry).values_list("match__offer", flat=True))
    return set(said.filter(match__offer=entry).values_list("match__ask", flat=True))


def best_for_reader(entry: Entry, user: User, today: dt.date) -> list[Found]:
    """The best counterparts among what this person may see, without those that their organisations put aside.

    Their rights are a condition of the search itself: what they may not see is neither suggested nor counted.
    """
    return best(entry, readable_to(user), today, besides=put_aside_by(entry, user))


def best_for_both(entry: Entry, today: dt.date, names: AreaNames, known: Collection[int] = ()) -> list[Found]:
    """The best counterparts that the entry's organisation may read, and the best whose organisation may read the entry.

    For keeping: what one of the two may not read is not shown to it, and still shown to the other. Counterparts `known`
    from their own side are scored again.
    """
    readable, reached = open_to(entry.organisation_id), reached_by(entry)
    found = best(entry, readable, today, names)
    found += best(entry, ~readable & ~Q(audience=Audience.NETWORK) & reached, today, names)
    left = set(known) - {one.entry_id for one in found}
    return [*found, *(best(entry, (readable | reached) & Q(pk__in=left), today, names, most=SCORED) if left else ())]


def best(
    entry: Entry,
    allowed: Q,
    today: dt.date,
    names: AreaNames | None = None,
    besides: Collection[int] = (),
    most: int = BEST,
) -> list[Found]:
    """Up to so many allowed counterparts worth telling of, best first."""
    near, far = _keys_of(entry)
    rows = _tier(entry, allowed, near, today, besides) if near else []
    if len(rows) < BEST:
        rows += _tier(entry, allowed, far, today, {*besides, *(row.pk for row in rows)})
    if not rows:
        return []
    return _scored(entry, rows, names)[:most]


def _keys_of(entry: Entry) -> tuple[list[int], list[int]]:
    """Keys of the very places, and of their regions (with those that name no place)."""
    none = anywhere(THEME_NUMBERS[entry.theme])
    return [key for key in entry.reach if key > 0], [none, *(key for key in entry.reach if key < 0 and key != none)]


def _tier(entry: Entry, allowed: Q, keys: list[int], today: dt.date, besides: Collection[int]) -> list[_Row]:
    """The roughly best `SCORED` of the newest `POOL` open entries of the other direction that share a key."""
    other = Direction.OFFER if entry.is_ask else Direction.ASK
    rows = (
        Entry.objects.filter(allowed, direction=other, theme=entry.theme, is_open=True)
        .exclude(organisation=entry.organisation_id)
        .filter(Q(available_until=None) | Q(available_until__gte=entry.available_from or today))
    )
    if entry.reach != [anywhere(THEME_NUMBERS[entry.theme])]:
        rows = rows.filter(reach__overlap=keys)
    if entry.available_until:
        rows = rows.filter(Q(available_from=None) | Q(available_from__lte=entry.available_until))
    if besides:
        rows = rows.exclude(pk__in=besides)
    pool = rows.order_by("-shared_at", "-pk").values("pk")[:POOL]
    ranked = Entry.objects.filter(pk__in=pool).annotate(
        likeness=TrigramSimilarity("title", entry.title), rank=SearchRank(F("words"), _any_of(lexemes_of(entry.words)))
    )
    values = ranked.order_by((F("rank") + F("likeness")).desc(), "-pk").values_list(
        "pk",
        "organisation",
        "available_from",
        "available_until",
        "quantity",
        "agreed_quantity",
        "unit",
        "standing",
        "reach",
        "words",
        "likeness",
    )
    return [_Row(*row) for row in values[:SCORED]]


def _scored(entry: Entry, rows: list[_Row], names: AreaNames | None) -> list[Found]:
    own = half(
        entry.available_from,
        entry.available_until,
        entry.quantity,
        entry.agreed_quantity,
        entry.unit,
        standing=entry.standing,
    )
    near = {key for key in entry.reach if key > 0}
    regions = {key for key in entry.reach if key < 0} - {anywhere(THEME_NUMBERS[entry.theme])}
    lexemes = set(lexemes_of(entry.words))
    text = f"{entry.title} {entry.statement}"
    partners = _partners(entry.organisation_id)
    if names is None:
        names = AreaNames({place_of(key) for row in rows for key in near.intersection(row.reach)})
    found = []
    for row in rows:
        shared = near.intersection(row.reach)
        ground = Ground(
            areas=names.of({place_of(key) for key in shared}),
            same_region=not regions.isdisjoint(row.reach),
            words=as_written(telling(lexemes.intersection(lexemes_of(row.words))), text),
            likeness=row.likeness,
            partners=row.organisation_id in partners,
        )
        other = half(row.start, row.end, row.quantity, row.agreed, row.unit, standing=row.standing)
        found.append(Found(row.pk, fit(own, other, ground) if entry.is_ask else fit(other, own, ground)))
    found.sort(key=lambda one: (-one.fit.points, -one.entry_id))
    return [one for one in found if one.fit.points >= WORTH_TELLING]


def _partners(organisation_id: int) -> set[int]:
    """Organisations that share a partnership with this one today."""
    shared = Party.objects.present().filter(organisation=organisation_id).values("partnership")
    return set(Party.objects.present().filter(partnership__in=shared).values_list("organisation_id", flat=True))


def lexemes_of(words: Any) -> list[str]:
    """The lexemes of a stored search vector, as PostgreSQL writes it."""
    return [lexeme.replace("''", "'") for lexeme in _LEXEME.findall(str(words or ""))]


def _any_of(lexemes: Sequence[str]) -> SearchQuery:
    quoted = ["'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'" for lexeme in lexemes[:40]]
    return SearchQuery(" | ".join(quoted) or "''", search_type="raw", config="simple")
