"""People who write one draft together, in any order or at the same moment, lose no change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.documents.services import drafting as saving
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.content import empty_content, get_piece, set_piece
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import draft_content
from partnerships.plans.services import drafting
from tests.plans.drafts import begin
from tests.plans.test_drafting import body_of, save_body
from tests.support.at_once import run_at_once
from tests.world import World, make_world

SMALL: dict[str, Any] = {
    "sections": [
        {"key": "vision", "title": "Part"},
        {"key": "inside", "title": "Part"},
        {"key": "last", "title": "Part"},
    ],
    "sites": [{"key": "quay", "name": "Quay"}],
}


def value_for(piece: str, text: str) -> Any:
    """Return what a person saves for a piece; None removes the piece."""
    if not text:
        return None
    if piece.startswith("sites/"):
        # A site has no text, so each text becomes another number of homes. For example, "a" becomes 107.
        return {"name": "Quay", "homes": [{"tenure": "social_rent", "count": len(text) * 10 + ord(text[-1])}]}
    return {"title": "Part", "body": text}


PIECES = ("sections/vision", "sections/inside", "sections/last", "sites/quay")


class Step(NamedTuple):
    """What one of two people does with one piece of a draft. `text` is what they save."""

    person_index: int
    piece: str
    action: str
    text: str


class ExpectedDraft:
    """What a draft must contain after each step, and which revision of each piece each person has loaded."""

    def __init__(self, plan: Plan, people: list[User]) -> None:
        content = draft_content(plan)
        self.plan = plan
        self.people = people
        self.values = {piece: get_piece(content, piece) for piece in PIECES}
        self.revisions = dict.fromkeys(PIECES, 0)
        self.loaded_revisions: dict[tuple[int, str], int] = {}
        self.section_keys = ["vision", "inside", "last"]

    def perform(self, step: Step) -> None:
        """Perform the step on the draft, and update what the draft must contain."""
        if step.action == "load":
            revision = Draft.objects.get(plan=self.plan).revision_of(step.piece)
            self.loaded_revisions[step.person_index, step.piece] = revision
        elif step.action in ("up", "down"):
            self.move(step)
        else:
            self.save(step)

    def move(self, step: Step) -> None:
        """Move a section up or down, if the draft has it."""
        key = step.piece.partition("/")[2]
        if key not in self.section_keys:
            return
        is_up = step.action == "up"
        services.move_piece(
            plan=self.plan, piece=step.piece, up=is_up, author=self.people[step.person_index], now=timezone.now()
        )
        index = self.section_keys.index(key)
        new_index = max(0, index - 1) if is_up else min(len(self.section_keys) - 1, index + 1)
        keys = self.section_keys
        keys[index], keys[new_index] = keys[new_index], keys[index]

    def save(self, step: Step) -> None:
        """Save or remove a piece. Only a conflict with a later revision may refuse the change."""
        value = value_for(step.piece, step.text if step.action == "save" else "")
        based_on = self.loaded_revisions.get((step.person_index, step.piece), 0)
        is_newest = based_on >= self.revisions[step.piece]
        try:
            draft = services.save_piece(
                plan=self.plan,
                piece=step.piece,
                value=value,
                based_on=based_on,
                author=self.people[step.person_index],
                now=timezone.now(),
            )
        except services.PieceConflict:
            assert not is_newest
            return
        new_value = normalise_value(step.piece, value)
        assert is_newest or new_value == self.values[step.piece]
        self.values[step.piece] = new_value
        self.revisions[step.piece] = draft.revision_of(step.piece)
        if step.piece.startswith("sections/"):
            self.place_section(step.piece.partition("/")[2], is_removed=value is None)

    def place_section(self, key: str, *, is_removed: bool) -> None:
        """Remove a section, or add a new one at the end."""
        if is_removed:
            self.section_keys = [other for other in self.section_keys if other != key]
        elif key not in self.section_keys:
            self.section_keys.append(key)


@pytest.mark.django_db
@given(
    steps=st.lists(
        st.builds(
            Step,
            person_index=st.integers(0, 1),
            piece=st.sampled_from(PIECES),
            action=st.sampled_from(["load", "save", "save", "remove", "up", "down"]),
            text=st.text(st.sampled_from("abc"), min_size=1, max_size=2),
        ),
        max_size=14,
    )
)
@settings(max_examples=25)
def test_no_order_of_loads_saves_removals_and_moves_loses_a_change(world: World, steps: list[Step]) -> None:
    plan = begin(world, content=SMALL)
    expected = ExpectedDraft(plan, [world.amina, world.eddie])

    for step in steps:
        expected.perform(step)

        content = draft_content(plan)
        assert {piece: get_piece(content, piece) for piece in PIECES} == expected.values
        assert [section["key"] for section in content["sections"]] == expected.section_keys


def normalise_value(piece: str, value: Any) -> Any:
    """Return the saved value in its normalised form."""
    return get_piece(set_piece(empty_content(), piece, value), piece)


def save_sections_at_once(plan: Plan, world: World, count: int) -> list[str]:
    """Save sections at the same moment, and return their keys in the draft."""
    run_at_once(*(partial(save_body, plan, world.amina, "Words.", 0, f"part-{number}") for number in range(count)))
    return [section["key"] for section in draft_content(plan)["sections"] if section["key"].startswith("part-")]


@pytest.mark.django_db(transaction=True)
def test_four_people_saving_at_the_same_moment_lose_nothing() -> None:
    world = make_world()
    plan = begin(world)

    saved_keys = save_sections_at_once(plan, world, 4)

    assert sorted(saved_keys) == ["part-0", "part-1", "part-2", "part-3"]


@pytest.fixture
def save_without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four people save without the lock of the plan, all of them after the last has read the draft."""
    barrier = threading.Barrier(4)
    set_piece: Callable[..., Any] = saving.set_piece

    def set_piece_together(*args: Any) -> Any:
        barrier.wait(timeout=60)
        return set_piece(*args)

    monkeypatch.setattr(drafting, "lock_plan", lambda plan: Plan.objects.get(pk=plan.pk))
    monkeypatch.setattr(saving, "set_piece", set_piece_together)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("save_without_lock")
def test_four_people_saving_at_the_same_moment_lose_changes_without_the_lock() -> None:
    world = make_world()
    plan = begin(world)

    saved_keys = save_sections_at_once(plan, world, 4)

    assert len(saved_keys) < 4


@pytest.mark.django_db(transaction=True)
def test_saves_removals_and_moves_at_the_same_moment_lose_nothing() -> None:
    world = make_world()
    plan = begin(world, content=SMALL)
    arguments: dict[str, Any] = {"plan": plan, "author": world.amina, "now": timezone.now()}

    outcomes = run_at_once(
        partial(services.move_piece, piece="sections/last", up=True, **arguments),
        partial(services.move_piece, piece="sections/last", up=True, **arguments),
        partial(save_body, plan, world.eddie, "Eddie's words.", 0),
        partial(services.save_piece, piece="sites/quay", value=value_for("sites/quay", "a"), based_on=0, **arguments),
        partial(services.save_piece, piece="sections/inside", value=None, based_on=0, **arguments),
    )

    content = draft_content(plan)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert [section["key"] for section in content["sections"]] == ["last", "vision"]
    assert body_of(plan) == "Eddie's words."
    assert content["sites"][0]["homes"][0]["count"] == 107
