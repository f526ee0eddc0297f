"""Homes and milestones of a party's plans in a period, for progress reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from partnerships.agreements.figures import Asked, Block, Line
from partnerships.kit.dates import PartialDate
from partnerships.kit.text import counted
from partnerships.plans.content import SETTLED, Content, milestone_status, outside
from partnerships.plans.models import Audience, Plan
from partnerships.plans.queries.contents import content_of

#: How many milestones are listed.
_MAX_LINES = 50


def _contents(period: Asked) -> Iterator[tuple[Plan, Content]]:
    """The party's published plans in the partnership, without what is confidential or under embargo.

    Only those that all parties may read.
    """
    plans = Plan.objects.owned_by(period.party.organisation_id).filter(
        partnership=period.party.partnership_id, current_number__gt=0
    )
    for plan in plans.exclude(audience=Audience.OWNERS).order_by("title", "pk"):
        if plan.announced_number:
            yield plan, outside(content_of(plan, plan.announced_number))


def _within(period: Asked, text: str) -> bool:
    """Whether a partial date is surely in the period: its first and last possible day."""
    if not text:
        return False
    day = PartialDate.parse(text)
    return period.covers(day.earliest) and period.covers(day.latest)


def _homes(site: dict[str, Any]) -> int:
    return sum(line["count"] for line in site["homes"])


def homes_in_period(period: Asked) -> Block | None:
    """Homes started and completed in the period, by forecast and actual.

    Each plan has a line.
    """
    total: dict[str, int] = dict.fromkeys(_FIELDS, 0)
    lines = []
    for plan, content in _contents(period):
        counts = {
            field: sum(_homes(site) for site in content["sites"] if _within(period, site[field])) for field in _FIELDS
        }
        if any(counts.values()):
            lines.append(Line(plan.title, _in_words(counts), plan.get_absolute_url()))
        total = {field: total[field] + counts[field] for field in _FIELDS}
    return Block("Homes", f"{_in_words(total)}.".capitalize(), lines) if lines else None


_FIELDS = ("actual_start", "forecast_start", "actual_completion", "forecast_completion")


def _in_words(counts: dict[str, int]) -> str:
    return (
        f"{counted(counts['actual_start'], 'home')} started (forecast {counts['forecast_start']:,}), "
        f"{counts['actual_completion']:,} completed (forecast {counts['forecast_completion']:,})"
    )


def milestones_in_period(period: Asked) -> Block | None:
    """Milestones reached in the period, and those that should have been by their baseline."""
    reached, slipped = [], []
    for plan, content in _contents(period):
        for milestone in content["milestones"]:
            words, path = f"{milestone['name']} ({plan.title})", plan.get_absolute_url()
            if _within(period, milestone["actual"]):
                reached.append(Line(words, f"reached {PartialDate.parse(milestone['actual']).words}", path))
            elif milestone_status(milestone) not in SETTLED and _within(period, milestone["baseline"]):
                forecast = milestone["forecast"]
                now = f"now {PartialDate.parse(forecast).words}" if forecast else "no forecast"
                was = PartialDate.parse(milestone["baseline"]).words
                slipped.append(Line(words, f"planned for {was}, {now}", path))
    if not (reached or slipped):
        return None
    return Block("Milestones", f"{len(reached)} reached, {len(slipped)} slipped.", [*reached, *slipped][:_MAX_LINES])
