"""Handwritten SQL for pages within a record, and for figures (benchmarks/pages_by_hand.py explains it)."""

from __future__ import annotations

from benchmarks.pages_by_hand import (
    OURS,
    READABLE_COMMITMENT,
    READABLE_CONVERSATION,
    READABLE_PARTNERSHIP,
    READABLE_PLAN,
    WITH,
    WITH_US,
    named,
    saved_views,
    timeline,
)

#: The head of each page of a partnership.
_PARTNERSHIP = (
    f"{WITH} SELECT p.title, p.status, p.id IN {WITH_US} FROM agreements_partnership p WHERE p.id = %(id)s"
    f" AND {READABLE_PARTNERSHIP}"
)
#: The head of each page of a plan.
_PLAN = f"{WITH} SELECT p.title, p.status, p.baseline_number FROM plans_plan p WHERE p.id = %(id)s AND {READABLE_PLAN}"
_PARTIES = (
    "SELECT o.id AS organisation_id, o.name, y.role, y.status, y.joined_on, y.left_on, (SELECT n.last_day FROM"
    " agreements_notice n WHERE n.partnership_id = y.partnership_id AND n.organisation_id = y.organisation_id"
    " AND n.withdrawn_at IS NULL AND n.done_at IS NULL LIMIT 1) FROM agreements_party y JOIN"
    " organisations_organisation o ON o.id = y.organisation_id WHERE y.partnership_id = %(id)s"
    " ORDER BY y.role, o.name"
)


def _versions(shown: str) -> str:
    """Return the open versions of a plan, the newest first, each with its author's organisation."""
    return (
        f"{WITH} SELECT v.number, v.published_at, v.note, {shown} FROM plans_version v JOIN plans_plan p"
        " ON p.id = v.plan_id LEFT JOIN people_user u ON u.id = v.author_id LEFT JOIN organisations_organisation o"
        " ON o.id = v.organisation_id WHERE v.plan_id = %(id)s AND (v.embargo_until IS NULL OR"
        f" v.embargo_until <= now()) AND {READABLE_PLAN} ORDER BY v.number DESC"
    )


#: The first 25 partners of the reader's organisations.
_PARTNERS = (
    f"{WITH}, partner AS (SELECT o.id, o.name FROM organisations_organisation o WHERE o.id IN (SELECT organisation_id"
    f" FROM agreements_party WHERE partnership_id IN {WITH_US} AND status = 'accepted') AND o.id NOT IN {OURS}"
    " ORDER BY o.name, o.id LIMIT 25)"
)
#: The organisations that an ask was made to, through a partnership or by name.
_ASKED = (
    "exchange_entry e JOIN LATERAL (SELECT y.organisation_id FROM agreements_party y WHERE y.partnership_id ="
    " e.partnership_id AND e.audience = 'partnership' AND y.status = 'accepted' UNION SELECT a.organisation_id FROM"
    " exchange_addressee a WHERE a.entry_id = e.id) asked ON e.direction = 'ask' AND e.shared_at IS NOT NULL"
)


def _asks(partner: str, ours: str) -> str:
    """Count what was asked, met and is open, by partner; of partners, only asks through shared partnerships."""
    return (
        f"{_PARTNERS} SELECT {partner}, count(*), count(*) FILTER (WHERE e.status = 'met'),"
        f" count(*) FILTER (WHERE e.is_open) FROM {_ASKED} WHERE {ours} IN {OURS} AND {partner} IN"
        f" (SELECT id FROM partner) AND (e.partnership_id IS NULL OR e.partnership_id IN {WITH_US}) GROUP BY 1"
    )


def _promises(partner: str, ours: str) -> str:
    """Count what was promised and kept, by partner."""
    return (
        f"{_PARTNERS} SELECT {partner}, count(*), count(*) FILTER (WHERE c.status = 'verified') FROM"
        f" commitments_commitment c WHERE c.kind = 'commitment' AND {ours} IN {OURS} AND {partner} IN"
        " (SELECT id FROM partner) GROUP BY 1"
    )


