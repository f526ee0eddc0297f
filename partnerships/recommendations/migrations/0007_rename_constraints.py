"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0006_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "adoption": {
                    "one_adoption_a_partnership": "unique_adoption_per_partnership",
                    "adopted_at_a_meeting": "adopted_recommendation_has_meeting",
                    "adoption_dropped_with_a_reason": "dropped_adoption_has_reason",
                },
                "outcome": {
                    "outcome_is_one_record": "outcome_has_one_record",
                    "one_outcome_an_objective": "unique_outcome_per_objective",
                    "one_outcome_a_commitment": "unique_outcome_per_commitment",
                },
                "response": {
                    "one_response_an_organisation": "unique_recommendation_response",
                    "response_ends_with_a_reason": "response_has_reason_if_needed",
                },
                "evidence": {
                    "evidence_is_one_record": "evidence_has_one_record",
                    "one_evidence_a_commitment": "unique_evidence_per_commitment",
                    "one_evidence_a_version": "unique_evidence_per_version",
                    "one_evidence_a_partnership": "unique_evidence_per_partnership",
                    "one_evidence_a_meeting": "unique_evidence_per_meeting",
                    "one_evidence_a_document": "unique_evidence_per_document",
                    "one_evidence_a_expectation": "unique_evidence_per_expectation",
                },
                "source": {
                    "one_source_a_title_and_year": "unique_source_title_and_year",
                    "source_year": "source_year_in_range",
                },
                "recommendation": {
                    "one_recommendation_a_place": "unique_recommendation_position",
                    "one_recommendation_a_reference": "unique_recommendation_reference",
                    "recommendation_says_something": "recommendation_has_text",
                },
                "addressee": {
                    "addressee_is_a_kind_or_an_organisation": "addressee_has_kind_or_organisation",
                    "one_addressee_a_kind": "unique_addressee_per_kind",
                    "one_addressee_an_organisation": "unique_addressee_per_organisation",
                },
            }
        ),
    ]
