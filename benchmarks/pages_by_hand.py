"""Handwritten SQL for the content of each page, with the reader's rights, as a careful engineer would write it.

Each page has few statements, which fetch no column that the page does not show or link to. Pages that are empty in the
benchmark (matches, emails sent, search) have none. The person and their organisations are fetched for an empty page
too. Labels that the application caches (kinds, themes) are not fetched.

benchmarks/pages_checked.py compares the results with the page, and depends on the names of the columns. A `..._id` in
`LINKED` means that the page may link to these records. A `title`, `name` or `names` must be in the text of the page.
"""

from __future__ import annotations

MINE = (
    "mine AS (SELECT organisation_id FROM organisations_membership WHERE person_id = %(person)s AND accepted_at IS NOT"
    " NULL AND starts_on <= current_date AND (ends_on IS NULL OR ends_on > current_date))"
)
_MY_PARTNERSHIPS = (
    f"{MINE}, theirs AS (SELECT DISTINCT partnership_id FROM agreements_party"
    " WHERE status = 'accepted' AND organisation_id IN (SELECT organisation_id FROM mine))"
)
WITH = f"WITH {_MY_PARTNERSHIPS}"
OURS = "(SELECT organisation_id FROM mine)"
WITH_US = "(SELECT partnership_id FROM theirs)"

READABLE_ENTRY = (
    f"(e.organisation_id IN {OURS} OR e.shared_at IS NOT NULL AND (e.audience = 'network'"
    f" OR (e.audience = 'partnership' AND e.partnership_id IN {WITH_US})"
    " OR (e.audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a WHERE a.entry_id = e.id"
    f" AND a.organisation_id IN {OURS}))))"
)
#: The plans that the reader may see: public, their own, formerly their own, or shared with them.
READABLE_PLAN = (
    "((p.current_number > 0 AND p.open_at <= now() AND (p.audience IN ('public', 'network')"
    f" OR (p.audience = 'partnership' AND p.partnership_id IN {WITH_US})))"
    " OR EXISTS (SELECT 1 FROM plans_planowner w WHERE w.plan_id = p.id"
    f" AND w.organisation_id IN {OURS} AND (w.ended_at IS NULL OR p.first_published_at <= w.ended_at))"
    " OR EXISTS (SELECT 1 FROM plans_pastpartnership t JOIN agreements_party y ON y.partnership_id = t.partnership_id"
    f" WHERE t.plan_id = p.id AND t.audience <> 'owners' AND p.open_at <= t.left_at AND y.organisation_id IN {OURS}"
    " AND (y.status = 'accepted' OR p.open_at <= y.left_at))"
    " OR EXISTS (SELECT 1 FROM plans_share s WHERE s.plan_id = p.id AND s.person_id = %(person)s"
    f" AND s.revoked_at IS NULL AND s.ends_on >= current_date AND s.organisation_id IN {OURS}))"
)
READABLE_COMMITMENT = f"(c.partnership_id IN {WITH_US} OR c.giver_id IN {OURS} OR c.receiver_id IN {OURS})"
READABLE_CONVERSATION = (
    "c.id IN (SELECT d.conversation_id FROM conversations_side d WHERE d.organisation_id IN (SELECT organisation_id"
    f" FROM mine) AND d.status <> 'draft' UNION SELECT k.id FROM conversations_conversation k WHERE k.organisation_id"
    f" IN {OURS})"
)
READABLE_PARTNERSHIP = (
    f"(p.audience = 'network' OR p.id IN {WITH_US} OR EXISTS (SELECT 1 FROM agreements_workinggroup g"
    f" WHERE g.partnership_id = p.id AND g.parent_id IN {WITH_US}))"
)
_OWNED_PLAN = (
    "EXISTS (SELECT 1 FROM plans_planowner w WHERE w.plan_id = p.id AND w.ended_at IS NULL"
    f" AND w.organisation_id IN {OURS})"
)
#: The readers of a version for partners only: the plan's owners and, in a partnership's plan, its parties.
_INSIDE_PLAN = f"(p.partnership_id IN {WITH_US} AND p.audience <> 'owners' OR {_OWNED_PLAN})"
RUNNING = "('agreed', 'in_progress', 'at_risk', 'blocked')"


