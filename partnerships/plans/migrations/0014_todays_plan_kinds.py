"""Create the seven kinds of plan that were in the code, with their starters."""

from django.db import migrations

KINDS = (
    ("housing_strategy", "Housing strategy"),
    ("local_plan", "Local plan"),
    ("delivery", "Delivery programme"),
    ("regeneration", "Regeneration"),
    ("homelessness", "Homelessness"),
    ("place", "Place business plan"),
    ("allocations", "Allocations"),
)
#: By kind of plan: sections (title, hint), outcomes (text, measure), milestones, and risks (title, likelihood, impact,
#: mitigation).
STARTERS = {
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


def add_kinds(apps, schema_editor):
    for index, (code, label) in enumerate(KINDS, 1):
        kind = apps.get_model("plans", "PlanKind").objects.create(code=code, label=label, position=index * 10)
        starters = STARTERS[code]
        rows = [{"part": "section", "title": title, "note": hint} for title, hint in starters["sections"]]
        rows += [{"part": "outcome", "title": text, "note": measure} for text, measure in starters["outcomes"]]
        rows += [{"part": "milestone", "title": name} for name in starters["milestones"]]
        rows += [
            {"part": "risk", "title": title, "likelihood": likelihood, "impact": impact, "note": mitigation}
            for title, likelihood, impact, mitigation in starters["risks"]
        ]
        for number, row in enumerate(rows, 1):
            apps.get_model("plans", "StarterPart").objects.create(kind=kind, position=number * 10, **row)


class Migration(migrations.Migration):
    dependencies = [("plans", "0013_plan_kinds")]

    operations = [migrations.RunPython(add_kinds, migrations.RunPython.noop)]
