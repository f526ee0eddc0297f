"""Homes and milestones of a party's plans in a period, for progress reports."""

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
#: The dates of a site that decide in which period its homes are counted as started or completed.
_DATE_FIELDS = ("actual_start", "forecast_start", "actual_completion", "forecast_completion")


def _contents_of_plans(period: ReportPeriod) -> Iterator[tuple[Plan, Content]]:
    """Yield the party's plans that all parties of the partnership may read, with their content for readers outside.

    Homes and milestones are separate figures on a page, but the plans are read once for both.
    """
    for version in rows_once_a_page((_contents_of_plans, period.party.pk), lambda: _announced_versions(period)):
        if version.number == version.plan.announced_number:
            yield version.plan, content_for_outside(version.content)


def _announced_versions(period: ReportPeriod) -> QuerySet[Version]:
    """Return the newest versions of the party's plans, each with its plan.

    For a plan with a version under embargo, this returns that version and the last version without an embargo.
    `Plan.announced_number` says which of them may be shown.
    """
    plans = Plan.objects.owned_by(period.party.organisation_id).filter(
        partnership=period.party.partnership_id, current_number__gt=0
    )
    newest = Q(number=F("plan__current_number")) | Q(number=F("plan__open_number"))
    versions = Version.objects.filter(newest, plan__in=plans.exclude(audience=Audience.OWNERS))
    return versions.select_related("plan").defer("prose").order_by("plan__title", "plan")


def _is_within(period: ReportPeriod, text: str) -> bool:
    """Return whether every day that a partial date can mean is in the period.

    For example, "2028-06" is within the second quarter of 2028, but "2028" is not.
    """
    if not text:
        return False
    date = PartialDate.parse(text)
    return period.covers(date.earliest) and period.covers(date.latest)


def homes_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the homes started and completed in the period and those forecast for it, with a line for each plan.

    Returns None if no plan has such homes.
    """
    total_by_field: Counter[str] = Counter()
    plan_lines = []
    for plan, content in _contents_of_plans(period):
        homes_by_field: Counter[str] = Counter()
        for site in content["sites"]:
            for field in _DATE_FIELDS:
                if _is_within(period, site[field]):
                    homes_by_field[field] += homes_count(site)
        if any(homes_by_field.values()):
            plan_lines.append(FigureLine(plan.title, _homes_in_words(homes_by_field), plan.get_absolute_url()))
        total_by_field += homes_by_field
    if not plan_lines:
        return None
    return FigureBlock("Homes", f"{_homes_in_words(total_by_field)}.".capitalize(), plan_lines)


def _homes_in_words(counts: Counter[str]) -> str:
    """Return, for example, "12 homes started (forecast 20), 0 completed (forecast 8)"."""
    return (
        f"{counted(counts['actual_start'], 'home')} started (forecast {counts['forecast_start']:,}), "
        f"{counts['actual_completion']:,} completed (forecast {counts['forecast_completion']:,})"
    )


def milestones_in_period(period: ReportPeriod) -> FigureBlock | None:
    """Return the milestones reached in the period, and those that were planned for the period but have slipped.

    Returns None if there are neither.
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
    """Return, for example, "planned for June 2028, now March 2029"."""
    baseline = PartialDate.parse(milestone["baseline"]).words
    if not milestone["forecast"]:
        return f"planned for {baseline}, no forecast"
    return f"planned for {baseline}, now {PartialDate.parse(milestone['forecast']).words}"
