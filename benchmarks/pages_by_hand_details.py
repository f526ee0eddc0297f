"""Handwritten SQL for pages of one record (benchmarks/pages_by_hand.py explains it)."""

from __future__ import annotations

from benchmarks.pages_by_hand import (
    LISTS,
    OURS,
    READABLE_COMMITMENT,
    READABLE_CONVERSATION,
    READABLE_ENTRY,
    READABLE_PARTNERSHIP,
    READABLE_PLAN,
    RUNNING,
    WITH,
    WITH_US,
    follows,
    named,
    plans_that_wait,
    timeline,
)
from benchmarks.pages_by_hand_within import WITHIN
from benchmarks.pages_by_hand_work import WORK

_POINTS = (
    f"{WITH} SELECT k.kind, k.text, k.organisation_id FROM conversations_point k JOIN conversations_conversation c"
    f" ON c.id = k.conversation_id WHERE c.partnership_id = %(id)s AND k.closed_at IS NULL AND {READABLE_CONVERSATION}"
    " ORDER BY c.held_on DESC, k.id"
)


DETAILS: dict[str, list[str]] = {
    "partnership": [
        (
            f"{WITH} SELECT p.id AS partnership_id, p.title, p.kind, p.status, p.status_since, p.purpose,"
            " p.terms_of_reference, p.audience, p.legally_binding, p.starts_on, p.review_on, p.ends_on, p.goes_on,"
            " p.notice_ends_on, p.notice_days, p.contact_days, p.contribution, p.annual_budget, p.liabilities,"
            f" p.reports_to, p.meeting_frequency, p.quorum, p.id IN {WITH_US}, v.number, v.from_day,"
            " (SELECT array_agg(a.name ORDER BY a.name) FROM agreements_partnership_areas s JOIN organisations_area a"
            " ON a.id = s.area_id WHERE s.partnership_id = p.id) AS names, (SELECT array_agg(r.title) FROM"
            " agreements_partnership r WHERE r.redefines_id = p.id) FROM agreements_partnership p LEFT JOIN"
            f" agreements_termsversion v ON v.id = p.terms_version_id WHERE p.id = %(id)s AND {READABLE_PARTNERSHIP}"
        ),
        (
            "SELECT o.id AS organisation_id, o.name, y.role, y.status, y.left_on, (SELECT n.last_day FROM"
            " agreements_notice n WHERE n.partnership_id = y.partnership_id AND n.organisation_id = y.organisation_id"
            " AND n.withdrawn_at IS NULL AND n.done_at IS NULL LIMIT 1) FROM agreements_party y JOIN"
            " organisations_organisation o ON o.id = y.organisation_id WHERE y.partnership_id = %(id)s"
            " AND y.status = 'accepted' ORDER BY y.role, o.name"
        ),
        (
            f"{WITH} SELECT (SELECT count(*) FROM exchange_entry e WHERE e.partnership_id = %(id)s AND e.direction ="
            " 'ask' AND e.answered_at IS NULL AND e.status IN ('shared', 'acknowledged') AND"
            f" {READABLE_ENTRY}), (SELECT count(*) FROM commitments_commitment c WHERE c.partnership_id = %(id)s AND"
            f" c.status IN {RUNNING} AND {READABLE_COMMITMENT}), (SELECT count(*) FROM commitments_commitment c WHERE"
            f" c.partnership_id = %(id)s AND c.status IN {RUNNING} AND c.due_on < current_date AND"
            f" {READABLE_COMMITMENT}), (SELECT count(*) FROM plans_plan p WHERE p.partnership_id = %(id)s AND"
            f" {READABLE_PLAN})"
        ),
        (
            "SELECT j.id, j.text, j.measure, j.unit, j.baseline, j.target, j.target_on, j.status, (SELECT g.figure FROM"
            " agreements_objectiveprogress g WHERE g.objective_id = j.id ORDER BY g.on DESC LIMIT 1) FROM"
            " agreements_objective j WHERE j.partnership_id = %(id)s ORDER BY j.position, j.id"
        ),
        plans_that_wait("p.partnership_id = %(id)s", 6),
        (
            f"{WITH} SELECT m.name, m.due_by, p.id AS plan_id, p.title FROM plans_milestone m JOIN plans_plan p"
            " ON p.id = m.plan_id WHERE p.partnership_id = %(id)s AND m.status NOT IN ('achieved', 'cancelled') AND"
            f" m.due_by <= current_date + 90 AND NOT m.restricted AND {READABLE_PLAN} ORDER BY m.due_by, m.id LIMIT 6"
        ),
        _POINTS,
        (
            f"{WITH} SELECT n.id, n.text, n.written_at, u.name FROM conversations_journalnote n LEFT JOIN people_user u"
            f" ON u.id = n.written_by_id WHERE n.partnership_id = %(id)s AND n.organisation_id IN {OURS}"
            " AND n.deleted_at IS NULL ORDER BY n.written_at DESC LIMIT 5"
        ),
        timeline(6, within=True),
        follows("partnership_id"),
    ],
    "entry": [
        (
            f"{WITH} SELECT e.id AS entry_id, e.title, e.statement, e.rationale, e.direction, e.theme, e.quantity,"
            " e.unit, e.agreed_quantity, e.site, e.conditions, e.available_from, e.available_until, e.closes_on,"
            " e.standing, e.audience, e.status, e.reason, e.shared_at, e.answered_at, e.closed_at, e.organisation_id,"
            f" {named('o', 'e.shared_at')} AS name, p.title AS partnership, (SELECT array_agg(a.name) FROM"
            " exchange_entry_areas s JOIN organisations_area a ON a.id = s.area_id WHERE s.entry_id = e.id) AS names,"
            " (SELECT array_agg(t.name) FROM exchange_addressee a JOIN organisations_organisation t"
            " ON t.id = a.organisation_id WHERE a.entry_id = e.id) AS names FROM exchange_entry e"
            " JOIN organisations_organisation o ON o.id = e.organisation_id LEFT JOIN agreements_partnership p"
            f" ON p.id = e.partnership_id WHERE e.id = %(id)s AND {READABLE_ENTRY}"
        ),
        (
            "SELECT r.text, r.quantity, r.agreed_quantity, r.status, r.reason, r.made_at, r.decided_at, u.name, o.name"
            " FROM exchange_response r JOIN organisations_organisation o ON o.id = r.organisation_id LEFT JOIN"
            " people_user u ON u.id = r.author_id WHERE r.entry_id = %(id)s ORDER BY r.made_at, r.id"
        ),
        (
            "SELECT q.text, q.asked_at, q.answer, q.answered_at, u.name, o.name FROM exchange_question q JOIN"
            " organisations_organisation o ON o.id = q.organisation_id LEFT JOIN people_user u ON u.id = q.author_id"
            " WHERE q.entry_id = %(id)s ORDER BY q.asked_at, q.id"
        ),
        (
            f"{WITH} SELECT r.acknowledged_at, r.declined_at, r.reason, r.referred_at, r.note, o.name FROM"
            " exchange_receipt r JOIN organisations_organisation o ON o.id = r.organisation_id"
            f" WHERE r.entry_id = %(id)s AND r.organisation_id IN {OURS}"
        ),
        (
            f"{WITH} SELECT c.id AS commitment_id, c.reference, c.text, f.quantity FROM exchange_fulfilment f JOIN"
            " commitments_commitment c ON c.id = f.commitment_id WHERE f.entry_id = %(id)s AND"
            f" {READABLE_COMMITMENT}"
        ),
        (
            f"{WITH} SELECT x.id, x.score, e.id AS entry_id, e.title FROM exchange_match x JOIN exchange_entry e"
            " ON e.id IN (x.ask_id, x.offer_id) AND e.id <> %(id)s WHERE %(id)s IN (x.ask_id, x.offer_id)"
            " AND x.score >= 30 AND NOT EXISTS (SELECT 1 FROM exchange_dismissal d WHERE d.match_id = x.id"
            f" AND d.organisation_id IN {OURS}) AND {READABLE_ENTRY}"
        ),
        timeline(40),
        follows("request_id"),
    ],
    "plan": [
        (
            f"{WITH} SELECT p.id AS plan_id, p.kind, p.status, p.audience, p.period_start, p.period_end,"
            " p.current_number, p.baseline_number, p.embargoed_until, r.title AS partnership, (SELECT array_agg(o.name)"
            " FROM plans_planowner w JOIN organisations_organisation o ON o.id = w.organisation_id WHERE w.plan_id ="
            " p.id AND w.ended_at IS NULL) AS names, v.title, v.number, v.prose, v.content,"
            " v.figures, v.note, v.published_at, u.name AS author, (SELECT b.title FROM plans_plan b WHERE b.id ="
            " p.superseded_by_id) FROM plans_plan p LEFT JOIN agreements_partnership r ON r.id = p.partnership_id JOIN"
            " LATERAL (SELECT * FROM plans_version v WHERE v.plan_id = p.id AND (v.embargo_until IS NULL OR"
            " v.embargo_until <= now() OR EXISTS (SELECT 1 FROM plans_planowner w WHERE w.plan_id = p.id AND"
            f" w.ended_at IS NULL AND w.organisation_id IN {OURS})) ORDER BY v.number DESC LIMIT 1) v ON true"
            f" LEFT JOIN people_user u ON u.id = v.author_id WHERE p.id = %(id)s AND {READABLE_PLAN}"
        ),
        (
            "SELECT g.role, g.due_on, g.asked_at, o.name, f.decision, f.reason, f.signed_at, u.name, k.at FROM"
            " plans_signatory g JOIN organisations_organisation o ON o.id = g.organisation_id LEFT JOIN LATERAL"
            " (SELECT * FROM plans_signoff f WHERE f.plan_id = g.plan_id AND f.organisation_id = g.organisation_id"
            " ORDER BY f.id DESC LIMIT 1) f ON true LEFT JOIN people_user u ON u.id = f.person_id LEFT JOIN"
            " plans_conditionmet k ON k.sign_off_id = f.id WHERE g.plan_id = %(id)s AND g.removed_at IS NULL"
        ),
        (
            f"{WITH} SELECT l.anchor, c.id AS commitment_id, c.reference, c.text, c.status, c.due_on FROM"
            " plans_plancommitment l JOIN commitments_commitment c ON c.id = l.commitment_id WHERE l.plan_id = %(id)s"
            f" AND {READABLE_COMMITMENT}"
        ),
        (
            f"{WITH} SELECT k.anchor, count(*) FROM plans_comment k JOIN plans_plan p ON p.id = k.plan_id WHERE"
            f" k.plan_id = %(id)s AND k.resolved_at IS NULL AND {READABLE_PLAN} GROUP BY 1"
        ),
        (
            "SELECT s.key, s.status, s.how, s.frequency FROM digests_subscription s WHERE s.person_id = %(person)s"
            " AND s.plan_id = %(id)s AND s.status <> 'ended'"
        ),
    ],
    "commitment": [
        (
            f"{WITH} SELECT c.id AS commitment_id, c.reference, c.text, c.kind, c.status, c.status_since, c.quantity,"
            " c.unit, c.delivered_quantity, c.due_on, c.original_due_on, c.proposed_at, c.giver_confirmed_at,"
            " c.receiver_confirmed_at, c.done_at, c.verified_at, c.blocker, c.escalated_at, c.reason, c.source,"
            f" c.source_reference, c.giver_name, {named('g', 'c.proposed_at')} AS name,"
            f" {named('r', 'c.proposed_at')} AS name, c.giver_id AS organisation_id, c.receiver_id AS organisation_id,"
            " u.name AS owner, p.id AS partnership_id, p.title, (SELECT b.id FROM commitments_commitment b"
            " WHERE b.replaces_id = c.id LIMIT 1) AS commitment_id FROM commitments_commitment c LEFT JOIN"
            " organisations_organisation g ON g.id = c.giver_id LEFT JOIN organisations_organisation r ON r.id ="
            " c.receiver_id LEFT JOIN people_user u ON u.id = c.owner_id LEFT JOIN agreements_partnership p"
            f" ON p.id = c.partnership_id WHERE c.id = %(id)s AND {READABLE_COMMITMENT}"
        ),
        (
            "SELECT s.was, s.now, s.reason, s.at, u.name FROM commitments_slippage s LEFT JOIN people_user u"
            " ON u.id = s.by_id WHERE s.commitment_id = %(id)s ORDER BY s.at DESC"
        ),
        (
            "SELECT g.delivered_before, g.delivered, g.status, g.note, g.at, u.name, o.name FROM commitments_progress g"
            " LEFT JOIN people_user u ON u.id = g.by_id LEFT JOIN organisations_organisation o"
            " ON o.id = g.organisation_id WHERE g.commitment_id = %(id)s ORDER BY g.at DESC"
        ),
        (
            "SELECT d.id, d.title, d.file_name, d.size, d.added_at, u.name FROM commitments_evidence d LEFT JOIN"
            " people_user u ON u.id = d.added_by_id WHERE d.commitment_id = %(id)s AND d.removed_at IS NULL"
        ),
        (
            "SELECT 'entry', entry_id FROM exchange_fulfilment WHERE commitment_id = %(id)s UNION ALL SELECT 'plan',"
            " plan_id FROM plans_plancommitment WHERE commitment_id = %(id)s UNION ALL SELECT 'conversation',"
            " conversation_id FROM conversations_conversationcommitment WHERE commitment_id = %(id)s UNION ALL SELECT"
            " 'conversation', conversation_id FROM conversations_nextstep WHERE action_id = %(id)s"
        ),
        timeline(40),
        follows("commitment_id"),
    ],
    "organisation": [
        (
            "SELECT o.id AS organisation_id, o.name, o.short_name, o.kind, o.council_type, o.designation, o.legal_form,"
            " o.status, o.website, o.valid_from, o.valid_to, a.name AS region, b.name AS part_of, (SELECT array_agg("
            "n.name) FROM organisations_organisationname n WHERE n.organisation_id = o.id), (SELECT array_agg(i.scheme"
            " || ' ' || i.value) FROM organisations_identifier i WHERE i.organisation_id = o.id), (SELECT array_agg("
            "a.name) FROM organisations_areaserved s JOIN organisations_area a ON a.id = s.area_id WHERE"
            " s.organisation_id = o.id) FROM organisations_organisation o LEFT JOIN organisations_area a"
            " ON a.id = o.region_id LEFT JOIN organisations_organisation b ON b.id = o.parent_id WHERE o.id = %(id)s"
        ),
        (
            f"{WITH} SELECT p.id AS partnership_id, p.title, p.kind, p.status, (SELECT array_agg(o.name ORDER BY"
            " y.role, y.id) FROM agreements_party y JOIN organisations_organisation o ON o.id = y.organisation_id"
            " WHERE y.partnership_id = p.id AND y.status = 'accepted' AND y.organisation_id <> %(id)s) AS names FROM"
            " agreements_partnership p WHERE p.id IN (SELECT partnership_id FROM agreements_party WHERE"
            f" organisation_id = %(id)s AND status = 'accepted') AND {READABLE_PARTNERSHIP}"
            " ORDER BY p.status, p.title, p.id LIMIT 50"
        ),
        (
            "SELECT u.name, m.job_title, m.role FROM organisations_membership m JOIN people_user u"
            " ON u.id = m.person_id WHERE m.organisation_id = %(id)s AND m.accepted_at IS NOT NULL AND u.is_active AND"
            " (m.ends_on IS NULL OR m.ends_on > current_date) ORDER BY m.role, u.name LIMIT 12"
        ),
        (
            f"{WITH} SELECT s.id, s.title AS post, s.role, h.name AS holder, h.email, h.phone FROM agreements_post s"
            " LEFT JOIN agreements_holder h ON h.post_id = s.id AND h.ends_on IS NULL WHERE s.organisation_id = %(id)s"
            f" AND s.ended_on IS NULL AND (s.organisation_id IN {OURS} OR s.partnership_id IN {WITH_US}) LIMIT 12"
        ),
        (
            f"{WITH} SELECT n.id, n.text, n.written_at, u.name FROM conversations_journalnote n LEFT JOIN people_user u"
            f" ON u.id = n.written_by_id WHERE n.about_id = %(id)s AND n.organisation_id IN {OURS}"
            " AND n.deleted_at IS NULL ORDER BY n.written_at DESC LIMIT 5"
        ),
        timeline(6),
        follows("organisation_id"),
    ],
}

BY_HAND = LISTS | DETAILS | WITHIN | WORK
