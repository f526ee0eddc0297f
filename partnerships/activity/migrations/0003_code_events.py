"""Give events codes instead of English sentences.

An event that no code describes keeps its sentence in `data`.
"""

import json

from django.db import migrations
from psycopg2.extensions import adapt

# Every sentence that was ever written, with its code. Frozen: labels change in the rooms, not here. Where two rooms
# wrote the same sentence, it begins with the kind of record.
CODES = {
    "discarded queued emails": "email.discarded",
    "accepted an invitation": "person.invitation_accepted",
    "person: withdrew an invitation": "person.invitation_withdrawn",
    "changed their details": "person.details_changed",
    "changed their email address": "person.email_changed",
    "ended the access of a person": "person.access_ended",
    "let a person back in": "person.access_restored",
    "removed a person's second factor": "person.second_factor_removed",
    "began to look as this person": "person.view_started",
    "stopped looking as this person": "person.view_ended",
    "made a person an administrator": "person.administration_granted",
    "withdrew a person's administration": "person.administration_withdrawn",
    "exported personal data": "person.data_exported",
    "erased a person's data": "person.data_erased",
    "added a sign-in provider": "sign_in_provider.added",
    "changed a sign-in provider": "sign_in_provider.changed",
    "removed a sign-in provider": "sign_in_provider.removed",
    "began to apply the journal after a restore": "restore.started",
    "ended sessions and invitations after a restore": "restore.sessions_ended",
    "added this organisation": "organisation.added",
    "changed this organisation": "organisation.changed",
    "recorded that this organisation ended": "organisation.ended",
    "recorded a succession": "organisation.succession_recorded",
    "added an identifier": "organisation.identifier_added",
    "corrected an identifier": "organisation.identifier_corrected",
    "added a name": "organisation.name_added",
    "added an area served": "organisation.area_added",
    "ended an area served": "organisation.area_ended",
    "found it missing from the latest list": "organisation.missing_from_list",
    "found it in the list again": "organisation.back_in_list",
    "added somebody who acts for it": "membership.added",
    "invited somebody to act for it": "membership.invited",
    "sent an invitation again": "membership.invitation_sent_again",
    "accepted the invitation to act for it": "membership.invitation_accepted",
    "membership: withdrew an invitation": "membership.invitation_withdrawn",
    "changed a role": "membership.role_changed",
    "changed a job title": "membership.job_title_changed",
    "ended a membership": "membership.ended",
    "opened this partnership": "partnership.opened",
    "partnership: changed the terms": "partnership.terms_changed",
    "changed the status": "partnership.status_changed",
    "opened a successor": "partnership.successor_opened",
    "invited an organisation": "partnership.party_invited",
    "accepted the invitation": "partnership.invitation_accepted",
    "declined the invitation": "partnership.invitation_declined",
    "partnership: withdrew an invitation": "partnership.invitation_withdrawn",
    "left this partnership": "partnership.party_left",
    "removed an organisation": "partnership.party_removed",
    "changed an organisation's role": "partnership.party_role_changed",
    "added a document": "partnership.document_added",
    "removed a document": "partnership.document_removed",
    "restored a document": "partnership.document_restored",
    "proposed a commitment": "commitment.proposed",
    "noted an action": "commitment.action_noted",
    "commitment: changed the terms": "commitment.terms_changed",
    "confirmed giving": "commitment.giving_confirmed",
    "confirmed receiving": "commitment.receiving_confirmed",
    "moved the due date": "commitment.due_date_moved",
    "withdrew the proposal": "commitment.proposal_withdrawn",
    "declined the proposal": "commitment.proposal_declined",
    "cancelled the commitment": "commitment.cancelled",
    "superseded the commitment": "commitment.superseded",
    "reported progress": "commitment.progress_reported",
    "escalated the commitment": "commitment.escalated",
    "verified the delivery": "commitment.delivery_verified",
    "sent the delivery back": "commitment.delivery_sent_back",
    "attached evidence": "commitment.evidence_attached",
    "took evidence away": "commitment.evidence_removed",
    "changed the owner": "commitment.owner_changed",
    "moved the commitment to a successor": "commitment.moved_to_successor",
    "chose when to be reminded": "commitment.reminders_chosen",
    "read the commitment from a register": "commitment.read_from_register",
    "read later reports from a register": "commitment.reports_read_from_register",
    "read from a register that the commitment was withdrawn": "commitment.withdrawn_in_register",
    "began a plan": "plan.started",
    "edited the draft": "plan.draft_edited",
    "discarded the draft": "plan.draft_discarded",
    "published a version": "plan.version_published",
    "changed the status of a plan": "plan.status_changed",
    "changed who may read a plan": "plan.audience_changed",
    "pinned the baseline": "plan.baseline_pinned",
    "unpinned the baseline": "plan.baseline_unpinned",
    "commented": "plan.commented",
    "answered a comment": "plan.comment_answered",
    "resolved a comment": "plan.comment_resolved",
    "reopened a comment": "plan.comment_reopened",
    "showed the draft": "plan.draft_shown",
    "changed a showing of the draft": "plan.showing_changed",
    "took a showing of the draft back": "plan.showing_ended",
    "asked to see the draft": "plan.draft_asked_for",
    "answered a request to see the draft": "plan.draft_request_answered",
    "asked for sign-off": "plan.sign_off_asked",
    "asked for sign-off again": "plan.sign_off_asked_again",
    "no longer asks for a signature": "plan.sign_off_not_asked",
    "changed the day to decide by": "plan.due_day_changed",
    "approved a version": "plan.version_approved",
    "approved a version with a condition": "plan.version_approved_with_condition",
    "rejected a version": "plan.version_rejected",
    "said that a condition is met": "plan.condition_met",
    "agreed": "plan.agreed",
    "offered to hand the plan over": "plan.ownership_transfer_offered",
    "offered to share the plan's ownership": "plan.ownership_share_offered",
    "withdrew an offer of the plan": "plan.ownership_offer_withdrawn",
    "declined to own the plan": "plan.ownership_declined",
    "owns the plan from now on": "plan.ownership_started",
    "owns the plan no longer": "plan.ownership_ended",
    "left the partnership with its only owner": "plan.left_partnership",
    "a plan left with its only owner": "plan.partnership_lost_plan",
    "drafted an ask": "ask.drafted",
    "changed an ask": "ask.changed",
    "shared an ask": "ask.shared",
    "marked an ask as agreed": "ask.marked_agreed",
    "withdrew an ask": "ask.withdrawn",
    "let an ask lapse": "ask.lapsed",
    "closed an ask to further answers": "ask.closed_to_answers",
    "referred an ask to a colleague": "ask.referred",
    "asked back about an ask": "ask.question_asked",
    "declined an ask": "ask.declined",
    "closed an ask that all have declined": "ask.declined_by_all",
    "declined an ask for all": "ask.declined_by_all",
    "acknowledged an ask": "ask.acknowledged",
    "answered an ask": "ask.answered",
    "agreed on an ask": "ask.agreed",
    "said what meets an ask": "ask.fulfilment_set",
    "committed to an ask": "ask.committed",
    "met an ask": "ask.met",
    "delivered an ask": "ask.delivered",
    "let the rest lapse of an ask": "ask.rest_lapsed",
    "opened an ask again": "ask.reopened",
    "drafted an offer": "offer.drafted",
    "changed an offer": "offer.changed",
    "shared an offer": "offer.shared",
    "marked an offer as agreed": "offer.marked_agreed",
    "withdrew an offer": "offer.withdrawn",
    "let an offer lapse": "offer.lapsed",
    "closed an offer to further answers": "offer.closed_to_answers",
    "referred an offer to a colleague": "offer.referred",
    "asked back about an offer": "offer.question_asked",
    "declined an offer": "offer.declined",
    "answered an offer": "offer.answered",
    "agreed on an offer": "offer.agreed",
    "said what meets an offer": "offer.fulfilment_set",
    "committed to an offer": "offer.committed",
    "met an offer": "offer.met",
    "delivered an offer": "offer.delivered",
    "let the rest lapse of an offer": "offer.rest_lapsed",
    "opened an offer again": "offer.reopened",
    "answered a question": "question.answered",
    "accepted an answer": "answer.accepted",
    "declined an answer": "answer.declined",
    "withdrew an answer": "answer.withdrawn",
    "suggested an introduction": "introduction.suggested",
    "planned a conversation": "conversation.planned",
    "recorded a conversation": "conversation.recorded",
    "changed the record": "conversation.changed",
    "called the conversation off": "conversation.called_off",
    "circulated the record": "conversation.circulated",
    "suggested a correction": "conversation.correction_suggested",
    "took up a correction": "conversation.correction_accepted",
    "answered a correction": "conversation.correction_answered",
    "agreed the record": "conversation.agreed",
    "wrote a private note": "conversation.note_written",
    "closed an objective": "objective.closed",
    "closed an obstacle": "obstacle.closed",
    "closed an opportunity": "opportunity.closed",
    "made an ask of an obstacle": "obstacle.made_an_ask",
    "made an offer of an opportunity": "opportunity.made_an_offer",
    "confirmed digests about": "subscription.confirmed",
    "asked to be told of": "subscription.subscribed",
    "paused digests about": "subscription.paused",
    "resumed digests about": "subscription.resumed",
    "ended digests about": "subscription.ended",
    "undid a stop of digests about": "subscription.stop_undone",
    "chose how often for": "subscription.frequency_changed",
    "asked again to confirm digests about": "subscription.asked_again",
    "was sent the question again about": "subscription.question_sent_again",
    "wants to be asked again about": "subscription.question_wanted_again",
    "could not be asked about": "subscription.not_asked",
    "corrected an address for digests about": "subscription.address_corrected",
    "was asked at another address about": "subscription.asked_at_new_address",
    "tells everyone of": "role_subscription.started",
    "no longer tells everyone of": "role_subscription.ended",
    "chose how often digests come": "person.digest_frequency_changed",
    "wants no more questions": "person.questions_refused",
    "may be asked again": "person.questions_allowed",
    "was sent new links": "person.links_sent",
    "renewed the links of": "person.links_renewed",
    "stopped mail to": "person.emails_stopped",
    "allowed mail again to": "person.emails_allowed",
    "sent a letter again": "delivery.sent_again",
    "looked at a letter": "delivery.viewed",
    "looked at a person's next digest": "person.next_digest_viewed",
    "imported a list": "import.list_imported",
    "imported local plans": "import.local_plans_imported",
    "imported developer agreements": "import.developer_agreements_imported",
    "loaded a network": "import.network_loaded",
    "discarded an import": "import.discarded",
    "decided who a row of a list is": "import.row_decided",
    "found it missing from the latest file": "plan.missing_from_file",
    "found it in the file again": "plan.back_in_file",
}

