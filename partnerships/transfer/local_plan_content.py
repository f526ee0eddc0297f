"""The content of a plan, made from a published local plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from partnerships.open_data.values import REQUIRED_HOMES
from partnerships.transfer.reading.local_plans import LocalPlan, Milestone, period_in_words
from partnerships.transfer.reading.milestone_keys import is_of_event, milestone_keys


def content_from_file(plan: LocalPlan, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the plan's content with what the new file changed.

    Only differences from `before`, what the last file said (None: never imported), are applied; owners' edits stay.
    Known milestones keep their keys and places; new ones follow by date.
    """
    old = list(before["milestones"]) if before else []
    milestone_by_key = milestones_by_key(plan, before)
    stay = [known for known in old if known["key"] in milestone_by_key or _may_be_set_aside(known["key"], plan)]
    about = {
        **(before["about"] if before else {}),
        "title": plan.name,
        "summary": _summary(plan),
        "period_start": str(plan.period_start or ""),
        "period_end": str(plan.period_end or ""),
        "source": plan.url,
    }
    content = {**(before or {}), "about": about, "milestones": _with_milestones(stay, milestone_by_key)}
    other_items = [item for item in content.get("outcomes", []) if item["key"] != REQUIRED_HOMES]
    if plan.required_homes is not None:
        homes = {
            "key": REQUIRED_HOMES,
            "text": "Homes required in the plan period",
            "measure": f"{plan.required_homes:,}",
        }
        content["outcomes"] = [homes, *other_items]
    return content


def content_with_milestones(before: dict[str, Any], milestone_by_key: Mapping[str, Milestone]) -> dict[str, Any]:
    """Return what the last file said of the plan, with these milestones by their keys; all others stay."""
    return {**before, "milestones": _with_milestones(before["milestones"], milestone_by_key)}


def _with_milestones(
    known: Sequence[dict[str, Any]], milestone_by_key: Mapping[str, Milestone]
) -> list[dict[str, Any]]:
    """Return the earlier milestones in their order, followed by new ones by date."""
    items = {key: _content_of_milestone(key, milestone) for key, milestone in milestone_by_key.items()}
    kept = [{**one, **items.pop(one["key"], {})} for one in known]
    return [*kept, *sorted(items.values(), key=lambda item: (milestone_by_key[item["key"]].date, item["key"]))]


def milestones_by_key(plan: LocalPlan, before: dict[str, Any] | None) -> dict[str, Milestone]:
    """Return the file's milestones by the keys that they have in the plan."""
    keys = milestone_keys(plan.milestones, before["milestones"] if before else [])
    return dict(zip(keys, plan.milestones, strict=True))


def _may_be_set_aside(key: str, plan: LocalPlan) -> bool:
    """Return whether a row that was set aside may be this milestone's."""
    return any(not event or is_of_event(key, event) for event in plan.gaps)


def _content_of_milestone(key: str, milestone: Milestone) -> dict[str, Any]:
    date = str(milestone.date)
    return {
        "key": key,
        "name": milestone.name,
        "forecast": date if milestone.is_forecast else "",
        "actual": str(milestone.actual or ("" if milestone.is_forecast else date)),
        "status": "achieved" if milestone.actual or not milestone.is_forecast else "planned",
        "note": milestone.note,
    }


def _summary(plan: LocalPlan) -> str:
    lines = [plan.description, f"Published under the reference “{plan.reference}”."]
    period = period_in_words(plan.period_start, plan.period_end)
    if period:
        lines.append(f"Plan period: {period}.")
    if plan.adopted:
        lines.append(f"Adopted: {plan.adopted.words}.")
    if plan.kinds:
        lines.append(f"Kind: {plan.kinds}.")
    if plan.document_url:
        lines.append(f"Document: {plan.document_url}")
    if plan.document_count is not None:
        lines.append(f"Documents: {plan.document_count:,}.")
    if plan.notes:
        lines.append(plan.notes)
    return "\n\n".join(line for line in lines if line)
