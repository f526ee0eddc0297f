"""Needs the table of people for itself, and changes nothing that matters."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunSQL(
            "ALTER TABLE people_user ALTER COLUMN name SET DEFAULT ''",
            "ALTER TABLE people_user ALTER COLUMN name DROP DEFAULT",
        )
    ]
