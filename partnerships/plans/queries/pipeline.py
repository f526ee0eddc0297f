"""Homes of plans over time, added up as far as a reader may read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from partnerships.kit.database import as_array, rows_of
from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.combinations import Combinations
from partnerships.plans.queries.packed import INSIDE, OWNER, SEVERAL, Lines, lines_of
from partnerships.plans.queries.reading import READ_NOW, parameters_of

if TYPE_CHECKING:
    import numpy as np

    from partnerships.plans.queries.packed import Numbers
else:
    np = late("numpy")


@dataclass(frozen=True, slots=True)
class Count:
    """Homes of one part of the pipeline.

    `baseline`: as the baselines of the plans say, or their first versions. `then`: as their readers read them at the
    moment that is compared with. `now`: as they read them now. `done`: of these, how many have completed.
    """

    baseline: int = 0
    then: int = 0
    now: int = 0
    done: int = 0

    @property
    def to_come(self) -> int:
        """Homes that are planned now and have not completed."""
        return self.now - self.done


@dataclass(frozen=True, slots=True)
class Slip:
    """A site whose forecast completion has moved. Dates are partial; `was` is that of `then` or of the baseline."""

    plan_id: int
    plan: str
    site_key: str
    site: str
    was: str
    now: str
    homes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Which homes are counted; empty: all.

    `in_agreement` says by what homes of a section 106 agreement are known: planning references, each with an authority
    or with an area.
    """

    areas: Sequence[str] = ()
    authorities: Sequence[str] = ()
    tenures: Sequence[str] = ()
    needs: Sequence[str] = ()
    bedrooms: int | None = None
    provider: str = ""
    confidence: str = ""
    partnerships: Sequence[int] = ()
    kind: str = ""
    year: str = ""
    in_agreement: Sequence[tuple[str, str]] = ()


