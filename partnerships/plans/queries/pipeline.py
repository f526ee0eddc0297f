"""Add up the homes in plans, now and in the past, that a reader may read.

`packed_lines` reads the lines of homes in batches, `_Sums` adds them up, and `Pipeline` is the result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from partnerships.kit.database import rows_of
from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.combinations import Combinations
from partnerships.plans.queries.packed import INSIDE, OWNER, PackedLines, packed_lines
from partnerships.plans.queries.providers import provider_keys, provider_names, providers_named
from partnerships.plans.queries.reading import READ_NOW, plan_parameters

if TYPE_CHECKING:
    import numpy as np

    from partnerships.plans.queries.packed import IntArray
else:
    np = late("numpy")


@dataclass(frozen=True, slots=True)
class HomesCount:
    """The number of homes in one part of the pipeline."""

    #: In the baselines of the plans, or in their first versions.
    baseline: int = 0
    #: In the versions that the reader could read at the earlier moment.
    earlier: int = 0
    #: In the versions that the reader can read now.
    now: int = 0
    #: How many of these are completed.
    done: int = 0

    @property
    def to_come(self) -> int:
        """Return the number of homes that are planned now and have not been completed."""
        return self.now - self.done


@dataclass(frozen=True, slots=True)
class Slip:
    """A site with a forecast completion that has moved, for example from "2028-06" to "2029"."""

    plan_id: int
    plan: str
    site_key: str
    site: str
    #: The forecast at the earlier moment or, if the report has no earlier moment, in the baseline. A partial date.
    old: str
    #: The forecast now. A partial date.
    new: str
    homes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFilters:
    """The homes to count. An empty filter excludes nothing.

    `agreement_references` excludes nothing either. It says which homes have a section 106 agreement, by the planning
    reference of the agreement and the name of its authority or the code of an area.
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
    agreement_references: Sequence[tuple[str, str]] = ()


#: The ways in which a report divides the homes, with the columns of each.
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
#: The homes for each combination of values of a division's columns.
CountsByValues: TypeAlias = dict[tuple[Any, ...], HomesCount]
#: The most sites with a moved forecast that are returned. Those with most homes come first.
MAX_SLIPS = 100


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The homes that a reader may read, by some of the `DIVISIONS`, and the sites with a forecast that has moved.

    For example, `by["tenure"]["social_rent",]` is the count of homes for social rent. The provider is the site's lead
    or, if the site names none, the plan's present owners.
    """

    by: Mapping[str, CountsByValues]
    plans: int = 0
    sites: int = 0
    slips: Sequence[Slip] = ()

    @property
    def total(self) -> HomesCount:
        """Return the count of all homes."""
        return self.by["all"].get((), HomesCount())

    def homes_in(self, year: str) -> HomesCount:
        """Return the count of homes that complete in a year, such as "2027-28"."""
        return self.by["year"].get((year,), HomesCount())


def homes_pipeline(
    reader: Reader,
    filters: PipelineFilters,
    *,
    earlier: dt.datetime | None,
    now: dt.datetime,
    divisions: Collection[str] = tuple(DIVISIONS),
) -> Pipeline:
    """Return the homes in plans that the reader may read today, as they are now, at `earlier` and in the baselines.

    A plan that was over at a moment is left out at that moment. Plans that the reader may read only in an old version
    are left out. Homes at confidential sites are included only for readers inside. Forecasts are compared with those
    at `earlier` or, if `earlier` is None, with the baselines.

    The result has only these `divisions`, and the total. Leave out "provider" where no table shows it, because the
    names of providers need another query.
    """
    parameters = plan_parameters(
        areas=filters.areas,
        authorities=filters.authorities,
        partnership_ids=filters.partnerships,
        kind=filters.kind,
        earlier=earlier,
    )
    # Read the lines before the combinations, which `_Sums` reads. Lines that are read later may contain combinations
    # added in between.
    batches = packed_lines(reader, parameters, earlier=earlier, now=now)
    sums = _Sums(filters, has_earlier_moment=earlier is not None)
    for lines in batches:
        sums.add(lines)
    by_division = sums.by_combination({"all", *divisions} - {"provider"})
    if "provider" in divisions:
        by_division["provider"] = sums.by_provider()
    return Pipeline(
        by=by_division,
        plans=sums.plans,
        sites=sums.sites,
        slips=sums.slips(now),
    )


#: Lines of homes with a registered section 106 agreement.
_IN_AGREEMENT = """
SELECT homes.id
FROM plans_plannedhomes homes
JOIN unnest(%(references)s::text[], %(places)s::text[]) AS agreement(reference, place)
    ON homes.planning_reference = agreement.reference
