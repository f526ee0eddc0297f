"""Rename constraints, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("answers", "0003_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "answer": {
                    "answer_to_a_question_names_it": "answer_to_question_has_question",
                    "waiting_answer_is_undecided": "waiting_answer_has_no_decision",
                    "refused_answer_has_a_reason": "refused_answer_has_reason",
                },
                "incoming": {
                    "incoming_is_a_reply_or_forwarded": "incoming_email_is_reply_or_forwarded",
                    "settled_incoming_has_a_time": "settled_incoming_email_has_time",
                },
                "incomingfile": {"file_of_an_email_or_an_answer": "incoming_file_has_email_or_answer"},
                "trust": {"one_open_trust_an_organisation": "unique_current_trust_per_organisation"},
            }
        ),
    ]