_TO_ONE_BODY = (
    "recommendations_recommendation r JOIN recommendations_source s ON s.id = r.source_id WHERE EXISTS (SELECT 1 FROM"
    " recommendations_addressee a JOIN organisations_organisation o ON o.id = %(id)s WHERE a.recommendation_id = r.id"
    " AND (a.kind = o.kind OR a.organisation_id = o.id)) OR EXISTS (SELECT 1 FROM recommendations_response a"
    " WHERE a.recommendation_id = r.id AND a.organisation_id = %(id)s)"
)
#: Subscriptions `s` that the reader's organisations asked others to take.
_ASKED_BY_US = f"s.added_for_id IN {OURS}"
_SEEN_PARTNERSHIPS = (
    f"SELECT p.id FROM agreements_partnership p WHERE {READABLE_PARTNERSHIP} AND p.status NOT IN ('renewed', 'ended')"
)
_SEEN_OF_BODY = (
    "FROM agreements_party y JOIN agreements_partnership p ON p.id = y.partnership_id WHERE y.organisation_id = o.id"
    f" AND y.status = 'accepted' AND p.status NOT IN ('renewed', 'ended') AND {READABLE_PARTNERSHIP}"
)
#: The partnerships around some organisations, with their parties, for the lines of the drawing.
_LINKS = (
    f"{WITH}, seen AS ({_SEEN_PARTNERSHIPS}) SELECT p.id, p.title AS partnership, array_agg(y.organisation_id) FROM"
    " agreements_partnership p JOIN agreements_party y ON y.partnership_id = p.id AND y.status = 'accepted' WHERE p.id"
    " IN (SELECT id FROM seen) AND p.id IN (SELECT partnership_id FROM agreements_party WHERE status = 'accepted'"
    " AND organisation_id IN {centre}) GROUP BY p.id"
)
#: The 24 organisations that share most partnerships with these, for the shapes of the drawing.
_ORGANISATIONS = (
    f"{WITH}, seen AS ({_SEEN_PARTNERSHIPS}) SELECT o.id, o.name, o.short_name, o.kind, count(*) FROM"
    " agreements_party y JOIN organisations_organisation o ON o.id = y.organisation_id WHERE y.status = 'accepted' AND"
    " y.partnership_id IN"
    " (SELECT id FROM seen) AND y.partnership_id IN (SELECT partnership_id FROM agreements_party WHERE status ="
    " 'accepted' AND organisation_id IN {centre}) GROUP BY o.id ORDER BY count(*) DESC, o.id LIMIT 24"
)

