"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("organisations", "0034_reword_texts")]

    operations = [
        RenameConstraints(
            {
                "areaserved": {"one_row_an_area_served": "unique_area_served_per_start"},
                "handover": {
                    "one_handover_an_obligation": "unique_handover_per_obligation",
                    "handover_disputed_with_reason": "disputed_handover_has_reason",
                    "handover_applied_at_time": "applied_handover_has_time",
                    "handover_consent_is_proven": "handover_consent_has_evidence",
                },
                "acceptedpart": {"one_part_a_successor": "unique_accepted_part_per_successor"},
                "organisationname": {"one_row_a_name": "unique_name_per_organisation"},
                "identifier": {"one_organisation_an_identifier": "unique_identifier_per_scheme"},
                "membership": {
                    "one_open_membership_a_person": "unique_current_membership_per_person",
                    "membership_does_not_end_before_it_starts": "membership_does_not_end_before_start",
                },
                "area": {"area_does_not_end_before_it_starts": "area_does_not_end_before_start"},
                "merge": {
                    "one_merge_a_record": "unique_merge_per_merged_record",
                    "merge_of_two_records": "record_is_not_merged_into_itself",
                    "merge_undone_with_reason": "undone_merge_has_reason",
                },
                "movedrow": {"moved_by_one_thing": "moved_row_has_merge_or_succession"},
                "notsame": {
                    "not_same_once": "unique_not_same_pair",
                    "not_same_in_order": "not_same_pair_in_order",
                },
                "organisation": {
                    "organisation_does_not_end_before_it_starts": "organisation_does_not_end_before_start",
                    "organisation_missing_from_a_register": "missing_organisation_has_registers",
                    "organisation_requires_a_sign_in_it_has": "organisation_required_sign_in_has_provider",
                },
                "accessrequest": {
                    "one_waiting_request_a_person": "unique_waiting_request_per_email",
                    "request_answer_whole": "answered_request_has_time",
                },
                "succession": {
                    "succession_undone_once": "unique_undoing_per_succession",
                    "succession_undoes_another": "succession_does_not_undo_itself",
                },
                "successiontie": {
                    "one_tie_a_function": "unique_tie_per_function",
                    "tie_share_is_of_a_geography": "tie_share_in_range_with_geography",
                    "tie_share_goes_to_somebody": "tie_share_has_successor",
                },
            }
        ),
    ]
