"""Reword a group of people in surveys, and help texts; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0007_rename_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="comment",
            name="shown",
            field=models.TextField(blank=True, help_text="The text that the moderator lets the members read."),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="group",
            field=models.CharField(
                choices=[
                    ("council", "Councils and authorities"),
                    ("association", "Housing associations"),
                    ("lep", "LEPs and business boards"),
                    ("other", "Other organisations"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="namedanswer",
            name="group",
            field=models.CharField(
                choices=[
                    ("council", "Councils and authorities"),
                    ("association", "Housing associations"),
                    ("lep", "LEPs and business boards"),
                    ("other", "Other organisations"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="round",
            name="number",
            field=models.PositiveSmallIntegerField(
                help_text="The number of the round, starting at 1 in each partnership."
            ),
        ),
        migrations.AlterField(
            model_name="round",
            name="reason",
            field=models.TextField(blank=True, help_text="Why the survey ended without results."),
        ),
        migrations.AlterField(
            model_name="roundevent",
            name="number",
            field=models.PositiveSmallIntegerField(
                help_text="The number of the round, starting at 1 in each partnership."
            ),
        ),
        migrations.AlterField(
            model_name="roundevent",
            name="reason",
            field=models.TextField(blank=True, help_text="Why the survey ended without results."),
        ),
    ]
