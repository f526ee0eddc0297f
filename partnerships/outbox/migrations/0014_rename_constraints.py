"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("outbox", "0013_reword_help_texts_and_reasons")]

    operations = [
        RenameConstraints(
            {
                "suppression": {
                    "one_open_suppression_an_address": "unique_open_suppression_per_address",
                    "one_open_suppression_a_hash": "unique_open_suppression_per_hash",
                    "suppressed_by_address_or_by_hash": "suppression_has_address_or_hash",
                },
                "deliveredbefore": {"one_memory_of_what_an_email_told": "unique_delivered_before_per_params"},
                "sendcount": {"one_send_count_a_minute": "unique_send_count_per_minute"},
            }
        ),
    ]
