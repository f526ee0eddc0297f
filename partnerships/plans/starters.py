"""Starters: what each kind of plan begins with."""

from __future__ import annotations

from partnerships.plans.content import MILESTONES, RISKS, Content, normalise
from partnerships.plans.models import Part, PlanKind


def starter(kind: str, title: str) -> Content:
    """The content of a new plan of that kind.

    Its sections are empty (see `hint_for`).
    """
    known = PlanKind.by_code().get(kind)
    parts = {part: known.begins_with(part) if known else [] for part in Part.values}
    return normalise(
        {
            "about": {"title": title},
            "outcomes": [{"text": one.title, "measure": one.note} for one in parts[Part.OUTCOME]],
            "sections": [{"title": one.title} for one in parts[Part.SECTION]],
            "milestones": [{"name": one.title} for one in parts[Part.MILESTONE]],
            "risks": [
                {
                    "title": one.title,
                    "likelihood": one.likelihood or 3,
                    "impact": one.impact or 3,
                    "mitigation": one.note,
                }
                for one in parts[Part.RISK]
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
    found = {}
    for collection in (MILESTONES, RISKS):
        given = {item["key"]: item for item in begun[collection.code]}
        known = {item["key"] for item in was[collection.code]}
        for item in content[collection.code]:
            if item["key"] not in known and item == given.get(item["key"]):
                found[f"{collection.code}/{item['key']}"] = str(item[collection.title])
    return found


def hint_for(title: str) -> str:
    """What to write in a section of a starter; "" for other sections."""
    sections = (one for kind in PlanKind.by_code().values() for one in kind.begins_with(Part.SECTION))
    return next((one.note for one in sections if one.title == title), "")
