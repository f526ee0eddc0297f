"""Homes and milestones of a party's plans in a period, as blocks for progress reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import F, Q, QuerySet

from partnerships.agreements.figures import FigureBlock, FigureLine, ReportPeriod
from partnerships.kit.dates import PartialDate
from partnerships.kit.text import counted
from partnerships.organisations.holdings import rows_once_a_page
from partnerships.plans.content import SETTLED, Content, Item, content_for_outside, homes_count, milestone_status
from partnerships.plans.models import Audience, Plan, Version

#: The most milestones that a report lists.
_MAX_LINES = 50
#: A site's homes are counted as started or completed, actual or forecast, by these dates of the site.
_DATE_FIELDS = ("actual_start", "forecast_start", "actual_completion", "forecast_completion")


def _contents_of_plans(period: ReportPeriod) -> Iterator[tuple[Plan, Content]]:
    """Yield each of the party's plans that all parties of the partnership may read, with its content.

    The content is what readers outside see. Within a page, the plans are read once.
    """
    for version in rows_once_a_page((_contents_of_plans, period.party.pk), lambda: _announced_versions(period)):
        if version.number == version.plan.announced_number:
            yield version.plan, content_for_outside(version.content)


def _announced_versions(period: ReportPeriod) -> QuerySet[Version]:
    """Return the newest versions of these plans, each with its plan. Of an embargoed plan, both versions are returned.

    `Plan.announced_number` is the one to show.
    """
    plans = Plan.objects.owned_by(period.party.organisation_id).filter(
        partnership=period.party.partnership_id, current_number__gt=0
    )
    newest = Q(number=F("plan__current_number")) | Q(number=F("plan__open_number"))
    versions = Version.objects.filter(newest, plan__in=plans.exclude(audience=Audience.OWNERS))
    return versions.select_related("plan").defer("prose").order_by("plan__title", "plan")


def _is_within(period: ReportPeriod, text: str) -> bool:
    """Return whether a partial date is certainly in the period: from its first to its last possible day."""
    if not text:
        return False
    day = PartialDate.parse(text)
    return period.covers(day.earliest) and period.covers(day.latest)


def homes_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the homes that started and completed in the period, actual and forecast, with a line for each plan.

    Returns None if no plan has such homes.
    """
    total: Counter[str] = Counter()
    lines = []
    for plan, content in _contents_of_plans(period):
        homes: Counter[str] = Counter()
        for site in content["sites"]:
            for field in _DATE_FIELDS:
                if _is_within(period, site[field]):
                    homes[field] += homes_count(site)
        if any(homes.values()):
            lines.append(FigureLine(plan.title, _homes_in_words(homes), plan.get_absolute_url()))
        total += homes
    return FigureBlock("Homes", f"{_homes_in_words(total)}.".capitalize(), lines) if lines else None


def _homes_in_words(counts: Counter[str]) -> str:
    """Return the homes counted by each of `_DATE_FIELDS`, in words."""
    return (
        f"{counted(counts['actual_start'], 'home')} started (forecast {counts['forecast_start']:,}), "
        f"{counts['actual_completion']:,} completed (forecast {counts['forecast_completion']:,})"
    )


def milestones_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the milestones reached in the period, and the slipped milestones whose baseline was in the period.

    Returns None if there are none of either.
    """
    reached, slipped = [], []
    for plan, content in _contents_of_plans(period):
        for milestone in content["milestones"]:
            name, path = f"{milestone['name']} ({plan.title})", plan.get_absolute_url()
            if _is_within(period, milestone["actual"]):
                reached.append(FigureLine(name, f"reached {PartialDate.parse(milestone['actual']).words}", path))
            elif milestone_status(milestone) not in SETTLED and _is_within(period, milestone["baseline"]):
                slipped.append(FigureLine(name, _slippage_words(milestone), path))
    if not (reached or slipped):
        return None
    return FigureBlock(
        "Milestones", f"{len(reached)} reached, {len(slipped)} slipped.", [*reached, *slipped][:_MAX_LINES]
    )


def _slippage_words(milestone: Item) -> str:
    """Return the baseline and the forecast of a milestone, in words."""
    baseline = PartialDate.parse(milestone["baseline"]).words
    if not milestone["forecast"]:
        return f"planned for {baseline}, no forecast"
    return f"planned for {baseline}, now {PartialDate.parse(milestone['forecast']).words}"
