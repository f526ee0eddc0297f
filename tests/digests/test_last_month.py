"""The preview shows what the digests of the last month would have said."""

from __future__ import annotations

import datetime as dt

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose
from partnerships.digests.emails.pages import digests_since
from partnerships.plans.models import Plan
from tests.digests.conftest import publish
from tests.digests.test_by_link import token
from tests.support.signing_in import signed_in
from tests.world import World

YESTERDAY = dt.timedelta(days=1)


def test_the_preview_tells_the_net_change_of_plans(world: World, plan: Plan) -> None:
    now = timezone.now()
    for person in (world.ben, world.amina):
        services.subscribe(person=person, target=plan, author=person, now=now)
    publish(plan, 100, author=world.amina)
    publish(plan, 96, author=world.amina, note="And four less.")

    [news] = digests_since(world.ben, now - YESTERDAY, now=timezone.now()).news

    assert news.from_number == 1
    assert news.to_number == 3
    assert any("was 120, now 96" in line.sentence for line in news.lines)
    assert [edition.note for edition in news.editions] == ["And four less.", "Fewer homes after the survey."]
    assert digests_since(world.amina, now - YESTERDAY, now=timezone.now()).news == (), "All of it was her own."


def test_the_preview_leaves_out_plans_that_came_back_to_where_they_were(world: World, plan: Plan) -> None:
    now = timezone.now()
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=now)
    publish(plan, 100, author=world.amina)
    publish(plan, 120, author=world.amina, note="Back again.")

    assert digests_since(world.ben, now - YESTERDAY, now=timezone.now()).news == ()


def test_the_preview_of_a_version_under_embargo_is_for_owners(world: World, plan: Plan) -> None:
    now = timezone.now()
    for person in (world.ben, world.vera):
        services.subscribe(person=person, target=plan, author=person, now=now)
    publish(plan, 100, author=world.amina, embargo_until=now + dt.timedelta(days=3))

    assert digests_since(world.ben, now - YESTERDAY, now=timezone.now()).news == ()
    [news] = digests_since(world.vera, now - YESTERDAY, now=timezone.now()).news
    assert news.to_number == 2
    assert digests_since(world.ben, now + YESTERDAY, now=now + dt.timedelta(days=4)).news[0].from_number == 1


def test_the_page_of_the_last_month_shows_plans_by_link_without_what_is_confidential(world: World, plan: Plan) -> None:
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 100, author=world.amina, hidden=9)
    link = reverse("digests:last-month-by-link", args=[token(world.sol, Purpose.PREFERENCES)])

    pages = {
        "ben": signed_in(world.ben).get(reverse("digests:last-month")).content.decode(),
        "sol": Client().get(link).content.decode(),
    }

    assert all(
        "Harbour Quarter" in page and "None of the changes in the last 30 days" not in page for page in pages.values()
    )
    assert "canary" not in pages["sol"]
