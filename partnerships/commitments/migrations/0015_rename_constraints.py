"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("commitments", "0014_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "commitment": {
                    "commitment_between_two": "commitment_giver_is_not_receiver",
                    "commitment_is_dated": "commitment_has_due_date",
                    "commitment_quantity_counts": "commitment_quantity_has_unit",
                    "commitment_blocker_named": "blocked_commitment_has_blocker",
                    "commitment_end_has_reason": "ended_commitment_has_reason",
                    "commitment_verified_at_a_time": "verified_commitment_has_times",
                    "one_commitment_a_source_row": "unique_commitment_per_source_row",
                },
                "slippage": {"slippage_moves": "slippage_changes_date"},
                "reminder": {"one_reminder_a_lead_time": "unique_reminder_per_lead_time"},
            }
        ),
        migrations.RenameIndex("commitment", old_name="commitment_ownerless", new_name="commitment_without_owner"),
    ]
