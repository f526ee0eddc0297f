"""A confidential site stays so after it is gone: nothing of it is told by its milestones, in any format."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import Content, normalise, outside, settle_milestones
from partnerships.plans.models import Milestone, Plan
from partnerships.plans.queries import draft_content
from tests.plans.drafts import CANARY, content, publish, published, save
from tests.plans.test_reading import FORMATS
from tests.support.pages import collapse
from tests.world import World


def without(plan: Plan, world: World, key: str) -> None:
    """A site is sold and leaves the plan."""
    services.save_piece(
        plan=plan, piece=f"sites/{key}", value=None, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Sold.")


@pytest.mark.parametrize("address", FORMATS)
def test_no_format_tells_outsiders_of_the_milestones_of_a_confidential_site_that_is_gone(
    world: World, as_: Callable[[User], Client], address: str
) -> None:
    plan = published(world, audience="network")

    without(plan, world, "secret")

    assert CANARY not in as_(world.chidi).get(address.format(plan.get_absolute_url())).content.decode()
    assert CANARY not in str(plan.versions.get(number=2).figures["outside"])
    assert not Milestone.objects.visible_to(world.chidi).filter(plan=plan, key="secret-start").exists()
    assert Milestone.objects.visible_to(world.ben).filter(plan=plan, key="secret-start").exists()


def test_a_new_site_with_the_same_name_tells_nothing_of_the_confidential_one(world: World) -> None:
    plan = published(world, audience="network")
    without(plan, world, "secret")

    services.save_piece(
        plan=plan, piece="sites/secret", value={"name": "Plot"}, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Another plot.")

    assert CANARY not in str(outside(content(plan, 3)))


def test_a_confidential_site_taken_out_by_an_import_keeps_its_milestones_secret(world: World) -> None:
    plan = published(world, audience="network")
    imported = content(plan, 1)
    imported["sites"] = [site for site in imported["sites"] if site["key"] != "secret"]

    services.publish_version(plan=plan, author=None, note="From the file.", now=timezone.now(), content=imported)

    assert CANARY not in str(outside(content(plan, 2)))


def test_a_site_that_everybody_knew_leaves_its_milestones_to_the_plan(world: World) -> None:
    plan = published(world, audience="network")

    without(plan, world, "north-quay")

    start = next(item for item in content(plan, 2)["milestones"] if item["key"] == "start")
    assert (start["site"], start["restricted"]) == ("", False)
    assert Milestone.objects.visible_to(world.chidi).filter(plan=plan, key="start").exists()


def test_the_page_that_removes_a_site_says_what_becomes_of_its_milestones(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = published(world)

    page = as_(world.amina).get(f"{plan.get_absolute_url()}draft/sites/secret/remove/").content.decode()

    assert "1 milestone stays in the plan, for the owners and the partners only" in collapse(page)


def test_a_milestone_whose_site_nobody_knows_is_kept_inside() -> None:
    lost: Content = normalise({"milestones": [{"name": "Start", "site": "nowhere"}]})

    assert outside(lost)["milestones"] == []
    assert settle_milestones(lost, normalise({}))["milestones"][0]["restricted"]


def test_a_milestone_of_a_site_that_stays_is_left_alone(world: World) -> None:
    plan = published(world)
    save(plan, world, "about", summary="Both banks.")

    draft = draft_content(plan)

    assert settle_milestones(draft, draft) is draft
