"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("people", "0013_reword_texts")]

    operations = [
        RenameConstraints(
            {
                "user": {"one_person_an_address": "unique_email_per_person"},
                "viewas": {
                    "view_as_has_a_reason": "view_as_has_reason",
                    "view_as_somebody_else": "view_as_person_is_not_administrator",
                },
                "leadtimes": {"one_choice_of_lead_times": "unique_lead_times_per_kind"},
                "tally": {"one_tally_a_stretch": "unique_tally_per_key_and_start"},
            }
        ),
    ]
