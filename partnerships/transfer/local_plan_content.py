"""The content of a plan in the directory, made from a row of a published list of local plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from partnerships.open_data.values import REQUIRED_HOMES
from partnerships.transfer.reading.milestone_keys import is_of_event, milestone_keys
from partnerships.transfer.reading.plan_rows import LocalPlan, Milestone, period_in_words


def content_from_file(plan: LocalPlan, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the content of a plan according to a file.

    `before` is the content according to the previous file, or None if the plan was never imported. Only the
    differences between the two are applied to the plan, so that the owners' own edits remain. Milestones of
    `before` keep their keys and their order. New ones follow in order of date.
    """
    milestone_by_key = milestones_by_key(plan, before)
    earlier_milestones = [
        milestone
        for milestone in (before["milestones"] if before else [])
        if milestone["key"] in milestone_by_key or _may_be_set_aside(milestone["key"], plan)
    ]
    about = {
        **(before["about"] if before else {}),
        "title": plan.name,
        "summary": _summary(plan),
        "period_start": str(plan.period_start or ""),
        "period_end": str(plan.period_end or ""),
        "source": plan.url,
    }
    milestones = _with_milestones(earlier_milestones, milestone_by_key)
    content = {**(before or {}), "about": about, "milestones": milestones}
    if plan.required_homes is not None:
        other_outcomes = [outcome for outcome in content.get("outcomes", []) if outcome["key"] != REQUIRED_HOMES]
        required_homes = {
            "key": REQUIRED_HOMES,
            "text": "Homes required in the plan period",
            "measure": f"{plan.required_homes:,}",
        }
        content["outcomes"] = [required_homes, *other_outcomes]
    return content


def content_with_milestones(before: dict[str, Any], milestone_by_key: Mapping[str, Milestone]) -> dict[str, Any]:
    """Return the content according to the previous file, with these milestones added or updated."""
    return {**before, "milestones": _with_milestones(before["milestones"], milestone_by_key)}


def _with_milestones(
    earlier_milestones: Sequence[dict[str, Any]], milestone_by_key: Mapping[str, Milestone]
) -> list[dict[str, Any]]:
    """Return the earlier milestones in their order, with the file's values, and then the new ones by date."""
    content_by_key = {key: _content_of_milestone(key, milestone) for key, milestone in milestone_by_key.items()}
    updated = [{**earlier, **content_by_key.pop(earlier["key"], {})} for earlier in earlier_milestones]
    new = sorted(
        content_by_key.values(),
        key=lambda milestone: (milestone_by_key[milestone["key"]].date, milestone["key"]),
    )
    return [*updated, *new]


def milestones_by_key(plan: LocalPlan, before: dict[str, Any] | None) -> dict[str, Milestone]:
    """Return the file's milestones by the keys that they have, or receive, in the plan."""
    keys = milestone_keys(plan.milestones, before["milestones"] if before else [])
    return dict(zip(keys, plan.milestones, strict=True))


def _may_be_set_aside(key: str, plan: LocalPlan) -> bool:
    """Return whether the milestone may be in a row that was set aside. If so, the plan must not lose it."""
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
