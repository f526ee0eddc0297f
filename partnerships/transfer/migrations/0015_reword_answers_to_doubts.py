"""Reword the answers to rows for review, and a help text; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transfer", "0014_rename_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="doubt",
            name="answer",
            field=models.CharField(
                blank=True,
                choices=[
                    ("this", "The row is about an organisation that is already in the directory"),
                    ("new", "The row is about a new organisation"),
                    ("leave_out", "Leave the row out"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="doubtevent",
            name="answer",
            field=models.CharField(
                blank=True,
                choices=[
                    ("this", "The row is about an organisation that is already in the directory"),
                    ("new", "The row is about a new organisation"),
                    ("leave_out", "Leave the row out"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="knownheading",
            name="heading",
            field=models.CharField(
                help_text="The heading in lower case, without spaces and punctuation.", max_length=120
            ),
        ),
        migrations.AlterField(
            model_name="knownheadingevent",
            name="heading",
            field=models.CharField(
                help_text="The heading in lower case, without spaces and punctuation.", max_length=120
            ),
        ),
    ]
