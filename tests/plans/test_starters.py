"""A plan of each kind begins with the content of its starter."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import empty_content
from partnerships.plans.models import Draft, Plan, PlanKind
from partnerships.plans.queries import draft_content
from partnerships.plans.starters import is_untouched, section_hint, starter_content, untouched_parts
from tests.plans.drafts import publish, save
from tests.support.signing_in import signed_in
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

        assert all(content[code] for code in ("sections", "outcomes", "milestones", "risks")), kind
        assert all(outcome["measure"] for outcome in content["outcomes"]), kind
        assert all(risk["mitigation"] for risk in content["risks"]), kind
        assert all(section_hint(section["title"]) for section in content["sections"]), kind


def test_every_starter_is_untouched_under_any_title(db: None) -> None:
    for kind in PlanKind.by_code():
        content = starter_content(kind, "Homes first")
        renamed_content = {**content, "about": {**content["about"], "title": "Another title"}}

        assert is_untouched(kind, content), kind
        assert is_untouched(kind, renamed_content), kind


def test_no_starter_is_untouched_after_a_change(db: None) -> None:
    for kind in PlanKind.by_code():
        content = starter_content(kind, "Homes first")
        content_with_summary = {**content, "about": {**content["about"], "summary": "For those in need."}}
        content_without_first_risk = {**content, "risks": content["risks"][1:]}

        assert not is_untouched(kind, content_with_summary), kind
        assert not is_untouched(kind, content_without_first_risk), kind


def test_an_administrator_adds_a_kind_whose_plans_begin_with_its_sections(world: World) -> None:
    dee = signed_in(world.dee)
    amina = signed_in(world.amina)
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


def retire_kind_of_delivery_programmes() -> None:
    """Retire the kind "Delivery programme", so that no new plan can be of it."""
    kind = PlanKind.objects.get(code="delivery")
    kind.active = False
    kind.save()


def test_a_retired_section_is_left_out_of_new_plans(world: World) -> None:
    section = PlanKind.objects.get(code="delivery").parts.get(title="Allocations")
    section.active = False
    section.save()

    sections = starter_content("delivery", "More homes")["sections"]

    assert [section_item["title"] for section_item in sections] == ["Programme", "Land and planning", "Funding"]


def test_a_retired_kind_is_not_offered_in_the_form(world: World) -> None:
    retire_kind_of_delivery_programmes()

    form = signed_in(world.amina).get(reverse("plans:create")).content.decode()

    assert "Delivery programme" not in form


def test_a_new_plan_cannot_be_of_a_retired_kind(world: World) -> None:
    retire_kind_of_delivery_programmes()

    with pytest.raises(services.UnableToCreatePlan, match="no longer offered"):
        plan_with_starter(world)


def test_a_plan_keeps_its_retired_kind(world: World) -> None:
    plan = plan_with_starter(world)

    retire_kind_of_delivery_programmes()

    plan.refresh_from_db()
    assert plan.get_kind_display() == "Delivery programme"


def test_unwritten_starter_cannot_be_published(world: World) -> None:
    plan = plan_with_starter(world)
    save(plan, world, "about", title="Another title")

    with pytest.raises(services.UnableToPublish, match="The draft still has only its starter text"):
        publish(plan, world)


def test_plan_with_untouched_parts_is_not_published_until_the_author_chose(world: World) -> None:
    plan = plan_with_starter(world)
    save(plan, world, "about", summary="Homes for those who have none.")

    with pytest.raises(services.UnableToPublish, match="Keep or remove each one: "):
        publish(plan, world)


def test_starter_is_published_once_the_author_chose_what_to_keep(world: World) -> None:
    plan = plan_with_starter(world)
    save(plan, world, "about", summary="Homes for those who have none.")
    untouched_pieces = untouched_parts(plan.kind, draft_content(plan), empty_content())

    version = publish(plan, world, draft_choices=services.DraftChoices(keep=list(untouched_pieces)))

    assert version.number == 1


def test_publish_page_of_an_unwritten_plan_links_to_the_draft(world: World) -> None:
    plan = plan_with_starter(world)
    amina = signed_in(world.amina)
    address = reverse("plans:publish", kwargs={"pk": plan.pk})

    page_before = amina.get(address).content.decode()
    key = draft_content(plan)["sections"][0]["key"]
    save(plan, world, f"sections/{key}", body="150 homes by 2031.")
    page_after = amina.get(address).content.decode()

    assert "The draft still has only its starter text" in page_before
    assert "Publish version 1" not in page_before
    assert "Back to the draft" in page_before
    assert "Publish version 1" in page_after


class PartlyWrittenPlan(NamedTuple):
    """A plan with a summary and one written milestone; its other milestones and its risks are untouched."""

    plan: Plan
    written_milestone: dict[str, Any]
    untouched_milestones: list[dict[str, Any]]
    untouched_risks: list[dict[str, Any]]

    @property
    def address(self) -> str:
        """Return the address of the page that publishes the plan."""
        return reverse("plans:publish", kwargs={"pk": self.plan.pk})

    @property
    def form_fields(self) -> dict[str, Any]:
        """Return the fields of the page, without choices about untouched parts."""
        return {"note": "First version.", "draft_revision": Draft.objects.get(plan=self.plan).revision}

    def choices(self, *, kept_key: str) -> dict[str, str]:
        """Return the choices to keep the milestone with this key, and to remove all other untouched parts."""
        fields = {f"part_milestones_{milestone['key']}": "out" for milestone in self.untouched_milestones}
        fields |= {f"part_risks_{risk['key']}": "out" for risk in self.untouched_risks}
        return fields | {f"part_milestones_{kept_key}": "keep"}


@pytest.fixture
def partly_written_plan(world: World) -> PartlyWrittenPlan:
    """Return a plan from a starter after Amina wrote its summary and first milestone."""
    plan = plan_with_starter(world)
    content = draft_content(plan)
    written_milestone, *untouched_milestones = content["milestones"]
    save(plan, world, "about", summary="Homes for those who have none.")
    save(plan, world, f"milestones/{written_milestone['key']}", forecast="2027")
    return PartlyWrittenPlan(plan, written_milestone, untouched_milestones, content["risks"])


def test_publish_page_asks_about_each_untouched_milestone_and_risk(
    world: World, partly_written_plan: PartlyWrittenPlan
) -> None:
    form = signed_in(world.amina).get(partly_written_plan.address).content.decode()

    parts_to_choose = [*partly_written_plan.untouched_milestones, *partly_written_plan.untouched_risks]
    assert form.count("Remove it") == len(parts_to_choose)


def test_plan_is_not_published_without_a_choice_about_each_untouched_part(
    world: World, partly_written_plan: PartlyWrittenPlan
) -> None:
    response = signed_in(world.amina).post(partly_written_plan.address, partly_written_plan.form_fields)

    name = partly_written_plan.untouched_milestones[0]["name"]
    assert response.status_code == 422
    assert f"Choose whether to keep or remove “{name}”" in response.content.decode()


def test_untouched_milestones_and_risks_are_published_only_when_kept(
    world: World, partly_written_plan: PartlyWrittenPlan
) -> None:
    kept_milestone = partly_written_plan.untouched_milestones[0]
    choices = partly_written_plan.choices(kept_key=kept_milestone["key"])

    signed_in(world.amina).post(partly_written_plan.address, partly_written_plan.form_fields | choices)

    content = partly_written_plan.plan.versions.get().content
    published_keys = [milestone["key"] for milestone in content["milestones"]]
    assert published_keys == [partly_written_plan.written_milestone["key"], kept_milestone["key"]]
    assert content["risks"] == []


def test_publish_page_does_not_ask_again_about_parts_that_were_kept(
    world: World, partly_written_plan: PartlyWrittenPlan
) -> None:
    amina = signed_in(world.amina)
    choices = partly_written_plan.choices(kept_key=partly_written_plan.untouched_milestones[0]["key"])
    amina.post(partly_written_plan.address, partly_written_plan.form_fields | choices)

    save(partly_written_plan.plan, world, "about", summary="Homes for all.")

    assert "Remove it" not in amina.get(partly_written_plan.address).content.decode()
