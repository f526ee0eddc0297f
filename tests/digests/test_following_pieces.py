"""People can follow one site or milestone of a plan, one ask or one commitment."""

from __future__ import annotations

from typing import Any

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


def test_a_follower_of_a_site_hears_only_of_that_site(world: World, plan: Plan, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=Piece(plan, "sites/north-quay"), author=world.ben, now=timezone.now())

    publish(plan, 120, author=world.amina, start="2028-01")
    play(office)

    assert office.to(world.ben) == []

    publish(plan, 90, author=world.amina, start="2029-01")
    play(office)

    [message] = office.to(world.ben)
    text = " ".join(text_of(message).split())
    assert "North Quay" in text
    assert "Start on site" not in text


def test_following_the_plan_too_tells_everything(world: World, plan: Plan, office: PostOffice) -> None:
    for target in (Piece(plan, "sites/north-quay"), plan):
        services.subscribe(person=world.ben, target=target, author=world.ben, now=timezone.now())

    publish(plan, 90, author=world.amina, start="2029-01")
    play(office)

    [message] = office.to(world.ben)
    assert "Start on site" in text_of(message)


def test_the_page_of_a_site_offers_to_follow_it(world: World, plan: Plan) -> None:
    browser = signed_in(world.ben)
    address = reverse("digests:follow-piece", args=[plan.pk, "sites", "north-quay"])

    assert "Follow this site" in browser.get(address).content.decode()
    browser.post(address)

    subscription = Subscription.objects.get(person=world.ben, key="sites/north-quay")
    assert subscription.is_confirmed
    page = browser.get(reverse("digests:manage")).content.decode()
    assert "North Quay in Harbour Quarter" in page


def test_a_piece_that_is_not_there_is_not_found(world: World, plan: Plan) -> None:
    browser = signed_in(world.ben)

    for piece in (("sites", "nowhere"), ("sections", "intro"), ("homes", "north-quay")):
        assert browser.get(reverse("digests:follow-piece", args=[plan.pk, *piece])).status_code == 404


def test_stopping_the_emails_about_a_plan_stops_its_pieces(world: World, plan: Plan) -> None:
    services.subscribe(person=world.ben, target=Piece(plan, "sites/north-quay"), author=world.ben, now=timezone.now())

    services.stop_chosen(
        person=world.ben, chosen=Stoppable(had_any=True, plans=(plan,)), reason="Enough.", now=timezone.now()
    )

    assert not Subscription.objects.live().filter(person=world.ben).exists()


def test_a_commitment_is_followed_from_its_page(world: World) -> None:
    commitment = propose(world)
    browser = signed_in(world.ben)
    address = reverse("commitments:detail", args=[commitment.pk])

    assert "Follow this commitment" in browser.get(address).content.decode()
    browser.post(reverse("digests:subscribe", args=["commitment", commitment.pk]))

    assert Subscription.objects.get(person=world.ben, commitment=commitment).is_confirmed
    assert "You follow this" in browser.get(address).content.decode()


def test_what_a_follower_hears_is_chosen_in_the_list(world: World, plan: Plan) -> None:
    subscription = services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    browser = signed_in(world.ben)

    browser.post(
        reverse("digests:change", args=[subscription.pk, "frequency"]), {"frequency": "weekly", "hears": "dates"}
    )
    answer: Any = browser.post(
        reverse("digests:change", args=[subscription.pk, "frequency"]), {"frequency": "weekly", "hears": "nonsense"}
    )

    subscription.refresh_from_db()
    assert subscription.frequency == "weekly"
    assert subscription.hears == "dates"
    assert answer.status_code == 302
    assert browser.get(reverse("digests:last-month") + "?hears=own").status_code == 200
