"""The pages that benchmarks/pages.py asks for, and the statements for the same rows by hand."""

from __future__ import annotations

from typing import Any

#: The people who are measured: `<name>@country.example`.
READERS = ("lead", "authority", "editor", "stakeholder", "administrator")

_MINE = "mine AS (SELECT organisation_id FROM organisations_membership WHERE person_id = %(person)s)"
_MY_PARTNERSHIPS = (
    f"{_MINE}, theirs AS (SELECT DISTINCT partnership_id FROM agreements_party"
    " WHERE status = 'accepted' AND organisation_id IN (SELECT organisation_id FROM mine))"
)
_READABLE_ENTRY = (
    "(e.audience = 'network' OR e.organisation_id IN (SELECT organisation_id FROM mine)"
    " OR (e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM theirs))"
    " OR (e.audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a WHERE a.entry_id = e.id"
    " AND a.organisation_id IN (SELECT organisation_id FROM mine))))"
)
_TIMELINE = (
    "SELECT v.* FROM activity_event v WHERE (v.target_kind = %(kind)s AND v.target_id = %(id)s)"
    " ORDER BY v.at DESC, v.id DESC LIMIT 50"
)
_READABLE_PLAN = (
    "(p.current_number > 0 AND (p.embargoed_until IS NULL OR p.embargoed_until <= now()) AND (p.audience IN"
    " ('public', 'network') OR p.partnership_id IN (SELECT partnership_id FROM theirs)))"
)


def _listed(shown: str, rows: str, order: str) -> list[str]:
    """The first 25 rows of a list, and their number up to 1,001."""
    return [
        f"WITH {_MY_PARTNERSHIPS} SELECT {shown} FROM {rows} ORDER BY {order} LIMIT 25",
        f"WITH {_MY_PARTNERSHIPS} SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT 1001) found",
    ]


