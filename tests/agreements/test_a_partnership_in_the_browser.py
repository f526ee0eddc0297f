"""A partnership is compared, renewed, handed over and ended in a real browser."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from partnerships.agreements.models import Partnership, Post, Status
from partnerships.agreements.tasks import act_on_dates
from partnerships.commitments.models import Commitment
from partnerships.digests.services import subscribe
from partnerships.organisations.models import Membership, Role
from partnerships.outbox.models import Email
from tests.agreements.signing import propose_change
from tests.agreements.test_dates import days, renew_with_dates
from tests.agreements.test_posts import create_post_of, fill
from tests.agreements.test_terms_in_the_browser import looks_right
from tests.commitments.promises import agree
from tests.support.browser import click_to_next_page, sign_in
from tests.support.terms import agree_terms, put_up, sign_all
from tests.world import World, join, make_world, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def active(transactional_db: None) -> World:
    """Return the world, with an Estuary Partnership whose terms were signed and amended."""
    world = make_world()
    agree_terms(world.partnership, world.amina, ends_on=days(200).isoformat())
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, text="We meet every quarter."), world.ben))
    return world


def change_status(page: Any, address: str, choice: str, reason: str) -> None:
    """Choose a status on the page `address`, and give the reason."""
    page.goto(address)
    page.get_by_label(choice).check()
    page.get_by_label("Reason").fill(reason)
    click_to_next_page(page.get_by_role("button", name="Change status"))


def test_two_versions_are_compared_and_the_partnership_is_renewed(page: Any, live_server: Any, active: World) -> None:
    world, origin = active, live_server.url
    fill(create_post_of(world, "finance", title="Treasurer"), world.eddie)
    sign_in(page, origin, world.amina.email)

    # The words that changed between two versions stand side by side.
    page.goto(origin + reverse("agreements:terms-compare", args=[world.partnership.pk]))
    expect(page.locator("ins").first).to_contain_text("every quarter")
    looks_right(page)

    # Under review, then renewed: the successor has the terms, the parties and the posts.
    status_page = origin + reverse("agreements:status", args=[world.partnership.pk])
    change_status(page, status_page, "Under review", "Its third year is over.")
    change_status(page, status_page, "Renew it", "It worked.")
    expect(page.get_by_text("The successor has been created")).to_be_visible()
    successor = Partnership.objects.get(redefines=world.partnership)
    page.goto(origin + reverse("agreements:people", args=[successor.pk]))
    expect(page.get_by_text("Treasurer").first).to_be_visible()
    expect(page.get_by_text(world.eddie.display_name).first).to_be_visible()
    looks_right(page)


def test_a_lead_leaves_and_nothing_is_orphaned(page: Any, live_server: Any, active: World) -> None:
    world, origin = active, live_server.url
    lara = person("Lara Larch", "lara@larkhaven.example")
    join(lara, world.larkhaven, Role.LEAD, world.now)
    fill(create_post_of(world, "lead"), lara)
    promise = agree(world)
    Commitment.objects.filter(pk=promise.pk).update(owner=lara)
    subscribe(person=lara, target=world.partnership, author=lara, now=world.now)
    membership = Membership.objects.get(person=lara)
    sign_in(page, origin, world.amina.email)

    # What Lara holds is shown before she goes; nobody takes it over at once.
    page.goto(origin + reverse("organisations:member-end", args=[world.larkhaven.pk, membership.pk]))
    expect(page.get_by_role("heading", name="What Lara Larch is responsible for")).to_be_visible()
    looks_right(page)
    page.get_by_label("Reason").fill("A new job.")
    click_to_next_page(page.get_by_role("button", name="End membership"))

    # Everything is on one page, and handed over there.
    handover_page = origin + reverse("organisations:without-owner", args=[world.larkhaven.pk])
    page.goto(handover_page)
    looks_right(page)
    for label in ("Commitments", "Followed", "Posts"):
        section = page.locator("form").filter(has=page.get_by_text(label, exact=True))
        section.get_by_label("Who takes over?").select_option(label=world.eddie.display_name)
        section.get_by_label("Reason").fill("Lara left.")
        section.get_by_role("button", name="Hand over records").click()
        expect(page.get_by_text(f"1 record handed over to {world.eddie.display_name}")).to_be_visible()
        page.goto(handover_page)
    expect(page.get_by_text("Everything has an owner")).to_be_visible()
    promise.refresh_from_db()
    assert promise.owner == world.eddie
    assert not Post.objects.vacant_on(timezone.localdate()).exists()


def test_by_the_clock_a_partnership_warns_ends_and_shows_its_gap(
    page: Any, live_server: Any, transactional_db: None
) -> None:
    world = make_world()
    origin = live_server.url
    renew_with_dates(world, ends=days(10), starts=days(16))
    estuary = origin + world.partnership.get_absolute_url()

    # A week before the end it warns, by email and in My work.
    with time_machine.travel(timezone.now() + dt.timedelta(days=3)):
        act_on_dates()
        assert Email.objects.filter(kind="agreements.dates_ahead", person_id=world.amina.pk).exists()
        sign_in(page, origin, world.amina.email)
        page.goto(origin + reverse("web:my-work"))
        expect(page.get_by_text(world.partnership.title).first).to_be_visible()
        looks_right(page)
        page.context.clear_cookies()

    # The day after, it has ended, before any job has run; the gap is in words.
    with time_machine.travel(timezone.now() + dt.timedelta(days=11)):
        sign_in(page, origin, world.amina.email)
        page.goto(estuary)
        expect(page.get_by_text("Ended", exact=True).first).to_be_visible()
        expect(page.get_by_text("5 days without cover").first).to_be_visible()
        looks_right(page)
        act_on_dates()
        world.partnership.refresh_from_db()
        assert world.partnership.status == Status.ENDED
