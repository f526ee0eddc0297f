"""A plan of each kind begins with the content of its starter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import empty_content
from partnerships.plans.models import Draft, Plan, PlanKind
from partnerships.plans.queries import draft_content
from partnerships.plans.starters import is_untouched, section_hint, starter_content, untouched_parts
from tests.plans.drafts import publish, save
from tests.world import World


def plan_with_starter(world: World, title: str = "Homes first") -> Plan:
    """Create a delivery programme from its starter, as Amina."""
    return services.create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title=title,
        kind="delivery",
        audience="partnership",
        author=world.amina,
        now=timezone.now(),
    )


def test_every_starter_has_sections_outcomes_milestones_and_risks(db: None) -> None:
    for kind in PlanKind.by_code():
        content = starter_content(kind, "Homes first")

        assert all(content[code] for code in ("sections", "outcomes", "milestones", "risks"))
        assert all(outcome["measure"] for outcome in content["outcomes"])
        assert all(risk["mitigation"] for risk in content["risks"])
        assert all(section_hint(section["title"]) for section in content["sections"])
        assert is_untouched(kind, content)
        assert is_untouched(kind, {**content, "about": {**content["about"], "title": "Another title"}})
        assert not is_untouched(kind, {**content, "about": {**content["about"], "summary": "For those in need."}})
        assert not is_untouched(kind, {**content, "risks": content["risks"][1:]})


def test_an_administrator_adds_a_kind_whose_plans_begin_with_its_sections(
    world: World, as_: Callable[[User], Client]
) -> None:
    dee = as_(world.dee)
    amina = as_(world.amina)
    kind = {"label": "Retrofit programme", "code": "retrofit", "position": "80", "active": "on"}
    formset_data = {"parts-TOTAL_FORMS": "1", "parts-INITIAL_FORMS": "0"}
    part = {"parts-0-part": "section", "parts-0-title": "Homes to retrofit", "parts-0-position": "10"}
    part |= {"parts-0-note": "Which homes, and why these first.", "parts-0-active": "on"}

    response = dee.post(reverse("admin:plans_plankind_add"), kind | formset_data | part)
    form = amina.get(reverse("plans:create")).content.decode()
    sections = [section["title"] for section in starter_content("retrofit", "Warm homes")["sections"]]

    assert response.status_code == 302
    assert "Retrofit programme" in form
    assert sections == ["Homes to retrofit"]
    assert section_hint("Homes to retrofit") == "Which homes, and why these first."


def test_a_retired_kind_and_a_retired_section_are_not_offered(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_starter(world)
    kind = PlanKind.objects.get(code="delivery")
    section = kind.parts.get(title="Allocations")
    section.active = False
    section.save()
    section_titles = [section_item["title"] for section_item in starter_content("delivery", "More homes")["sections"]]
    kind.active = False
    kind.save()

    form = as_(world.amina).get(reverse("plans:create")).content.decode()

    assert section_titles == ["Programme", "Land and planning", "Funding"]
    assert "Delivery programme" not in form
    assert plan.get_kind_display() == "Delivery programme"
    with pytest.raises(services.UnableToCreatePlan, match="no longer offered"):
        plan_with_starter(world)


def test_unwritten_starter_cannot_be_published(world: World) -> None:
    plan = plan_with_starter(world)
    save(plan, world, "about", title="Another title")

    with pytest.raises(services.UnableToPublish, match="The draft still has only its starter text"):
        publish(plan, world)

    save(plan, world, "about", summary="Homes for those who have none.")
    with pytest.raises(services.UnableToPublish, match="Keep or remove each one: "):
        publish(plan, world)
    untouched_pieces = untouched_parts(plan.kind, draft_content(plan), empty_content())
    assert publish(plan, world, draft_choices=services.DraftChoices(keep=list(untouched_pieces))).number == 1


def test_publish_page_of_an_unwritten_plan_links_to_the_draft(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_starter(world)
    amina = as_(world.amina)
    address = reverse("plans:publish", kwargs={"pk": plan.pk})

    page_before = amina.get(address).content.decode()
    key = draft_content(plan)["sections"][0]["key"]
    save(plan, world, f"sections/{key}", body="150 homes by 2031.")
    page_after = amina.get(address).content.decode()

    assert "The draft still has only its starter text" in page_before
    assert "Publish version 1" not in page_before
    assert "Back to the draft" in page_before
    assert "Publish version 1" in page_after


def test_untouched_milestones_and_risks_are_published_only_when_kept(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = plan_with_starter(world)
    milestones, risks = (draft_content(plan)[code] for code in ("milestones", "risks"))
    save(plan, world, "about", summary="Homes for those who have none.")
    save(plan, world, f"milestones/{milestones[0]['key']}", forecast="2027")
    amina = as_(world.amina)
    address = reverse("plans:publish", kwargs={"pk": plan.pk})
    choice_count = len(milestones) - 1 + len(risks)
    data = {"note": "First version.", "draft_revision": Draft.objects.get(plan=plan).revision}

    form = amina.get(address).content.decode()
    incomplete_response = amina.post(address, data)
    parts = [f"milestones_{milestone['key']}" for milestone in milestones[1:]] + [
        f"risks_{risk['key']}" for risk in risks
    ]
    answers = {f"part_{part}": "out" for part in parts} | {f"part_{parts[0]}": "keep"}
    amina.post(address, data | answers)

    assert form.count("Remove it") == choice_count
    assert incomplete_response.status_code == 422
    assert f"Choose whether to keep or remove “{milestones[1]['name']}”" in incomplete_response.content.decode()
    version = plan.versions.get()
    assert [item["key"] for item in version.content["milestones"]] == [milestone["key"] for milestone in milestones[:2]]
    assert version.content["risks"] == []
    save(plan, world, "about", summary="Homes for all.")
    assert "Remove it" not in amina.get(address).content.decode()