def named(organisation: str, at: str) -> str:
    """Return SQL for an organisation's name at that time, which is a former name if it has been renamed since."""
    return (
        f"coalesce((SELECT f.name FROM organisations_organisationname f WHERE f.organisation_id = {organisation}.id"
        f" AND f.kind = 'former' AND f.valid_to > {at} AND (f.valid_from IS NULL OR f.valid_from <= {at})"
        f" ORDER BY f.valid_to LIMIT 1), {organisation}.name)"
    )


def timeline(number: int, within: bool = False) -> str:
    """Return SQL for the newest changes of a record, with their authors.

    If `within` is given, the changes of records within it that the reader may open are included. The SQL also checks
    that the reader may see the record itself.
    """
    here, allowed = "target_kind = %(kind)s AND target_id = %(id)s", ""
    if within:
        here = f"({here} OR within_kind = %(kind)s AND within_id = %(id)s)"
        allowed = (
            " AND CASE v.target_kind WHEN 'partnership' THEN true"
            f" WHEN 'plan' THEN EXISTS (SELECT 1 FROM plans_plan p WHERE p.id = v.target_id AND {READABLE_PLAN})"
            f" WHEN 'entry' THEN EXISTS (SELECT 1 FROM exchange_entry e WHERE e.id = v.target_id AND {READABLE_ENTRY})"
            " WHEN 'commitment' THEN EXISTS (SELECT 1 FROM commitments_commitment c WHERE c.id = v.target_id"
            f" AND {READABLE_COMMITMENT}) WHEN 'conversation' THEN EXISTS (SELECT 1 FROM conversations_side d"
            f" WHERE d.conversation_id = v.target_id AND d.organisation_id IN {OURS}) ELSE false END"
        )
    return (
        f"{WITH} SELECT v.kind, v.at, v.data, v.target_kind, v.target_id, u.name, {named('o', 'v.at')} AS name"
        " FROM activity_event v LEFT JOIN people_user u ON u.id = v.actor_id LEFT JOIN organisations_organisation o"
        f" ON o.id = v.organisation_id WHERE {here}{allowed} ORDER BY v.at DESC, v.id DESC LIMIT {number}"
    )


def follows(column: str) -> str:
    """Return SQL for whether the reader follows the record, and which change they were last sent."""
    return (
        "SELECT s.status, s.how, s.frequency, (SELECT w.number FROM digests_subjectwatermark w JOIN activity_subject t"
        " ON t.id = w.subject_id WHERE w.recipient_id = %(person)s AND t.kind = %(kind)s AND t.record_id = %(id)s)"
        f" FROM digests_subscription s WHERE s.person_id = %(person)s AND s.{column} = %(id)s AND s.status <> 'ended'"
    )


def saved_views(kind: str) -> str:
    """Return SQL for the saved views of a list that the reader may use."""
    return (
        f"{WITH} SELECT v.id, v.name FROM lists_savedview v WHERE v.kind = '{kind}' AND (v.owner_id = %(person)s"
        f" OR v.organisation_id IN {OURS} OR v.partnership_id IN {WITH_US}) ORDER BY v.name LIMIT 100"
    )


#: The titles of up to 100 partnerships, for a filter. With more partnerships, the filter suggests while one types.
_CHOICES = (
    f"{WITH} SELECT p.id, p.title AS choice FROM agreements_partnership p WHERE p.id IN {WITH_US}"
    " ORDER BY p.title, p.id LIMIT 101"
)


def _listed(shown: str, rows: str, order: str, joined: str = "") -> list[str]:
    """Return SQL for the first 25 rows of a list, each with its `joined` rows, and for the number up to 1,001."""
    return [
        f"{WITH}, x AS (SELECT * FROM {rows} ORDER BY {order} LIMIT 25) SELECT {shown} FROM x {joined}",
        f"{WITH} SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT 1001) found",
    ]


