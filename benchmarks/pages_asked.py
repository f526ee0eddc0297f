"""The pages that benchmarks/pages.py requests."""

from __future__ import annotations

from typing import Any

#: The people for whom pages are measured. Their addresses are `<name>@country.example`.
READERS = ("lead", "authority", "editor", "stakeholder", "administrator")


def pages_of(person: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the pages of one person by name, each with its address and the parameters of its handwritten SQL."""
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
    within = {"kind": "partnership", "id": partnership}
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "empty": (reverse("people:cookies"), {}),
        "home": (reverse("web:home"), {}),
        "work": (reverse("web:my-work"), {}),
        "partnerships": (reverse("agreements:list"), {}),
        "partnership": (reverse("agreements:detail", args=[partnership]), within),
        "members": (reverse("agreements:members", args=[partnership]), within),
        "partnership history": (reverse("agreements:history", args=[partnership]), within),
        "partnership plans": (reverse("web:partnership-plans", args=[partnership]), within),
        "partnership commitments": (reverse("web:partnership-commitments", args=[partnership]), within),
        "partnership conversations": (reverse("web:partnership-conversations", args=[partnership]), within),
        "board": (reverse("exchange:board"), {}),
        "entries": (reverse("exchange:list"), {}),
        "entry": (reverse("exchange:detail", args=[entry]), {"kind": "entry", "id": entry}),
        "our entries": (reverse("exchange:ours"), {}),
        "matches": (reverse("exchange:matches"), {}),
        "plans": (reverse("plans:list"), {}),
        "plan": (reverse("plans:detail", args=[plan]), {"id": plan}),
        "comparison": (reverse("plans:compare", args=[plan]), {"kind": "plan", "id": plan}),
        "plan history": (reverse("plans:history", args=[plan]), {"kind": "plan", "id": plan}),
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
        "recommendations to one body": (
            reverse("recommendations:of-organisation", args=[organisation]),
            {"id": organisation},
        ),
        "contacts": (reverse("agreements:contacts"), {}),
        "stakeholders": (reverse("digests:stakeholders"), {}),
        "digests": (reverse("digests:manage"), {}),
        "ledger": (reverse("digests:ledger"), {}),
        "network": (reverse("web:network"), {}),
        "partners": (reverse("web:network-partners", args=[organisation]), {"id": organisation}),
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
    """Return the pages of a person without an account, who opens them by links from emails."""
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
        record_id=subscription.pk,
        minute=minute,
    )
    return {
        "empty": (reverse("people:cookies"), {}),
        "preferences by link": (reverse("digests:preferences", args=[token]), {}),
        "last month by link": (reverse("digests:last-month-by-link", args=[token]), {}),
        "public plan": (reverse("plans:detail", args=[subscription.plan_id]), {"id": subscription.plan_id}),
    }
