"""Handwritten SQL for My work and Home (benchmarks/pages_by_hand.py explains it).

A person's tasks come from some thirty kinds of record. Up to 1,001 of each kind are read, because both pages count all
of them and show the most urgent first.
"""

from __future__ import annotations

from benchmarks.pages_by_hand import (
    MINE,
    OURS,
    READABLE_ENTRY,
    READABLE_PLAN,
    RUNNING,
    WITH,
    WITH_US,
    named,
    plans_that_wait,
)

_MAX = 1_001

_ASKS = (
    f"{WITH}, asked AS (SELECT e.id FROM exchange_addressee a JOIN exchange_entry e ON e.id = a.entry_id AND e.audience"
    f" = 'named' WHERE a.organisation_id IN {OURS} AND e.is_open UNION SELECT e.id FROM exchange_entry e WHERE"
    f" e.partnership_id IN {WITH_US} AND e.audience = 'partnership' AND e.is_open) SELECT e.id AS entry, e.title AS"
    f" ask, e.direction, e.shared_at, e.closes_on, e.status, p.title AS within, {named('o', 'e.shared_at')} AS asker"
    " FROM asked JOIN exchange_entry e USING (id) JOIN organisations_organisation o ON o.id = e.organisation_id"
    " LEFT JOIN agreements_partnership p"
    f" ON p.id = e.partnership_id WHERE e.shared_at IS NOT NULL AND NOT e.standing AND e.organisation_id NOT IN {OURS}"
    " AND NOT EXISTS (SELECT 1 FROM exchange_response r WHERE r.entry_id = e.id AND r.organisation_id IN"
    f" {OURS} AND r.status <> 'withdrawn') AND NOT EXISTS (SELECT 1 FROM exchange_receipt c WHERE c.entry_id = e.id"
    f" AND c.organisation_id IN {OURS} AND c.declined_at IS NOT NULL)"
    f" ORDER BY least(e.closes_on, e.shared_at::date), e.shared_at, e.id LIMIT {_MAX}"
)
_COMMITMENTS = (
    f"{WITH} SELECT c.id, c.reference, left(c.text, 90), c.due_on, c.status, c.proposed_at, c.escalated_at,"
    " c.status_since, c.done_at, p.title AS within FROM commitments_commitment c LEFT JOIN agreements_partnership p"
    " ON p.id = c.partnership_id WHERE c.id IN (SELECT id FROM commitments_commitment WHERE owner_id = %(person)s AND"
    f" (status = 'proposed' AND kind = 'action' OR status IN {RUNNING} AND due_on <= current_date + 14) UNION ALL"
    f" SELECT id FROM commitments_commitment WHERE escalated_to_id = %(person)s AND status IN {RUNNING} UNION ALL"
    f" SELECT id FROM commitments_commitment WHERE owner_organisation_id IN {OURS} AND owner_id IS NULL AND giver_id"
    f" IS NOT NULL AND status IN {RUNNING} UNION ALL SELECT id FROM commitments_commitment WHERE receiver_id IN {OURS}"
    " AND (status = 'done' OR status = 'proposed' AND receiver_confirmed_at IS NULL) UNION ALL SELECT id FROM"
    f" commitments_commitment WHERE giver_id IN {OURS} AND (status = 'proposed' AND giver_confirmed_at IS NULL OR"
    " status = 'done' AND kind = 'action' AND receiver_id IS NULL)) ORDER BY c.due_on, c.id"
)
_RECORD = "SELECT c.id, c.subject, c.status, c.held_on, c.circulated_at, p.title AS within FROM"
_WITHIN = "LEFT JOIN agreements_partnership p ON p.id = c.partnership_id"
_RECORDS = [
    (
        f"{WITH} {_RECORD} conversations_side d JOIN conversations_conversation c ON c.id = d.conversation_id {_WITHIN}"
        f" WHERE d.organisation_id IN {OURS} AND d.agreed_at IS NULL AND d.status IN ('circulated', 'corrected')"
        f" ORDER BY c.circulated_at, c.id LIMIT {_MAX}"
    ),
    (
        f"{WITH} {_RECORD} conversations_conversation c {_WITHIN} WHERE c.organisation_id IN {OURS} AND (c.status ="
        " 'planned' AND c.held_on <= current_date OR c.status IN ('circulated', 'corrected') AND EXISTS (SELECT 1 FROM"
        " conversations_correction k WHERE k.conversation_id = c.id AND k.answered_at IS NULL))"
        f" ORDER BY c.held_on, c.id LIMIT {_MAX}"
    ),
]
#: The last conversation with each other organisation, if its next contact is due.
_CONTACTS = (
    f"{WITH}, last AS (SELECT DISTINCT ON (d.organisation_id, other.organisation_id) d.conversation_id FROM"
    " conversations_side d JOIN conversations_side other ON other.conversation_id = d.conversation_id AND"
    f" other.organisation_id <> d.organisation_id WHERE d.organisation_id IN {OURS} AND d.status <> 'cancelled' AND"
    " (d.status <> 'planned' OR d.held_on >= current_date) ORDER BY d.organisation_id, other.organisation_id,"
    f" d.held_on DESC, d.conversation_id DESC) {_RECORD} conversations_conversation c {_WITHIN} WHERE c.id IN (SELECT"
    " conversation_id FROM last) AND c.next_contact_on <= current_date + 7 AND c.status NOT IN ('planned',"
    f" 'cancelled') ORDER BY c.next_contact_on, c.id LIMIT {_MAX}"
)
_LAST_HELD = (
    "(SELECT max(c.held_on) FROM conversations_conversation c JOIN conversations_side d ON d.conversation_id = c.id"
    f" WHERE c.partnership_id = p.id AND d.organisation_id IN {OURS} AND c.status NOT IN ('planned', 'cancelled'))"
)
_QUIET = (
    f"{WITH}, spoken AS (SELECT p.id, p.title, p.contact_days, p.created_at, {_LAST_HELD} AS last_on FROM"
    f" agreements_partnership p WHERE p.id IN {WITH_US} AND p.status NOT IN ('renewed', 'ended') AND NOT EXISTS"
    " (SELECT 1 FROM conversations_meeting m WHERE m.partnership_id = p.id AND m.status = 'planned' AND m.starts_at >="
    " now())) SELECT id, title AS quiet, last_on FROM spoken WHERE coalesce(last_on, created_at::date) <="
    f" current_date - coalesce(contact_days, 60) ORDER BY last_on, id LIMIT {_MAX}"
)
_SIGNATURES = (
    f"{WITH} SELECT g.id, g.asked_at, g.due_on, p.id, p.title AS plan, p.current_number, r.title AS within FROM"
    " plans_signatory g JOIN plans_plan p ON p.id = g.plan_id LEFT JOIN agreements_partnership r ON r.id ="
    " p.partnership_id WHERE"
    f" g.organisation_id IN {OURS} AND g.removed_at IS NULL AND p.status = 'awaiting_sign_off' AND NOT EXISTS (SELECT 1"
    " FROM plans_signoff f JOIN plans_version v ON v.id = f.version_id WHERE f.plan_id = p.id AND f.organisation_id ="
    " g.organisation_id AND v.number >= p.substantive_number AND f.decision <> 'conditional') AND"
    f" {READABLE_PLAN} ORDER BY g.id"
)
_DATES = (
    f"{WITH} SELECT p.id, p.title AS partnership, p.starts_on, p.review_on, p.ends_on, p.notice_ends_on FROM"
    f" agreements_partnership p WHERE p.id IN {WITH_US} AND p.status IN ('agreed', 'active', 'under_review',"
    " 'suspended') AND (p.starts_on"
    " BETWEEN current_date AND current_date + 90 OR p.review_on BETWEEN current_date AND current_date + 90 OR"
    " p.ends_on BETWEEN current_date AND current_date + 90 OR p.notice_ends_on BETWEEN current_date AND current_date"
    " + 90)"
)
#: The first task of each kind that few people have.
_RARE = " UNION ALL ".join(
    f"(SELECT {place} FROM {rows} LIMIT 1)"
    for place, rows in enumerate(
        (
            (
                f"agreements_termssignatory s WHERE s.organisation_id IN {OURS} AND s.removed_at IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM agreements_termssignature t WHERE t.version_id = s.version_id"
                " AND t.organisation_id = s.organisation_id)"
            ),
            f"agreements_party y WHERE y.organisation_id IN {OURS} AND y.status = 'invited'",
            f"agreements_partnership p WHERE p.id IN {WITH_US} AND p.status = 'under_review'",
            (
                f"agreements_post s WHERE s.ended_on IS NULL AND s.organisation_id IN {OURS} AND NOT EXISTS (SELECT 1"
                " FROM"
                " agreements_holder h WHERE h.post_id = s.id AND h.ends_on IS NULL)"
            ),
            (
                "exchange_response r JOIN exchange_entry e ON e.id = r.entry_id WHERE r.status = 'made'"
                f" AND e.organisation_id IN {OURS}"
            ),
            (
                "exchange_question q JOIN exchange_entry e ON e.id = q.entry_id WHERE q.answered_at IS NULL AND"
                " e.is_open"
                f" AND e.organisation_id IN {OURS}"
            ),
            (
                "plans_accessrequest a JOIN plans_planowner w ON w.plan_id = a.plan_id WHERE a.answered_at IS NULL"
                f" AND w.ended_at IS NULL AND w.organisation_id IN {OURS}"
            ),
            (
                "plans_mention m JOIN plans_comment k ON k.id = m.comment_id WHERE k.resolved_at IS NULL"
                " AND m.person_id = %(person)s"
            ),
            (
                "plans_milestone m JOIN plans_planowner w ON w.plan_id = m.plan_id JOIN plans_plan p ON p.id ="
                " m.plan_id"
                " WHERE m.status NOT IN ('achieved', 'cancelled') AND p.status NOT IN ('superseded', 'closed') AND"
                " m.due_by"
                f" <= current_date + 14 AND w.ended_at IS NULL AND w.organisation_id IN {OURS}"
            ),
            (
                "plans_ownershipoffer f WHERE f.answered_at IS NULL AND f.withdrawn_at IS NULL AND f.organisation_id"
                " IN"
                f" {OURS}"
            ),
            (
                "conversations_meetingseat s JOIN conversations_meeting m ON m.id = s.meeting_id WHERE s.answer = ''"
                " AND"
                " m.starts_at >= now() AND m.status = 'planned' AND s.person_id = %(person)s"
            ),
            (
                f"conversations_meeting m WHERE m.organisation_id IN {OURS} AND (m.status = 'planned' AND m.starts_at <"
                " now() + interval '14 days' OR m.status = 'held' AND m.conversation_id IS NULL)"
            ),
            (
                "conversations_report r JOIN agreements_party y ON y.id = r.party_id WHERE y.organisation_id IN"
                f" {OURS} AND"
                " r.status IN ('draft', 'returned', 'submitted')"
            ),
            (
                "conversations_facilitator f WHERE f.person_id = %(person)s AND f.accepted_at IS NULL AND f.ended_at IS"
                " NULL"
            ),
            (
                "nominations_nominationsreturn r JOIN nominations_nominationsagreement a ON a.id = r.agreement_id JOIN"
                f" agreements_party y ON y.id IN (a.council_id, a.provider_id) WHERE y.organisation_id IN {OURS}"
                " AND r.status <> 'confirmed'"
            ),
            "surveys_round s WHERE s.moderator_id = %(person)s AND s.status IN ('draft', 'closed')",
            (
                "recommendations_response r WHERE r.review_on <= current_date + 14 AND r.status NOT IN ('done',"
                " 'declined',"
                f" 'superseded') AND (r.owner_id = %(person)s OR r.owner_id IS NULL AND r.organisation_id IN {OURS})"
            ),
            f"organisations_handover h WHERE h.state IN ('proposed', 'stayed') AND h.successor_id IN {OURS}",
            "answers_incoming i WHERE i.status = 'waiting' AND i.person_id = %(person)s",
            (
                "answers_answer a JOIN plans_planowner w ON w.plan_id = a.plan_id WHERE a.status = 'waiting' AND"
                f" w.ended_at IS NULL AND w.organisation_id IN {OURS}"
            ),
        )
    )
)
_WAITING = [_ASKS, _COMMITMENTS, *_RECORDS, _CONTACTS, _QUIET, _SIGNATURES, _DATES, f"{WITH} {_RARE}"]

