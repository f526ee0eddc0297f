"""Read and describe the homes of a site.

Homes are lines, each with a number of homes for one combination of tenure, bedrooms, needs and year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from partnerships.documents import (
    Content,
    Counts,
    InvalidContent,
    Item,
    Line,
    Problem,
    read_choice,
    read_whole,
    read_year,
)
from partnerships.kit.text import counted
from partnerships.plans.content.vocabulary import NEEDS, TENURES

#: The most homes in one line of a plan.
MAX_HOMES = 100_000

_TENURE_ORDER = {code: position for position, code in enumerate(TENURES)}
_NEEDS_ORDER = {code: position for position, code in enumerate(NEEDS)}

#: Return the combination of a line of homes.
line_of: Callable[[Item], Line] = itemgetter("tenure", "bedrooms", "needs", "year")


def line_sort_key(line: Line) -> tuple[int, int, int, str]:
    """Return the sort key of a combination in tables, where unknown bedrooms come before studios."""
    return _TENURE_ORDER[line[0]], -1 if line[1] is None else line[1], _NEEDS_ORDER[line[2]], line[3]


def homes_item(line: Line, count: int) -> Item:
    """Return the line of homes for a combination."""
    return {"tenure": line[0], "bedrooms": line[1], "needs": line[2], "year": line[3], "count": count}


@lru_cache(maxsize=4096)
def line_in_words(line: Line) -> str:
    """Return a combination in words, for example "Social Rent, 2 bedrooms, 2027-28".

    General needs, bedrooms that are not known and an empty year are left out.
    """
    tenure, bedrooms, needs, year = line
    words = [TENURES[tenure]]
    if bedrooms is not None:
        words.append(bedrooms_in_words(bedrooms))
    if needs != "general":
        words.append(NEEDS[needs])
    if year:
        words.append(year)
    return ", ".join(words)


def bedrooms_in_words(bedrooms: int | None) -> str:
    """Return a number of bedrooms: "studio", "1 bedroom", "bedrooms not known"."""
    if bedrooms is None:
        return "bedrooms not known"
    return "studio" if bedrooms == 0 else counted(bedrooms, "bedroom")


# A plan repeats a few combinations thousands of times. `typed`, so that True is not read as 1 from the cache.
@lru_cache(maxsize=4096, typed=True)
def _read_line(tenure: Any, bedrooms: Any, needs: Any, year: Any) -> Line:
    """Return the combination of these values. Raises `ValueError` or `TypeError` if one is invalid."""
    return (
        read_choice(TENURES, "unknown", tenure),
        read_whole(bedrooms, 0, 20),
        read_choice(NEEDS, "general", needs),
        read_year(year),
    )


def normalise_homes(raw: Any, path: str = "homes") -> list[Item]:
    """Return the lines of homes in order. Raises `InvalidContent`.

    Lines with the same combination are added up, and lines without homes are left out.
    """
    if raw is None:
        raw = []
    if not isinstance(raw, list | tuple):
        raise InvalidContent([Problem(path, "Enter a list of homes.")])
    problems: list[Problem] = []
    counts: dict[Line, int] = {}
    for line_number, entry in enumerate(raw, start=1):
        item_path = f"{path}/{line_number}"
        if not isinstance(entry, Mapping):
            problems.append(Problem(item_path, "Enter a line of homes."))
            continue
        try:
            line = _read_line(entry.get("tenure"), entry.get("bedrooms"), entry.get("needs"), entry.get("year"))
            count = read_whole(entry.get("count"), 0, MAX_HOMES) or 0
        except (ValueError, TypeError) as error:
            problems.append(Problem(item_path, str(error) if isinstance(error, ValueError) else "Enter text."))
            continue
        if count:
            counts[line] = counts.get(line, 0) + count
    if problems:
        raise InvalidContent(problems)
    return [homes_item(line, counts[line]) for line in sorted(counts, key=line_sort_key)]


def year_in_words(line: Line) -> str:
    """Return the year of a combination; "no year" without one."""
    return line[3] or "no year"


def without_year(line: Line) -> Line:
    """Return the combination without its year."""
    return (*line[:3], "")


HOMES = Counts(
    code="homes",
    label="Homes",
    singular="home",
    plural="homes",
    line_of=line_of,
    line_item=homes_item,
    order=line_sort_key,
    words=line_in_words,
    normalise=normalise_homes,
    substantive=True,
    period_of=year_in_words,
    without_period=without_year,
)


def name_and_address(site: Mapping[str, Any]) -> str:
    """Return a site's name, address and postcode as one text, the form that registers of brownfield land use."""
    name = str(site["name"])
    address_parts = (str(site[code]) for code in ("address", "postcode") if site[code])
    # Some names already contain the address or postcode.
    return ", ".join([name, *(part for part in address_parts if part.casefold() not in name.casefold())])


def homes_count(site: Item) -> int:
    """Return the number of homes at a site."""
    return sum(homes["count"] for homes in site["homes"])


def total_homes(content: Content) -> int:
    """Return the number of homes of a whole plan."""
    return sum(homes_count(site) for site in content["sites"])
