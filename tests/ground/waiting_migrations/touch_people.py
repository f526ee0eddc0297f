"""A migration that needs an exclusive lock on the table of people, and changes nothing of importance."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunSQL(
            "ALTER TABLE people_user ALTER COLUMN name SET DEFAULT ''",
            "ALTER TABLE people_user ALTER COLUMN name DROP DEFAULT",
        )
    ]
