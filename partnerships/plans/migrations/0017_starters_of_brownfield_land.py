"""Create the starters of a register of brownfield land that is written here."""

from django.db import migrations

PARTS = (
    ("section", {"title": "Which land is in the register", "note": "Size, place and what makes a site suitable."}),
    ("section", {"title": "Ownership", "note": "Public land, and what its owners intend."}),
    (
        "outcome",
        {"title": "Homes are built on brownfield land first", "note": "Homes completed on sites of the register"},
    ),
    ("milestone", {"title": "Yearly review of the register"}),
    (
        "risk",
        {
            "title": "Sites stay in the register that cannot be built on",
            "likelihood": 3,
            "impact": 2,
            "note": "Ask the owners each year.",
        },
    ),
)


def add_parts(apps, schema_editor):
    kind = apps.get_model("plans", "PlanKind").objects.get(code="brownfield_land")
    parts = apps.get_model("plans", "StarterPart").objects
    if not parts.filter(kind=kind).exists():
        for number, (part, fields) in enumerate(PARTS, 1):
            parts.create(kind=kind, part=part, position=number * 10, **fields)


class Migration(migrations.Migration):
    dependencies = [("plans", "0016_kind_of_brownfield_land")]

    operations = [migrations.RunPython(add_parts, migrations.RunPython.noop)]
