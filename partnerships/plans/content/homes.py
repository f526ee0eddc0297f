"""Lines of homes: each combination of tenure, bedrooms, needs type and year once, with a count."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from partnerships.plans.content.shape import NEEDS, TENURES, Content, Item
from partnerships.plans.content.values import InvalidContent, Problem, read_choice, read_whole, read_year

MAX_HOMES = 100_000

Line: TypeAlias = tuple[str, int | None, str, str]
_TENURE_ORDER = {code: place for place, code in enumerate(TENURES)}
_NEEDS_ORDER = {code: place for place, code in enumerate(NEEDS)}


def line_of(homes: Item) -> Line:
    """Give the combination that a line of homes is known by: tenure, bedrooms, needs type and year."""
    return homes["tenure"], homes["bedrooms"], homes["needs"], homes["year"]


def line_order(line: Line) -> tuple[int, int, int, str]:
    """Sort lines of homes as tables show them; bedrooms not known come first."""
    return _TENURE_ORDER[line[0]], -1 if line[1] is None else line[1], _NEEDS_ORDER[line[2]], line[3]


def homes_item(line: Line, count: int) -> Item:
    """Build the line of homes for a combination."""
    return {"tenure": line[0], "bedrooms": line[1], "needs": line[2], "year": line[3], "count": count}


@lru_cache(maxsize=4096, typed=True)  # a plan says a few combinations thousands of times; typed: True is not 1
def _read_line(tenure: Any, bedrooms: Any, needs: Any, year: Any) -> Line:
    return (
        read_choice(TENURES, "unknown", tenure),
        read_whole(bedrooms, 0, 20),
        read_choice(NEEDS, "general", needs),
        read_year(year),
    )


def normalise_homes(raw: Any, path: str = "homes") -> list[Item]:
    """Make lines of homes regular: the same combination summed, none without homes, in the order of tables."""
    problems: list[Problem] = []
    counts: dict[Line, int] = {}
    for place, entry in enumerate(raw or ()):
        here = f"{path}/{place + 1}"
        if not isinstance(entry, Mapping):
            problems.append(Problem(here, "This must be a line of homes."))
            continue
        try:
            line = _read_line(entry.get("tenure"), entry.get("bedrooms"), entry.get("needs"), entry.get("year"))
            count = read_whole(entry.get("count"), 0, MAX_HOMES) or 0
        except (ValueError, TypeError) as error:
            problems.append(Problem(here, str(error) if isinstance(error, ValueError) else "This must be text."))
            continue
        if count:
            counts[line] = counts.get(line, 0) + count
    if problems:
        raise InvalidContent(problems)
    return [homes_item(line, counts[line]) for line in sorted(counts, key=line_order)]


def homes_count(item: Item) -> int:
    """Count the homes of one site."""
    return sum(homes["count"] for homes in item["homes"])


def total_homes(content: Content) -> int:
    """Count the homes of a whole plan."""
    return sum(homes_count(site) for site in content["sites"])
