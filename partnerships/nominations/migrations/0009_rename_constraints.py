"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("nominations", "0008_reword_help_in_full")]

    operations = [
        RenameConstraints(
            {
                "nominationsagreement": {"nominations_between_two_parties": "nominations_council_is_not_provider"},
                "returnrecord": {
                    "one_record_a_number": "unique_record_number_per_return",
                    "corrections_have_a_reason": "only_corrections_have_reason",
                },
                "nominationsreturn": {
                    "one_return_a_quarter": "unique_return_per_quarter",
                    "return_begins_a_quarter": "return_starts_with_quarter",
                    "return_settled_whole": "settled_return_has_time_and_confirmations",
                    "return_sent_whole": "sent_return_has_time",
                },
                "lettingsrun": {"settled_runs_hold_no_lettings": "finished_lettings_run_has_no_content"},
                "returnline": {
                    "one_line_a_size_and_kind": "unique_return_line_per_size_and_kind",
                    "line_counts_fit_its_lettings": "return_line_counts_within_lettings",
                    "line_in_time_fits_its_lettings": "return_line_in_time_within_lettings",
                    "disputed_lines_have_a_reason": "disputed_return_line_has_reason",
                },
                "refusal": {
                    "one_number_a_ground": "unique_refusal_per_ground",
                    "refusals_are_counted": "refusal_number_positive",
                },
            }
        ),
    ]
