"""Helpers that create, change and publish plans through the services."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import normalise
from partnerships.plans.models import Plan, Version
from partnerships.plans.queries import content_of, draft_content
from tests.world import World

#: This text is in every restricted field. Readers outside must never see it.
CANARY = "heron-among-the-reeds"

CONTENT: dict[str, Any] = {
    "about": {"title": "Estuary delivery programme", "summary": "Homes along the estuary.", "period_start": "2026"},
    "outcomes": ["150 homes by 2031"],
    "sections": [
        {"key": "vision", "title": "Vision", "body": "Build what is *needed*."},
        {"key": "inside", "title": "Negotiations", "body": f"The price is {CANARY}.", "restricted": True},
    ],
    "sites": [
        {
            "key": "north-quay",
            "name": "North Quay",
            "reference": "NQ1",
            "area": "E07000087",
            "planning_authority": "Westmarch Borough Council",
            "lat": 50.85,
            "lng": -1.18,
            "forecast_completion": "2028-06",
            "notes": f"Owner wants {CANARY}.",
            "homes": [{"tenure": "social_rent", "bedrooms": 2, "year": "2027-28", "count": 120}],
        },
        {
            "key": "secret",
            "name": f"Plot {CANARY}",
            "address": f"{CANARY} Lane",
            "confidential": True,
            "homes": [{"tenure": "shared_ownership", "count": 30}],
        },
    ],
    "milestones": [
        {"key": "start", "name": "Start on site", "baseline": "2027-04", "forecast": "2027-04", "site": "north-quay"},
        {"key": "secret-start", "name": f"Start at {CANARY}", "forecast": "2027-09", "site": "secret"},
    ],
    "risks": [{"key": "slip", "title": "Programme slips", "likelihood": 3, "impact": 4, "mitigation": "Meet weekly."}],
}


def begin(world: World, *, audience: str = "partnership", owners: Any = None, **more: Any) -> Plan:
    """Create a plan of Larkhaven in the Estuary Partnership."""
    return services.create_plan(
        owners=owners or [world.larkhaven],
        partnership=more.pop("partnership", world.partnership),
        title=more.pop("title", "Estuary delivery programme"),
        kind="delivery",
        audience=audience,
        author=world.amina,
        now=timezone.now(),
        content=more.pop("content", CONTENT),
        **more,
    )


def publish(plan: Plan, world: World, note: str = "First version.", **more: Any) -> Version:
    """Publish the draft as Amina."""
    return services.publish_version(
        plan=plan, author=more.pop("author", world.amina), note=note, now=more.pop("now", timezone.now()), **more
    )


def published_plan(world: World, **more: Any) -> Plan:
    """Create a plan with version 1."""
    plan = begin(world, **more)
    publish(plan, world)
    plan.refresh_from_db()
    return plan


def save(plan: Plan, world: World, piece: str, **fields: Any) -> None:
    """Save fields of one piece of the draft as Amina."""
    content = draft_content(plan)
    code, _slash, key = piece.partition("/")
    item = content["about"] if code == "about" else next(item for item in content[code] if item["key"] == key)
    services.save_piece(
        plan=plan, piece=piece, value={**item, **fields}, based_on=None, author=world.amina, now=timezone.now()
    )


def fewer_homes(plan: Plan, world: World, count: int = 100) -> None:
    """Set the number of homes at North Quay in the draft."""
    save(
        plan,
        world,
        "sites/north-quay",
        homes=[{"tenure": "social_rent", "bedrooms": 2, "year": "2027-28", "count": count}],
    )


def ask_signatures(plan: Plan, world: World, **more: Any) -> Plan:
    """Ask Larkhaven and Westmarch to sign."""
    return services.request_sign_off(
        plan=plan,
        signatories=[(world.larkhaven, "Chief executive"), (world.westmarch, "Director of housing")],
        due_on=more.pop("due_on", None),
        author=world.amina,
        now=more.pop("now", timezone.now()),
    )


def content(plan: Plan, number: int) -> dict[str, Any]:
    """Return the content of a version, normalised."""
    return normalise(content_of(plan, number))


def plan_awaiting_signatures(world: World, **more: Any) -> Plan:
    """Return a published plan that is waiting for Larkhaven and Westmarch to sign."""
    plan = published_plan(world)
    ask_signatures(plan, world, **more)
    plan.refresh_from_db()
    return plan
