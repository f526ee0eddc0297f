"""The links of digests received before a pause still open during the pause.

They stop working when the reader or a lead ends the subscription, when the address bounces, or when the reader loses
the right to read.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose
from partnerships.digests.models import Delivery, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox.bounces import release_address, suppress_address
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.digests.test_by_link import act, token
from tests.digests.test_consent import ask
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

CHANGED = "was 120, now 100"


@dataclass(frozen=True)
class Pages:
    """The pages that an email's links open: the digest, and the plan as it was then."""

    email: str
    plan: str

    @property
    def are_without_the_plan(self) -> bool:
        """Return True if neither page mentions the plan."""
        return "Harbour Quarter" not in self.email + self.plan


def pages_of(email: Delivery, plan: Plan) -> Pages:
    """Open both pages of an email, signed out and without cookies."""
    link = token(email.recipient, Purpose.READ, number=email.pk)
    email_page = Client().get(reverse("digests:view", kwargs={"token": link}))
    plan_page = Client().get(reverse("digests:read", kwargs={"token": link, "plan": plan.pk}))
    assert email_page.status_code == 200
    is_closed = "You can no longer see anything in this digest" in email_page.content.decode()
    assert plan_page.status_code == (404 if is_closed else 200)
    return Pages(*(" ".join(page.content.decode().split()) for page in (email_page, plan_page)))


def follow(world: World, target: object) -> Subscription:
    """Add Sol's confirmed subscription, as a stakeholder of Westmarch."""
    return services.add_confirmed_subscription(
        person=world.sol,
        target=target,  # type: ignore[arg-type]  # a plan, partnership or organisation
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )


@pytest.fixture
def sols_subscription(world: World, plan: Plan) -> Subscription:
    """Return Sol's confirmed subscription to the plan."""
    return follow(world, plan)


@pytest.fixture
def received_digest(world: World, plan: Plan, sols_subscription: Subscription, office: PostOffice) -> Delivery:
    """Return the digest that told Sol about the plan's second version."""
    publish(plan, 100, author=world.amina)
    play(office)
    return Delivery.objects.get(recipient=world.sol, kind="digests.digest")


@pytest.mark.parametrize("what", ["plan", "partnership", "larkhaven"])
def test_a_paused_reader_reads_received_digests_but_nothing_new(
    world: World, plan: Plan, office: PostOffice, what: str
) -> None:
    sols_subscription = follow(world, plan if what == "plan" else getattr(world, what))
    publish(plan, 100, author=world.amina)
    play(office)
    received_digest = Delivery.objects.get(recipient=world.sol, kind="digests.digest")
    act(Client(), sols_subscription, "pause")
    publish(plan, 7_707, author=world.amina, note="Fewer still.", summary="Seventy-seven homes.")
    play(office)

    pages = pages_of(received_digest, plan)
    amina = signed_in(world.amina)
    preview_page = amina.get(reverse("digests:preview", kwargs={"pk": world.sol.pk})).content.decode()
    readers_page = amina.get(reverse("digests:who", kwargs={"pk": plan.pk})).content.decode()

    assert CHANGED in pages.email
    assert "Version 1 compared with version 2, published" in collapse(pages.plan)
    for page in (pages.email, pages.plan, preview_page):
        assert "7,707" not in page
        assert "Fewer still" not in page
        assert "Mill Lane canary" not in page
    assert world.sol.display_name not in readers_page
    assert len(office.to(world.sol)) == 1

    act(Client(), sols_subscription, "resume")
    play(office)

    assert "was 100, now 7,707" in text_of(office.to(world.sol)[1])
    assert "now 7,707" not in pages_of(received_digest, plan).email


def test_a_paused_reader_with_an_account_reads_received_digests(world: World, plan: Plan, office: PostOffice) -> None:
    sols_subscription = services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    signed_in(world.ben).post(reverse("digests:change", kwargs={"pk": sols_subscription.pk, "verb": "pause"}))

    pages = pages_of(Delivery.objects.get(recipient=world.ben), plan)

    assert CHANGED in pages.email


@pytest.mark.parametrize("paused", [False, True])
def test_an_ended_subscription_closes_received_digests_paused_or_not(
    world: World, plan: Plan, sols_subscription: Subscription, received_digest: Delivery, *, paused: bool
) -> None:
    if paused:
        act(Client(), sols_subscription, "pause")
    was_open_before = CHANGED in pages_of(received_digest, plan).email

    suppress_address(address=world.sol.email, reason="It came back.", email_id=None, author_id=None, now=timezone.now())
    pages_when_suppressed = pages_of(received_digest, plan)
    release_address(address=world.sol.email, author_id=world.dee.pk, now=timezone.now())
    pages_when_released = pages_of(received_digest, plan)
    ben = signed_in(world.ben)
    ben.post(
        reverse("digests:end-stakeholder", kwargs={"pk": sols_subscription.pk}), {"reason": "He has left the panel."}
    )
    pages_when_ended = pages_of(received_digest, plan)

    assert was_open_before
    assert pages_when_suppressed.are_without_the_plan
    assert CHANGED in pages_when_released.email
    assert Subscription.objects.get().is_ended
    assert pages_when_ended.are_without_the_plan


def test_stopping_after_a_pause_closes_received_digests(
    plan: Plan, sols_subscription: Subscription, received_digest: Delivery
) -> None:
    act(Client(), sols_subscription, "pause")
    act(Client(), sols_subscription, "stop")

    assert pages_of(received_digest, plan).are_without_the_plan


def test_a_reader_asked_again_reads_no_earlier_digest_before_confirming(
    world: World, plan: Plan, sols_subscription: Subscription, received_digest: Delivery
) -> None:
    act(Client(), sols_subscription, "pause")
    services.stop(subscriptions=[sols_subscription], author=None, reason="Ended.", now=timezone.now())
    subscription = ask(world, plan)
    pages_before = pages_of(received_digest, plan)
    services.confirm(subscription=subscription, now=timezone.now())

    assert pages_before.are_without_the_plan
    assert CHANGED in pages_of(received_digest, plan).email


def test_a_digest_not_yet_sent_before_the_pause_cannot_be_read_by_link(
    world: World, plan: Plan, sols_subscription: Subscription, office: PostOffice
) -> None:
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())
    queued_digest = Delivery.objects.get(recipient=world.sol)
    act(Client(), sols_subscription, "pause")
    pages_before = pages_of(queued_digest, plan)
    office.drain()

    queued_digest.refresh_from_db()
    assert pages_before.are_without_the_plan
    assert queued_digest.status == "suppressed"
    assert pages_of(queued_digest, plan).are_without_the_plan
    assert office.sent == []


def test_losing_access_during_a_pause_closes_received_digests(
    world: World, plan: Plan, sols_subscription: Subscription, received_digest: Delivery
) -> None:
    act(Client(), sols_subscription, "pause")
    leave_partnership_as_westmarch(world)
    change_audience(plan=plan, audience="owners", reason="Rethought.", author=world.amina, now=timezone.now())

    assert pages_of(received_digest, plan).are_without_the_plan
