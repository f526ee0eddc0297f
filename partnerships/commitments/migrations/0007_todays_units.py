"""Create the six units that were in the code."""

from django.db import migrations

#: Code, label for several, label for one.
UNITS = (
    ("homes", "homes", "home"),
    ("hectares", "hectares", "hectare"),
    ("pounds", "£", "£"),
    ("posts", "full-time posts", "full-time post"),
    ("places", "places", "place"),
    ("hours", "hours", "hour"),
)


def add_units(apps, schema_editor):
    for index, (code, label, one) in enumerate(UNITS, 1):
        apps.get_model("commitments", "Unit").objects.create(code=code, label=label, one=one, position=index * 10)


class Migration(migrations.Migration):
    dependencies = [("commitments", "0006_units")]

    operations = [migrations.RunPython(add_units, migrations.RunPython.noop)]
