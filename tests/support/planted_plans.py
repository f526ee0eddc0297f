"""Plans with a marked word in every private field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from partnerships.digests import services as digests
from partnerships.plans import services as plans
from partnerships.plans.models import Plan, Share
from tests.support.planted import DRAFTERS, PARTNERS, REGISTERS, Planted
from tests.world import World


def plan_content(planted: Planted, name: str, readers: Iterable[str], inside: Iterable[str]) -> dict[str, Any]:
    """Return the content of a plan, with words for all its `readers`, and words only for those `inside`."""
    all_readers = tuple(readers)
    insiders = tuple(inside)
    return {
        "about": {
            "title": planted.word(f"{name} title", *all_readers, *REGISTERS),
            "summary": planted.word(f"{name} summary", *all_readers),
        },
        "outcomes": [planted.word(f"{name} outcome", *all_readers)],
        "sections": [
            {"key": "vision", "title": "Vision", "body": planted.word(f"{name} section", *all_readers)},
            {
                "key": "inside",
                "title": planted.word(f"{name} restricted title", *insiders),
                "body": planted.word(f"{name} restricted", *insiders),
                "restricted": True,
            },
        ],
        "sites": [
            {
                "key": "quay",
                "name": planted.word(f"{name} site", *all_readers),
                "lat": 50.85,
                "lng": -1.18,
                "homes": [{"tenure": "social_rent", "bedrooms": 2, "year": "2027-28", "count": 120}],
            },
            {
                "key": "secret",
                "name": planted.word(f"{name} confidential", *insiders),
                "notes": planted.word(f"{name} confidential notes", *insiders),
                "confidential": True,
                "homes": [{"tenure": "shared_ownership", "count": 30}],
            },
        ],
        "milestones": [
            {
                "key": "start",
                "name": planted.word(f"{name} milestone", *all_readers),
                "forecast": "2027-04",
                "site": "quay",
            },
            {
                "key": "hidden",
                "name": planted.word(f"{name} hidden step", *insiders),
                "forecast": "2027-09",
                "site": "secret",
            },
        ],
        "risks": [{"key": "slip", "title": planted.word(f"{name} risk", *all_readers), "likelihood": 3, "impact": 4}],
    }


def _create_plan(
    planted: Planted, world: World, name: str, *, audience: str, readers: Iterable[str], inside: Iterable[str]
) -> Plan:
    """Create a plan of Larkhaven in the partnership, with words in its content."""
    content = plan_content(planted, name, readers, inside)
    return plans.create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title=content["about"]["title"],
        kind="delivery",
        audience=audience,
        author=world.amina,
        now=timezone.now(),
        content=content,
    )


def _publish(plan: Plan, world: World, note: str) -> None:
    """Publish the plan as Amina."""
    plans.publish_version(plan=plan, author=world.amina, note=note, now=timezone.now())
    plan.refresh_from_db()


def _save_summary(plan: Plan, world: World, summary: str) -> None:
    """Save a summary in the plan's draft."""
    plans.save_piece(
        plan=plan,
        piece="about",
        value={"title": plan.title, "summary": summary},
        based_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def plant_plans(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in plans for the partnership, for the network and without a version, and in what belongs to them."""
    followers = (*PARTNERS, "stakeholder")
    everybody = (*PARTNERS, "stranger", "left", "shared", "share_ended", "administrator", "stakeholder")
    partnership_plan = _create_plan(planted, world, "kept", audience="partnership", readers=followers, inside=PARTNERS)
    _publish(partnership_plan, world, planted.word("kept note", *followers))
    network_plan = _create_plan(planted, world, "wide", audience="network", readers=everybody, inside=PARTNERS)
    _publish(network_plan, world, "For everybody.")
    for plan, name in ((partnership_plan, "kept"), (network_plan, "wide")):
        plans.add_comment(
            plan=plan,
            version_number=0,
            text=planted.word(f"{name} draft comment", *DRAFTERS),
            author=world.eddie,
            now=now,
        )
    plans.add_comment(
        plan=partnership_plan, version_number=1, text=planted.word("kept comment", *PARTNERS), author=world.ben, now=now
    )
    _plant_shared_draft(planted, world, now)
    _plant_requests(planted, world, partnership_plan, now)
    _subscribe_stakeholder(world, partnership_plan, now)

    _save_summary(partnership_plan, world, planted.word("kept second", *followers))
    _publish(partnership_plan, world, planted.word("second note", *followers))
    for plan, name in ((partnership_plan, "kept"), (network_plan, "wide")):
        _save_summary(plan, world, planted.word(f"{name} next", *DRAFTERS))


def _plant_shared_draft(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in a plan without a version, whose draft is shared with one person, and was with another."""
    plan = _create_plan(
        planted, world, "drafted", audience="partnership", readers=(*DRAFTERS, "shared"), inside=DRAFTERS
    )
    for person, persona in ((world.nadia, "shared"), (world.oscar, "share_ended")):
        plans.share_draft(
            plan=plan,
            email=person.email,
            may_comment=True,
            message=planted.word(f"message {persona}", *DRAFTERS, persona),
            ends_on=None,
            author=world.amina,
            now=now,
        )
    # The email was written while the share was valid.
    planted.in_emails[world.oscar.email] = [plan.title]
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Share.objects.filter(plan=plan, person=world.oscar).update(ends_on=yesterday)


def _plant_requests(planted: Planted, world: World, plan: Plan, now: dt.datetime) -> None:
    """Plant words in a request for access and in an offer of ownership."""
    plans.ask_for_access(
        partnership=world.partnership,
        about=planted.word("asked about", *PARTNERS),
        message=planted.word("asked message", *PARTNERS),
        author=world.ben,
        now=now,
    )
    plans.offer_ownership(
        plan=plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        message=planted.word("offer message", "lead", "partner"),
        author=world.amina,
        now=now,
    )


def _subscribe_stakeholder(world: World, plan: Plan, now: dt.datetime) -> None:
    """Let Sol follow the plan."""
    subscription = digests.add_stakeholder(
        email=world.sol.email,
        name="Sol",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=now,
    )
    digests.confirm(subscription=subscription, now=now)