WHERE homes.planning_reference <> ''
    AND agreement.place IN (homes.authority, homes.area_code)
"""
#: The titles of plans and names of sites for lines of homes. A site is named as its reader can read it now.
_NAMES_OF_SITES = f"""
SELECT
    moved.line,
    plan.title,
    moved.site_key,
    (
        SELECT max(site_name COLLATE "C")
        FROM plans_plannedhomes homes
        WHERE homes.plan_id = plan.id
            AND homes.site_key = moved.site_key
            AND {READ_NOW}
            AND (is_inside OR NOT confidential)
    )
FROM (
    SELECT line, flags & {OWNER} > 0 AS is_owner, flags & {INSIDE} > 0 AS is_inside, plan_id, site_key
    FROM unnest(%(lines)s::bigint[], %(flags)s::int[]) AS given(line, flags)
    JOIN plans_plannedhomes homes ON homes.id = line
) moved
JOIN plans_plan plan ON plan.id = moved.plan_id
"""  # noqa: S608 - constants


class _MovedSite(NamedTuple):
    """A site with a forecast that has moved, in numbers. `before` and `after` are dates such as 20290600."""

    homes: int
    plan_id: int
    #: The number of the site in the packed lines.
    site: int
    #: The id of one of the lines of the site.
    line: int
    before: int
    after: int
    #: The flags of the plan, which contain the reader's rights.
    flags: int


class _Sums:
    """Sums of homes by combination and by provider, and the sites with a forecast that has moved.

    Arrays of homes have a row for each of the four numbers of a `HomesCount`, in the same order. `plans` and `sites`
    are the numbers of plans and sites that have homes now.
    """

    def __init__(self, filters: PipelineFilters, *, has_earlier_moment: bool) -> None:
        self._combinations = Combinations.among(
            areas=list(filters.areas),
            authorities=list(filters.authorities),
            tenures=list(filters.tenures),
            needs=list(filters.needs),
            bedrooms=filters.bedrooms,
            confidence=filters.confidence,
            year=filters.year,
        )
        self._has_earlier_moment = has_earlier_moment
        self._lines_in_agreement = _lines_in_agreement(filters.agreement_references)
        #: The ids of the providers to count. None counts all providers.
        self._providers = providers_named(filters.provider) if filters.provider else None
        #: Column 2i has the homes of combination i without a section 106 agreement, column 2i + 1 those with one.
        self._by_combination: IntArray = np.zeros((4, 2 * self._combinations.size), dtype=np.int64)
        #: Homes by provider, one array for each batch of plans. The first row has the providers' keys.
        self._by_provider: list[IntArray] = [np.zeros((5, 0), dtype=np.int64)]
        self._moved_sites: list[_MovedSite] = []
        self.plans = 0
        self.sites = 0

    def add(self, batch: PackedLines) -> None:
        """Add the homes of a batch of plans."""
        lines = self._combinations.countable_lines(batch)
        if self._providers is not None:
            lines = lines.where(np.isin(lines.provider, self._providers))
        if not len(lines.plan):
            return

        homes_now = lines.count * lines.is_now
        homes_done = homes_now * self._combinations.is_done[lines.combination]
        figures = np.stack([lines.count * lines.is_baseline, lines.count * lines.is_earlier, homes_now, homes_done])

        is_in_agreement = np.isin(lines.ids, self._lines_in_agreement)
        self._by_combination += _sums_by_key(
            2 * lines.combination + is_in_agreement, figures, self._by_combination.shape[1]
        )

        keys, key_indexes = np.unique(provider_keys(lines), return_inverse=True)
        self._by_provider.append(np.stack([keys, *_sums_by_key(key_indexes, figures, len(keys))]))

        self._add_sites(lines, homes_now)

    def _add_sites(self, lines: PackedLines, homes_now: IntArray) -> None:
        """Count the plans and sites, and keep the largest sites with a forecast that has moved."""
        # Lines of a site follow each other, so a site starts where the plan or the site changes. `reduceat` below
        # combines the lines from each start to the next.
        starts = np.flatnonzero(np.diff(lines.plan, prepend=-1) | np.diff(lines.site, prepend=-1))
        plan_indexes = lines.plan[starts]
        is_earlier = lines.is_earlier if self._has_earlier_moment else lines.is_baseline
        # The latest forecast of each site, or -1 if the site had no homes then.
        before = np.maximum.reduceat(np.where(is_earlier, lines.forecast, -1), starts)
        after = np.maximum.reduceat(np.where(lines.is_now, lines.forecast, -1), starts)
        self.sites += int(np.count_nonzero(after >= 0))
        self.plans += len(np.unique(plan_indexes[after >= 0], return_index=True)[0])

        homes = np.add.reduceat(homes_now, starts)
        plans = lines.plans["id"][plan_indexes]
        sites = lines.site[starts]
        moved = np.flatnonzero((before >= 0) & (after >= 0) & (before != after))
        most_homes_first = np.lexsort((sites[moved], plans[moved], -homes[moved]))
        largest = moved[most_homes_first[:MAX_SLIPS]]
        flags = lines.plans["flags"][plan_indexes]
        columns = (homes, plans, sites, lines.ids[starts], before, after, flags)  # in the order of `_MovedSite`
        rows = zip(*(column[largest].tolist() for column in columns), strict=True)
        self._moved_sites += (_MovedSite(*row) for row in rows)

    def by_combination(self, divisions: Collection[str]) -> dict[str, CountsByValues]:
        """Return the homes by each of these divisions, which may be all except the provider."""
        with_homes = np.flatnonzero(self._by_combination.any(axis=0))
        figures = self._by_combination[:, with_homes]
        indexes, is_in_agreement = np.divmod(with_homes, 2)
        values_by_column = {
            **self._combinations.columns(indexes),
            "is_in_agreement": is_in_agreement.astype(bool).tolist(),
        }
        counts = {}
        for division in divisions:
            values = list(zip(*(values_by_column[column] for column in DIVISIONS[division]), strict=True))
            counts[division] = _counts_by_name(values or [()] * len(with_homes), figures)
        return counts

    def by_provider(self) -> CountsByValues:
        """Return the homes by the name of their provider, which is the site's lead or else the plan's owners."""
        with_keys = np.concatenate(self._by_provider, axis=1)
        keys, key_indexes = np.unique(with_keys[0], return_inverse=True)
        name_by_key = provider_names(keys.tolist())
        names = [(name_by_key.get(key, ""),) for key in keys.tolist()]
        return _counts_by_name(names, _sums_by_key(key_indexes, with_keys[1:], len(keys)))

    def slips(self, now: dt.datetime) -> list[Slip]:
        """Return the sites with a forecast that has moved, as the reader can read them now, the largest first."""
        sites = sorted(self._moved_sites, key=lambda site: (-site.homes, *site[1:]))[:MAX_SLIPS]
        if not sites:
            return []
        values = {"lines": [site.line for site in sites], "flags": [site.flags for site in sites], "now": now}
        names_by_line = {line: names for line, *names in rows_of(_NAMES_OF_SITES, values)}
        slips = []
        for moved in sites:
            plan_title, site_key, site_name = names_by_line[moved.line]
            slips.append(
                Slip(
                    plan_id=moved.plan_id,
                    plan=plan_title,
                    site_key=site_key,
                    site=site_name,
                    old=_partial_date(moved.before),
                    new=_partial_date(moved.after),
                    homes=moved.homes,
                )
            )
        return slips


def _lines_in_agreement(agreement_references: Sequence[tuple[str, str]]) -> IntArray:
    """Return the ids of lines of homes with a section 106 agreement."""
    if not agreement_references:
        return np.array([], dtype=np.int64)
    references, places = zip(*agreement_references, strict=True)
    rows = rows_of(_IN_AGREEMENT, {"references": list(references), "places": list(places)})
    return np.array([pk for (pk,) in rows], dtype=np.int64)


def _sums_by_key(keys: IntArray, figures: IntArray, size: int) -> IntArray:
    """Return the sums of the figures for each key from 0 to `size` - 1.

    `figures` has a row for each kind of figure. Column i of `figures` belongs to the key at index i of `keys`.
    """
    # `bincount` adds up as floats, which are exact for whole numbers below 2**53.
    return np.stack([np.bincount(keys, row, size) for row in figures]).astype(np.int64)


def _counts_by_name(names: Sequence[tuple[Any, ...]], figures: IntArray) -> CountsByValues:
    """Return the sums of the figures for each name. Column i of `figures` belongs to the name at index i."""
    index_by_name: dict[tuple[Any, ...], int] = {}
    for name in names:
        index_by_name.setdefault(name, len(index_by_name))
    indexes = np.array([index_by_name[name] for name in names], dtype=np.int64)
    sums = _sums_by_key(indexes, figures, len(index_by_name)).T.tolist()
    return {
        name: HomesCount(baseline=baseline, earlier=earlier, now=now, done=done)
        for name, (baseline, earlier, now, done) in zip(index_by_name, sums, strict=True)
    }


def _partial_date(packed_date: int) -> str:
    """Return a packed date as text, for example "2029-06" for 20290600, or "" for 0."""
    year, month, day = packed_date // 10_000, packed_date // 100 % 100, packed_date % 100
    parts = [f"{year:04}"] if year else []
    parts += [f"{part:02}" for part in (month, day) if part]
    return "-".join(parts)
