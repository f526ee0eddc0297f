"""Rename constraints and indexes, so that their names say what is true of each row."""

from django.db import migrations

from partnerships.kit.constraints import RenameConstraints


class Migration(migrations.Migration):
    dependencies = [("conversations", "0018_name_the_record_in_help_texts")]

    operations = [
        RenameConstraints(
            {
                "agendaitem": {
                    "one_agenda_item_a_subject": "unique_agenda_item_per_subject",
                    "agenda_item_subject": "agenda_item_subject_has_kind_and_id",
                },
                "meetingseat": {
                    "one_meeting_seat_a_person": "unique_seat_per_person_and_meeting",
                    "meeting_answer_at_a_time": "meeting_answer_has_time",
                },
                "conversation": {
                    "conversation_cancelled_with_reason": "cancelled_conversation_has_reason",
                    "conversation_circulated_at_a_time": "circulated_conversation_has_time",
                    "conversation_agreed_when_locked": "only_agreed_conversation_has_agreed_at",
                    "conversation_next_contact_after": "conversation_next_contact_not_before",
                },
                "side": {"one_side_an_organisation": "unique_side_per_organisation"},
                "attendee": {"one_seat_a_person": "unique_attendee_per_side"},
                "correction": {"correction_answered_at_a_time": "answered_correction_has_time"},
                "facilitator": {
                    "one_facilitator_a_person": "unique_current_partnership_facilitator",
                    "facilitator_ended_with_reason": "ended_facilitator_has_reason",
                },
                "attachment": {
                    "attachment_of_one_record": "attachment_has_conversation_or_meeting",
                    "attachment_is_one_thing": "attachment_is_file_document_or_version",
                    "attachment_removed_with_reason": "removed_attachment_has_reason",
                },
                "journalnote": {
                    "journal_note_about_one": "journal_note_has_one_subject",
                    "journal_note_deleted_with_reason": "deleted_journal_note_has_reason",
                },
                "journaltext": {"one_journal_text_a_revision": "unique_journal_text_per_revision"},
                "meetingcycle": {
                    "cycle_interval": "meeting_cycle_interval_in_range",
                    "cycle_weekday": "meeting_cycle_weekday_in_range",
                    "cycle_position": "meeting_cycle_position_fits_unit",
                },
                "meeting": {
                    "meeting_called_off_with_reason": "called_off_meeting_has_reason",
                    "meeting_held_with_attendance": "held_meeting_has_attendance",
                },
                "conversationcommitment": {"one_conversation_link": "unique_commitment_per_conversation"},
                "privatenote": {"one_private_note_a_side": "unique_private_note_per_side"},
                "point": {"point_closed_with_reason": "closed_point_has_reason"},
                "reportinground": {
                    "one_open_reporting_round": "unique_open_reporting_round",
                    "round_in_order": "reporting_round_does_not_end_before_start",
                },
                "reportingexemption": {"one_exemption_a_party": "unique_exemption_per_party"},
                "report": {
                    "one_report_a_period": "unique_report_per_period",
                    "report_period_in_order": "report_period_ends_after_start",
                    "report_due_after_its_period": "report_not_due_before_end",
                },
                "reportsubmission": {
                    "one_submission_a_number": "unique_submission_number_per_report",
                    "submission_decided_at_a_time": "decided_submission_has_time",
                    "submission_returned_with_reason": "returned_submission_has_reason",
                },
            }
        ),
        migrations.RenameIndex("meetingseat", old_name="seat_unanswered", new_name="meeting_seat_unanswered"),
    ]
