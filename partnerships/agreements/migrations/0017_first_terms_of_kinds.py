"""Create the fields, tables, checks and starter clauses with which each kind begins.

Administrators may change them afterwards. A field is (code, label, shape, help, required); its choices follow as pairs.
"""

from django.db import migrations

LAWFUL_BASES = """consent: Consent, Article 6(1)(a)
contract: Contract, Article 6(1)(b)
legal_obligation: Legal obligation, Article 6(1)(c)
vital_interests: Vital interests, Article 6(1)(d)
public_task: Public task, Article 6(1)(e)
recognised_legitimate_interest: Recognised legitimate interest, Article 6(1)(ea)
legitimate_interests: Legitimate interests, Article 6(1)(f)"""
CONDITIONS = """explicit_consent: Explicit consent, Article 9(2)(a)
social_protection: Employment, social security and social protection law, Article 9(2)(b)
vital_interests: Vital interests, Article 9(2)(c)
legal_claims: Legal claims, Article 9(2)(f)
substantial_public_interest: Substantial public interest, Article 9(2)(g)
health_or_social_care: Health or social care, Article 9(2)(h)
research_and_statistics: Archiving, research and statistics, Article 9(2)(j)"""
CONTROLLERS = """independent: Each party is a controller of its own
joint: The parties are joint controllers
processor: One party processes data for another"""
DECISIONS = """consensus: By agreement of all
majority: By a majority of parties
weighted: By votes as set out in the seats"""
CALL_OFF = """rank: By rank within the lot
rotation: In turn
mini_competition: By a mini-competition
direct: By the client's choice, with reasons"""
DEADLOCK = """escalate: The chief executives decide
expert: An independent expert decides
mediation: The parties go to mediation
buy_out: One party may buy out the other"""

PARTNER_SHARES = ("shares", "Shares", "share", "Who holds how much.", True, [
    ("party", "Party", "party", "", True),
    ("percent", "Share", "percent", "All shares add up to 100.", True),
    ("investment", "Investment", "money", "In pounds.", False),
])  # fmt: skip

