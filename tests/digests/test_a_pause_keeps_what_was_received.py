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


def follow_plan(world: World, plan: Plan) -> Subscription:
    """Let Sol follow the plan."""
    return follow(world, plan)


def follow_partnership(world: World, plan: Plan) -> Subscription:
    """Let Sol follow the partnership of the plan."""
    return follow(world, world.partnership)


def follow_owner(world: World, plan: Plan) -> Subscription:
    """Let Sol follow Larkhaven, which owns the plan."""
    return follow(world, world.larkhaven)


@dataclass(frozen=True)
class Pause:
    """Sol's digest from before a pause, and the paused subscription."""

    received_digest: Delivery
    subscription: Subscription


@pytest.fixture(params=[follow_plan, follow_partnership, follow_owner], ids=lambda follow_it: follow_it.__name__)
def pause(request: pytest.FixtureRequest, world: World, plan: Plan, office: PostOffice) -> Pause:
    """Pause after a digest about version 2, and publish version 3 of the plan during the pause."""
    subscription = request.param(world, plan)
    publish(plan, 100, author=world.amina)
    play(office)
    received_digest = Delivery.objects.get(recipient=world.sol, kind="digests.digest")
    act(Client(), subscription, "pause")
    publish(plan, 7_707, author=world.amina, note="Fewer still.", summary="Seventy-seven homes.")
    play(office)
    return Pause(received_digest, subscription)


def test_a_paused_reader_still_reads_received_digests(plan: Plan, pause: Pause) -> None:
    pages = pages_of(pause.received_digest, plan)

    assert CHANGED in pages.email
    assert "Version 1 compared with version 2, published" in collapse(pages.plan)


def test_no_page_of_a_paused_reader_shows_what_is_new(world: World, plan: Plan, pause: Pause) -> None:
    pages = pages_of(pause.received_digest, plan)
    preview_page = signed_in(world.amina).get(reverse("digests:preview", kwargs={"pk": world.sol.pk})).content.decode()

    for page in (pages.email, pages.plan, preview_page):
        assert "7,707" not in page
        assert "Fewer still" not in page
        assert "Mill Lane canary" not in page


@pytest.mark.usefixtures("pause")
def test_a_paused_reader_is_not_listed_as_a_reader_and_gets_no_email(
    world: World, plan: Plan, office: PostOffice
) -> None:
    readers_page = signed_in(world.amina).get(reverse("digests:who", kwargs={"pk": plan.pk})).content.decode()

    assert world.sol.display_name not in readers_page
    assert len(office.to(world.sol)) == 1


def test_a_reader_gets_what_is_new_once_the_pause_ends(
    world: World, plan: Plan, office: PostOffice, pause: Pause
) -> None:
    act(Client(), pause.subscription, "resume")

    play(office)

    assert "was 100, now 7,707" in text_of(office.to(world.sol)[1])
    assert "now 7,707" not in pages_of(pause.received_digest, plan).email


def test_a_paused_reader_with_an_account_reads_received_digests(world: World, plan: Plan, office: PostOffice) -> None:
    sols_subscription = services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    signed_in(world.ben).post(reverse("digests:change", kwargs={"pk": sols_subscription.pk, "verb": "pause"}))

    pages = pages_of(Delivery.objects.get(recipient=world.ben), plan)

    assert CHANGED in pages.email


@pytest.fixture(params=["confirmed", "paused"])
def subscription_with_digest(
    request: pytest.FixtureRequest, sols_subscription: Subscription, received_digest: Delivery
) -> Subscription:
    """Return Sol's subscription, with a digest that he received while it was confirmed."""
    if request.param == "paused":
        act(Client(), sols_subscription, "pause")
    return sols_subscription


@pytest.mark.usefixtures("subscription_with_digest")
def test_a_received_digest_is_open_before_its_subscription_ends(plan: Plan, received_digest: Delivery) -> None:
    assert CHANGED in pages_of(received_digest, plan).email


@pytest.mark.usefixtures("subscription_with_digest")
def test_a_received_digest_is_closed_while_the_address_is_suppressed(
    world: World, plan: Plan, received_digest: Delivery
) -> None:
    suppress_address(address=world.sol.email, reason="It came back.", email_id=None, author_id=None, now=timezone.now())

    assert pages_of(received_digest, plan).are_without_the_plan


@pytest.mark.usefixtures("subscription_with_digest")
def test_a_received_digest_is_open_again_once_the_address_is_released(
    world: World, plan: Plan, received_digest: Delivery
) -> None:
    suppress_address(address=world.sol.email, reason="It came back.", email_id=None, author_id=None, now=timezone.now())

    release_address(address=world.sol.email, author_id=world.dee.pk, now=timezone.now())

    assert CHANGED in pages_of(received_digest, plan).email


def test_a_received_digest_is_closed_once_a_lead_ends_the_subscription(
    world: World, plan: Plan, subscription_with_digest: Subscription, received_digest: Delivery
) -> None:
    end_url = reverse("digests:end-stakeholder", kwargs={"pk": subscription_with_digest.pk})

    signed_in(world.ben).post(end_url, {"reason": "He has left the panel."})

    subscription_with_digest.refresh_from_db()
    assert subscription_with_digest.is_ended
    assert pages_of(received_digest, plan).are_without_the_plan


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
