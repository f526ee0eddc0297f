"""Create the fields of nominations agreements, and the clauses of their first drafts.

A field is (code, label, shape, help, required, starter); choices follow. Fields and clauses that administrators have
added under the same code or title stay as they are.
"""

from django.db import migrations

COVERS = """all: All homes of the provider in the council's area
schemes: Only the schemes listed"""
GROUNDS = """- The household's income and savings are above the limit of the provider's published policy
- The household owes rent to the provider, and has not kept to an agreement to repay it
- A member of the household was evicted for anti-social behaviour in the last five years
- The home does not suit the household's size, age or needs
- The household is not who the nomination says, or has changed since"""

FIELDS = [
    ("council", "Council", "party", "The party that nominates households.", True, ""),
    ("provider", "Provider", "party", "The party that lets the homes.", True, ""),
    ("covers", "Which homes it covers", "choice", "", True, "all", COVERS),
    ("area", "Area", "line", "If it is not the whole area of the council.", False, ""),
    ("first_lets", "First lets to nominees", "percent", "Share of new homes let for the first time.", True, "100"),
    ("relets_studio", "Relets to nominees: studios", "percent", "Share of true voids.", True, "50"),
    ("relets_1", "Relets to nominees: 1 bedroom", "percent", "Share of true voids.", True, "50"),
    ("relets_2", "Relets to nominees: 2 bedrooms", "percent", "Share of true voids.", True, "75"),
    ("relets_3", "Relets to nominees: 3 bedrooms", "percent", "Share of true voids.", True, "75"),
    ("relets_4", "Relets to nominees: 4 or more bedrooms", "percent", "Share of true voids.", True, "75"),
    (
        "true_voids", "What counts as a true void", "text", "The next three answers settle what returns count.", True,
        ("A home that becomes empty and is let again, unless its tenant moved within the provider's own homes, was moved "
        "for major works or a sale, or exchanged homes with another tenant."),
    ),
    ("counts_transfers", "Homes of tenants who transfer within the provider's homes count", "flag", "", False, ""),
    (
        "counts_temporary", "Homes let to the household that already lived there as temporary accommodation count",
        "flag", "", False, "",
    ),
    ("counts_supported", "Supported housing counts", "flag", "", False, ""),
    ("nominees", "Nominees for each vacancy", "number", "", True, "1"),
    ("days_first_lets", "Working days to nominate: first lets", "days", "From the provider's request.", True, "10"),
    ("days_relets", "Working days to nominate: relets", "days", "From the provider's request.", True, "3"),
    (
        "no_nominee", "If no nominee is named in time", "text", "", False,
        "The provider may let the home from its own list. It still counts as offered to the council.",
    ),
    ("refusal_grounds", "Grounds for refusing a nominee", "text", "One on each line.", True, GROUNDS),
    ("dispute_days", "Working days to settle a dispute about a nomination", "days", "", False, "5"),
]  # fmt: skip
TABLES = [
    ("schemes", "Schemes", "scheme", "If it covers only some homes.", [
        ("name", "Scheme", "line", "", True),
        ("address", "Where it is", "line", "", False),
        (
            "property_codes", "Property references", "line",
            "What they begin with, separated by commas, such as: MILL, 0412.", False,
        ),
        ("homes", "Homes", "number", "", False),
    ]),
    ("local_lettings_plans", "Local lettings plans", "local lettings plan", "For schemes with rules of their own.", [
        ("name", "Scheme or area", "line", "", True),
        ("says", "What it says", "text", "Who comes first, and for which share of the homes.", True),
        ("from_day", "From", "date", "", False),
        ("review_on", "Review on", "date", "", False),
    ]),
]  # fmt: skip
#: Check, table, field, second field.
CHECKS = [
    ("differ", "", "council", "provider"),
    ("each_once", "schemes", "name", ""),
    ("not_after", "local_lettings_plans", "from_day", "review_on"),
]
CLAUSES = [
    (
        "Vacancies and nominees",
        (
            "The provider tells the council of each vacancy as soon as it knows when the home will be ready. The council "
            "names its nominees within the working days that these terms give."
        ),
    ),
    (
        "Refusals",
        (
            "The provider may refuse a nominee only on the grounds that these terms list. It says which, in writing, within "
            "three working days, and the council may name another nominee."
        ),
    ),
    (
        "Returns",
        (
            "After each quarter the provider sends a return of its lettings. The council confirms it or disputes it line by "
            "line. If the share of homes let to nominees is below what was agreed, the parties agree how it is made up."
        ),
    ),
]


def add_terms(apps, schema_editor):
    kind = apps.get_model("agreements", "PartnershipKind").objects.filter(code="nominations").first()
    if kind is None:
        return
    KindField, KindTable = apps.get_model("agreements", "KindField"), apps.get_model("agreements", "KindTable")
    KindCheck = apps.get_model("agreements", "KindCheck")
    StarterClause = apps.get_model("agreements", "StarterClause")

    for index, (code, label, shape, help_text, required, starter, *choices) in enumerate(FIELDS, 1):
        values = {"label": label, "shape": shape, "help": help_text, "required": required, "starter": starter}
        values |= {"choices": choices[0] if choices else "", "position": index * 10}
        KindField.objects.get_or_create(kind=kind, code=code, defaults=values)

    table_by_code = {}
    for index, (code, label, one, help_text, columns) in enumerate(TABLES, 1):
        values = {"label": label, "one": one, "help": help_text, "position": index * 10}
        table, _created = KindTable.objects.get_or_create(kind=kind, code=code, defaults=values)
        table_by_code[code] = table
        for column_index, (column, heading, shape, hint, required) in enumerate(columns, 1):
            values = {"label": heading, "shape": shape, "help": hint, "required": required}
            values |= {"position": column_index * 10}
            KindField.objects.get_or_create(table=table, code=column, defaults=values)

    for index, (check, table_code, field, other) in enumerate(CHECKS, 1):
        KindCheck.objects.create(
            kind=kind,
            check_name=check,
            table=table_by_code.get(table_code),
            field=field,
            other=other,
            position=index * 10,
        )

    # The clauses follow the clause "Nominations", if administrators have kept it.
    nominations_clause = StarterClause.objects.filter(kind=kind, title="Nominations")
    position_before = nominations_clause.values_list("position", flat=True).first() or 0
    for index, (title, body) in enumerate(CLAUSES, 1):
        values = {"body": body, "position": position_before + index}
        StarterClause.objects.get_or_create(kind=kind, title=title, defaults=values)


class Migration(migrations.Migration):
    dependencies = [("agreements", "0026_starters_of_fields")]

    operations = [migrations.RunPython(add_terms, migrations.RunPython.noop)]
