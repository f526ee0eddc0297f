"""Set the units of the eleven themes, unless an administrator has chosen units already."""

from django.db import migrations

UNITS = {
    "land": ["homes", "hectares", "pounds"],
    "planning": ["homes", "hours", "posts"],
    "funding": ["pounds"],
    "nominations": ["homes"],
    "homelessness": ["homes", "places", "pounds"],
    "supported_housing": ["homes", "places", "pounds"],
    "skills_and_jobs": ["places", "posts", "hours"],
    "data": ["hours", "posts"],
    "regeneration": ["homes", "hectares", "pounds"],
    "retrofit": ["homes", "pounds"],
    "s106_purchase": ["homes", "pounds"],
}


def add_units(apps, schema_editor):
    existing_units = set(apps.get_model("commitments", "Unit").objects.values_list("code", flat=True))
    for theme in apps.get_model("exchange", "Theme").objects.filter(code__in=UNITS, units=[]):
        theme.units = [unit for unit in UNITS[theme.code] if unit in existing_units]
        theme.save(update_fields=["units"])


class Migration(migrations.Migration):
    dependencies = [("exchange", "0016_units_of_themes"), ("commitments", "0007_todays_units")]

    operations = [migrations.RunPython(add_units, migrations.RunPython.noop)]
