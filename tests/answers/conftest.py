"""Fixtures and helpers for tests of answers: a digest that the stakeholder Sol received, and its links."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.models import Answer
from partnerships.digests import services as digests
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, Preference
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, fresh, office, plan, play, public_plan, publish, text_of, world
from tests.support.signing_in import signed_in
from tests.world import World

__all__ = ["fresh", "office", "plan", "public_plan", "signed_in", "text_of", "world"]


@pytest.fixture
def digest(world: World, plan: Plan, office: PostOffice) -> Delivery:
    """Return a digest of version 2 that Sol received, who follows Larkhaven's plan."""
    digests.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 96, author=world.amina)
    play(office)
    return Delivery.objects.get(recipient=world.sol, kind="digests.digest")


@pytest.fixture
def bearer() -> Client:
    """Return a browser without cookies that enforces CSRF checks."""
    return Client(enforce_csrf_checks=True)


def read_token(person: User, delivery: Delivery) -> str:
    """Return the token of the links to read this digest."""
    key = Preference.objects.get(person=person).link_key
    return make(
        Purpose.READ, person_id=person.pk, link_key=key, record_id=delivery.pk, minute=minute_of(timezone.now())
    )


def page(digest: Delivery, plan: Plan, name: str = "by-link", **more: int) -> str:
    """Return the address of a page behind the link in Sol's digest."""
    token = read_token(digest.recipient, digest)
    return reverse(f"answers:{name}", kwargs={"token": token, "plan": plan.pk, **more})


def form_token(html: str) -> str:
    """Return the token in the first form of a page."""
    match = re.search(r'name="form" value="([^"]+)"', html)
    assert match is not None
    return match[1]


def send(browser: Client, address: str, *, opened: str = "", **data: str) -> Any:
    """Open a page as a person does, and send the form on it or on `opened`."""
    html = browser.get(opened or address).content.decode()
    return browser.post(address, {"form": form_token(html), **data})


def add_comment_by_link(world: World, text: str = "Please keep the trees.", **more: Any) -> Answer:
    """Add a comment of Sol's on version 2, as the link allows, and return the comment."""
    return services.comment_by_link(
        person=world.sol,
        plan=world.things["plan"],
        version_number=2,
        text=text,
        key=uuid.uuid4(),
        now=timezone.now(),
        **more,
    )
