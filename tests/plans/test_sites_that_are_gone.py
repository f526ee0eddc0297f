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


@pytest.fixture
def plan_without_its_confidential_site(world: World) -> Plan:
    """Return a plan for the network, which lost its confidential site in version 2."""
    plan = published_plan(world, audience="network")
    remove_and_publish(plan, world, "secret")
    return plan


@pytest.mark.parametrize("template", FORMATS)
def test_milestones_of_a_removed_confidential_site_stay_hidden_in_all_formats(
    world: World, plan_without_its_confidential_site: Plan, template: str
) -> None:
    address = template.format(plan_without_its_confidential_site.get_absolute_url())

    text = signed_in(world.chidi).get(address).content.decode()

    assert CANARY not in text


def test_figures_for_readers_outside_do_not_name_a_removed_confidential_site(
    plan_without_its_confidential_site: Plan,
) -> None:
    figures = plan_without_its_confidential_site.versions.get(number=2).figures

    assert CANARY not in str(figures["outside"])


@pytest.mark.parametrize(("name", "sees"), [("ben", True), ("chidi", False)])
def test_milestones_of_a_removed_confidential_site_are_for_readers_inside(
    world: World, plan_without_its_confidential_site: Plan, name: str, sees: bool
) -> None:
    person = getattr(world, name)

    milestones = Milestone.objects.visible_to(person).filter(
        plan=plan_without_its_confidential_site, key="secret-start"
    )

    assert milestones.exists() == sees


def test_new_site_with_the_same_key_does_not_reveal_the_confidential_one(
    world: World, plan_without_its_confidential_site: Plan
) -> None:
    plan = plan_without_its_confidential_site
    services.save_piece(
        plan=plan, piece="sites/secret", value={"name": "Plot"}, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Another plot.")

    content_outside = content_for_outside(content(plan, 3))

    assert CANARY not in str(content_outside)


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


@pytest.fixture
def content_with_unknown_site() -> Content:
    """Return a content with a milestone at a site that does not exist."""
    return normalise({"milestones": [{"name": "Start", "site": "nowhere"}]})


def test_milestone_of_an_unknown_site_is_not_shown_to_readers_outside(content_with_unknown_site: Content) -> None:
    content_outside = content_for_outside(content_with_unknown_site)

    assert content_outside["milestones"] == []


def test_milestone_of_an_unknown_site_becomes_restricted(content_with_unknown_site: Content) -> None:
    cleaned_content = clean_up_milestones(content_with_unknown_site, normalise({}))

    assert cleaned_content["milestones"][0]["restricted"]


def test_milestone_of_a_site_that_stays_is_not_changed(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", summary="Both banks.")
    draft = draft_content(plan)

    cleaned_draft = clean_up_milestones(draft, draft)

    assert cleaned_draft is draft