WORK: dict[str, list[str]] = {
    "work": _WAITING,
    "home": [
        *_WAITING,
        (
            f"{WITH} SELECT (SELECT count(*) FROM agreements_partnership p WHERE p.id IN {WITH_US} AND p.status NOT IN"
            " ('renewed', 'ended')), (SELECT count(DISTINCT m.plan_id) FROM plans_milestone m JOIN plans_plan p ON p.id"
            " = m.plan_id JOIN plans_planowner w ON w.plan_id = p.id AND w.ended_at IS NULL AND w.organisation_id IN"
            f" {OURS} WHERE m.status NOT IN ('achieved', 'cancelled') AND m.due_by < current_date AND p.status NOT IN"
            " ('superseded', 'closed'))"
        ),
        (
            f"{WITH}, near AS (SELECT y.organisation_id FROM agreements_party y WHERE y.status = 'accepted' AND"
            f" y.partnership_id IN {WITH_US}), newest AS (SELECT * FROM activity_event WHERE at >= now() - interval"
            " '60 days' AND actor_id <> %(person)s ORDER BY at DESC, id DESC LIMIT 1000) SELECT v.kind, v.at, v.data,"
            " v.target_kind, v.target_id, u.name AS actor,"
            f" {named('o', 'v.at')} AS body FROM newest v LEFT JOIN people_user u ON u.id = v.actor_id LEFT"
            " JOIN organisations_organisation o ON o.id = v.organisation_id WHERE CASE v.target_kind WHEN"
            " 'organisation' THEN v.target_id IN (SELECT"
            f" organisation_id FROM near) WHEN 'partnership' THEN v.target_id IN {WITH_US} WHEN 'plan' THEN EXISTS"
            f" (SELECT 1 FROM plans_plan p WHERE p.id = v.target_id AND {READABLE_PLAN}) WHEN 'entry' THEN EXISTS"
            f" (SELECT 1 FROM exchange_entry e WHERE e.id = v.target_id AND {READABLE_ENTRY}) WHEN 'commitment' THEN"
            " EXISTS (SELECT 1 FROM commitments_commitment c WHERE c.id = v.target_id AND (c.partnership_id IN"
            f" {WITH_US} OR c.giver_id IN {OURS} OR c.receiver_id IN {OURS})) ELSE false END"
            " ORDER BY v.at DESC, v.id DESC LIMIT 32"
        ),
        plans_that_wait(
            "EXISTS (SELECT 1 FROM plans_planowner w WHERE w.plan_id = p.id AND w.ended_at IS NULL"
            f" AND w.organisation_id IN {OURS})",
            5,
        ),
        (
            f"WITH {MINE} SELECT x.id, x.score, own.title AS own, e.id AS entry, e.title AS ask, e.direction, o.name"
            " AS asker"
            " FROM exchange_entry own JOIN exchange_match x ON own.id IN (x.ask_id, x.offer_id) JOIN exchange_entry e"
            " ON e.id IN (x.ask_id, x.offer_id) AND e.id <> own.id JOIN organisations_organisation o ON o.id ="
            f" e.organisation_id WHERE own.organisation_id IN {OURS} AND own.is_open AND x.score >= 30 AND e.is_open"
            f" AND NOT EXISTS (SELECT 1 FROM exchange_dismissal d WHERE d.match_id = x.id AND d.organisation_id IN"
            f" {OURS}) ORDER BY x.score DESC LIMIT 20"
        ),
    ],
}
