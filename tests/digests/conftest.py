"""Fixtures and helpers for tests of digests: a world with a plan, and a mail server that collects its emails."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any, cast

import pytest
from django.utils import timezone

from partnerships.digests.emails import rendering, selecting, subjects
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox import answers
from partnerships.outbox.draining import DrainResult, drain
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version
from partnerships.plans.services import create_plan, publish_version
from tests.support.kept_rows import build_once
from tests.world import World, make_world


@dataclass
class PostOffice:
    """A mail server that accepts every message, unless `answers` has other answers for an address.

    `answers` has, for each address, the answers to the next attempts. `sent` has the emails that arrived.
    """

    sent: list[answers.Outgoing] = field(default_factory=list)
    answers: dict[str, list[answers.Answer]] = field(default_factory=dict)

    def send(self, messages: Iterable[answers.Outgoing], while_waiting: object = None) -> Iterator[answers.Answer]:
        for message in messages:
            if _is_from_another_room(message):
                yield answers.Answer(message.key, answers.Outcome.ACCEPTED)
                continue
            next_answers = self.answers.get(message.recipient)
            if next_answers:
                answer = next_answers.pop(0)
                # An email in doubt has arrived, although the sender does not know this.
                if answer.outcome is answers.Outcome.ACCEPTED or answer.in_doubt:
                    self.sent.append(message)
                yield replace(answer, key=message.key)
                continue
            self.sent.append(message)
            yield answers.Answer(message.key, answers.Outcome.ACCEPTED)

    def close(self) -> None:
        """Do nothing, because there is no connection to close."""

    def drain(self) -> DrainResult:
        """Send all due emails through this server."""
        return drain(seconds=120, connect=lambda: self)

    def to(self, person: User) -> list[EmailMessage]:
        """Return the emails that this person received, oldest first."""
        return [read(outgoing.data) for outgoing in self.sent if outgoing.recipient == person.email]


def _is_from_another_room(message: answers.Outgoing) -> bool:
    """Return True if an email comes from another room. A header identifies digests without a query."""
    if b"\r\nList-Id: " in message.data:
        return False
    kind = Email.objects.filter(pk=message.key).values_list("kind", flat=True).first()
    return kind is not None and not kind.startswith("digests.")


def read(data: bytes) -> EmailMessage:
    """Parse a message, as an email app does."""
    return cast(EmailMessage, email.message_from_bytes(data, policy=email.policy.default))


def text_of(message: EmailMessage) -> str:
    """Return the plain text part of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(cast(EmailMessage, part).get_content())


def html_of(message: EmailMessage) -> str:
    """Return the HTML part of a message."""
    part = message.get_body(("html",))
    assert part is not None
    return str(cast(EmailMessage, part).get_content())


def quay(homes: int, **more: Any) -> dict[str, Any]:
    """Return the content of a small plan: an open site with this many social homes, a confidential site, a milestone.

    `summary`, `hidden` (the homes on the confidential site) and `start` (of the milestone) may be given; other keys are
    added to the content.
    """
    return {
        "about": {"summary": more.pop("summary", "Homes by the water.")},
        "sites": [
            {"key": "north-quay", "name": "North Quay", "homes": [{"tenure": "social_rent", "count": homes}]},
            {
                "key": "mill-lane",
                "name": "Mill Lane canary",
                "confidential": True,
                "homes": [{"tenure": "social_rent", "count": more.pop("hidden", 7)}],
            },
        ],
        "milestones": [{"key": "start", "name": "Start on site", "forecast": more.pop("start", "2027-04")}],
        **more,
    }


def publish(
    plan: Plan,
    homes: int,
    *,
    author: User,
    note: str = "Fewer homes after the survey.",
    now: dt.datetime | None = None,
    embargo_until: dt.datetime | None = None,
    **more: Any,
) -> Version:
    """Publish the small plan with this many homes."""
    return publish_version(
        plan=plan,
        author=author,
        note=note,
        content=quay(homes, **more),
        embargo_until=embargo_until,
        now=now or timezone.now(),
    )


@pytest.fixture
def office() -> PostOffice:
    """Return a mail server that accepts everything."""
    return PostOffice()


@pytest.fixture(autouse=True)
def fresh(settings: Any) -> None:
    """Clear the caches of rendered emails, and send digests without waiting for further changes."""
    settings.DIGEST_SETTLE_MINUTES = 0
    selecting.clear_cache()
    subjects.clear_cache()
    rendering.clear_caches()


@pytest.fixture
def world(db: None) -> World:
    """Return the small world with Larkhaven's plan in the Estuary Partnership, published with 120 homes."""
    return build_once(with_plan)


def with_plan() -> World:
    """Create the small world with Larkhaven's plan, published two days ago with 120 homes and spread to followers."""
    world = make_world()
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Harbour Quarter",
        kind="delivery",
        audience="partnership",
        author=world.amina,
        now=world.now,
    )
    world.things["plan"] = plan
    publish(plan, 120, author=world.amina, note="First version.", now=timezone.now() - dt.timedelta(days=2))
    plan_round(now=timezone.now())
    return world


@pytest.fixture
def plan(world: World) -> Plan:
    """Return the plan "Harbour Quarter"."""
    plan: Plan = world.things["plan"]
    plan.refresh_from_db()
    return plan


def play(office: PostOffice, *, now: dt.datetime | None = None) -> DrainResult:
    """Choose whose digests are due, and send them, as the sweep does; returns the counts of emails by outcome."""
    plan_round(now=now or timezone.now())
    return office.drain()


@pytest.fixture
def public_plan(world: World) -> Plan:
    """Return the public plan "Open Quay"."""
    return open_plan(world)


def open_plan(world: World) -> Plan:
    """Create a public plan of Larkhaven, published yesterday with 50 homes."""
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=None,
        title="Open Quay",
        kind="delivery",
        audience="public",
        author=world.amina,
        now=world.now,
    )
    publish(plan, 50, author=world.amina, note="First version.", now=timezone.now() - dt.timedelta(days=1))
    return plan
