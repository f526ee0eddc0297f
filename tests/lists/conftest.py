"""The world of the tests of lists."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments.models import Commitment
from partnerships.digests.services import add_stakeholder
from partnerships.plans.services import attach_document
from tests.commitments.promises import agree, in_days, propose
from tests.conversations.gatherings import a_text_file, planned_meeting
from tests.conversations.talks import circulated_conversation
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import begin, publish
from tests.recommendations.reports import make_recommendation
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Return the usual world."""
    return make_world()


def promises(world: World) -> list[Commitment]:
    """Propose three commitments: two with the same due date, one of them without a quantity, and one for later."""
    due_on = in_days(30)
    return [
        agree(world, text="Cottages.", due_on=due_on),
        propose(world, text="Bungalows.", due_on=due_on, quantity=None, unit=""),
        propose(world, text="=HYPERLINK(1)", due_on=in_days(60)),
    ]


def fill_lists(world: World) -> None:
    """Add at least one row to every list that Amina can open."""
    promises(world)
    shared_entry(world.larkhaven, world.amina, timezone.now())
    plan = begin(world)
    attached = {"title": "Layout", "file": a_text_file(), "restricted": False}
    attach_document(plan=plan, **attached, author=world.amina, now=timezone.now())
    publish(plan, world)
    circulated_conversation(world)
    planned_meeting(world)
    of = {"organisation": world.larkhaven, "author": world.amina, "now": timezone.now()}
    agreements.add_document(partnership=world.partnership, title="Terms", file=a_text_file(), **of)
    post = agreements.create_post(partnership=world.partnership, role="planning", **of)
    agreements.fill_post(
        post=post, contact=agreements.ContactDetails(name="Sam"), reason="New.", author=world.amina, now=timezone.now()
    )
    add_stakeholder(email="sam@panel.example", name="Sam", target=plan, **of)
    make_recommendation(world)
