"""Fill new plans with the sections, outcomes, milestones and risks that plans of their kind usually have."""

from __future__ import annotations

from partnerships.plans.content import MILESTONES, RISKS, Content, normalise
from partnerships.plans.models import Part, PlanKind


def starter_content(kind: str, title: str) -> Content:
    """Return the content of a new plan of this kind. Its sections have titles, but no text."""
    plan_kind = PlanKind.by_code().get(kind)
    starter_parts = {part: plan_kind.starter_parts(part) if plan_kind else [] for part in Part.values}
    return normalise(
        {
            "about": {"title": title},
            "outcomes": [{"text": outcome.title, "measure": outcome.note} for outcome in starter_parts[Part.OUTCOME]],
            "sections": [{"title": section.title} for section in starter_parts[Part.SECTION]],
            "milestones": [{"name": milestone.title} for milestone in starter_parts[Part.MILESTONE]],
            "risks": [
                {
                    "title": risk.title,
                    "likelihood": risk.likelihood or 3,
                    "impact": risk.impact or 3,
                    "mitigation": risk.note,
                }
                for risk in starter_parts[Part.RISK]
            ],
        }
    )


def is_untouched(kind: str, content: Content) -> bool:
    """Return whether nobody has changed the starter of this kind, except for the title.

    If the starter of a kind has neither outcomes nor sections, the answer is always False, so that such a plan can be
    published.
    """
    starting_content = starter_content(kind, content["about"]["title"])
    has_text_to_write = bool(starting_content["outcomes"] or starting_content["sections"])
    return has_text_to_write and content == starting_content


def untouched_parts(kind: str, content: Content, earlier_content: Content) -> dict[str, str]:
    """Return the titles of milestones and risks that nobody has changed since the starter, by piece.

    Items that are in the previous version, `earlier_content`, are left out, because somebody chose to keep them.
    """
    starting_content = starter_content(kind, content["about"]["title"])
    title_by_piece = {}
    for collection in (MILESTONES, RISKS):
        starting_items = {item["key"]: item for item in starting_content[collection.code]}
        earlier_keys = {item["key"] for item in earlier_content[collection.code]}
        for item in content[collection.code]:
            if item["key"] not in earlier_keys and item == starting_items.get(item["key"]):
                title_by_piece[f"{collection.code}/{item['key']}"] = str(item[collection.title_field])
    return title_by_piece


def section_hint(title: str) -> str:
    """Return the hint about what to write in a section of a starter; "" for other sections."""
    sections = (section for kind in PlanKind.by_code().values() for section in kind.starter_parts(Part.SECTION))
    return next((section.note for section in sections if section.title == title), "")
