"""Starters: what each kind of plan begins with."""

from __future__ import annotations

from partnerships.plans.content import MILESTONES, RISKS, Content, normalise
from partnerships.plans.models import Part, PlanKind


def starter(kind: str, title: str) -> Content:
    """The content of a new plan of that kind.

    Its sections are empty (see `hint_for`).
    """
    plan_kind = PlanKind.by_code().get(kind)
    parts = {part: plan_kind.begins_with(part) if plan_kind else [] for part in Part.values}
    return normalise(
        {
            "about": {"title": title},
            "outcomes": [{"text": outcome.title, "measure": outcome.note} for outcome in parts[Part.OUTCOME]],
            "sections": [{"title": section.title} for section in parts[Part.SECTION]],
            "milestones": [{"name": milestone.title} for milestone in parts[Part.MILESTONE]],
            "risks": [
                {
                    "title": risk.title,
                    "likelihood": risk.likelihood or 3,
                    "impact": risk.impact or 3,
                    "mitigation": risk.note,
                }
                for risk in parts[Part.RISK]
            ],
        }
    )


def is_untouched(kind: str, content: Content) -> bool:
    """Whether the content is still the starter of that kind, under any title."""
    begun = starter(kind, content["about"]["title"])
    return any(begun[code] for code in ("outcomes", "sections")) and content == begun


def untouched_parts(kind: str, content: Content, was: Content) -> dict[str, str]:
    """Milestones and risks of the template that nobody has changed and the version before, `was`, has not.

    Titles by piece.
    """
    begun = starter(kind, content["about"]["title"])
    untouched = {}
    for collection in (MILESTONES, RISKS):
        starting_items = {item["key"]: item for item in begun[collection.code]}
        starting_keys = {item["key"] for item in was[collection.code]}
        for item in content[collection.code]:
            if item["key"] not in starting_keys and item == starting_items.get(item["key"]):
                untouched[f"{collection.code}/{item['key']}"] = str(item[collection.title])
    return untouched


def hint_for(title: str) -> str:
    """What to write in a section of a starter; "" for other sections."""
    sections = (begin for kind in PlanKind.by_code().values() for begin in kind.begins_with(Part.SECTION))
    return next((section.note for section in sections if section.title == title), "")
