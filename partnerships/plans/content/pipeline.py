"""Homes of a site as the pipeline counts them: with the years in which they complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from partnerships.documents import Content, Item
from partnerships.kit.dates import PartialDate
from partnerships.plans.content.years import CALENDAR, FINANCIAL, year_kind, year_of_kind


@dataclass(frozen=True, slots=True)
class PipelineLine:
    """Homes of one combination at a site.

    The fields of `models.PlannedHomes` that a site decides. `year` is the year in which they complete; "" if not known.
    `done_year` is the year in which they have completed; "" while the site is not complete.
    """

    site_key: str
    site_name: str
    area_code: str
    authority: str
    confidential: bool
    provider: str
    planning_reference: str
    has_grant: bool
    confidence: str
    forecast: str
    tenure: str
    bedrooms: int | None
    needs: str
    year: str
    done_year: str
    count: int


def pipeline_lines(site: Item, kind: str) -> list[PipelineLine]:
    """The lines of a site. `kind` is the plan's kind of years.

    Homes without a year complete when the site does by its forecast. Homes of a complete site completed in their year,
    at the latest in the year in which it was completed.
    """
    due, done = year_of_date(site["forecast_completion"], kind), year_of_date(site["actual_completion"], kind)
    common: dict[str, Any] = {
        "site_key": site["key"],
        "site_name": site["name"],
        "area_code": site["area"],
        "authority": site["planning_authority"],
        "confidential": site["confidential"],
        "provider": site["lead"],
        "planning_reference": site["planning_reference"],
        "has_grant": bool(site["grant_programme"]),
        "confidence": site["confidence"],
        "forecast": site["forecast_completion"],
    }
    lines = []
    for line in site["homes"]:
        year = line["year"] or due
        done_year = min(filter(None, (year, done)), default="") if site["actual_completion"] else ""
        counted = {name: line[name] for name in ("tenure", "bedrooms", "needs", "count")}
        lines.append(PipelineLine(**common, **counted, year=done_year or year, done_year=done_year))
    return lines


def pipeline_kind(content: Content) -> str:
    """The kind of years in which a plan's homes are counted.

    It is the plan's own, otherwise financial years.
    """
    return year_kind(content) or FINANCIAL


def year_of_date(text: str, kind: str) -> str:
    """The year of that kind in which a partial date lies. "" for none, or where a year alone does not say."""
    if not text:
        return ""
    day = PartialDate.parse(text)
    if kind == CALENDAR:
        return year_of_kind(CALENDAR, day.year)
    if day.month is None:
        return ""
    return year_of_kind(FINANCIAL, day.year if day.month >= _APRIL else day.year - 1)


_APRIL = 4
