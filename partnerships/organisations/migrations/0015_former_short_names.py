"""Distinguish former short names from former official names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0014_sides_of_successions_are_ties"),
    ]

    operations = [
        migrations.AlterField(
            model_name="organisationname",
            name="kind",
            field=models.CharField(
                choices=[
                    ("official", "Official"),
                    ("short", "Short"),
                    ("alternative", "Alternative"),
                    ("former", "Former"),
                    ("former_short", "Former short name"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="organisationnameevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("official", "Official"),
                    ("short", "Short"),
                    ("alternative", "Alternative"),
                    ("former", "Former"),
                    ("former_short", "Former short name"),
                ],
                max_length=12,
            ),
        ),
    ]
