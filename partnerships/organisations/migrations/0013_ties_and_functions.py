"""Create a tie for each predecessor and successor, and the functions that organisations are responsible for."""

from django.db import migrations

#: Code and label. Those of LEPs are the ones that passed on in 2024; the others are those of councils and providers.
FUNCTIONS = (
    ("planning", "Planning"),
    ("housing", "Housing"),
    ("homelessness", "Homelessness"),
    ("allocations", "Allocations and nominations"),
    ("landlord", "Landlord services"),
    ("social_care", "Social care"),
    ("highways", "Highways"),
    ("business_representation", "Business representation"),
    ("strategic_economic_planning", "Strategic economic planning"),
    ("government_programmes", "Delivery of government programmes"),
)

TIES = """
INSERT INTO organisations_successiontie (succession_id, predecessor_id, successor_id, role, geography)
SELECT before.succession_id, before.organisation_id, after.organisation_id,
       CASE WHEN before.organisation_id = after.organisation_id THEN 'continuing' ELSE 'successor' END, ''
FROM organisations_successionpredecessor before
JOIN organisations_successionsuccessor after USING (succession_id)
ORDER BY before.id, after.id
"""
SIDES = """
INSERT INTO organisations_successionpredecessor (succession_id, organisation_id)
SELECT DISTINCT succession_id, predecessor_id FROM organisations_successiontie;
INSERT INTO organisations_successionsuccessor (succession_id, organisation_id)
SELECT DISTINCT succession_id, successor_id FROM organisations_successiontie WHERE successor_id IS NOT NULL;
DELETE FROM organisations_successiontie;
"""


def add_functions(apps, schema_editor):
    functions = apps.get_model("organisations", "Function")
    for number, (code, label) in enumerate(FUNCTIONS, 1):
        functions.objects.create(code=code, label=label, position=number * 10)


class Migration(migrations.Migration):
    dependencies = [("organisations", "0012_successions_with_ties")]

    operations = [
        migrations.RunSQL(TIES, SIDES),
        migrations.RunPython(add_functions, migrations.RunPython.noop),
    ]
