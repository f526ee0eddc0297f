"""Starters: what each kind of plan begins with."""

from __future__ import annotations

from typing import Any

from partnerships.plans.content import Content, normalise

#: By kind of plan: sections (title, hint), outcomes (text, measure), milestones, and risks (title, likelihood, impact,
#: mitigation).
STARTERS: dict[str, dict[str, Any]] = {
    "housing_strategy": {
        "sections": [
            ("Housing need", "Who needs which homes, where, and how we know."),
            ("What each partner brings", "Land, money, skills and powers."),
            ("Priorities", "What comes first, and what waits."),
            ("Homelessness and vulnerable people", "How those who need it most are served."),
            ("How we will know", "Measures, and when we look at them."),
        ],
        "outcomes": [
            ("More of the homes that people here need", "Homes completed a year, by tenure"),
            ("Fewer households wait in temporary accommodation", "Households in temporary accommodation"),
            ("Homes that are safe, warm and well kept", "Share of homes that meet the Decent Homes Standard"),
        ],
        "milestones": ["Evidence agreed", "Consultation ends", "Strategy adopted", "First yearly review"],
        "risks": [
            ("Evidence of need is out of date", 3, 3, "Agree who renews it, and when."),
            ("A partner's priorities change", 2, 4, "Review the strategy together every year."),
        ],
    },
    "local_plan": {
        "sections": [
            ("Our interest", "What this local plan means for the partners."),
            ("Housing requirement", "The figure, its period and where it comes from."),
            ("Sites we support", "Which sites, and why."),
            ("What we ask for", "Policies on affordable homes, tenure and space."),
        ],
        "outcomes": [
            ("Sites for affordable homes are allocated", "Sites that the partners support in the adopted plan"),
            ("Policies that let affordable homes be built", "Share of affordable homes that the policies ask for"),
        ],
        "milestones": ["Regulation 18 consultation", "Regulation 19 consultation", "Submission", "Adoption"],
        "risks": [
            ("The timetable of the local plan slips", 4, 3, "Read the local development scheme each quarter."),
            ("The plan is found unsound", 2, 5, "Answer each consultation with evidence."),
        ],
    },
    "delivery": {
        "sections": [
            ("Programme", "What will be built, by whom and by when."),
            ("Land and planning", "What stands in the way on each site."),
            ("Funding", "Grant, borrowing, section 106 and what is missing."),
            ("Allocations", "Who will live in the homes, and how nominations work."),
        ],
        "outcomes": [
            ("The homes of the programme are complete", "Homes completed against the forecast of each year"),
            ("Homes go to those who need them", "Share of first lets to the council's nominees"),
        ],
        "milestones": ["Funding agreed", "First start on site", "First completion", "Programme complete"],
        "risks": [
            ("Programme slips", 3, 3, "Look at every forecast together each quarter."),
            ("Costs rise beyond what is funded", 3, 4, "Say early which homes depend on more grant."),
            ("A contractor fails", 2, 5, "Know who could take the site on."),
        ],
    },
    "regeneration": {
        "sections": [
            ("The place today", "Homes, people and what residents say."),
            ("What will change", "Homes lost, kept and gained, and public space."),
            ("Residents", "Right to return, ballot and moving."),
            ("Phases", "What happens in which order."),
        ],
        "outcomes": [
            ("Residents who want to return can", "Households that returned, of those who asked to"),
            ("More homes than before, of the tenures agreed", "Homes gained less homes lost, by tenure"),
        ],
        "milestones": ["Resident ballot", "Planning permission", "First move", "Last phase complete"],
        "risks": [
            ("Programme slips", 3, 3, "Look at every forecast together each quarter."),
            ("Residents vote against it", 2, 5, "Shape the offer with residents before the ballot."),
            ("Not enough homes to move into meanwhile", 3, 4, "Agree early which partner keeps homes free."),
        ],
    },
    "homelessness": {
        "sections": [
            ("Who is homeless here", "Numbers, reasons and trends."),
            ("Prevention", "What happens before somebody loses a home."),
            ("Homes and support", "Temporary, supported and settled homes."),
            ("Who does what", "Duties of the council, and what others add."),
        ],
        "outcomes": [
            ("Fewer people lose their home", "Share of prevention duties that end with a home secured"),
            ("Nobody sleeps rough for long", "People seen rough sleeping in two months or more of a year"),
            ("Less time in temporary accommodation", "Median weeks until a settled home"),
        ],
        "milestones": ["Review of homelessness", "Strategy adopted", "First yearly review"],
        "risks": [
            ("Need grows faster than homes and support", 4, 4, "Watch presentations monthly, and agree what gives."),
            ("Funding for support ends", 3, 4, "Keep a list of grants with the dates on which they end."),
        ],
    },
    "place": {
        "sections": [
            ("The place", "Its economy, people and homes."),
            ("Shared aims", "What the partners want together."),
            ("Investment", "Who puts in what, and when."),
            ("Governance", "Who decides, and who answers for it."),
        ],
        "outcomes": [
            ("Investment follows aims that the partners share", "Money committed against the plan, by partner"),
            ("Homes and jobs come together", "Homes and workplaces completed a year"),
        ],
        "milestones": ["Business plan agreed", "Investment decision", "Yearly review"],
        "risks": [
            ("Programme slips", 3, 3, "Look at every forecast together each quarter."),
            ("Investment does not come", 3, 4, "Know which aims stand without it."),
        ],
    },
    "allocations": {
        "sections": [
            ("Who qualifies", "Local connection and need."),
            ("Nominations", "Shares of first lets and relets, and working days to answer."),
            ("Local lettings", "Where a local lettings plan applies, and why."),
            ("Refusals and disputes", "Grounds, and who decides."),
        ],
        "outcomes": [
            ("Homes are let to those in most need", "Share of lets by band"),
            ("Nominations are quick", "Share of nominations answered within the days agreed"),
        ],
        "milestones": ["Consultation ends", "Policy in force", "First review"],
        "risks": [
            ("Nominees are refused too often", 3, 3, "Look at every refusal and its ground each quarter."),
            ("Partners read the policy differently", 3, 3, "Train together, and keep examples."),
        ],
    },
}


def starter(kind: str, title: str) -> Content:
    """The content of a new plan of that kind.

    Its sections are empty (see `hint_for`).
    """
    outline = STARTERS.get(kind, {})
    return normalise(
        {
            "about": {"title": title},
            "outcomes": [{"text": text, "measure": measure} for text, measure in outline.get("outcomes", [])],
            "sections": [{"title": name} for name, _hint in outline.get("sections", [])],
            "milestones": [{"name": name} for name in outline.get("milestones", [])],
            "risks": [
                {"title": name, "likelihood": likelihood, "impact": impact, "mitigation": mitigation}
                for name, likelihood, impact, mitigation in outline.get("risks", [])
            ],
        }
    )


def is_untouched(kind: str, content: Content) -> bool:
    """Whether the content is still the starter of that kind, under any title."""
    begun = starter(kind, content["about"]["title"])
    return any(begun[code] for code in ("outcomes", "sections")) and content == begun


def hint_for(title: str) -> str:
    """What to write in a section of a starter; "" for other sections."""
    return _HINTS.get(title, "")


_HINTS: dict[str, str] = {name: hint for outline in STARTERS.values() for name, hint in outline.get("sections", [])}
