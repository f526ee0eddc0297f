"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("calendars", "0006_reword_texts")]

    operations = [
        RenameConstraints(
            {
                "calendaraddress": {
                    "one_calendar_address_of_each": "unique_address_per_calendar",
                    "calendar_of_partnership_or_view": "calendar_has_partnership_or_view",
                    "calendar_shows_something": "calendar_has_kinds",
                },
            }
        ),
    ]
