"""A plan of each kind begins with the content of its starter."""

from __future__ import annotations

from typing import Any

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


every_kind = pytest.mark.parametrize(
    "kind",
    [
        "housing_strategy",
        "local_plan",
        "delivery",
        "regeneration",
        "homelessness",
        "place",
        "allocations",
        "brownfield_land",
    ],
)


def test_every_kind_is_in_these_tests(db: None) -> None:
    tested_kinds = set(every_kind.args[1])

    assert tested_kinds == set(PlanKind.by_code())


@pytest.mark.usefixtures("db")
@every_kind
@pytest.mark.parametrize("part", ["sections", "outcomes", "milestones", "risks"])
def test_starter_has_every_part(kind: str, part: str) -> None:
    content = starter_content(kind, "Homes first")

    assert content[part] != []


@pytest.mark.usefixtures("db")
@every_kind
def test_starter_measures_every_outcome(kind: str) -> None:
    outcomes = starter_content(kind, "Homes first")["outcomes"]

    assert all(outcome["measure"] for outcome in outcomes)


@pytest.mark.usefixtures("db")
@every_kind
def test_starter_mitigates_every_risk(kind: str) -> None:
    risks = starter_content(kind, "Homes first")["risks"]

    assert all(risk["mitigation"] for risk in risks)


@pytest.mark.usefixtures("db")
@every_kind
def test_starter_has_a_hint_for_every_section(kind: str) -> None:
    sections = starter_content(kind, "Homes first")["sections"]

    hints = [section_hint(section["title"]) for section in sections]

    assert all(hints)


@pytest.mark.usefixtures("db")
@every_kind
def test_new_plan_is_untouched(kind: str) -> None:
    content = starter_content(kind, "Homes first")

    untouched = is_untouched(kind, content)

    assert untouched


@pytest.mark.usefixtures("db")
@every_kind
def test_plan_is_untouched_after_only_its_title_changed(kind: str) -> None:
    content = starter_content(kind, "Homes first")
    content["about"]["title"] = "Another title"

    untouched = is_untouched(kind, content)

    assert untouched


@pytest.mark.usefixtures("db")
@every_kind
def test_plan_with_a_summary_is_not_untouched(kind: str) -> None:
    content = starter_content(kind, "Homes first")
    content["about"]["summary"] = "For those in need."

    untouched = is_untouched(kind, content)

    assert not untouched


@pytest.mark.usefixtures("db")
@every_kind
def test_plan_without_one_of_its_risks_is_not_untouched(kind: str) -> None:
    content = starter_content(kind, "Homes first")
    content["risks"].pop(0)

    untouched = is_untouched(kind, content)

    assert not untouched


def add_retrofit_kind(world: World) -> None:
    """Add the kind "Retrofit programme", whose starter has one section, in Django admin as Dee."""
    response = signed_in(world.dee).post(
        reverse("admin:plans_plankind_add"),
        {
            "label": "Retrofit programme",
            "code": "retrofit",
            "position": "80",
            "active": "on",
            "parts-TOTAL_FORMS": "1",
            "parts-INITIAL_FORMS": "0",
            "parts-0-part": "section",
            "parts-0-title": "Homes to retrofit",
            "parts-0-note": "Which homes, and why these first.",
            "parts-0-position": "10",
            "parts-0-active": "on",
        },
    )
    assert response.status_code == 302


def test_kind_that_an_administrator_added_is_offered_in_the_form(world: World) -> None:
    add_retrofit_kind(world)

    form = signed_in(world.amina).get(reverse("plans:create")).content.decode()

    assert "Retrofit programme" in form


def test_plan_of_a_kind_that_an_administrator_added_begins_with_its_sections(world: World) -> None:
    add_retrofit_kind(world)

    content = starter_content("retrofit", "Warm homes")

    assert [section["title"] for section in content["sections"]] == ["Homes to retrofit"]


def test_section_that_an_administrator_added_shows_its_hint(world: World) -> None:
    add_retrofit_kind(world)

    hint = section_hint("Homes to retrofit")

    assert hint == "Which homes, and why these first."


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


def test_publish_page_of_an_unwritten_plan_only_links_to_the_draft(world: World) -> None:
    plan = plan_with_starter(world)

    html = signed_in(world.amina).get(reverse("plans:publish", args=[plan.pk])).content.decode()

    assert "The draft still has only its starter text" in html
    assert "Back to the draft" in html
    assert "Publish version 1" not in html


def test_publish_page_of_a_plan_with_one_written_section_offers_to_publish(world: World) -> None:
    plan = plan_with_starter(world)
    first_section = draft_content(plan)["sections"][0]
    save(plan, world, f"sections/{first_section['key']}", body="150 homes by 2031.")

    html = signed_in(world.amina).get(reverse("plans:publish", args=[plan.pk])).content.decode()

    assert "Publish version 1" in html


@pytest.fixture
def partly_written_plan(world: World) -> Plan:
    """Return a plan from a starter after Amina wrote its summary and its milestone "Funding agreed".

    Three milestones and three risks of the starter are untouched.
    """
    plan = plan_with_starter(world)
    save(plan, world, "about", summary="Homes for those who have none.")
    save(plan, world, "milestones/funding-agreed", forecast="2027")
    return plan


def publish_on_page(plan: Plan, world: World, **choices: str) -> Any:
    """Send the form that publishes the plan, with choices about its untouched parts, as Amina."""
    form = {"note": "First version.", "draft_revision": Draft.objects.get(plan=plan).revision, **choices}
    return signed_in(world.amina).post(reverse("plans:publish", args=[plan.pk]), form)


#: Keep one milestone of the starter of `partly_written_plan`, and remove all its other untouched parts.
KEEP_FIRST_COMPLETION = {
    "part_milestones_first-start-on-site": "out",
    "part_milestones_first-completion": "keep",
    "part_milestones_programme-complete": "out",
    "part_risks_programme-slips": "out",
    "part_risks_costs-rise-beyond-what-is-funded": "out",
    "part_risks_a-contractor-fails": "out",
}


def test_publish_page_asks_about_each_untouched_milestone_and_risk(world: World, partly_written_plan: Plan) -> None:
    html = signed_in(world.amina).get(reverse("plans:publish", args=[partly_written_plan.pk])).content.decode()

    assert html.count("Remove it") == 6


def test_plan_is_not_published_without_a_choice_about_each_untouched_part(
    world: World, partly_written_plan: Plan
) -> None:
    response = publish_on_page(partly_written_plan, world)

    assert response.status_code == 422
    assert "Choose whether to keep or remove “First start on site”" in response.content.decode()


def test_untouched_milestones_are_published_only_when_kept(world: World, partly_written_plan: Plan) -> None:
    publish_on_page(partly_written_plan, world, **KEEP_FIRST_COMPLETION)

    milestones = partly_written_plan.versions.get().content["milestones"]
    assert [milestone["name"] for milestone in milestones] == ["Funding agreed", "First completion"]


def test_untouched_risks_are_not_published_when_removed(world: World, partly_written_plan: Plan) -> None:
    publish_on_page(partly_written_plan, world, **KEEP_FIRST_COMPLETION)

    assert partly_written_plan.versions.get().content["risks"] == []


def test_publish_page_does_not_ask_again_about_parts_that_were_kept(world: World, partly_written_plan: Plan) -> None:
    publish_on_page(partly_written_plan, world, **KEEP_FIRST_COMPLETION)
    save(partly_written_plan, world, "about", summary="Homes for all.")

    html = signed_in(world.amina).get(reverse("plans:publish", args=[partly_written_plan.pk])).content.decode()

    assert "Remove it" not in html