WITHIN: dict[str, list[str]] = {
    "members": [_PARTNERSHIP, _PARTIES],
    "partnership history": [_PARTNERSHIP, timeline(41, within=True)],
    "partnership plans": [
        _PARTNERSHIP,
        (
            f"{WITH} SELECT p.id AS plan_id, p.title, p.kind, p.status, p.current_number, p.last_published_at, (SELECT"
            " array_agg(o.name) FROM plans_planowner w JOIN organisations_organisation o ON o.id = w.organisation_id"
            " WHERE w.plan_id = p.id AND w.ended_at IS NULL) AS names, (SELECT array_agg(o.name) FROM plans_signatory g"
            " JOIN organisations_organisation o ON o.id = g.organisation_id WHERE g.plan_id = p.id AND g.removed_at IS"
            " NULL AND NOT EXISTS (SELECT 1 FROM plans_signoff f JOIN plans_version v ON v.id = f.version_id WHERE"
            " f.plan_id = p.id AND f.organisation_id = g.organisation_id AND v.number >= p.substantive_number))"
            f" FROM plans_plan p WHERE p.partnership_id = %(id)s AND {READABLE_PLAN}"
            " ORDER BY p.last_published_at DESC, p.id DESC LIMIT 101"
        ),
    ],
    "partnership commitments": [
        _PARTNERSHIP,
        (
            f"{WITH} SELECT c.id AS commitment_id, c.text, c.reference, c.status, c.kind, c.quantity, c.unit,"
            f" c.delivered_quantity, c.due_on, u.name AS owner, {named('g', 'c.proposed_at')} AS name,"
            f" {named('r', 'c.proposed_at')} AS name FROM commitments_commitment c LEFT JOIN"
            " organisations_organisation g ON g.id = c.giver_id LEFT JOIN organisations_organisation r ON r.id ="
            " c.receiver_id LEFT JOIN people_user u ON u.id = c.owner_id WHERE c.partnership_id = %(id)s"
            f" AND {READABLE_COMMITMENT} ORDER BY c.due_on, c.id LIMIT 101"
        ),
    ],
    "partnership conversations": [
        _PARTNERSHIP,
        _PARTIES.replace("o.id AS organisation_id", "o.id AS party"),
        (
            f"{WITH} SELECT k.id, k.kind, k.text, k.organisation_id FROM conversations_point k JOIN"
            " conversations_conversation c ON c.id = k.conversation_id WHERE c.partnership_id = %(id)s"
            f" AND k.closed_at IS NULL AND {READABLE_CONVERSATION} ORDER BY c.held_on DESC, k.id"
        ),
        (
            f"{WITH} SELECT d.organisation_id, max(c.held_on) FROM conversations_side d JOIN conversations_conversation"
            " c ON c.id = d.conversation_id JOIN conversations_side own ON own.conversation_id = c.id AND"
            f" own.organisation_id IN {OURS} WHERE c.partnership_id = %(id)s AND c.status NOT IN ('planned',"
            " 'cancelled') GROUP BY 1"
        ),
        (
            f"{WITH} SELECT c.id AS conversation_id, c.subject AS title, c.held_on, c.format, c.status, (SELECT"
            f" array_agg({named('o', 'c.held_on')}) FROM conversations_side d JOIN organisations_organisation o"
            " ON o.id = d.organisation_id WHERE d.conversation_id = c.id) AS names FROM conversations_conversation c"
            f" WHERE c.partnership_id = %(id)s AND {READABLE_CONVERSATION} ORDER BY c.held_on DESC, c.id DESC LIMIT 101"
        ),
    ],
    "comparison": [
        _PLAN,
        _versions("o.name"),
        (
            f"{WITH} SELECT v.content, v.figures, v.prose FROM plans_version v JOIN plans_plan p ON p.id = v.plan_id"
            f" WHERE v.plan_id = %(id)s AND v.number IN (2, 3) AND {READABLE_PLAN} ORDER BY v.number"
        ),
    ],
    "plan history": [
        _PLAN,
        _versions(f"v.content, v.figures, u.name AS author, {named('o', 'v.published_at')} AS name"),
        timeline(41),
    ],
    "balance": [
        (
            f"{_PARTNERS} SELECT id AS organisation_id, name FROM partner UNION ALL SELECT id, name FROM"
            f" organisations_organisation WHERE id IN {OURS}"
        ),
        _asks("asked.organisation_id", "e.organisation_id"),
        _asks("e.organisation_id", "asked.organisation_id"),
        _promises("c.receiver_id", "c.giver_id"),
        _promises("c.giver_id", "c.receiver_id"),
    ],
    "recommendations to one body": [
        "SELECT o.id, o.name FROM organisations_organisation o WHERE o.id = %(id)s",
        (
            "SELECT count(*) FILTER (WHERE status IN ('under_way', 'done')) AS working, count(*) AS answered FROM"
            " recommendations_response WHERE organisation_id = %(id)s"
        ),
        f"SELECT count(*) FROM (SELECT 1 FROM {_TO_ONE_BODY} LIMIT 1001) found",
        (
            "SELECT r.id, r.text, r.reference, s.title AS report, s.year, a.status, a.note, a.review_on, u.name AS"
            f" owner FROM (SELECT r.*, s.year, s.title FROM {_TO_ONE_BODY} ORDER BY s.year DESC, s.title, r.position,"
            " r.id"
            " LIMIT 25) r JOIN recommendations_source s ON s.id = r.source_id LEFT JOIN recommendations_response a"
            " ON a.recommendation_id = r.id AND a.organisation_id = %(id)s LEFT JOIN people_user u ON u.id = a.owner_id"
        ),
    ],
    "stakeholders": [
        (
            f"{WITH}, x AS (SELECT s.* FROM digests_subscription s WHERE {_ASKED_BY_US} ORDER BY s.asked_at DESC, s.id"
            " DESC LIMIT 26) SELECT x.id, u.name AS person, u.email, x.status, x.asked_at, p.title AS plan, r.title AS"
            " partnership, o.name AS body, (SELECT d.status FROM digests_delivery d WHERE d.subscription_id = x.id"
            " ORDER BY d.id DESC LIMIT 1) FROM x JOIN people_user u ON u.id = x.person_id LEFT JOIN plans_plan p"
            " ON p.id = x.plan_id LEFT JOIN agreements_partnership r ON r.id = x.partnership_id LEFT JOIN"
            " organisations_organisation o ON o.id = x.organisation_id"
        ),
        f"{WITH} SELECT count(*) FROM (SELECT 1 FROM digests_subscription s WHERE {_ASKED_BY_US} LIMIT 1001) found",
        saved_views("stakeholders"),
        (
            f"{WITH} SELECT DISTINCT p.id, p.title AS choice FROM digests_subscription s JOIN plans_plan p ON p.id ="
            f" s.plan_id WHERE {_ASKED_BY_US} ORDER BY 2 LIMIT 101"
        ),
    ],
    "digests": [
        (
            f"{WITH}, x AS (SELECT * FROM digests_subscription s WHERE s.person_id = %(person)s AND s.status <> 'ended'"
            " ORDER BY s.id LIMIT 26) SELECT x.id, x.status, x.how, x.why, x.frequency, x.hears, p.title AS plan, p.id"
            f" IS NULL OR {READABLE_PLAN}, r.title AS partnership, o.name AS body FROM x LEFT JOIN plans_plan p ON p.id"
            " = x.plan_id LEFT JOIN agreements_partnership r ON r.id = x.partnership_id LEFT JOIN"
            " organisations_organisation o ON o.id = x.organisation_id"
        ),
        "SELECT * FROM digests_preference WHERE person_id = %(person)s",
        'SELECT "group", way FROM digests_noticechoice WHERE person_id = %(person)s',
        "SELECT kind, days FROM people_leadtimes WHERE person_id = %(person)s",
        (
            "SELECT least((SELECT min(due_at) FROM digests_watermark WHERE recipient_id = %(person)s), (SELECT"
            " min(due_at) FROM digests_subjectwatermark WHERE recipient_id = %(person)s), (SELECT min(due_at) FROM"
            " digests_matchnotice WHERE recipient_id = %(person)s AND told_at IS NULL))"
        ),
        (
            "SELECT s.cause, s.since FROM outbox_suppression s JOIN people_user u ON u.id = %(person)s AND"
            " lower(s.address) = lower(u.email) WHERE s.released_at IS NULL"
        ),
        (
            f"{WITH} SELECT y.id, p.title AS partnership, o.name AS body FROM agreements_party y JOIN"
            " agreements_partnership p ON p.id = y.partnership_id JOIN organisations_organisation o ON o.id ="
            f" y.organisation_id WHERE y.status = 'invited' AND y.organisation_id IN {OURS}"
        ),
    ],
    "network": [
        (
            f"{WITH} SELECT o.id, o.name, o.kind, (SELECT count(*) {_SEEN_OF_BODY}) FROM (SELECT o.* FROM"
            f" organisations_organisation o WHERE EXISTS (SELECT 1 {_SEEN_OF_BODY}) ORDER BY o.name, o.id LIMIT 24) o"
        ),
        _LINKS.format(centre=OURS),
        _ORGANISATIONS.format(centre=OURS),
    ],
    "partners": [
        "SELECT o.id, o.name, o.kind FROM organisations_organisation o WHERE o.id = %(id)s",
        (
            f"{WITH}, seen AS ({_SEEN_PARTNERSHIPS}), near AS (SELECT y.organisation_id AS body, array_agg(p.title"
            " ORDER BY"
            " p.title) AS titles, array_agg(p.id) FROM agreements_party y JOIN agreements_partnership p ON p.id ="
            " y.partnership_id WHERE y.status = 'accepted' AND y.organisation_id <> %(id)s AND y.partnership_id IN"
            " (SELECT id FROM seen) AND y.partnership_id IN (SELECT partnership_id FROM agreements_party WHERE"
            " organisation_id = %(id)s AND status = 'accepted') GROUP BY 1) SELECT o.name, near.* FROM near JOIN"
            " organisations_organisation o ON o.id = near.body ORDER BY o.name, o.id LIMIT 25"
        ),
        _LINKS.format(centre="(SELECT %(id)s)"),
        _ORGANISATIONS.format(centre="(SELECT %(id)s)"),
    ],
}
