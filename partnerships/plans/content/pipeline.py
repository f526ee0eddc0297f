"""List the homes of a site by the year in which they are completed, for the pipeline of homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from partnerships.documents import Content, Item
from partnerships.kit.dates import PartialDate
from partnerships.plans.content.years import CALENDAR, FINANCIAL, year_kind, year_of_kind


@dataclass(frozen=True, slots=True)
class PipelineLine:
    """Homes of one combination at a site, with the fields of `models.PlannedHomes` that come from the site.

    `year` is the year in which the homes are completed; "" if not known. `done_year` is the year in which they were
    completed; "" while the site is not complete.
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
    """Return the lines of homes of a site. `kind` is the plan's kind of years: financial or calendar.

    Homes without a year get the year of the site's forecast. Homes of a completed site get their own year, or the year
    in which the site was completed if that is earlier.
    """
    forecast_year = year_of_date(site["forecast_completion"], kind)
    completion_year = year_of_date(site["actual_completion"], kind)
    site_fields: dict[str, Any] = {
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
        year = line["year"] or forecast_year
        done_year = min(filter(None, (year, completion_year)), default="") if site["actual_completion"] else ""
        line_fields = {name: line[name] for name in ("tenure", "bedrooms", "needs", "count")}
        lines.append(PipelineLine(**site_fields, **line_fields, year=done_year or year, done_year=done_year))
    return lines


def pipeline_kind(content: Content) -> str:
    """Return the kind of years in which a plan's homes are counted; financial if the plan has no years."""
    return year_kind(content) or FINANCIAL


def year_of_date(text: str, kind: str) -> str:
    """Return the year of this kind that contains a partial date; "" if that is not known.

    For example, "2027-02" is in the financial year "2026-27". "2027" could be in two financial years, so it gives "".
    """
    if not text:
        return ""
    day = PartialDate.parse(text)
    if kind == CALENDAR:
        return year_of_kind(CALENDAR, day.year)
    if day.month is None:
        return ""
    return year_of_kind(FINANCIAL, day.year if day.month >= _APRIL else day.year - 1)


#: The month in which financial years begin.
_APRIL = 4