FIELDS = {
    "bilateral": [
        ("scope", "What it covers", "text", "Services, sites or areas, and what is left out.", False),
    ],
    "memorandum": [
        ("shared_aims", "Shared aims", "text", "What each party will help the others to achieve.", False),
        ("confidentiality", "What is confidential", "text", "", False),
        ("publicity", "What may be published", "line", "Such as: joint announcements only.", False),
    ],
    "charter": [
        ("standards", "Standards", "text", "What every organisation that joins commits to.", True),
        ("how_to_join", "How others join", "text", "", False),
        ("published_at", "Where it is published", "line", "A web address.", False),
    ],
    "preferred_partners": [
        ("call_off", "How work is given out", "choice", "", True, CALL_OFF),
        ("procurement", "How the panel was chosen", "text", "The procedure, its notice and its date.", False),
        ("opens_again_on", "Opens to new members on", "date", "", False),
        ("performance", "How performance is measured", "text", "", False),
    ],
    "strategic_board": [
        ("decisions", "How it decides", "choice", "", True, DECISIONS),
        ("remit", "What it decides", "text", "And what it only recommends.", True),
        ("secretariat", "Secretariat", "party", "The party that calls meetings and keeps minutes.", False),
    ],
    "joint_venture": [
        ("vehicle", "Legal form", "line", "Such as: limited liability partnership.", True),
        ("company_number", "Company number", "line", "", False),
        ("deadlock", "If the parties cannot agree", "choice", "", True, DEADLOCK),
        ("profit", "How profit and loss are shared", "text", "Empty: as the shares.", False),
        ("exit", "How a party leaves", "text", "Notice, valuation and who may buy.", True),
    ],
    "homes_england": [
        ("programme", "Programme", "line", "The programme that the grant comes from.", True),
        ("grant_agreement", "Reference of the grant agreement", "line", "", False),
        ("homes", "Homes", "number", "All homes of the agreement.", True),
        ("grant", "Grant", "money", "In pounds, for all homes.", True),
        ("start_by", "Last start on site", "date", "", True),
        ("complete_by", "Last completion", "date", "", True),
        ("recovery", "When grant is paid back", "text", "", False),
    ],
    "nominations": [],
    "consortium": [
        ("lead_party", "Lead party", "party", "It signs with the funder and holds the money.", True),
        ("joint_liability", "The parties answer jointly and severally", "flag", "", False),
        ("share_of_costs", "How bid costs are shared", "text", "", False),
        ("joining_and_leaving", "How parties join and leave", "text", "", False),
    ],
    "data_sharing": [
        ("sharing_purpose", "Why personal data is shared", "text", "Say what could not be done without it.", True),
        ("lawful_basis", "Lawful basis", "choice", "UK GDPR, Article 6.", True, LAWFUL_BASES),
        ("law", "The law or power that it rests on", "line", "Such as: Housing Act 1996, Part 6.", False),
        (
            "special_category",
            "Includes special category data",
            "flag",
            "Such as health, ethnic origin or belief.",
            False,
        ),
        ("condition", "Condition for special category data", "choice", "UK GDPR, Article 9.", False, CONDITIONS),
        ("criminal_data", "Includes data about criminal offences", "flag", "", False),
        ("controllers", "Who is the controller", "choice", "", True, CONTROLLERS),
        ("impact_assessment_on", "Data protection impact assessment done on", "date", "", False),
        ("rights_contact", "Who answers requests from people", "line", "Access, correction, erasure, objection.", True),
        (
            "breach_hours",
            "Hours to report a breach to each other",
            "number",
            "The regulator must know within 72.",
            True,
        ),
        ("security", "How data is sent and kept", "text", "", True),
        ("at_the_end", "What happens to the data at the end", "text", "", True),
    ],
}
TABLES = {
    "preferred_partners": [
        ("lots", "Lots", "lot", "What the panel is divided into.", False, [
            ("name", "Lot", "line", "", True),
            ("covers", "What it covers", "line", "Such as: up to 50 homes, north of the river.", False),
            ("ceiling", "Limit", "money", "In pounds.", False),
        ]),
        ("ranks", "Ranking", "place", "The order in which members are asked, by lot.", False, [
            ("party", "Party", "party", "", True),
            ("lot", "Lot", "line", "", False),
            ("rank", "Rank", "number", "1 is asked first.", True),
        ]),
    ],
    "strategic_board": [
        ("seats", "Seats", "seat", "Who sits on the board.", False, [
            ("party", "Party", "party", "", True),
            ("post", "Post", "line", "Such as: director of development.", False),
            ("votes", "Votes", "number", "", False),
        ]),
    ],
    "joint_venture": [PARTNER_SHARES],
    "consortium": [
        ("roles", "Roles", "role", "Who does what.", True, [
            ("party", "Party", "party", "", True),
            ("does", "What it does", "line", "", True),
            ("percent", "Share of the work", "percent", "All shares add up to 100.", False),
        ]),
    ],
    "homes_england": [
        ("phases", "Phases", "phase", "Homes by site or phase.", True, [
            ("name", "Site or phase", "line", "", True),
            ("homes", "Homes", "number", "", True),
            ("tenure", "Tenure", "line", "Such as: Social Rent.", False),
            ("start_by", "Start by", "date", "", True),
            ("complete_by", "Complete by", "date", "", False),
        ]),
        ("tranches", "Grant tranches", "tranche", "When grant is paid.", False, [
            ("name", "Tranche", "line", "Such as: start on site.", True),
            ("share", "Share of the grant", "percent", "All shares add up to 100.", True),
            ("amount", "Amount", "money", "In pounds.", False),
            ("due_on", "Due on", "date", "", False),
        ]),
    ],
    "data_sharing": [
        ("items", "Data shared", "item", "Only what the purpose needs.", True, [
            ("what", "Data", "line", "Such as: name and date of birth of applicants.", True),
            ("from_party", "From", "party", "", True),
            ("to_party", "To", "party", "", True),
            ("how_often", "How often", "line", "", False),
            ("how_sent", "How it is sent", "line", "Such as: secure file transfer.", True),
            ("kept_for", "Kept for", "line", "Such as: six years after the tenancy ends.", True),
        ]),
    ],
}  # fmt: skip
#: Check, table, field, second field.
CHECKS = {
    "preferred_partners": [("each_once", "lots", "name", ""), ("each_once", "ranks", "rank", "lot")],
    "strategic_board": [("each_once", "seats", "party", "post")],
    "joint_venture": [("adds_up_to_100", "shares", "percent", ""), ("each_once", "shares", "party", "")],
    "consortium": [("each_once", "roles", "party", "")],
    "homes_england": [
        ("not_after", "", "start_by", "complete_by"),
        ("not_after", "phases", "start_by", "complete_by"),
        ("total_not_above", "phases", "homes", "homes"),
        ("total_not_above", "tranches", "amount", "grant"),
        ("adds_up_to_100", "tranches", "share", ""),
    ],
    "data_sharing": [("needs", "", "special_category", "condition")],
}
LEAVING = (
    "Leaving",
    (
        "A party can leave by writing to the others, with the notice that these terms give. What it promised before it "
        "leaves stays due, unless the others agree otherwise."
    ),
)
DISPUTES = (
    "Disagreements",
    (
        "The named leads of the parties talk first. If they do not agree within 20 working days, their managers take it "
        "up. Work goes on meanwhile wherever it can."
    ),
)
CHANGES = (
    "Changing these terms",
    "Any party can propose a change, with its reason. It takes force when every party has signed the same version.",
)
INFORMATION = (
    "Information",
    (
        "The parties tell each other early what could affect the others. Public bodies among them answer requests under "
        "the Freedom of Information Act 2000, and ask the party concerned before they release what it gave them."
    ),
)
CLAUSES = {
    "bilateral": [
        (
            "What we do together",
            "Each party carries out its part with care, in time, and tells the other if it cannot.",
        ),
        DISPUTES,
        LEAVING,
        CHANGES,
    ],
    "memorandum": [
        (
            "What this is",
            "This memorandum says what the parties intend. It creates no legal duties, except where a clause says so.",
        ),
        ("How we work together", "Each party names a lead, shares its plans early and takes part in meetings."),
        INFORMATION,
        DISPUTES,
        LEAVING,
        CHANGES,
    ],
    "charter": [
        ("What we commit to", "Each party keeps the standards of this charter and says openly how it is doing."),
        ("Every year", "Once a year the parties publish how far they kept the standards, and what they will improve."),
        ("Joining and leaving", "An organisation joins by signing. It can leave at any time by writing to the others."),
        CHANGES,
    ],
    "preferred_partners": [
        (
            "What membership means",
            "Members are asked first. Membership is no promise of work, and the client keeps to procurement law.",
        ),
        (
            "Giving out work",
            "The client asks members in the way these terms say, and tells all of them who was chosen.",
        ),
        (
            "Performance",
            "The client and each member review performance every year. A member can be suspended, with reasons.",
        ),
        INFORMATION,
        DISPUTES,
        LEAVING,
        CHANGES,
    ],
    "strategic_board": [
        ("Membership", "Each party names one person and a deputy. They speak for their organisation."),
        ("Meetings", "Papers go out five working days before. Decisions need the quorum; minutes go out within ten."),
        (
            "Interests",
            "Members declare interests at the start of each item, and leave for items in which they have one.",
        ),
        ("Powers", "The board has only the powers that the parties give it. Each party's own decisions stay its own."),
        CHANGES,
    ],
    "joint_venture": [
        (
            "Business plan",
            "The parties agree a business plan every year. Spending outside it needs the consent of all.",
        ),
        ("Money", "Each party pays in what these terms say, when it is due. Late payment bears interest."),
        ("Decisions for all parties", "Borrowing, selling land, new parties and winding up need the consent of all."),
        ("Deadlock", "If the parties cannot agree within 30 days, they do what these terms say about deadlock."),
        (
            "Exit",
            "A party that wants to leave offers its share to the others first, at a value set by an independent valuer.",
        ),
        DISPUTES,
        CHANGES,
    ],
    "homes_england": [
        ("Delivery", "The partner builds the homes in the phases below, to the standards of the programme."),
        ("Grant", "Grant is paid in the tranches below, when their conditions are met and shown."),
        (
            "Reporting",
            "The partner reports starts, completions and forecasts every quarter, and delays as soon as they are known.",
        ),
        (
            "If homes are late",
            "The parties agree a recovery plan within 20 working days. Grant for homes that will not be built is paid back.",
        ),
        CHANGES,
    ],
    "nominations": [
        (
            "Nominations",
            "The council nominates households for the homes that this agreement covers; the provider lets them.",
        ),
        ("Personal data", "The parties share personal data only under a signed data-sharing agreement."),
        DISPUTES,
        LEAVING,
        CHANGES,
    ],
    "consortium": [
        (
            "The lead party",
            "The lead party signs with the funder, passes on money within 30 days and keeps the records.",
        ),
        ("Each party's part", "Each party does its part as set out below, and pays for its own mistakes."),
        ("If a party fails", "The others may take over its part, after 20 working days' notice."),
        INFORMATION,
        DISPUTES,
        LEAVING,
        CHANGES,
    ],
    "data_sharing": [
        ("What we share", "The parties share the data listed below, for the purpose stated, and for nothing else."),
        (
            "People's rights",
            "Each party tells people how it uses their data, and helps the others to answer requests in time.",
        ),
        (
            "Security",
            "Each party limits access to those who need it, trains them, and keeps data encrypted when it moves.",
        ),
        (
            "Breaches",
            "A party that finds a breach tells the others within the hours stated, and works with them on what follows.",
        ),
        (
            "Keeping and deleting",
            "Data is deleted when it is no longer needed for the purpose, at the latest as listed below.",
        ),
        ("Review", "The parties review this agreement by the review date. Without a review, sharing stops."),
        CHANGES,
    ],
}