#: By name of the page: the statements that fetch the same rows under the same rights.
BY_HAND: dict[str, list[str]] = {
    "home": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT v.* FROM activity_event v WHERE v.within_kind = 'partnership'"
            " AND v.within_id IN (SELECT partnership_id FROM theirs) ORDER BY v.at DESC, v.id DESC LIMIT 20"
        ),
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT p.* FROM agreements_partnership p"
            " WHERE p.id IN (SELECT partnership_id FROM theirs) ORDER BY p.status_since DESC LIMIT 20"
        ),
        (
            f"WITH {_MINE} SELECT c.* FROM commitments_commitment c WHERE c.owner_organisation_id IN"
            " (SELECT organisation_id FROM mine) AND c.status IN ('agreed', 'in_progress', 'at_risk', 'blocked')"
            " ORDER BY c.due_on LIMIT 10"
        ),
    ],
    "partnerships": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT p.* FROM agreements_partnership p WHERE p.audience = 'network'"
            " OR p.id IN (SELECT partnership_id FROM theirs) ORDER BY p.title, p.id LIMIT 25"
        )
    ],
    "partnership": [
        "SELECT * FROM agreements_partnership WHERE id = %(id)s",
        (
            "SELECT y.*, o.name FROM agreements_party y JOIN organisations_organisation o ON o.id = y.organisation_id"
            " WHERE partnership_id = %(id)s"
        ),
        _TIMELINE,
    ],
    "board": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.is_open AND e.direction = 'ask' AND"
            f" {_READABLE_ENTRY} ORDER BY e.shared_at DESC, e.id DESC LIMIT 20"
        ),
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.is_open AND e.direction = 'offer' AND"
            f" {_READABLE_ENTRY} ORDER BY e.shared_at DESC, e.id DESC LIMIT 20"
        ),
    ],
    "entry": [
        f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.id = %(id)s AND {_READABLE_ENTRY}",
        _TIMELINE,
    ],
    "plan": [
        "SELECT * FROM plans_plan WHERE id = %(id)s",
        "SELECT * FROM plans_version WHERE plan_id = %(id)s AND number = 3",
        "SELECT * FROM plans_planowner WHERE plan_id = %(id)s",
    ],
    "commitments": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT c.* FROM commitments_commitment c WHERE c.partnership_id IN"
            " (SELECT partnership_id FROM theirs) OR c.giver_id IN (SELECT organisation_id FROM mine)"
            " OR c.receiver_id IN (SELECT organisation_id FROM mine) ORDER BY c.due_on, c.id LIMIT 25"
        )
    ],
    "commitment": ["SELECT * FROM commitments_commitment WHERE id = %(id)s", _TIMELINE],
    "conversations": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT c.* FROM conversations_conversation c WHERE EXISTS (SELECT 1 FROM"
            " conversations_side s WHERE s.conversation_id = c.id AND s.organisation_id IN"
            " (SELECT organisation_id FROM mine)) ORDER BY c.held_on DESC, c.id DESC LIMIT 25"
        )
    ],
    "organisation": [
        "SELECT * FROM organisations_organisation WHERE id = %(id)s",
        (
            "SELECT p.* FROM agreements_partnership p JOIN agreements_party y ON y.partnership_id = p.id"
            " WHERE y.organisation_id = %(id)s AND y.status = 'accepted' ORDER BY p.title LIMIT 25"
        ),
        _TIMELINE,
    ],
    "plans": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT p.* FROM plans_plan p WHERE p.current_number > 0 AND (p.audience IN"
            " ('public', 'network') OR p.partnership_id IN (SELECT partnership_id FROM theirs))"
            " ORDER BY p.last_published_at DESC, p.id DESC LIMIT 25"
        )
    ],
    "organisations": _listed("o.*", "organisations_organisation o", "o.name, o.id"),
    "entries": _listed(
        "e.*, o.name, p.title",
        "exchange_entry e JOIN organisations_organisation o ON o.id = e.organisation_id"
        " LEFT JOIN agreements_partnership p ON p.id = e.partnership_id"
        f" WHERE e.shared_at IS NOT NULL AND {_READABLE_ENTRY}",
        "e.shared_at DESC, e.id DESC",
    ),
    "our entries": _listed(
        "e.*",
        "exchange_entry e WHERE e.organisation_id IN (SELECT organisation_id FROM mine)",
        "e.shared_at DESC, e.id DESC",
    ),
    "meetings": _listed(
        "m.*, p.title",
        "conversations_meeting m JOIN agreements_partnership p ON p.id = m.partnership_id"
        " WHERE m.partnership_id IN (SELECT partnership_id FROM theirs)",
        "m.starts_at DESC, m.id DESC",
    ),
    "documents": _listed(
        "d.*, p.title",
        "agreements_document d JOIN agreements_partnership p ON p.id = d.partnership_id"
        " WHERE d.partnership_id IN (SELECT partnership_id FROM theirs)",
        "d.added_at DESC, d.id DESC",
    ),
    "milestones": _listed(
        "m.*, p.title",
        f"plans_milestone m JOIN plans_plan p ON p.id = m.plan_id WHERE NOT m.restricted AND {_READABLE_PLAN}",
        "m.due_by, m.id",
    ),
    "sites": _listed(
        "s.*, p.title",
        f"plans_site s JOIN plans_plan p ON p.id = s.plan_id WHERE NOT s.confidential AND {_READABLE_PLAN}",
        "s.name, s.id",
    ),
    "documents of plans": _listed(
        "d.*, p.title",
        f"plans_document d JOIN plans_plan p ON p.id = d.plan_id WHERE NOT d.restricted AND {_READABLE_PLAN}",
        "d.added_at DESC, d.id DESC",
    ),
    "recommendations": _listed(
        "r.*, s.title, (SELECT count(*) FROM recommendations_response a WHERE a.recommendation_id = r.id)",
        "recommendations_recommendation r JOIN recommendations_source s ON s.id = r.source_id",
        "s.year DESC, s.title, r.position, r.id",
    ),
    "work": [
        (
            f"WITH {_MINE} SELECT c.* FROM commitments_commitment c WHERE c.owner_organisation_id IN"
            " (SELECT organisation_id FROM mine) AND c.status IN ('agreed', 'in_progress', 'at_risk', 'blocked')"
            " ORDER BY c.due_on LIMIT 25"
        ),
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.is_open AND e.partnership_id IN"
            " (SELECT partnership_id FROM theirs) ORDER BY e.shared_at LIMIT 25"
        ),
    ],
}


