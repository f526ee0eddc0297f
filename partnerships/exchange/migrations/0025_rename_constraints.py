"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("exchange", "0024_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "response": {"one_open_response_an_organisation": "unique_open_response_per_organisation"},
                "receipt": {"one_receipt_an_organisation": "unique_receipt_per_organisation"},
                "entry": {
                    "entry_until_after_from": "entry_availability_in_order",
                    "entry_partnership_named": "partnership_entry_has_partnership",
                    "entry_network_without_partnership": "network_entry_has_no_partnership",
                    "entry_standing_is_offer": "only_offers_are_standing",
                    "entry_shared_has_moment": "shared_entry_has_time",
                    "entry_open_is_live": "open_entry_is_not_draft_or_over",
                },
                "addressee": {"one_addressee_row": "unique_addressee_per_entry"},
                "entryfacilitator": {
                    "one_entry_facilitator_a_person": "unique_current_entry_facilitator",
                    "entry_facilitator_ended_with_reason": "ended_entry_facilitator_has_reason",
                },
                "fulfilment": {"one_fulfilment_row": "unique_fulfilment_per_commitment"},
                "match": {"one_match_a_pair": "unique_match_per_ask_and_offer"},
                "dismissal": {"one_dismissal_an_organisation": "unique_dismissal_per_organisation"},
                "introduction": {"one_introduction_an_organisation": "unique_introduction_per_organisation"},
                "theme": {"theme_number_fits_in_keys": "theme_number_in_range"},
            }
        ),
        migrations.RenameIndex("entry", old_name="entry_to_tell", new_name="entry_to_notify"),
        migrations.RenameIndex("entry", old_name="entry_askers", new_name="entry_partnership_askers"),
    ]
