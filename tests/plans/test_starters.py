"""Starters: what a new plan of each kind begins with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import empty
from partnerships.plans.models import Draft, Plan, PlanKind
from partnerships.plans.queries import draft_content
from partnerships.plans.starters import hint_for, is_untouched, starter, untouched_parts
from tests.plans.drafts import publish, save
from tests.world import World


def plan_with_starter(world: World, title: str = "Homes first") -> Plan:
    """A delivery programme that Amina created from its starter."""
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
        content = starter(kind, "Homes first")

        assert all(content[code] for code in ("sections", "outcomes", "milestones", "risks"))
        assert all(outcome["measure"] for outcome in content["outcomes"])
        assert all(risk["mitigation"] for risk in content["risks"])
        assert all(hint_for(section["title"]) for section in content["sections"])
        assert is_untouched(kind, content)
        assert is_untouched(kind, {**content, "about": {**content["about"], "title": "Another title"}})
        assert not is_untouched(kind, {**content, "about": {**content["about"], "summary": "For those in need."}})
        assert not is_untouched(kind, {**content, "risks": content["risks"][1:]})


def test_an_administrator_adds_a_kind_whose_plans_begin_with_its_sections(
    world: World, as_: Callable[[User], Client]
) -> None:
    dee, amina = as_(world.dee), as_(world.amina)
    kind = {"label": "Retrofit programme", "code": "retrofit", "position": "80", "active": "on"}
    empty = {"parts-TOTAL_FORMS": "1", "parts-INITIAL_FORMS": "0"}
    part = {"parts-0-part": "section", "parts-0-title": "Homes to retrofit", "parts-0-position": "10"}
    part |= {"parts-0-note": "Which homes, and why these first.", "parts-0-active": "on"}

    added = dee.post(reverse("admin:plans_plankind_add"), kind | empty | part)
    form = amina.get(reverse("plans:create")).content.decode()
    sections = [section["title"] for section in starter("retrofit", "Warm homes")["sections"]]

    assert added.status_code == 302
    assert "Retrofit programme" in form
    assert sections == ["Homes to retrofit"]
    assert hint_for("Homes to retrofit") == "Which homes, and why these first."


def test_a_retired_kind_and_a_retired_section_are_not_offered(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_starter(world)
    kind = PlanKind.objects.get(code="delivery")
    section = kind.parts.get(title="Allocations")
    section.active = False
    section.save()
    shortened = [one["title"] for one in starter("delivery", "More homes")["sections"]]
    kind.active = False
    kind.save()

    form = as_(world.amina).get(reverse("plans:create")).content.decode()

    assert shortened == ["Programme", "Land and planning", "Funding"]
    assert "Delivery programme" not in form
    assert plan.get_kind_display() == "Delivery programme"
    with pytest.raises(services.UnableToCreatePlan, match="no longer offered"):
        plan_with_starter(world)


def test_unwritten_starter_cannot_be_published(world: World) -> None:
    plan = plan_with_starter(world)
    save(plan, world, "about", title="Another title")

    with pytest.raises(services.UnableToPublish, match="Nothing has been written yet"):
        publish(plan, world)

    save(plan, world, "about", summary="Homes for those who have none.")
    with pytest.raises(services.UnableToPublish, match="Keep or remove each one: "):
        publish(plan, world)
    begun_with = untouched_parts(plan.kind, draft_content(plan), empty())
    assert publish(plan, world, draft_choices=services.DraftChoices(keep=list(begun_with))).number == 1


def test_publish_page_of_an_unwritten_plan_links_to_the_draft(world: World, as_: Callable[[User], Client]) -> None:
    plan = plan_with_starter(world)
    amina = as_(world.amina)
    address = reverse("plans:publish", kwargs={"pk": plan.pk})

    before = amina.get(address).content.decode()
    key = draft_content(plan)["sections"][0]["key"]
    save(plan, world, f"sections/{key}", body="150 homes by 2031.")
    after = amina.get(address).content.decode()

    assert "Nothing has been written yet" in before
    assert "Publish version 1" not in before
    assert "Back to the draft" in before
    assert "Publish version 1" in after


def test_untouched_milestones_and_risks_are_published_only_when_kept(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = plan_with_starter(world)
    milestones, risks = (draft_content(plan)[code] for code in ("milestones", "risks"))
    save(plan, world, "about", summary="Homes for those who have none.")
    save(plan, world, f"milestones/{milestones[0]['key']}", forecast="2027")
    amina = as_(world.amina)
    address = reverse("plans:publish", kwargs={"pk": plan.pk})
    asked = len(milestones) - 1 + len(risks)
    sent = {"note": "First version.", "draft_revision": Draft.objects.get(plan=plan).revision}

    form = amina.get(address).content.decode()
    unanswered = amina.post(address, sent)
    parts = [f"milestones_{milestone['key']}" for milestone in milestones[1:]] + [
        f"risks_{risk['key']}" for risk in risks
    ]
    answers = {f"part_{part}": "out" for part in parts} | {f"part_{parts[0]}": "keep"}
    amina.post(address, sent | answers)

    assert form.count("Remove it") == asked
    assert unanswered.status_code == 422
    assert f"Keep “{milestones[1]['name']}” or remove it" in unanswered.content.decode()
    version = plan.versions.get()
    assert [one["key"] for one in version.content["milestones"]] == [milestone["key"] for milestone in milestones[:2]]
    assert version.content["risks"] == []
    save(plan, world, "about", summary="Homes for all.")
    assert "Remove it" not in amina.get(address).content.decode()