#: The columns of a card of an ask or offer `e` of an organisation `o`.
_CARD = (
    "e.id AS entry_id, e.title, e.statement, e.status, e.quantity, e.unit, e.theme, e.shared_at, e.answered_at,"
    " e.closes_on, e.standing, (SELECT array_agg(a.name) FROM exchange_entry_areas s JOIN organisations_area a"
    " ON a.id = s.area_id WHERE s.entry_id = e.id) AS names, (SELECT count(*) FROM exchange_match x WHERE"
    " (x.ask_id = e.id OR x.offer_id = e.id) AND x.score >= 30 AND NOT EXISTS (SELECT 1 FROM exchange_dismissal d"
    f" WHERE d.match_id = x.id AND d.organisation_id IN {OURS})), {named('o', 'e.shared_at')} AS name"
)


def _cards(direction: str) -> str:
    """Return SQL for the newest 10 asks or offers of the board."""
    return (
        f"{WITH} SELECT {_CARD} FROM exchange_entry e JOIN organisations_organisation o ON o.id = e.organisation_id"
        f" WHERE e.is_open AND e.shared_at IS NOT NULL AND e.direction = '{direction}' AND {READABLE_ENTRY}"
        " ORDER BY e.shared_at DESC, e.id DESC LIMIT 10"
    )


def _own_cards(condition: str, order: str, limit: int) -> str:
    """Return SQL for the asks and offers of the reader's organisations."""
    return (
        f"{WITH}, x AS (SELECT * FROM exchange_entry e WHERE e.organisation_id IN {OURS} AND {condition}"
        f" ORDER BY {order} LIMIT {limit}) SELECT {_CARD} FROM x e JOIN organisations_organisation o"
        " ON o.id = e.organisation_id"
    )


def plans_that_wait(condition: str, number: int) -> str:
    """Return SQL for plans that are not agreed, with their owners and the organisations that have yet to sign."""
    return (
        f"{WITH} SELECT p.id AS plan_id, p.title, p.status, p.last_published_at, (SELECT array_agg(o.name)"
        " FROM plans_planowner w JOIN organisations_organisation o ON o.id = w.organisation_id WHERE w.plan_id = p.id"
        " AND w.ended_at IS NULL) AS owners, (SELECT array_agg(o.name) FROM plans_signatory g JOIN"
        " organisations_organisation o ON o.id = g.organisation_id WHERE g.plan_id = p.id AND g.removed_at IS NULL AND"
        " NOT EXISTS (SELECT 1 FROM plans_signoff f JOIN plans_version v ON v.id = f.version_id WHERE f.plan_id = p.id"
        " AND f.organisation_id = g.organisation_id AND v.number >= p.substantive_number)) FROM plans_plan p"
        f" WHERE {condition} AND p.status IN ('draft', 'shared', 'awaiting_sign_off') AND {READABLE_PLAN} ORDER BY"
        " array_position(ARRAY['awaiting_sign_off', 'shared', 'draft']::varchar[], p.status), p.id DESC"
        f" LIMIT {number}"
    )


_ENTRIES_WITH_NAMES = "JOIN organisations_organisation o ON o.id = x.organisation_id"
_COMMITMENTS = (
    "commitments_commitment c WHERE c.id IN (SELECT id FROM commitments_commitment WHERE partnership_id IN"
    f" {WITH_US} UNION SELECT id FROM commitments_commitment WHERE giver_id IN {OURS}"
    f" UNION SELECT id FROM commitments_commitment WHERE receiver_id IN {OURS})"
)


def _parts_of_plans(table: str, condition: str) -> str:
    """Return SQL for rows of plans that the reader may see, each with its plan's title."""
    return (
        f"(SELECT part.*, p.title AS plan_title FROM {table} part JOIN plans_plan p ON p.id = part.plan_id"
        f" WHERE {condition} AND (p.embargoed_until IS NULL OR p.embargoed_until <= now() OR {_OWNED_PLAN})"
        f" AND {READABLE_PLAN}) parts"
    )


