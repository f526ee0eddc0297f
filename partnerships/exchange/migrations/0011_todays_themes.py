"""Create the eleven themes that were in the code, with their numbers."""

from django.db import migrations

#: Code and label, in the order of the filter; the place is the number in stored matching keys.
THEMES = (
    ("land", "Land"),
    ("planning", "Planning"),
    ("funding", "Funding"),
    ("nominations", "Nominations"),
    ("homelessness", "Homelessness"),
    ("supported_housing", "Supported housing"),
    ("skills_and_jobs", "Skills and jobs"),
    ("data", "Data"),
    ("regeneration", "Regeneration"),
    ("retrofit", "Retrofit"),
    ("s106_purchase", "Section 106 purchase"),
)


def add_themes(apps, schema_editor):
    themes = apps.get_model("exchange", "Theme")
    for number, (code, label) in enumerate(THEMES, 1):
        themes.objects.create(code=code, label=label, number=number, position=number * 10)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0010_themes")]

    operations = [migrations.RunPython(add_themes, migrations.RunPython.noop)]
