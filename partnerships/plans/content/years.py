"""Years of homes: financial or calendar years, of one kind in one plan."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from partnerships.documents import Choices, Content, Item, Problem

FINANCIAL, CALENDAR = "financial", "calendar"
YEAR_KINDS: Choices = MappingProxyType(
    {FINANCIAL: "Financial years, from April: 2027-28", CALENDAR: "Calendar years: 2027"}
)


def year_of_kind(kind: str, first: int) -> str:
    """Return the year that begins in `first`: "2027-28", or "2027" of a plan with calendar years."""
    return str(first) if kind == CALENDAR else f"{first}-{(first + 1) % 100:02d}"


def kind_of(year: str) -> str:
    """Return the kind of a normalised year."""
    return FINANCIAL if "-" in year else CALENDAR


def year_kinds(homes: Iterable[Item]) -> set[str]:
    """Return the kinds of the years in lines of homes. Lines without a year add none."""
    return {kind_of(line["year"]) for line in homes if line["year"]}


def year_kind(content: Content) -> str:
    """Return the one kind of years in a plan; "" without years, or with both."""
    kinds = {kind for site in content["sites"] for kind in year_kinds(site["homes"])}
    return kinds.pop() if len(kinds) == 1 else ""


def mixes_years(content: Content) -> bool:
    """Whether some homes of a plan have financial and others calendar years."""
    return len({kind for site in content["sites"] for kind in year_kinds(site["homes"])}) > 1


def year_problems(kind: str, homes: Iterable[Item]) -> list[Problem]:
    """Return a problem for each year that is not of the plan's kind.

    If the plan has no kind yet, the earliest year decides, so that only a mixture is a problem.
    """
    years = sorted({line["year"] for line in homes if line["year"]})
    kind = kind or (kind_of(years[0]) if years else "")
    refusals = [refusal for year in years if (refusal := wrong_year(kind, year))]
    return [Problem("homes", f"{why} {remedy}") for why, remedy in refusals]


def wrong_year(kind: str, year: str) -> tuple[str, str] | None:
    """Return what is wrong with a year in a plan with this kind of years, and what to enter instead.

    None if the year is of this kind.
    """
    if not year or kind_of(year) == kind:
        return None
    first = int(year[:4])
    if kind == CALENDAR:
        return f"{year} is a financial year, and this plan has calendar years.", f"Enter {first} or {first + 1}."
    either = f"{year_of_kind(FINANCIAL, first - 1)} or {year_of_kind(FINANCIAL, first)}"
    return f"{year} is a calendar year, and this plan has financial years.", f"Enter {either}."
