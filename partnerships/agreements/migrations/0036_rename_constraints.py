"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("agreements", "0035_reword_help_of_choices")]

    operations = [
        RenameConstraints(
            {
                "notice": {
                    "one_open_notice_a_party": "unique_open_notice_per_party",
                    "notice_withdrawn_or_carried_out": "notice_not_withdrawn_and_carried_out",
                },
                "datereminder": {"one_date_reminder_a_lead_time": "unique_date_reminder_per_lead_time"},
                "workinggroup": {"working_group_of_another": "working_group_is_not_its_own_parent"},
                "kindtable": {"kindtable_code": "unique_table_code_per_kind"},
                "kindfield": {
                    "kindfield_code": "unique_field_code_per_kind",
                    "kindfield_column_code": "unique_column_code_per_table",
                    "kindfield_of_kind_or_table": "kind_field_belongs_to_kind_or_table",
                    "kindfield_choices": "kind_field_choices_only_if_choice",
                },
                "objective": {
                    "objective_target_differs": "objective_target_differs_from_baseline",
                    "objective_closed_with_reason": "closed_objective_has_reason",
                },
                "objectivelink": {"one_objective_link": "unique_link_per_objective"},
                "partnership": {
                    "partnership_ends_after_it_starts": "partnership_does_not_end_before_start",
                    "partnership_review_after_start": "partnership_review_not_before_start",
                    "partnership_contact_days": "partnership_contact_days_in_range",
                    "partnership_notice_days": "partnership_notice_days_in_range",
                },
                "party": {
                    "one_party_an_organisation": "unique_party_per_partnership",
                    "party_leaves_after_joining": "party_does_not_leave_before_joining",
                },
                "post": {"one_open_post_a_title": "unique_open_post_per_title"},
                "holder": {
                    "holder_is_somebody": "holder_has_person_or_name",
                    "holder_ends_after_start": "holder_does_not_end_before_start",
                    "one_open_holding_a_person": "unique_current_holder_per_person",
                    "one_holder_at_a_time": "post_holders_do_not_overlap",
                },
                "termsproposal": {
                    "one_proposal_a_number": "unique_proposal_number_per_partnership",
                    "one_amendment_a_number": "unique_amendment_number_per_partnership",
                    "amendments_are_numbered": "only_amendments_have_amendment_number",
                    "proposal_outcome_given": "failed_proposal_has_outcome",
                },
                "termsversion": {
                    "one_terms_version_a_number": "unique_terms_version_number",
                    "terms_version_consolidates_two": "consolidated_terms_have_base_and_amendment",
                },
                "termssignatory": {"one_terms_signatory_an_organisation": "unique_terms_signatory_per_version"},
                "termssignature": {
                    "one_terms_signature_a_decision": "unique_terms_signature_per_decision",
                    "terms_signature_reason_given": "terms_signature_has_reason",
                    "terms_signature_on_paper_has_a_scan": "terms_signature_on_paper_has_scan",
                },
            }
        ),
    ]