def pages_of(person: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of one person: address and parameters of the statements by hand, by name."""
    from django.urls import reverse

    from partnerships.agreements.models import Party
    from partnerships.commitments.models import Commitment
    from partnerships.exchange.models import Entry
    from partnerships.organisations.models import Membership
    from partnerships.plans.models import Plan

    if person.is_stakeholder:
        return _pages_by_link(person)
    membership = Membership.objects.filter(person=person).first()
    party = Party.objects.filter(status="accepted", left_at=None)
    if membership:
        party = party.filter(organisation=membership.organisation_id)
    first = party.order_by("pk").values("partnership_id", "organisation_id")[0]
    partnership, organisation = first["partnership_id"], first["organisation_id"]
    entry = Entry.objects.filter(audience="network", is_open=True).order_by("pk")[0].pk
    plan = Plan.objects.filter(audience="public", current_number=3, embargoed_until=None).order_by("-pk")[0].pk
    commitment = Commitment.objects.filter(partnership=partnership).order_by("pk").values_list("pk", flat=True).first()
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "empty": (reverse("people:cookies"), {}),
        "home": (reverse("web:home"), {}),
        "work": (reverse("web:my-work"), {}),
        "partnerships": (reverse("agreements:list"), {}),
        "partnership": (reverse("agreements:detail", args=[partnership]), {"kind": "partnership", "id": partnership}),
        "members": (reverse("agreements:members", args=[partnership]), {}),
        "partnership history": (reverse("agreements:history", args=[partnership]), {}),
        "partnership plans": (reverse("web:partnership-plans", args=[partnership]), {}),
        "partnership commitments": (reverse("web:partnership-commitments", args=[partnership]), {}),
        "partnership conversations": (reverse("web:partnership-conversations", args=[partnership]), {}),
        "board": (reverse("exchange:board"), {}),
        "entries": (reverse("exchange:list"), {}),
        "entry": (reverse("exchange:detail", args=[entry]), {"kind": "entry", "id": entry}),
        "our entries": (reverse("exchange:ours"), {}),
        "matches": (reverse("exchange:matches"), {}),
        "plans": (reverse("plans:list"), {}),
        "plan": (reverse("plans:detail", args=[plan]), {"id": plan}),
        "comparison": (reverse("plans:compare", args=[plan]), {}),
        "plan history": (reverse("plans:history", args=[plan]), {}),
        "commitments": (reverse("commitments:list"), {}),
        "conversations": (reverse("conversations:list"), {}),
        "organisations": (reverse("organisations:list"), {}),
        "organisation": (
            reverse("organisations:detail", args=[organisation]),
            {"kind": "organisation", "id": organisation},
        ),
        "balance": (reverse("web:reciprocity"), {}),
        "brief": (reverse("web:brief", args=[organisation]), {}),
        "meetings": (reverse("conversations:meeting-list"), {}),
        "milestones": (reverse("plans:milestones"), {}),
        "sites": (reverse("plans:sites"), {}),
        "documents": (reverse("agreements:document-list"), {}),
        "documents of plans": (reverse("plans:documents"), {}),
        "recommendations": (reverse("recommendations:list"), {}),
        "recommendations to one body": (reverse("recommendations:of-organisation", args=[organisation]), {}),
        "contacts": (reverse("agreements:contacts"), {}),
        "stakeholders": (reverse("digests:stakeholders"), {}),
        "digests": (reverse("digests:manage"), {}),
        "ledger": (reverse("digests:ledger"), {}),
        "network": (reverse("web:network"), {}),
        "partners": (reverse("web:network-partners", args=[organisation]), {}),
        "search, common word": (reverse("search:search") + "?q=homes", {}),
        "search, rare word": (reverse("search:search") + "?q=drainage", {}),
    }
    if commitment:
        address = reverse("commitments:detail", args=[commitment])
        found["commitment"] = (address, {"kind": "commitment", "id": commitment})
    if person.is_superuser:
        for name in ("organisations_organisation", "agreements_partnership", "people_user", "exchange_entry"):
            found[f"admin {name}"] = (reverse(f"admin:{name}_changelist"), {})
    return found


def _pages_by_link(person: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of somebody without an account, who reads by links from emails."""
    from django.urls import reverse
    from django.utils import timezone

    from partnerships.digests.emails.links import Purpose, make, minute_of
    from partnerships.digests.models import Preference

    preference, _ = Preference.objects.get_or_create(person=person)
    minute, subscription = minute_of(timezone.now()), person.subscriptions.order_by("pk")[0]
    token = make(
        Purpose.PREFERENCES,
        person_id=person.pk,
        link_key=preference.link_key,
        number=subscription.pk,
        minute=minute,
    )
    return {
        "empty": (reverse("people:cookies"), {}),
        "preferences by link": (reverse("digests:preferences", args=[token]), {}),
        "last month by link": (reverse("digests:last-month-by-link", args=[token]), {}),
        "public plan": (reverse("plans:detail", args=[subscription.plan_id]), {"id": subscription.plan_id}),
    }
