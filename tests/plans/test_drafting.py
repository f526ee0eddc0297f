"""Drafts are saved piece by piece: two people who edit lose nothing, and nobody overwrites what they have not seen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import get_piece
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import draft_content
from partnerships.plans.services import drafting
from tests.plans.drafts import begin, publish, published, save
from tests.world import World, make_world


def save_body(plan: Plan, author: User, body: str, based_on: int | None, key: str = "vision") -> Draft:
    """Somebody saves a section whose revision they saw."""
    return services.save_piece(
        plan=plan,
        piece=f"sections/{key}",
        value={"title": "Vision", "body": body},
        based_on=based_on,
        author=author,
        now=timezone.now(),
    )


def body_of(plan: Plan, key: str = "vision") -> str:
    return str(get_piece(draft_content(plan), f"sections/{key}")["body"])


def test_a_plan_begins_with_what_plans_of_its_kind_hold(world: World) -> None:
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


def test_the_second_of_two_who_save_the_same_piece_is_shown_the_first(world: World) -> None:
    plan = begin(world)

    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    with pytest.raises(services.PieceConflict) as caught:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    assert body_of(plan) == "Eddie's words."
    assert caught.value.theirs["body"] == "Eddie's words."
    assert caught.value.mine["body"] == "Amina's words."
    assert caught.value.by == world.eddie.pk
    save_body(plan, world.amina, "Both our words.", based_on=caught.value.revision)
    assert body_of(plan) == "Both our words."


def test_different_pieces_merge_silently(world: World) -> None:
    plan = begin(world)

    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    save_body(plan, world.amina, "Amina's words.", based_on=0, key="inside")

    assert (body_of(plan), body_of(plan, "inside")) == ("Eddie's words.", "Amina's words.")


def test_what_was_published_meanwhile_is_a_conflict_too(world: World) -> None:
    plan = published(world)
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)
    publish(plan, world, "Eddie's words.")

    with pytest.raises(services.PieceConflict):
        save_body(plan, world.amina, "Amina's words.", based_on=0)


def test_a_removed_piece_is_not_brought_back_unseen(world: World) -> None:
    plan = begin(world)
    services.save_piece(
        plan=plan, piece="sections/vision", value=None, based_on=0, author=world.eddie, now=timezone.now()
    )

    with pytest.raises(services.PieceConflict) as caught:
        save_body(plan, world.amina, "Amina's words.", based_on=0)

    assert caught.value.theirs is None


def test_saving_what_is_there_already_changes_nothing(world: World) -> None:
    plan = begin(world)
    save_body(plan, world.eddie, "The same.", based_on=0)

    draft = save_body(plan, world.amina, "The same.", based_on=0)

    assert draft.revision == 1
    assert draft.updated_by == world.eddie


@pytest.mark.django_db
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["vision", "inside"]),
            st.booleans(),
            st.text(st.sampled_from("abc"), min_size=1, max_size=2),
        ),
        max_size=12,
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_loading_and_saving_loses_a_change(world: World, steps: list[tuple[int, str, bool, str]]) -> None:
    plan = begin(world)
    people = [world.amina, world.eddie, world.amina]
    seen: dict[tuple[int, str], int] = {}
    accepted = {"vision": body_of(plan), "inside": body_of(plan, "inside")}
    revision = {"vision": 0, "inside": 0}

    for who, key, loads, words in steps:
        if loads:
            seen[who, key] = Draft.objects.get(plan=plan).revision_of(f"sections/{key}")
            continue
        based_on = seen.get((who, key), 0)
        fresh = based_on >= revision[key]
        unchanged = words == accepted[key]
        try:
            draft = services.save_piece(
                plan=plan,
                piece=f"sections/{key}",
                value={**get_piece(draft_content(plan), f"sections/{key}"), "body": words},
                based_on=based_on,
                author=people[who],
                now=timezone.now(),
            )
        except services.PieceConflict:
            assert not fresh
            assert not unchanged
        else:
            assert fresh or unchanged
            accepted[key], revision[key] = words, draft.revision_of(f"sections/{key}")
        assert {part: body_of(plan, part) for part in accepted} == accepted


def _all_at_once(plan: Plan, world: World, count: int) -> list[str]:
    """So many people save a section each in the same moment; give what the draft holds after."""
    start = threading.Barrier(count)

    def work(number: int) -> None:
        try:
            start.wait()
            services.save_piece(
                plan=plan,
                piece=f"sections/part-{number}",
                value={"title": f"Part {number}"},
                based_on=0,
                author=world.amina,
                now=timezone.now(),
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [section["key"] for section in draft_content(plan)["sections"] if section["key"].startswith("part-")]


@pytest.mark.django_db(transaction=True)
def test_eight_people_who_save_in_the_same_moment_lose_nothing() -> None:
    world = make_world()
    plan = begin(world)

    kept = _all_at_once(plan, world, 8)

    assert sorted(kept) == [f"part-{number}" for number in range(8)]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_same_moment_does_lose_something(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    plan = begin(world)
    together = threading.Barrier(4)
    real: Callable[..., Any] = drafting.set_piece

    def slowly(*args: Any) -> Any:
        together.wait(timeout=10)
        return real(*args)

    monkeypatch.setattr(drafting, "lock_plan", lambda plan: Plan.objects.get(pk=plan.pk))
    monkeypatch.setattr(drafting, "set_piece", slowly)
    kept = _all_at_once(plan, world, 4)

    assert len(kept) < 4


def test_the_second_of_two_sees_both_texts_side_by_side_in_the_page(
    world: World, as_: Callable[[User], Client]
) -> None:
    plan = begin(world)
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sections", "key": "vision"})
    save_body(plan, world.eddie, "Eddie's words.", based_on=0)

    answer = as_(world.amina).post(address, {"title": "Vision", "body": "Amina's words.", "based_on": "0"})

    assert answer.status_code == 409
    words = answer.content.decode()
    assert "Eddie Larch saved this while you were editing it" in words
    assert words.count("Eddie&#x27;s words.") >= 1
    assert "Amina&#x27;s words." in words
    assert 'name="based_on" value="1"' in words


def test_pieces_are_moved_up_and_down(world: World, as_: Callable[[User], Client]) -> None:
    plan = begin(world)

    as_(world.amina).post(
        reverse("plans:move-item", kwargs={"pk": plan.pk, "code": "sections", "key": "inside"}), {"way": "up"}
    )

    assert [section["key"] for section in draft_content(plan)["sections"]] == ["inside", "vision"]


def test_discarding_the_draft_goes_back_to_the_newest_version(world: World) -> None:
    plan = published(world)
    save(plan, world, "about", summary="Something else.")

    services.discard_draft(plan=plan, author=world.amina, reason="A dead end.", now=timezone.now())

    assert draft_content(plan)["about"]["summary"] == "Homes along the estuary."
