"""The content of a plan, made from a published local plan."""

from __future__ import annotations

from typing import Any

from partnerships.transfer.reading.local_plans import LocalPlan, Milestone, milestone_keys, period_in_words


def content_from_file(plan: LocalPlan, before: dict[str, Any] | None) -> dict[str, Any]:
    """The plan's content with what the new file changed.

    Only differences from `before`, what the last file said (None: never imported), are applied; owners' edits stay.
    Known milestones keep their keys and places; new ones follow by date.
    """
    old = list(before["milestones"]) if before else []
    keys = milestone_keys(plan.milestones, old)
    items = {key: _item(key, milestone) for key, milestone in zip(keys, plan.milestones, strict=True)}
    dates = {key: milestone.date for key, milestone in zip(keys, plan.milestones, strict=True)}
    kept = [{**known, **items.pop(known["key"])} for known in old if known["key"] in items]
    added = sorted(items.values(), key=lambda item: (dates[item["key"]], item["key"]))
    about = {
        **(before["about"] if before else {}),
        "title": plan.name,
        "summary": _summary(plan),
        "period_start": str(plan.period_start or ""),
        "period_end": str(plan.period_end or ""),
        "source": plan.url,
    }
    return {**(before or {}), "about": about, "milestones": [*kept, *added]}


def _item(key: str, milestone: Milestone) -> dict[str, Any]:
    date = str(milestone.date)
    return {
        "key": key,
        "name": milestone.name,
        "forecast": date if milestone.is_forecast else "",
        "actual": "" if milestone.is_forecast else date,
        "status": "planned" if milestone.is_forecast else "achieved",
        "note": milestone.note,
    }


def _summary(plan: LocalPlan) -> str:
    lines = [plan.description, f"Published under the reference “{plan.reference}”."]
    period = period_in_words(plan.period_start, plan.period_end)
    if period:
        lines.append(f"Plan period: {period}.")
    if plan.adopted:
        lines.append(f"Adopted: {plan.adopted.words}.")
    return "\n\n".join(line for line in lines if line)
