"""Say in the label that reviews include those of responses to recommendations."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calendars", "0001_calendar_addresses"),
    ]

    operations = [
        migrations.AlterField(
            model_name="calendaraddress",
            name="kinds",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("meeting", "Meetings"),
                        ("signature", "Signatures"),
                        ("due", "Due dates of commitments, reports, asks and offers"),
                        ("milestone", "Milestones of plans, and targets of objectives"),
                        ("review", "Reviews of partnerships, and of responses to recommendations"),
                        ("end", "Starts and ends of partnerships, and last days to give notice"),
                        ("embargo", "Embargoes that end"),
                    ],
                    max_length=10,
                ),
                help_text="Kinds of entry that it shows.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="calendaraddressevent",
            name="kinds",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("meeting", "Meetings"),
                        ("signature", "Signatures"),
                        ("due", "Due dates of commitments, reports, asks and offers"),
                        ("milestone", "Milestones of plans, and targets of objectives"),
                        ("review", "Reviews of partnerships, and of responses to recommendations"),
                        ("end", "Starts and ends of partnerships, and last days to give notice"),
                        ("embargo", "Embargoes that end"),
                    ],
                    max_length=10,
                ),
                help_text="Kinds of entry that it shows.",
                size=None,
            ),
        ),
    ]
