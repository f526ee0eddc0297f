"""Drafts are saved piece by piece without losing anybody's changes."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import get_piece
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import draft_content
from tests.plans.drafts import begin, publish, published_plan, save
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def save_body(plan: Plan, author: User, body: str, based_on: int | None, key: str = "vision") -> Draft:
    """Save the text of a section, based on a revision."""
    return services.save_piece(
        plan=plan,
        piece=f"sections/{key}",
        value={"title": "Vision", "body": body},
        based_on=based_on,
        author=author,
        now=timezone.now(),
    )


def body_of(plan: Plan, key: str = "vision") -> str:
    """Return the text of a section of the draft."""
    return str(get_piece(draft_content(plan), f"sections/{key}")["body"])


def test_new_plan_begins_with_the_starter_of_its_kind(world: World) -> None:
    plan = services.create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Homes first",
        kind="homelessness",
        audience="partnership",
        author=world.amina,
        now=timezone.now(),
    )

    content = draft_content(plan)

    assert content["about"]["title"] == "Homes first"
    assert "Prevention" in [section["title"] for section in content["sections"]]
    assert content["milestones"]


def test_second_person_to_save_a_piece_is_shown_the_first_change(world: World) -> None:
    plan = begin(world)
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)

    with pytest.raises(services.PieceConflict, match="Another person has saved sections/vision") as conflict:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    assert body_of(plan) == "Eddie's words."
    assert conflict.value.theirs["body"] == "Eddie's words."
    assert conflict.value.mine["body"] == "Amina's words."
    assert conflict.value.by == world.eddie.pk


def test_piece_can_be_saved_again_with_the_revision_of_the_conflict(world: World) -> None:
    plan = begin(world)
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    with pytest.raises(services.PieceConflict, match="Another person has saved sections/vision") as conflict:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    save_body(plan, world.amina, "Both our words.", based_on=conflict.value.revision)

    assert body_of(plan) == "Both our words."


def test_changes_to_different_pieces_merge_without_a_conflict(world: World) -> None:
    plan = begin(world)

    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    save_body(plan, world.amina, "Amina's words.", based_on=0, key="inside")

    assert body_of(plan) == "Eddie's words."
    assert body_of(plan, "inside") == "Amina's words."


def test_change_published_since_the_page_was_opened_is_a_conflict(world: World) -> None:
    plan = published_plan(world)
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    publish(plan, world, "Eddie's words.")

    with pytest.raises(services.PieceConflict, match="Another person has saved sections/vision"):
        save_body(plan, world.amina, "Amina's words.", based_on=0)


def test_removed_piece_does_not_come_back_unnoticed(world: World) -> None:
    plan = begin(world)
    services.save_piece(
        plan=plan, piece="sections/vision", value=None, based_on=0, author=world.eddie, now=timezone.now()
    )

    with pytest.raises(services.PieceConflict, match="Another person has saved sections/vision") as conflict:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    assert conflict.value.theirs is None


def test_saving_unchanged_content_changes_nothing(world: World) -> None:
    plan = begin(world)
    save_body(plan, world.eddie, "The same.", based_on=0)

    draft = save_body(plan, world.amina, "The same.", based_on=0)

    assert draft.revision == 1
    assert draft.updated_by == world.eddie


def test_second_person_to_save_sees_both_texts_side_by_side(world: World) -> None:
    plan = begin(world)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sections", "key": "vision"})
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)

    response = signed_in(world.amina).post(address, {"title": "Vision", "body": "Amina's words.", "based_on": "0"})

    html = response.content.decode()
    assert response.status_code == 409
    assert "Eddie Larch saved this while you were editing it" in collapse(html)
    assert html.count("Eddie&#x27;s words.") >= 1
    assert "Amina&#x27;s words." in html
    assert 'name="based_on" value="1"' in html


def test_conflict_on_a_milestone_shows_sites_by_name(world: World) -> None:
    plan = begin(world)
    save(plan, world, "milestones/start", site="secret")
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "milestones", "key": "start"})

    response = signed_in(world.eddie).post(
        address, {"name": "Start on site", "site": "north-quay", "status": "planned", "based_on": "0"}
    )

    table = response.content.decode().partition("Both versions side by side")[2].partition("</table>")[0]
    assert response.status_code == 409
    assert "North Quay" in table
    assert "north-quay" not in table


@pytest.mark.parametrize(("key", "way"), [("inside", "up"), ("vision", "down")])
def test_section_is_moved_past_its_neighbour(world: World, key: str, way: str) -> None:
    plan = begin(world)
    address = reverse("plans:move-item", kwargs={"pk": plan.pk, "code": "sections", "key": key})

    signed_in(world.amina).post(address, {"way": way})

    assert [section["key"] for section in draft_content(plan)["sections"]] == ["inside", "vision"]


def test_discarding_the_draft_restores_the_newest_version(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "about", summary="Something else.")

    services.discard_draft(plan=plan, author=world.amina, reason="A dead end.", now=timezone.now())

    assert draft_content(plan)["about"]["summary"] == "Homes along the estuary."