#: The ways of dividing the pipeline, with the columns of each.
DIVISIONS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "year": ("year",),
    "tenure": ("tenure",),
    "area": ("area_code", "authority"),
    "bedrooms": ("bedrooms",),
    "needs": ("needs",),
    "provider": ("provider",),
    "confidence": ("confidence",),
    "funding": ("has_grant", "is_in_agreement"),
}
#: Homes by the values of the columns of a division.
Divided: TypeAlias = dict[tuple[Any, ...], Count]
#: The four figures of a `Count`, in its order.
Figures: TypeAlias = list[int]
#: Sites whose forecast has moved are given up to this number, those with most homes first.
MAX_SLIPS = 100


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The homes that a reader may read, by each of the `DIVISIONS`, and the sites whose forecast has changed.

    The provider is the site's lead; of a site that names none, the plan's present owners.
    """

    by: Mapping[str, Divided]
    plans: int = 0
    sites: int = 0
    slips: Sequence[Slip] = ()

    @property
    def total(self) -> Count:
        """All homes."""
        return self.by["all"].get((), Count())


def pipeline_of(reader: Reader, narrowed: Narrowed, *, then: dt.datetime | None, now: dt.datetime) -> Pipeline:
    """The homes of the plans that the reader reads now: as at `now`, as at `then`, and by the baselines.

    Homes count of plans that are not superseded or closed at the moment. Of each version only what the reader may read
    in it: homes at confidential sites are read inside. Plans that a reader may read only as they were count nowhere.
    Forecasts are compared with those at `then`, or with the baselines.
    """
    reads = parameters_of(
        areas=narrowed.areas,
        authorities=narrowed.authorities,
        partnerships=narrowed.partnerships,
        kind=narrowed.kind,
        then=then,
    )
    packed = lines_of(reader, reads, then=then, now=now)
    sums = _Sums(narrowed, is_since=then is not None)
    for lines in packed:
        sums.add(lines)
    by = sums.divided()
    return Pipeline({**by, "provider": sums.provided()}, sums.plans, sums.sites, sums.slipped(now))


#: Lines of registered section 106 agreements.
_AGREED = """
SELECT homes.id FROM plans_plannedhomes homes
JOIN unnest(%s::text[], %s::text[]) AS agreed(reference, place) ON homes.planning_reference = agreed.reference
WHERE homes.planning_reference <> '' AND agreed.place IN (homes.authority, homes.area_code)
"""
#: The words about sites that have moved. A site is called as its reader reads it now.
_SLIPPED = f"""
SELECT moved.line, plan.title, moved.site_key, (
    SELECT max(site_name COLLATE "C") FROM plans_plannedhomes homes
    WHERE homes.plan_id = plan.id AND homes.site_key = moved.site_key AND {READ_NOW} AND (is_inside OR NOT confidential)
) FROM (
    SELECT line, flags & {OWNER} > 0 AS is_owner, flags & {INSIDE} > 0 AS is_inside, plan_id, site_key
    FROM unnest(%(lines)s::bigint[], %(flags)s::int[]) AS given(line, flags)
    JOIN plans_plannedhomes homes ON homes.id = line
) moved JOIN plans_plan plan ON plan.id = moved.plan_id
"""  # noqa: S608 - constants
_PROVIDERS = "SELECT id FROM plans_homesprovider WHERE position(lower(%s) IN lower(name)) > 0"


class _Sums:
    """Homes that are counted, added up by combination, by provider and by site.

    Each of the four figures of a `Count` has a row. `plans` and `sites` count those with homes now.
    """

    def __init__(self, narrowed: Narrowed, *, is_since: bool) -> None:
        self._combinations = Combinations.among(
            areas=list(narrowed.areas),
            authorities=list(narrowed.authorities),
            tenures=list(narrowed.tenures),
            needs=list(narrowed.needs),
            bedrooms=narrowed.bedrooms,
            confidence=narrowed.confidence,
            year=narrowed.year,
        )
        self._is_since = is_since
        references, places = [one for one, _ in narrowed.in_agreement], [one for _, one in narrowed.in_agreement]
        agreed = rows_of(_AGREED, [references, places]) if references else ()
        self._agreed = np.array([pk for (pk,) in agreed], dtype=np.int64)
        providers = rows_of(_PROVIDERS, [narrowed.provider]) if narrowed.provider else None
        self._providers = None if providers is None else np.array([pk for (pk,) in providers], dtype=np.int64)
        self._parts: Numbers = np.zeros((4, 2 * self._combinations.size), dtype=np.int64)
        #: A number for the lead of sites, or for their plan's owners, with the four figures.
        self._provided: list[Numbers] = [np.zeros((5, 0), dtype=np.int64)]
        #: Of sites whose forecast has moved: homes today, plan, site, a line, the forecast before and now, flags.
        self._moved: list[tuple[int, ...]] = []
        self.plans = self.sites = 0

    def add(self, found: Lines) -> None:
        """Add the homes of some plans."""
        lines = self._combinations.counted(found)
        if self._providers is not None:
            lines = lines.only(np.isin(lines.provider, self._providers))
        if not len(lines.plan):
            return
        today = lines.count * lines.is_now
        done = today * self._combinations.is_done[lines.combination]
        figures = np.stack([lines.count * lines.is_baseline, lines.count * lines.is_then, today, done])
        is_agreed = np.isin(lines.ids, self._agreed)
        self._parts += _added(2 * lines.combination + is_agreed, figures, self._parts.shape[1])
        owner, plan = lines.plans["owner"].astype(np.int64), lines.plans["id"].astype(np.int64)
        owners = np.where(owner == SEVERAL, 4 * plan + _OWNERS_OF_PLAN, 4 * owner + _OWNER)[lines.plan]
        keys, places = np.unique(np.where(lines.provider > 0, 4 * lines.provider + _LEAD, owners), return_inverse=True)
        self._provided.append(np.stack([keys, *_added(places, figures, len(keys))]))
        self._add_sites(lines, today)

    def _add_sites(self, lines: Lines, today: Numbers) -> None:
        """Count the sites, and keep the largest of those whose forecast has moved."""
        begins = np.flatnonzero(np.diff(lines.plan, prepend=-1) | np.diff(lines.site, prepend=-1))
        was_there = lines.is_then if self._is_since else lines.is_baseline
        before, now = (
            np.maximum.reduceat(np.where(moment, lines.forecast, -1), begins) for moment in (was_there, lines.is_now)
        )
        self.sites += int(np.count_nonzero(now >= 0))
        self.plans += len(np.unique(lines.plan[begins][now >= 0], return_index=True)[0])
        homes, plan, site = np.add.reduceat(today, begins), lines.plans["id"][lines.plan[begins]], lines.site[begins]
        moved = np.flatnonzero((before >= 0) & (now >= 0) & (before != now))
        largest = moved[np.lexsort((site[moved], plan[moved], -homes[moved]))[:MAX_SLIPS]]
        flags = lines.plans["flags"][lines.plan[begins]]
        columns = (homes, plan, site, lines.ids[begins], before, now, flags)
        self._moved += zip(*(column[largest].tolist() for column in columns), strict=True)

    def divided(self) -> dict[str, Divided]:
        """The homes by each division, without that by provider."""
        counted = np.flatnonzero(self._parts.any(axis=0))
        places, is_agreed = np.divmod(counted, 2)
        columns = {**self._combinations.columns(places), "is_in_agreement": is_agreed.astype(bool).tolist()}
        figures = self._parts[:, counted]
        return {
            name: _counts(list(zip(*(columns[one] for one in names), strict=True)) or [()] * len(counted), figures)
            for name, names in DIVISIONS.items()
            if name != "provider"
        }

    def provided(self) -> Divided:
        """The homes by provider: the site's lead, else the plan's owners."""
        provided = np.concatenate(self._provided, axis=1)
        keys, places = np.unique(provided[0], return_inverse=True)
        names = _provider_names(keys.tolist())
        return _counts([(names.get(key, ""),) for key in keys.tolist()], _added(places, provided[1:], len(keys)))

    def slipped(self, now: dt.datetime) -> list[Slip]:
        """The sites whose forecast has moved, those with most homes first."""
        largest = sorted(self._moved, key=lambda one: (-one[0], *one[1:]))[:MAX_SLIPS]
        values = {
            "lines": [line for _, _, _, line, *_ in largest],
            "flags": [flags for *_, flags in largest],
            "now": now,
        }
        slipped_by_line = {line: words for line, *words in rows_of(_SLIPPED, values)} if largest else {}
        return [
            Slip(
                plan_id=plan,
                plan=title,
                site_key=key,
                site=name,
                was=_partial_date(before),
                now=_partial_date(after),
                homes=homes,
            )
            for homes, plan, _, line, before, after, _ in largest
            for title, key, name in (slipped_by_line[line],)
        ]


def _added(keys: Numbers, figures: Numbers, size: int) -> Numbers:
    """The figures added up by key. numpy adds floats here, which are exact below 2**53."""
    return np.stack([np.bincount(keys, row, size) for row in figures]).astype(np.int64)


def _counts(names: Sequence[tuple[Any, ...]], figures: Numbers) -> Divided:
    """The figures, a column for each of these names, added up by name."""
    numbers: dict[tuple[Any, ...], int] = {}
    places = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    sums = _added(places, figures, len(numbers)).T.tolist()
    return {name: Count(*row) for name, row in zip(numbers, sums, strict=True)}


def _partial_date(number: int) -> str:
    """`2029-06` for 20290600; "" for 0."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    return "-".join([f"{year:04}"] * bool(year) + [f"{part:02}" for part in (month, day) if part])


#: What a number for a provider stands for, in its lowest bits.
_LEAD, _OWNER, _OWNERS_OF_PLAN = 1, 2, 3
_PROVIDER_NAMES = """
SELECT 4 * id::bigint + 1, name FROM plans_homesprovider WHERE id = ANY(%s)
UNION ALL SELECT 4 * id + 2, name FROM organisations_organisation WHERE id = ANY(%s)
UNION ALL SELECT 4 * plan_id + 3, string_agg(body.name, ' and ' ORDER BY body.name, owner.id)
FROM plans_planowner owner JOIN organisations_organisation body ON body.id = owner.organisation_id
WHERE owner.ended_at IS NULL AND plan_id = ANY(%s) GROUP BY plan_id
"""


def _provider_names(keys: Sequence[int]) -> dict[int, str]:
    """The names of leads, of owners, and of all owners of a plan."""
    ids = [as_array([key // 4 for key in keys if key % 4 == kind]) for kind in (_LEAD, _OWNER, _OWNERS_OF_PLAN)]
    return dict(rows_of(_PROVIDER_NAMES, ids)) if keys else {}
