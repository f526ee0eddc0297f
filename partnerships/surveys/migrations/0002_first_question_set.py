"""Create the first question set: the health of a partnership."""

import tomllib
from pathlib import Path

from django.db import migrations

_FILE = Path(__file__).resolve().parent.parent / "question_sets" / "health_1.toml"


def add_questions(apps, schema_editor):
    sets = apps.get_model("surveys", "QuestionSet")
    sets.objects.create(code="health", version=1, content=tomllib.loads(_FILE.read_text()))


class Migration(migrations.Migration):
    dependencies = [("surveys", "0001_rounds_and_results")]

    operations = [migrations.RunPython(add_questions, migrations.RunPython.noop)]
