"""Search finds drafts and comments only for people who may read them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.plans.models import Plan
from partnerships.plans.services import add_comment, share_draft
from partnerships.search.models import Word
from partnerships.search.queries import search
from partnerships.search.services import index_stale
from tests.plans.drafts import CANARY, CONTENT, publish, published_plan, save
from tests.search.finding import titles
from tests.support.prepared import media_root, world
from tests.world import World

__all__ = ["media_root", "world"]

pytestmark = pytest.mark.django_db


def plan_with_draft_about_ospreys(world: World) -> Plan:
    """Return a published plan with a draft that Amina has shared with Ben by name."""
    plan = published_plan(world, content={**CONTENT, "outcomes": ["A pochard dives"]})
    save(plan, world, "sections/vision", body="An osprey nests on the island.")
    save(plan, world, "about", summary="Mind the osprey.")
    share_draft(
        plan=plan,
        email=world.ben.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    return plan


def test_drafts_are_found_by_their_editors_and_leads_only(world: World) -> None:
    plan = plan_with_draft_about_ospreys(world)

    index_stale()

    lead, editor = world.amina, world.eddie
    draft_titles = {"Vision (draft)", f"{plan.title} (draft)"}
    assert titles(lead, "osprey") == titles(editor, "osprey") == draft_titles
    assert titles(world.ben, "osprey") == titles(world.chidi, "osprey") == set()


def test_unchanged_part_of_a_draft_is_found_once(world: World) -> None:
    plan_with_draft_about_ospreys(world)

    index_stale()

    assert titles(world.amina, "pochard") == {"A pochard dives"}


def test_published_draft_is_found_as_the_new_version(world: World) -> None:
    plan = plan_with_draft_about_ospreys(world)
    index_stale()

    publish(plan, world, "Birds.")
    index_stale()

    assert titles(world.ben, "osprey") == {"Vision", plan.title}
    assert titles(world.amina, "osprey") == {"Vision", plan.title}


def add_comments_about_bitterns(world: World) -> None:
    """Add a comment of Ben on a confidential site of a plan, and one of Amina on its draft with a reply of Eddie."""
    plan = published_plan(world)
    now = timezone.now()
    add_comment(plan=plan, version_number=1, anchor="sites/secret", text="A bittern boomed.", author=world.ben, now=now)
    comment_on_draft = add_comment(plan=plan, version_number=0, text="A bittern, again.", author=world.amina, now=now)
    add_comment(
        plan=plan, version_number=0, text="Bittern indeed.", parent=comment_on_draft, author=world.eddie, now=now
    )
    index_stale()


def test_owners_of_a_plan_find_comments_on_its_versions_and_its_draft(world: World) -> None:
    add_comments_about_bitterns(world)

    assert titles(world.amina, "bittern") == {f"Comment on Plot {CANARY}", "Comment on the whole plan"}


def test_partners_find_comments_on_a_version_but_not_on_the_draft(world: World) -> None:
    add_comments_about_bitterns(world)

    assert titles(world.ben, "bittern") == {f"Comment on Plot {CANARY}"}


@pytest.mark.parametrize("name", ["chidi", "dee"])
def test_strangers_find_no_comments(world: World, name: str) -> None:
    add_comments_about_bitterns(world)

    assert titles(getattr(world, name), "bittern") == set()


def test_comment_and_its_reply_are_one_result(world: World) -> None:
    add_comments_about_bitterns(world)

    assert search(user=world.amina, text="bittern").count == 2  # the site's comment, and the draft's with its reply


def test_words_of_comments_are_not_used_to_correct_spelling(world: World) -> None:
    add_comments_about_bitterns(world)

    assert not Word.objects.filter(word="bittern").exists()


def add_comments_on_shared_draft(world: World) -> None:
    """Share a draft with Nadia, and add Amina's comment on a bittern, Nadia's on an avocet, and Eddie's reply to her.

    Eddie's reply is about both birds.
    """
    plan = published_plan(world)
    now = timezone.now()
    share_draft(
        plan=plan, email=world.nadia.email, may_comment=True, message="", ends_on=None, author=world.amina, now=now
    )
    add_comment(plan=plan, version_number=0, text="A bittern boomed.", author=world.amina, now=now)
    comment_of_nadia = add_comment(plan=plan, version_number=0, text="An avocet, too.", author=world.nadia, now=now)
    add_comment(
        plan=plan,
        version_number=0,
        text="A bittern and an avocet.",
        parent=comment_of_nadia,
        author=world.eddie,
        now=now,
    )
    index_stale()


def test_editors_find_every_comment_on_a_shared_draft(world: World) -> None:
    add_comments_on_shared_draft(world)

    assert search(user=world.eddie, text="bittern").count == 2


def test_person_with_a_shared_draft_finds_only_their_own_comment(world: World) -> None:
    add_comments_on_shared_draft(world)

    assert search(user=world.nadia, text="bittern").count == 0
    assert search(user=world.nadia, text="avocet").count == 1
