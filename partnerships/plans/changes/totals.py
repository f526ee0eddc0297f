"""Totals of homes in two contents, by each way of dividing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from partnerships.documents import more_or_fewer
from partnerships.plans.content import NEEDS, TENURES, Content, bedrooms_in_words


@dataclass(frozen=True, slots=True)
class Total:
    """One row of a table of homes."""

    code: str
    label: str
    was: int
    now: int

    @property
    def difference(self) -> int:
        """How many more homes there are now; negative if fewer."""
        return self.now - self.was

    @property
    def difference_words(self) -> str:
        """The difference in words: "20 fewer", "1 more", "no change"."""
        return more_or_fewer(self.difference)


@dataclass(frozen=True, slots=True)
class HomesTotals:
    """The homes of two contents, in total and by each division."""

    total: Total
    by_tenure: tuple[Total, ...]
    by_needs: tuple[Total, ...]
    by_bedrooms: tuple[Total, ...]
    by_area: tuple[Total, ...]
    by_year: tuple[Total, ...]

    @property
    def tables(self) -> tuple[tuple[str, tuple[Total, ...]], ...]:
        """Every division with its heading."""
        return (
            ("Tenure", self.by_tenure),
            ("Needs type", self.by_needs),
            ("Bedrooms", self.by_bedrooms),
            ("Area", self.by_area),
            ("Year", self.by_year),
        )


def homes_totals(a: Content, b: Content, areas: Mapping[str, str] = MappingProxyType({})) -> HomesTotals:
    """Return the homes of two contents by tenure, needs, bedrooms, area and year.

    An area is a GSS code, labelled with its name in `areas`, or else with the planning authority of a site.
    """
    # Pages of one version pass it twice, so its homes are counted only once.
    was = _count_homes(a)
    now = was if a is b else _count_homes(b)
    sites = a["sites"] if a is b else chain(a["sites"], b["sites"])
    places = {
        (site["planning_authority"] or site["area"], site["area"] or site["planning_authority"]) for site in sites
    }
    authorities = {code: areas.get(code, name) for name, code in sorted(places)}
    bedrooms = [str(count) if count is not None else "" for count in (None, *range(21))]
    return HomesTotals(
        total=Total("", "All homes", was["", ""], now["", ""]),
        by_tenure=_rows("tenure", was, now, {code: _capital(label) for code, label in TENURES.items()}),
        by_needs=_rows("needs", was, now, {code: _capital(label) for code, label in NEEDS.items()}),
        by_bedrooms=_rows(
            "bedrooms", was, now, {code: _capital(bedrooms_in_words(int(code) if code else None)) for code in bedrooms}
        ),
        by_area=_rows("area", was, now, authorities | {"": "Area not given"}),
        by_year=_rows("year", was, now, {year: year or "Year not given" for year in _years(was, now)}),
    )


def _count_homes(content: Content) -> Counter[tuple[str, str]]:
    """Return the homes of a content by division and code, for example ("tenure", "social_rent"); all by ("", "")."""
    # Thousands of lines have only a few combinations: add up those first, then divide the sums.
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
    division: str, was: Counter[tuple[str, str]], now: Counter[tuple[str, str]], labels: dict[str, str]
) -> tuple[Total, ...]:
    """Return the rows of one division, in the order of the labels; codes without homes are left out."""
    return tuple(
        Total(code=code, label=label, was=was[division, code], now=now[division, code])
        for code, label in labels.items()
        if was[division, code] or now[division, code]
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