def add_terms(apps, schema_editor):
    PartnershipKind = apps.get_model("agreements", "PartnershipKind")
    KindField, KindTable = apps.get_model("agreements", "KindField"), apps.get_model("agreements", "KindTable")
    KindCheck = apps.get_model("agreements", "KindCheck")
    StarterClause = apps.get_model("agreements", "StarterClause")

    def add_fields(fields, **owner):
        """Create the fields of a kind, or the columns of a table, in this order."""
        for index, (code, label, shape, help_text, required, *choices) in enumerate(fields, 1):
            KindField.objects.create(
                code=code,
                label=label,
                shape=shape,
                help=help_text,
                required=required,
                choices=choices[0] if choices else "",
                position=index * 10,
                **owner,
            )

    for kind in PartnershipKind.objects.filter(code__in=CLAUSES):
        add_fields(FIELDS[kind.code], kind=kind)

        table_by_code = {}
        for index, (code, label, one, help_text, required, columns) in enumerate(TABLES.get(kind.code, ()), 1):
            table_by_code[code] = KindTable.objects.create(
                kind=kind, code=code, label=label, one=one, help=help_text, required=required, position=index * 10
            )
            add_fields(columns, table=table_by_code[code])

        for index, (check, table_code, field, other) in enumerate(CHECKS.get(kind.code, ()), 1):
            KindCheck.objects.create(
                kind=kind,
                check_name=check,
                table=table_by_code.get(table_code),
                field=field,
                other=other,
                position=index * 10,
            )

        for index, (title, body) in enumerate(CLAUSES[kind.code], 1):
            StarterClause.objects.create(kind=kind, title=title, body=body, position=index * 10)


class Migration(migrations.Migration):
    dependencies = [("agreements", "0016_terms_of_kinds")]

    operations = [migrations.RunPython(add_terms, migrations.RunPython.noop)]
