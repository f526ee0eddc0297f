"""Homes of a plan's sites: one row for each line, or a column for each year."""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.documents import Line as Combination
from partnerships.people.models import User
from partnerships.plans.content import NEEDS, TENURES, Item, kind_of, line_in_words, line_of, wrong_year
from partnerships.plans.content import SITES as COLLECTION
from partnerships.spreadsheets.reading.cells import bedrooms, one_of, whole, year
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.reading.homes import one_line_a_row
from partnerships.spreadsheets.services.kinds.base import Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.plan_items import (
    Draftsman,
    Known,
    content_to_export,
    may_import,
    remembered_for,
    revision_of,
    site_named,
)
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
    hint="The reference, the ID or the name of a site in the plan's draft.",
)
_COLUMNS = (
    column("tenure", "Tenure", "tenure type", required=True, choices=TENURES, example="Social Rent"),
    column("bedrooms", "Bedrooms", "beds", "bedroom size", "size", example="2", hint="A number, or studio."),
    column("needs", "Needs type", "need", choices=NEEDS, example="General needs"),
    column("year", "Year", "financial year", example="2027-28", hint="2027, or 2027-28 for a financial year."),
    column(
        "count",
        "Homes",
        "units",
        "number",
        "number of homes",
        "dwellings",
        required=True,
        example=24,
        hint="0 removes the line.",
    ),
)
#: Homes of one row of a spreadsheet.
_MAX_HOMES = 100_000


def _columns(target: Target) -> tuple[SheetColumn, ...]:
    return _COLUMNS if target.site else (_SITE, *_COLUMNS)


def _apply(run: Run) -> None:
    """Set the homes of each site and combination.

    Rows that contradict each other are refused.
    """
    draft = Draftsman(run, COLLECTION, reference="reference")
    rows: dict[tuple[str, Combination], list[tuple[Line, int]]] = {}
    years = run.target.plan.years if run.target.plan else ""
    for line in run.lines():
        site, combination, count = _site(run, line, draft.known), _combination(run, line, years), _count(run, line)
        if combination is not None and combination[3]:
            years = years or kind_of(combination[3])
        if site is not None and combination is not None and count is not None:
            rows.setdefault((site, combination), []).append((line, count))
    for (site, combination), said in rows.items():
        if len({count for _, count in said}) > 1:
            for line, _ in said:
                run.refuse(
                    line,
                    "count",
                    f"several rows give different numbers of {line_in_words(combination)} for this site.",
                    "Add them up in one row.",
                )
            continue
        line, count = said[0]
        item = draft.item(site)
        counts = {line_of(home): home["count"] for home in item["homes"]} | {combination: count}
        homes = [_home(other, number) for other, number in counts.items()]
        draft.put(line, site, {**item, "homes": homes})
    draft.save(lambda site: str(site["name"]))


def _home(combination: Combination, count: int) -> Item:
    tenure, size, needs, when = combination
    return {"tenure": tenure, "bedrooms": size, "needs": needs, "year": when, "count": count}


def _site(run: Run, line: Line, known: Known) -> str | None:
    if run.target.site:
        site = known.by("key", run.target.site)
        if not site:
            run.refuse(line, "", "the site is no longer in the draft.", "Add the site again first.")
        return str(site[0]["key"]) if site else None
    if not line.text("site"):
        run.refuse(line, "site", "the cell is blank.", "Write the reference, the ID or the name of the site.")
        return None
    return site_named(run, line, known)


def _combination(run: Run, line: Line, years: str) -> Combination | None:
    before = len(run.rows.problems)
    tenure = run.rows.read(line, "tenure", one_of(TENURES))
    size = run.rows.read(line, "bedrooms", bedrooms)
    needs = run.rows.read(line, "needs", one_of(NEEDS))
    when = run.rows.read(line, "year", year)
    if len(run.rows.problems) > before:
        return None
    if not tenure:
        run.refuse(line, "tenure", "the cell is blank.", "Write the tenure, or “tenure not known”.")
        return None
    fault = wrong_year(years, when) if years and when else None
    if fault:
        run.refuse(line, "year", *fault)
        return None
    return (tenure, size, needs or "general", when or "")


def _count(run: Run, line: Line) -> int | None:
    before = len(run.rows.problems)
    count = run.rows.read(line, "count", whole)
    if len(run.rows.problems) > before:
        return None
    if count is None:
        run.refuse(line, "count", "the cell is blank.", "Write the number of homes, or 0 to remove the line.")
    elif count > _MAX_HOMES:
        run.refuse(line, "count", f"{count:,} is too many.", f"Write at most {_MAX_HOMES:,}.")
        return None
    return count


def _rows(target: Target, person: User) -> list[Exported]:
    content = content_to_export(target, person)
    if content is None:
        return []
    known = Known(content["sites"], reference="reference")
    return [row for site in content["sites"] for row in _lines(site, known.id_of(site))]


def _lines(site: Item, name: str) -> Iterable[Exported]:
    for home in site["homes"]:
        yield {
            "site": name,
            "tenure": TENURES[home["tenure"]],
            "bedrooms": _bedrooms_cell(home["bedrooms"]),
            "needs": NEEDS[home["needs"]],
            "year": text(home["year"]),
            "count": home["count"],
        }


def _bedrooms_cell(bedrooms: int | None) -> str:
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
    arrange=one_line_a_row,
    lead=(
        "One row for each tenure, number of bedrooms, needs type and year. A table with a column for each year works "
        "too. Lines that are not in the file stay as they are."
    ),
)
