"""Comments stay with a piece of a plan, and mentioned people are emailed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.rights import UnableToAct
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Comment, Plan
from partnerships.plans.queries import TASK_SOURCES
from tests.plans.drafts import CONTENT, publish, published_plan
from tests.support.outbox import deliver
from tests.support.pages import tight
from tests.support.signing_in import signed_in
from tests.world import World, join, person


def comment_as(plan: Plan, author: User, text: str = "Why here?", anchor: str = "", **more: Any) -> Comment:
    """Comment on version 1 as a person."""
    return services.add_comment(
        plan=plan, version_number=1, text=text, anchor=anchor, author=author, now=timezone.now(), **more
    )


def comments_page(client: Client, plan: Plan) -> str:
    """Return the HTML of the comments on the published plan."""
    return client.get(reverse("plans:comments", kwargs={"pk": plan.pk})).content.decode()


def test_comment_names_the_site_that_it_is_about(world: World) -> None:
    plan = published_plan(world)
    comment_as(plan, world.ben, anchor="sites/north-quay")

    html = comments_page(signed_in(world.amina), plan)

    assert "Site: North Quay" in html


def test_comment_stays_when_its_site_is_removed(world: World) -> None:
    plan = published_plan(world)
    comment_as(plan, world.ben, anchor="sites/north-quay")
    services.save_piece(
        plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Sold.")

    html = comments_page(signed_in(world.amina), plan)

    assert "On a removed site: North Quay" in html
    assert "Why here?" in html


def test_threads_of_a_closed_plan_cannot_be_resolved(world: World) -> None:
    plan = published_plan(world)
    thread = comment_as(plan, world.ben)
    services.change_status(plan=plan, to="closed", reason="All is built.", author=world.amina, now=timezone.now())

    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.set_resolved(comment=thread, resolved=True, author=world.amina, now=timezone.now())


def test_thread_is_resolved_with_its_replies(world: World) -> None:
    plan = published_plan(world)
    thread = comment_as(plan, world.ben)
    comment_as(plan, world.amina, "Because of the road.", parent=thread)

    services.set_resolved(comment=thread, resolved=True, author=world.amina, now=timezone.now())

    thread.refresh_from_db()
    assert thread.is_resolved
    assert thread.replies.count() == 1


def test_resolved_thread_is_reopened_by_a_new_reply(world: World) -> None:
    plan = published_plan(world)
    thread = comment_as(plan, world.ben)
    services.set_resolved(comment=thread, resolved=True, author=world.amina, now=timezone.now())
    thread.refresh_from_db()

    comment_as(plan, world.ben, "Which road?", parent=thread)

    thread.refresh_from_db()
    assert not thread.is_resolved
    assert thread.replies.count() == 1


def test_mentioned_person_gets_one_email_without_the_comment_text(world: World) -> None:
    plan = published_plan(world)
    deliver().clear()

    # Chidi may not read the plan.
    comment_as(plan, world.amina, "@Ben West, and @Chidi Tide: the figure is forty-two.")

    (email,) = deliver()
    assert email.to == [world.ben.email]
    assert "forty-two" not in email.body


def test_mentioned_person_finds_the_comment_in_their_tasks(world: World) -> None:
    plan = published_plan(world)

    comment_as(plan, world.amina, "@Ben West: the figure is forty-two.")

    tasks = tasks_from(TASK_SOURCES, world.ben, timezone.now())
    assert [task.action for task in tasks] == ["Answer Amina Larch’s comment"]


@pytest.mark.parametrize(
    ("text", "mentioned_names"),
    [
        ("@Ben West-Lake O’Hara: the figure?", ["Ben West-Lake O'Hara"]),
        ("@ben west. Please look.", ["Ben West"]),
        ("Ask @Ben, or @Eddie Larch and @Vera Larch.", ["Eddie Larch", "Vera Larch"]),
        ("@Chidi Tide reads none of this; write to ben@westmarch.example.", []),
        ("@ Ben West", []),
        ("@nameless: the figure?", []),
    ],
)
def test_people_are_mentioned_by_their_full_names(world: World, text: str, mentioned_names: list[str]) -> None:
    plan = published_plan(world)
    person_with_longer_name = person("Ben West-Lake O'Hara", "longer@westmarch.example")
    person_without_name = person("", "nameless@westmarch.example")
    join(person_with_longer_name, world.westmarch, "viewer", world.now)
    join(person_without_name, world.westmarch, "viewer", world.now)

    comment = comment_as(plan, world.amina, text)

    assert [mention.person.name for mention in comment.mentions.order_by("person__name")] == mentioned_names


def test_author_without_a_name_shows_no_part_of_their_address(world: World) -> None:
    plan = published_plan(world)
    author = person("", "nameless@westmarch.example")
    join(author, world.westmarch, "editor", world.now)
    comment_as(plan, author, "Why here?")

    html = comments_page(signed_in(world.amina), plan)

    assert "a person without a name" in html
    assert "nameless" not in html


def test_author_sees_who_will_be_emailed_about_a_mention(world: World) -> None:
    plan = published_plan(world)
    address = reverse("plans:comments", kwargs={"pk": plan.pk})

    response = signed_in(world.amina).post(
        address, {"text": "@Ben West, why?", "anchor": "sites/north-quay"}, follow=True
    )

    assert "An email will be sent to Ben West." in response.content.decode()


def test_person_mentioned_on_a_draft_gets_a_link_to_the_comment(world: World) -> None:
    plan = published_plan(world)
    comment = services.add_comment(
        plan=plan, version_number=0, text="@Eddie Larch, why?", author=world.amina, now=timezone.now()
    )

    (task,) = [
        item for item in tasks_from(TASK_SOURCES, world.eddie, timezone.now()) if item.action.startswith("Answer")
    ]

    assert task.path == f"{reverse('plans:draft-comments', args=[plan.pk])}#comment-{comment.pk}"


@pytest.fixture
def plan_with_comments(world: World) -> Plan:
    """Return a plan with two comments on its 56th site, one on its section "Vision", and a resolved one there."""
    sites = [{"key": f"site-{number}", "name": f"Site {number}"} for number in range(60)]
    plan = published_plan(world, content=CONTENT | {"sites": sites})
    thread = comment_as(plan, world.ben, anchor="sites/site-55")
    comment_as(plan, world.amina, "Because of the road.", parent=thread)
    comment_as(plan, world.ben, "A good aim.", anchor="sections/vision")
    resolved_thread = comment_as(plan, world.ben, "Typo.", anchor="sections/vision")
    services.set_resolved(comment=resolved_thread, resolved=True, author=world.amina, now=timezone.now())
    return plan


def test_pieces_of_a_plan_link_to_their_unresolved_comments(world: World, plan_with_comments: Plan) -> None:
    detail = reverse("plans:detail", kwargs={"pk": plan_with_comments.pk})
    amina = signed_in(world.amina)

    first_page_of_sites, second_page_of_sites = (
        tight(amina.get(address).content.decode()) for address in (detail, f"{detail}?sites=2")
    )

    assert '?about=sections/vision">1 comment<' in first_page_of_sites
    assert '?about=sites/site-55">2 comments<' in second_page_of_sites


def test_comments_on_a_site_link_to_the_site(world: World, plan_with_comments: Plan) -> None:
    detail = reverse("plans:detail", kwargs={"pk": plan_with_comments.pk})
    address = reverse("plans:comments", kwargs={"pk": plan_with_comments.pk}) + "?about=sites/site-55"

    html = signed_in(world.amina).get(address).content.decode()

    assert f'href="{detail}?site=site-55#sites-site-55"' in html
    assert "Because of the road." in html
    assert "A good aim." not in html


def test_readers_outside_see_numbers_of_their_own_comments_only(world: World) -> None:
    plan = published_plan(world, audience="network")
    comment_as(plan, world.ben, "Between us partners.", anchor="sites/north-quay")
    comment_as(plan, world.chidi, "From outside.", anchor="sections/vision")

    html = tight(signed_in(world.chidi).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode())

    assert '?about=sites/north-quay">Comment<' in html
    assert '?about=sections/vision">1 comment<' in html


def test_readers_outside_see_only_threads_they_started(world: World) -> None:
    plan = published_plan(world, audience="network")
    comment_as(plan, world.ben, "Between us partners.")
    own_thread = comment_as(plan, world.chidi, "From outside.")
    comment_as(plan, world.amina, "An answer to you.", parent=own_thread)

    html = comments_page(signed_in(world.chidi), plan)

    assert "Between us partners." not in html
    assert "From outside." in html
    assert "An answer to you." in html


def test_readers_outside_cannot_comment_on_a_confidential_site(world: World) -> None:
    plan = published_plan(world, audience="network")

    with pytest.raises(services.UnableToComment, match="does not contain that part"):
        comment_as(plan, world.chidi, anchor="sites/secret")


def test_hostile_text_is_shown_as_typed(world: World) -> None:
    plan = published_plan(world)
    comment_as(plan, world.ben, "<script>alert(1)</script>")

    html = comments_page(signed_in(world.amina), plan)

    assert "<script>alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
