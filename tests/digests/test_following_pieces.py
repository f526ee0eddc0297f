"""People can follow one site or milestone of a plan, one ask or one commitment."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Piece
from partnerships.digests.queries.stoppable import Stoppable
from partnerships.plans.models import Plan
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.support.signing_in import signed_in
from tests.world import World


def follow_north_quay(world: World, plan: Plan) -> None:
    """Let Ben follow the site North Quay of the plan."""
    services.subscribe(person=world.ben, target=Piece(plan, "sites/north-quay"), author=world.ben, now=timezone.now())


def test_a_follower_of_a_site_gets_no_email_about_other_changes(world: World, plan: Plan, office: PostOffice) -> None:
    follow_north_quay(world, plan)

    publish(plan, 120, author=world.amina, start="2028-01")
    play(office)

    assert office.to(world.ben) == []


def test_email_to_a_follower_of_a_site_leaves_out_other_changes(world: World, plan: Plan, office: PostOffice) -> None:
    follow_north_quay(world, plan)

    publish(plan, 90, author=world.amina, start="2029-01")
    play(office)

    [message] = office.to(world.ben)
    text = " ".join(text_of(message).split())
    assert "North Quay" in text
    assert "Start on site" not in text


def test_a_follower_of_a_site_and_its_plan_gets_all_changes(world: World, plan: Plan, office: PostOffice) -> None:
    follow_north_quay(world, plan)
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())

    publish(plan, 90, author=world.amina, start="2029-01")
    play(office)

    [message] = office.to(world.ben)
    assert "Start on site" in text_of(message)


def test_a_site_is_followed_from_its_page(world: World, plan: Plan) -> None:
    browser = signed_in(world.ben)
    address = reverse("digests:follow-piece", args=[plan.pk, "sites", "north-quay"])
    page_to_follow = browser.get(address).content.decode()

    browser.post(address)

    page_of_choices = browser.get(reverse("digests:manage")).content.decode()
    assert "Follow this site" in page_to_follow
    assert Subscription.objects.get(person=world.ben, key="sites/north-quay").is_confirmed
    assert "North Quay in Harbour Quarter" in page_of_choices


@pytest.mark.parametrize(
    ("kind", "key"),
    [("sites", "nowhere"), ("sections", "intro"), ("homes", "north-quay")],
    ids=["unknown site", "kind that cannot be followed", "unknown kind"],
)
def test_no_page_offers_to_follow_a_piece_that_does_not_exist(world: World, plan: Plan, kind: str, key: str) -> None:
    response = signed_in(world.ben).get(reverse("digests:follow-piece", args=[plan.pk, kind, key]))

    assert response.status_code == 404


def test_stopping_the_emails_about_a_plan_stops_its_pieces(world: World, plan: Plan) -> None:
    follow_north_quay(world, plan)

    services.stop_chosen(
        person=world.ben, chosen=Stoppable(had_any=True, plans=(plan,)), reason="Enough.", now=timezone.now()
    )

    assert not Subscription.objects.live().filter(person=world.ben).exists()


def test_a_commitment_is_followed_from_its_page(world: World) -> None:
    commitment = propose(world)
    browser = signed_in(world.ben)
    address = reverse("commitments:detail", args=[commitment.pk])
    page_to_follow = browser.get(address).content.decode()

    browser.post(reverse("digests:subscribe", args=["commitment", commitment.pk]))

    page_to_stop = browser.get(address).content.decode()
    assert "Follow this commitment" in page_to_follow
    assert Subscription.objects.get(person=world.ben, commitment=commitment).is_confirmed
    assert "You follow this" in page_to_stop


@pytest.fixture
def subscription_to_partnership(world: World) -> Subscription:
    """Return Ben's subscription to the Estuary Partnership."""
    return services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())


def test_a_follower_chooses_which_changes_an_email_has(world: World, subscription_to_partnership: Subscription) -> None:
    address = reverse("digests:change", args=[subscription_to_partnership.pk, "frequency"])

    signed_in(world.ben).post(address, {"frequency": "weekly", "hears": "dates"})

    subscription_to_partnership.refresh_from_db()
    assert subscription_to_partnership.frequency == "weekly"
    assert subscription_to_partnership.hears == "dates"


def test_an_unknown_choice_of_changes_is_ignored(world: World, subscription_to_partnership: Subscription) -> None:
    browser = signed_in(world.ben)
    address = reverse("digests:change", args=[subscription_to_partnership.pk, "frequency"])
    browser.post(address, {"frequency": "weekly", "hears": "dates"})

    response = browser.post(address, {"frequency": "weekly", "hears": "nonsense"})

    subscription_to_partnership.refresh_from_db()
    assert response.status_code == 302
    assert subscription_to_partnership.frequency == "weekly"
    assert subscription_to_partnership.hears == "dates"


@pytest.mark.usefixtures("plan", "subscription_to_partnership")
def test_last_month_opens_with_a_choice_of_changes(world: World) -> None:
    response = signed_in(world.ben).get(reverse("digests:last-month") + "?hears=own")

    assert response.status_code == 200