# Changing the type (to the same one) writes the table once, leaves no dead rows, and needs no pause of the trigger
# that keeps events from being altered. An UPDATE would.
FORWARDS = """
CREATE FUNCTION pg_temp.event_code(target_kind text, verb text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce({codes}::jsonb ->> (target_kind || ': ' || verb), {codes}::jsonb ->> verb, 'other')
$$;
ALTER TABLE activity_event
    ALTER COLUMN data TYPE jsonb USING CASE WHEN pg_temp.event_code(target_kind, verb) = 'other'
        THEN data || jsonb_build_object('wording', verb) ELSE data END,
    ALTER COLUMN verb TYPE varchar(60) USING pg_temp.event_code(target_kind, verb);
ALTER TABLE activity_event RENAME COLUMN verb TO kind;
DROP FUNCTION pg_temp.event_code(text, text);
"""

BACKWARDS = """
ALTER TABLE activity_event
    ALTER COLUMN data TYPE jsonb USING data - 'wording',
    ALTER COLUMN kind TYPE varchar(60) USING coalesce(data ->> 'wording', {sentences}::jsonb ->> kind, kind);
ALTER TABLE activity_event RENAME COLUMN kind TO verb;
"""


def _literal(mapping):
    """Return the mapping as an SQL literal."""
    return adapt(json.dumps(mapping)).getquoted().decode()


def forwards(apps, schema_editor):
    schema_editor.execute(FORWARDS.format(codes=_literal(CODES)), None)


def backwards(apps, schema_editor):
    # Of two sentences with one code, the first.
    sentences = {code: sentence.rpartition(": ")[2] for sentence, code in reversed(CODES.items())}
    schema_editor.execute(BACKWARDS.format(sentences=_literal(sentences)), None)


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0002_exports_and_contexts"),
        # It writes events with sentences.
        ("plans", "0010_end_ownership_of_former_parties"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(forwards, backwards)],
            state_operations=[migrations.RenameField("event", "verb", "kind")],
        )
    ]
