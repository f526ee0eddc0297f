"""A confidential site that was removed stays secret, with its milestones."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import Content, clean_up_milestones, content_for_outside, normalise
from partnerships.plans.models import Milestone, Plan
from partnerships.plans.queries import draft_content
from tests.plans.drafts import CANARY, content, publish, published_plan, save
from tests.plans.test_reading import FORMATS
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def remove_and_publish(plan: Plan, world: World, key: str) -> None:
    """Remove a sold site from the plan, and publish the change."""
    services.save_piece(
        plan=plan, piece=f"sites/{key}", value=None, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Sold.")


@pytest.mark.parametrize("address", FORMATS)
def test_milestones_of_a_removed_confidential_site_stay_hidden_in_all_formats(world: World, address: str) -> None:
    plan = published_plan(world, audience="network")

    remove_and_publish(plan, world, "secret")

    assert CANARY not in signed_in(world.chidi).get(address.format(plan.get_absolute_url())).content.decode()
    assert CANARY not in str(plan.versions.get(number=2).figures["outside"])
    assert not Milestone.objects.visible_to(world.chidi).filter(plan=plan, key="secret-start").exists()
    assert Milestone.objects.visible_to(world.ben).filter(plan=plan, key="secret-start").exists()


def test_new_site_of_the_same_name_does_not_reveal_the_confidential_one(world: World) -> None:
    plan = published_plan(world, audience="network")
    remove_and_publish(plan, world, "secret")

    services.save_piece(
        plan=plan, piece="sites/secret", value={"name": "Plot"}, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Another plot.")

    assert CANARY not in str(content_for_outside(content(plan, 3)))


def test_confidential_site_removed_by_an_import_keeps_its_milestones_hidden(world: World) -> None:
    plan = published_plan(world, audience="network")
    imported_content = content(plan, 1)
    imported_content["sites"] = [site for site in imported_content["sites"] if site["key"] != "secret"]

    services.publish_version(
        plan=plan, author=None, note="From the file.", now=timezone.now(), content=imported_content
    )

    assert CANARY not in str(content_for_outside(content(plan, 2)))


def test_milestones_of_a_removed_open_site_stay_in_the_plan(world: World) -> None:
    plan = published_plan(world, audience="network")

    remove_and_publish(plan, world, "north-quay")

    start = next(item for item in content(plan, 2)["milestones"] if item["key"] == "start")
    assert start["site"] == ""
    assert not start["restricted"]
    assert Milestone.objects.visible_to(world.chidi).filter(plan=plan, key="start").exists()


def test_page_to_remove_a_site_says_what_happens_to_its_milestones(world: World) -> None:
    plan = published_plan(world)

    html = signed_in(world.amina).get(f"{plan.get_absolute_url()}draft/sites/secret/remove/").content.decode()

    assert "1 milestone stays in the plan, for the owners and partners only" in collapse(html)


def test_milestone_of_an_unknown_site_is_shown_only_to_readers_inside() -> None:
    content_with_unknown_site: Content = normalise({"milestones": [{"name": "Start", "site": "nowhere"}]})

    assert content_for_outside(content_with_unknown_site)["milestones"] == []
    assert clean_up_milestones(content_with_unknown_site, normalise({}))["milestones"][0]["restricted"]


def test_milestone_of_a_site_that_stays_is_not_changed(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", summary="Both banks.")

    draft = draft_content(plan)

    assert clean_up_milestones(draft, draft) is draft