LISTS: dict[str, list[str]] = {
    "partnerships": [
        *_listed(
            f"x.id AS partnership_id, x.title, x.kind, x.status, x.review_on, x.id IN {WITH_US}, (SELECT"
            " array_agg(o.name ORDER BY y.role, y.id) FROM agreements_party y JOIN organisations_organisation o"
            " ON o.id = y.organisation_id WHERE y.partnership_id = x.id AND y.status = 'accepted') AS names",
            f"agreements_partnership p WHERE {READABLE_PARTNERSHIP}",
            "title, id",
        ),
        saved_views("partnerships"),
    ],
    "plans": [
        *_listed(
            "x.id AS plan_id, x.title, x.kind, x.status, x.current_number, x.embargoed_until, x.last_published_at,"
            " (SELECT array_agg(o.name) FROM plans_planowner w JOIN organisations_organisation o"
            " ON o.id = w.organisation_id WHERE w.plan_id = x.id AND w.ended_at IS NULL) AS names, CASE WHEN x.status ="
            " 'awaiting_sign_off' THEN (SELECT array_agg(o.name) FROM plans_signatory g JOIN organisations_organisation"
            " o ON o.id = g.organisation_id WHERE g.plan_id = x.id AND g.removed_at IS NULL AND NOT EXISTS (SELECT 1"
            " FROM plans_signoff f JOIN plans_version v ON v.id = f.version_id WHERE f.plan_id = x.id AND"
            " f.organisation_id = g.organisation_id AND v.number >= x.substantive_number)) END AS waiting",
            f"plans_plan p WHERE {READABLE_PLAN}",
            "id DESC",
        ),
        saved_views("plans"),
        _CHOICES,
    ],
    "entries": [
        *_listed(
            "x.id AS entry_id, x.title, x.direction, x.shared_at, x.answered_at, x.audience, x.status,"
            f" {named('o', 'x.shared_at')} AS name, p.title AS partnership, (SELECT array_agg(t.name)"
            " FROM exchange_addressee a JOIN organisations_organisation t ON t.id = a.organisation_id"
            " WHERE a.entry_id = x.id) AS names",
            f"exchange_entry e WHERE e.is_open AND e.shared_at IS NOT NULL AND {READABLE_ENTRY}",
            "shared_at DESC, id DESC",
            f"{_ENTRIES_WITH_NAMES} LEFT JOIN agreements_partnership p ON p.id = x.partnership_id",
        ),
        saved_views("entries"),
    ],
    "our entries": [
        _own_cards("e.status = 'draft'", "created_at DESC, id DESC", 100),
        _own_cards("e.shared_at IS NOT NULL", "shared_at DESC, id DESC", 25),
    ],
    "board": [
        _cards("ask"),
        _cards("offer"),
        "SELECT direction, theme, status, is_open, sum(number) FROM exchange_entrycount GROUP BY 1, 2, 3, 4",
        (
            f"{WITH} SELECT e.direction, e.theme, e.status, count(*) FROM exchange_entry e WHERE e.id IN (SELECT id"
            f" FROM exchange_entry WHERE organisation_id IN {OURS} UNION SELECT id FROM exchange_entry WHERE"
            f" partnership_id IN {WITH_US} AND audience = 'partnership' UNION SELECT entry_id FROM exchange_addressee"
            f" WHERE organisation_id IN {OURS}) AND e.audience <> 'network' AND e.shared_at IS NOT NULL GROUP BY"
            " 1, 2, 3"
        ),
    ],
    "commitments": [
        *_listed(
            "x.id AS commitment_id, x.text, x.reference, x.status, x.due_on, u.name, x.giver_name,"
            f" {named('g', 'x.proposed_at')} AS name, {named('r', 'x.proposed_at')} AS name",
            _COMMITMENTS,
            "due_on, id",
            "LEFT JOIN organisations_organisation g ON g.id = x.giver_id LEFT JOIN organisations_organisation r"
            " ON r.id = x.receiver_id LEFT JOIN people_user u ON u.id = x.owner_id",
        ),
        saved_views("commitments"),
        _CHOICES,
    ],
    "conversations": [
        *_listed(
            "x.id AS conversation_id, x.subject AS title, x.held_on, x.status, x.theme, x.format, p.title, p.id IN"
            f" (SELECT partnership_id FROM theirs), (SELECT array_agg({named('o', 'x.held_on')})"
            " FROM conversations_side d JOIN organisations_organisation o ON o.id = d.organisation_id"
            " WHERE d.conversation_id = x.id) AS names",
            f"conversations_conversation c WHERE {READABLE_CONVERSATION}",
            "held_on DESC, id DESC",
            "LEFT JOIN agreements_partnership p ON p.id = x.partnership_id",
        ),
        saved_views("conversations"),
        _CHOICES,
    ],
    "organisations": [
        *_listed(
            "x.id AS organisation_id, x.name, x.kind, x.status, x.is_demonstration, x.missing_since, a.name, (SELECT"
            " array_agg(i.scheme || ' ' || i.value) FROM organisations_identifier i WHERE i.organisation_id = x.id)",
            "organisations_organisation o WHERE o.status <> 'dissolved'",
            "name, id",
            "LEFT JOIN organisations_area a ON a.id = x.region_id",
        ),
        saved_views("organisations"),
        "SELECT id, name FROM organisations_area WHERE kind = 'region' ORDER BY name",
        "SELECT id, name AS choice FROM organisations_area WHERE kind <> 'region' ORDER BY name, code LIMIT 101",
    ],
    "meetings": [
        *_listed(
            "x.id AS meeting_id, x.title, x.starts_at, x.status, x.format, x.place, x.link, p.title",
            f"conversations_meeting m WHERE m.partnership_id IN {WITH_US}",
            "starts_at DESC, id DESC",
            "JOIN agreements_partnership p ON p.id = x.partnership_id",
        ),
        saved_views("meetings"),
        _CHOICES,
    ],
    "documents": [
        *_listed(
            f"x.id, x.title, x.added_at, x.personal_data, p.title, {named('o', 'x.added_at')} AS name",
            f"agreements_document d WHERE d.removed_at IS NULL AND d.partnership_id IN {WITH_US}",
            "added_at DESC, id DESC",
            "JOIN agreements_partnership p ON p.id = x.partnership_id"
            " LEFT JOIN organisations_organisation o ON o.id = x.added_for_id",
        ),
        saved_views("documents"),
        _CHOICES,
    ],
    "milestones": [
        *_listed(
            "x.id, x.name, x.due_by, x.status, x.owner, x.baseline, x.plan_title AS title, x.plan_id",
            _parts_of_plans("plans_milestone", f"(NOT part.restricted OR {_INSIDE_PLAN})"),
            "due_by, id",
        ),
        saved_views("milestones"),
    ],
    "sites": [
        *_listed(
            "x.id, x.name, x.reference, x.homes, x.planning_status, x.forecast_completion, x.plan_title AS title,"
            " x.plan_id, a.name",
            _parts_of_plans("plans_site", f"(NOT part.confidential OR {_INSIDE_PLAN})"),
            "name, id",
            "LEFT JOIN organisations_area a ON a.id = x.area_id",
        ),
        saved_views("sites"),
    ],
    "documents of plans": [
        *_listed(
            "x.id, x.title, x.added_at, x.restricted, x.file_name, x.plan_title AS title, x.plan_id",
            _parts_of_plans("plans_document", f"part.in_newest AND (NOT part.restricted OR {_INSIDE_PLAN})"),
            "added_at DESC, id DESC",
        ),
        saved_views("documents of plans"),
    ],
    "recommendations": [
        *_listed(
            "x.id, x.text, x.reference, x.title AS report, x.year, x.confidence,"
            " (SELECT array_agg(coalesce(o.name, a.kind)) FROM recommendations_addressee a"
            " LEFT JOIN organisations_organisation o ON o.id = a.organisation_id WHERE a.recommendation_id = x.id),"
            " (SELECT count(*) FROM recommendations_response a WHERE a.recommendation_id = x.id)",
            "(SELECT r.*, s.title, s.year FROM recommendations_recommendation r JOIN recommendations_source s"
            " ON s.id = r.source_id) r",
            "year, title, position, id",
        ),
        saved_views("recommendations"),
        "SELECT id, title AS choice, year FROM recommendations_source ORDER BY year DESC, title, id LIMIT 101",
    ],
}
