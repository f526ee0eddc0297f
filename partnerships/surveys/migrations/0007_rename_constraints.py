"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("surveys", "0006_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "namedanswer": {"one_named_answer_each": "unique_named_answer_per_round"},
                "figure": {
                    "one_figure_a_theme_and_group": "unique_figure_per_theme_and_group",
                    "figure_of_five_or_more": "survey_figure_count_from_five",
                },
                "comment": {"shown_comments_have_words": "only_shown_comments_have_text"},
                "action": {
                    "action_is_one_thing": "survey_action_has_one_record",
                    "one_action_a_objective": "unique_survey_action_per_objective",
                    "one_action_a_entry": "unique_survey_action_per_entry",
                    "one_action_a_commitment": "unique_survey_action_per_commitment",
                    "one_action_a_meeting": "unique_survey_action_per_meeting",
                    "one_action_a_conversation": "unique_survey_action_per_conversation",
                },
                "questionset": {"one_question_set_a_version": "unique_question_set_version"},
                "round": {
                    "one_survey_round_a_number": "unique_survey_round_number",
                    "one_survey_round_at_a_time": "unique_current_survey_round",
                    "five_answered": "survey_round_count_zero_or_from_five",
                    "survey_round_opened_whole": "opened_survey_round_has_time",
                    "anonymous_rounds_have_key_and_moderator": "anonymous_round_has_key_and_moderator",
                    "floor_of_five_or_ten": "survey_round_floor_is_five_or_ten",
                    "abandoned_with_a_reason": "abandoned_survey_round_has_reason",
                },
                "joining": {"one_joining_a_partnership": "unique_joining_per_partnership"},
                "invitation": {"asked_once_a_survey_round": "unique_invitation_per_person"},
            }
        ),
    ]
