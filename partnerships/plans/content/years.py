"""Check the years of homes. All homes of a plan must have financial years, or all calendar years."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from partnerships.documents import Choices, Content, Item, Problem

FINANCIAL, CALENDAR = "financial", "calendar"
YEAR_KINDS: Choices = MappingProxyType(
    {FINANCIAL: "Financial years, from April: 2027-28", CALENDAR: "Calendar years: 2027"}
)


def year_of_kind(kind: str, first: int) -> str:
    """Return the year that begins in `first`, such as "2027-28", or "2027" for calendar years."""
    return str(first) if kind == CALENDAR else f"{first}-{(first + 1) % 100:02d}"


def kind_of_year(year: str) -> str:
    """Return the kind of a normalised year, such as "2027-28" or "2027"."""
    return FINANCIAL if "-" in year else CALENDAR


def year_kinds(homes: Iterable[Item]) -> set[str]:
    """Return the kinds of the years in lines of homes, ignoring lines without a year."""
    return {kind_of_year(line["year"]) for line in homes if line["year"]}


def year_kind(content: Content) -> str:
    """Return the kind of years in a plan; "" if the plan has no years, or years of both kinds."""
    kinds = {kind for site in content["sites"] for kind in year_kinds(site["homes"])}
    return kinds.pop() if len(kinds) == 1 else ""


def mixes_years(content: Content) -> bool:
    """Return whether a plan has both financial and calendar years."""
    return len({kind for site in content["sites"] for kind in year_kinds(site["homes"])}) > 1


def year_problems(kind: str, homes: Iterable[Item]) -> list[Problem]:
    """Return a problem for each year that is not of the plan's kind.

    In a plan without years, the earliest of these years decides the kind. Only years of the other kind are problems.
    """
    years = sorted({line["year"] for line in homes if line["year"]})
    kind = kind or (kind_of_year(years[0]) if years else "")
    problems = []
    for year in years:
        problem = problem_with_year(kind, year)
        if problem is not None:
            reason, remedy = problem
            problems.append(Problem("homes", f"{reason} {remedy}"))
    return problems


def problem_with_year(kind: str, year: str) -> tuple[str, str] | None:
    """Return what is wrong with a year in a plan with this kind of years, and what to enter instead.

    Returns None if the year is of this kind, or empty.
    """
    if not year or kind_of_year(year) == kind:
        return None
    calendar_year = int(year[:4])
    if kind == CALENDAR:
        return (
            f"{year} is a financial year, but this plan uses calendar years.",
            f"Enter {calendar_year} or {calendar_year + 1}.",
        )
    suggestion = f"{year_of_kind(FINANCIAL, calendar_year - 1)} or {year_of_kind(FINANCIAL, calendar_year)}"
    return f"{year} is a calendar year, but this plan uses financial years.", f"Enter {suggestion}."
