"""How a plan of each kind begins: the sections, milestones and outcomes that partners usually want in it."""

from __future__ import annotations

from typing import Any

from .content import Content, normalise

_COMMON_RISKS = [{"title": "Programme slips", "likelihood": 3, "impact": 3}]

#: By kind of plan: sections as (title, what to write), milestones, and whether risks are usual.
STARTERS: dict[str, dict[str, Any]] = {
    "housing_strategy": {
        "sections": [
            ("Housing need", "Who needs which homes, where, and how we know."),
            ("What each partner brings", "Land, money, skills and powers."),
            ("Priorities", "What comes first, and what waits."),
            ("Homelessness and vulnerable people", "How those who need it most are served."),
            ("How we will know", "Measures, and when we look at them."),
        ],
        "milestones": ["Evidence agreed", "Consultation ends", "Strategy adopted", "First yearly review"],
    },
    "local_plan": {
        "sections": [
            ("Our interest", "What this local plan means for the partners."),
            ("Housing requirement", "The figure, its period and where it comes from."),
            ("Sites we support", "Which sites, and why."),
            ("What we ask for", "Policies on affordable homes, tenure and space."),
        ],
        "milestones": ["Regulation 18 consultation", "Regulation 19 consultation", "Submission", "Adoption"],
    },
    "delivery": {
        "sections": [
            ("Programme", "What will be built, by whom and by when."),
            ("Land and planning", "What stands in the way on each site."),
            ("Funding", "Grant, borrowing, section 106 and what is missing."),
            ("Allocations", "Who will live in the homes, and how nominations work."),
        ],
        "milestones": ["Funding agreed", "First start on site", "First completion", "Programme complete"],
        "risks": _COMMON_RISKS,
    },
    "regeneration": {
        "sections": [
            ("The place today", "Homes, people and what residents say."),
            ("What will change", "Homes lost, kept and gained, and public space."),
            ("Residents", "Right to return, ballot and moving."),
            ("Phases", "What happens in which order."),
        ],
        "milestones": ["Resident ballot", "Planning permission", "First move", "Last phase complete"],
        "risks": _COMMON_RISKS,
    },
    "homelessness": {
        "sections": [
            ("Who is homeless here", "Numbers, reasons and trends."),
            ("Prevention", "What happens before somebody loses a home."),
            ("Homes and support", "Temporary, supported and settled homes."),
            ("Who does what", "Duties of the council, and what others add."),
        ],
        "milestones": ["Review of homelessness", "Strategy adopted", "First yearly review"],
    },
    "place": {
        "sections": [
            ("The place", "Its economy, people and homes."),
            ("Shared aims", "What the partners want together."),
            ("Investment", "Who puts in what, and when."),
            ("Governance", "Who decides, and who answers for it."),
        ],
        "milestones": ["Business plan agreed", "Investment decision", "Yearly review"],
        "risks": _COMMON_RISKS,
    },
    "allocations": {
        "sections": [
            ("Who qualifies", "Local connection and need."),
            ("Nominations", "Shares of first lets and relets, and working days to answer."),
            ("Local lettings", "Where a local lettings plan applies, and why."),
            ("Refusals and disputes", "Grounds, and who decides."),
        ],
        "milestones": ["Consultation ends", "Policy in force", "First review"],
    },
}


def starter(kind: str, title: str) -> Content:
    """The content with which a new plan of that kind begins; its sections are empty: see `hint_for`."""
    outline = STARTERS.get(kind, {})
    return normalise(
        {
            "about": {"title": title},
            "sections": [{"title": name} for name, _hint in outline.get("sections", [])],
            "milestones": [{"name": name} for name in outline.get("milestones", [])],
            "risks": outline.get("risks", []),
        }
    )


def hint_for(title: str) -> str:
    """What belongs into a section that plans of some kind begin with; "" for other sections."""
    return _HINTS.get(title, "")


_HINTS: dict[str, str] = {name: hint for outline in STARTERS.values() for name, hint in outline.get("sections", [])}
