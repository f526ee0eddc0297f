"""Spreadsheets of homes on the sites of a plan, with a row for each tenure, size, needs type and year.

A table with a column for each year is changed to this form first.
"""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.documents import Line as Combination
from partnerships.people.models import User
from partnerships.plans.content import NEEDS, TENURES, Item, kind_of_year, line_in_words, line_of, problem_with_year
from partnerships.plans.content import SITES as COLLECTION
from partnerships.spreadsheets.reading.cells import bedrooms, choice_reader, whole_number, year
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.reading.homes import with_one_number_a_row
from partnerships.spreadsheets.services.kinds.base import Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.plan_items import (
    DraftEditor,
    ItemFinder,
    content_to_export,
    may_import,
    remembered_for,
    revision_of,
    site_key_in_row,
)
from partnerships.spreadsheets.services.kinds.refusals import refuse_blank
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.values import text

_SITE = column(
    "site",
    "Site",
    "site reference",
    "site ref",
    "site name",
    "reference",
    "scheme",
    required=True,
    example="NQ1",
    hint="Enter the reference, ID or name of a site in the plan’s draft.",
)
_COLUMNS = (
    column("tenure", "Tenure", "tenure type", required=True, choices=TENURES, example="Social Rent"),
    column("bedrooms", "Bedrooms", "beds", "bedroom size", "size", example="2", hint="Enter a number, or “studio”."),
    column("needs", "Needs type", "need", choices=NEEDS, example="General needs"),
    column("year", "Year", "financial year", example="2027-28", hint="Enter 2027, or 2027-28 for a financial year."),
    column(
        "count",
        "Homes",
        "units",
        "number",
        "number of homes",
        "dwellings",
        required=True,
        example=24,
        hint="Enter 0 to remove these homes.",
    ),
)
#: A row can have at most this many homes.
_MAX_HOMES = 100_000


def _columns(target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns. If all rows are about one site, no column names it."""
    return _COLUMNS if target.site else (_SITE, *_COLUMNS)


def _apply(run: ImportedRows) -> None:
    """Set the number of homes for each site and combination.

    Rows with different numbers for the same site and combination are refused.
    """
    draft = DraftEditor(run, COLLECTION, reference="reference")
    for (site_key, combination), lines_with_count in _counts_by_site(run, draft.items).items():
        if len({count for _, count in lines_with_count}) > 1:
            problem = f"several rows give different numbers of {line_in_words(combination)} for this site."
            for line, _ in lines_with_count:
                run.refuse(line, "count", problem, "Add them up in one row.")
            continue
        line, count = lines_with_count[0]
        site = draft.item(site_key)
        count_by_combination = {line_of(home): home["count"] for home in site["homes"]} | {combination: count}
        homes = [_home(combination, count) for combination, count in count_by_combination.items()]
        draft.put(line, site_key, {**site, "homes": homes})
    draft.save(lambda site: str(site["name"]))


def _counts_by_site(run: ImportedRows, sites: ItemFinder) -> dict[tuple[str, Combination], list[tuple[Line, int]]]:
    """Return the rows and their numbers of homes, by the key of the site and the combination.

    Rows that are refused are left out. A combination is a tenure, a number of bedrooms, a needs type and a year.
    """
    counts: dict[tuple[str, Combination], list[tuple[Line, int]]] = {}
    years = run.target.plan.years if run.target.plan else ""
    for line in run.lines():
        site_key = _site_key(run, line, sites)
        combination = _combination(run, line, years)
        count = _count(run, line)
        if combination is not None:
            _, _, _, year_of_row = combination
            # If the plan has no years yet, the first year in the file decides between calendar and financial years.
            years = years or (kind_of_year(year_of_row) if year_of_row else "")
        if site_key is not None and combination is not None and count is not None:
            counts.setdefault((site_key, combination), []).append((line, count))
    return counts


def _home(combination: Combination, count: int) -> Item:
    """Return the homes of a combination as an item of a plan."""
    tenure, size, needs, year_of_row = combination
    return {"tenure": tenure, "bedrooms": size, "needs": needs, "year": year_of_row, "count": count}


def _site_key(run: ImportedRows, line: Line, sites: ItemFinder) -> str | None:
    """Return the key of the row's site, or None if the row is refused."""
    if run.target.site:
        if sites.by("key", run.target.site):
            return run.target.site
        run.refuse(line, "", "the site is no longer in the draft.", "Add the site again first.")
        return None
    if not line.text("site"):
        refuse_blank(run, line, "site", "Enter the reference, the ID or the name of the site.")
        return None
    return site_key_in_row(run, line, sites)


def _combination(run: ImportedRows, line: Line, years: str) -> Combination | None:
    """Return the row's tenure, bedrooms, needs type and year, or None if one of these cells is refused.

    `years` is the kind of years in the plan, or "" if the plan has none yet.
    """
    tenure = run.read(line, "tenure", choice_reader(TENURES))
    size = run.read(line, "bedrooms", bedrooms)
    needs = run.read(line, "needs", choice_reader(NEEDS))
    year_of_row = run.read(line, "year", year)
    if any(run.is_refused(line, column) for column in ("tenure", "bedrooms", "needs", "year")):
        return None
    if not tenure:
        refuse_blank(run, line, "tenure", "Enter the tenure, or “tenure not known”.")
        return None
    problem = problem_with_year(years, year_of_row) if years and year_of_row else None
    if problem:
        run.refuse(line, "year", *problem)
        return None
    return (tenure, size, needs or "general", year_of_row or "")


def _count(run: ImportedRows, line: Line) -> int | None:
    """Return the number of homes, or None if the cell is refused."""
    count = run.read(line, "count", whole_number)
    if run.is_refused(line, "count"):
        return None
    if count is None:
        refuse_blank(run, line, "count", "Enter the number of homes, or 0 to remove these homes.")
    elif count > _MAX_HOMES:
        run.refuse(line, "count", f"{count:,} is too many.", f"Enter at most {_MAX_HOMES:,}.")
        return None
    return count


def _rows(target: Target, person: User) -> list[Exported]:
    """Return the homes on all sites, with the site in each row."""
    content = content_to_export(target, person)
    if content is None:
        return []
    sites = ItemFinder(content["sites"], reference="reference")
    return [row for site in content["sites"] for row in _rows_of_site(site, sites.id_of(site))]


def _rows_of_site(site: Item, site_id: str) -> Iterable[Exported]:
    """Yield a row for each combination of homes on a site."""
    for home in site["homes"]:
        yield {
            "site": site_id,
            "tenure": TENURES[home["tenure"]],
            "bedrooms": _bedrooms_cell(home["bedrooms"]),
            "needs": NEEDS[home["needs"]],
            "year": text(home["year"]),
            "count": home["count"],
        }


def _bedrooms_cell(bedrooms: int | None) -> str:
    """Return the number of bedrooms as a cell, or "" if it is not known."""
    if bedrooms is None:
        return ""
    return str(bedrooms) if bedrooms else "studio"


HOMES = SheetKind(
    code="homes",
    many="homes",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=may_import,
    remembered_for=remembered_for,
    revision=revision_of,
    arrange=with_one_number_a_row,
    lead=(
        "Use one row for each tenure, number of bedrooms, needs type and year. You can also use a table with a column "
        "for each year. Homes that are not in the file stay as they are."
    ),
)
