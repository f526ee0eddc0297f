"""Total the homes of two contents by tenure, needs, bedrooms, area and year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from partnerships.documents import more_or_fewer
from partnerships.plans.content import NEEDS, TENURES, Content, bedrooms_in_words


@dataclass(frozen=True, slots=True)
class TotalRow:
    """One row of a table of homes, such as the homes for Social Rent before and after."""

    code: str
    label: str
    was: int
    now: int

    @property
    def difference(self) -> int:
        """Return how many more homes there are now; negative if fewer."""
        return self.now - self.was

    @property
    def difference_words(self) -> str:
        """Return the difference in words: "20 fewer", "1 more", "no change"."""
        return more_or_fewer(self.difference)


@dataclass(frozen=True, slots=True)
class HomesTotals:
    """The homes of two contents, in total and by each division."""

    total: TotalRow
    by_tenure: tuple[TotalRow, ...]
    by_needs: tuple[TotalRow, ...]
    by_bedrooms: tuple[TotalRow, ...]
    by_area: tuple[TotalRow, ...]
    by_year: tuple[TotalRow, ...]

    @property
    def tables(self) -> tuple[tuple[str, tuple[TotalRow, ...]], ...]:
        """Return the heading and the rows of each table."""
        return (
            ("Tenure", self.by_tenure),
            ("Needs type", self.by_needs),
            ("Bedrooms", self.by_bedrooms),
            ("Area", self.by_area),
            ("Year", self.by_year),
        )


def homes_totals(a: Content, b: Content, areas: Mapping[str, str] = MappingProxyType({})) -> HomesTotals:
    """Return the homes of two contents by tenure, needs, bedrooms, area and year.

    The table by area labels a GSS code with its name in `areas`, or else with the planning authority of a site.
    """
    # A page that shows one version passes the same content twice. Its homes are then counted only once.
    homes_before = _count_homes(a)
    homes_after = homes_before if a is b else _count_homes(b)

    sites = a["sites"] if a is b else chain(a["sites"], b["sites"])
    codes_by_authority = {
        (site["planning_authority"] or site["area"], site["area"] or site["planning_authority"]) for site in sites
    }
    names_by_code = {code: areas.get(code, name) for name, code in sorted(codes_by_authority)}
    bedrooms = [str(count) if count is not None else "" for count in (None, *range(21))]

    return HomesTotals(
        total=TotalRow("", "All homes", homes_before["", ""], homes_after["", ""]),
        by_tenure=_rows(
            "tenure", homes_before, homes_after, {code: _capital(label) for code, label in TENURES.items()}
        ),
        by_needs=_rows("needs", homes_before, homes_after, {code: _capital(label) for code, label in NEEDS.items()}),
        by_bedrooms=_rows(
            "bedrooms",
            homes_before,
            homes_after,
            {code: _capital(bedrooms_in_words(int(code) if code else None)) for code in bedrooms},
        ),
        by_area=_rows("area", homes_before, homes_after, names_by_code | {"": "Area not given"}),
        by_year=_rows(
            "year",
            homes_before,
            homes_after,
            {year: year or "Year not given" for year in _years(homes_before, homes_after)},
        ),
    )


def _count_homes(content: Content) -> Counter[tuple[str, str]]:
    """Return the homes of a content by division and code, for example ("tenure", "social_rent").

    The key of all homes is ("", "").
    """
    # A plan repeats a few combinations in thousands of lines, so it is faster to total the combinations first.
    combinations: Counter[tuple[str, str, str, int | None, str]] = Counter()
    for site in content["sites"]:
        area = site["area"] or site["planning_authority"]
        for homes in site["homes"]:
            combinations[area, homes["tenure"], homes["needs"], homes["bedrooms"], homes["year"]] += homes["count"]
    counts: Counter[tuple[str, str]] = Counter()
    for (area, tenure, needs, bedrooms, year), count in combinations.items():
        counts["", ""] += count
        counts["tenure", tenure] += count
        counts["needs", needs] += count
        counts["bedrooms", "" if bedrooms is None else str(bedrooms)] += count
        counts["area", area] += count
        counts["year", year] += count
    return counts


def _years(*counts: Counter[tuple[str, str]]) -> list[str]:
    return sorted({code for count in counts for division, code in count if division == "year"})


def _rows(
    division: str, homes_before: Counter[tuple[str, str]], homes_after: Counter[tuple[str, str]], labels: dict[str, str]
) -> tuple[TotalRow, ...]:
    """Return the rows of one division in the order of the labels, without codes that have no homes."""
    return tuple(
        TotalRow(code=code, label=label, was=homes_before[division, code], now=homes_after[division, code])
        for code, label in labels.items()
        if homes_before[division, code] or homes_after[division, code]
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
