"""Comments stay with a piece of a plan, and mentioned people are emailed."""

from __future__ import annotations

from collections.abc import Callable
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
from partnerships.plans.queries import WAITING
from tests.plans.drafts import CONTENT, publish, published_plan
from tests.support.outbox import deliver
from tests.support.pages import tight
from tests.world import World, join, person


def comment_as(plan: Plan, author: User, text: str = "Why here?", anchor: str = "", **more: Any) -> Comment:
    """Comment on version 1 as a person."""
    return services.add_comment(
        plan=plan, version_number=1, text=text, anchor=anchor, author=author, now=timezone.now(), **more
    )


def comments_page(client: Client, plan: Plan) -> str:
    return client.get(reverse("plans:comments", kwargs={"pk": plan.pk})).content.decode()


def test_comment_names_the_site_that_it_is_about(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)

    comment_as(plan, world.ben, anchor="sites/north-quay")

    assert "Site: North Quay" in comments_page(as_(world.amina), plan)


def test_comment_stays_when_its_site_is_removed(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    comment_as(plan, world.ben, anchor="sites/north-quay")
    services.save_piece(
        plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now()
    )

    publish(plan, world, "Sold.")

    page = comments_page(as_(world.amina), plan)
    assert "On a removed site: North Quay" in page
    assert "Why here?" in page


def test_threads_of_a_closed_plan_cannot_be_resolved(world: World) -> None:
    plan = published_plan(world)
    thread = comment_as(plan, world.ben)
    services.change_status(plan=plan, to="closed", reason="All is built.", author=world.amina, now=timezone.now())

    with pytest.raises(UnableToAct):
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
    comment_as(plan, world.amina, "@Ben West, and @Chidi Tide: the figure is forty-two.")

    assert [email.to for email in deliver()] == [[world.ben.email]]
    assert "forty-two" not in deliver()[0].body
    assert [item.action for item in tasks_from(WAITING, world.ben, timezone.now())] == ["Answer Amina Larch’s comment"]


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@Ben West-Lake O’Hara: the figure?", ["Ben West-Lake O'Hara"]),
        ("@ben west. Please look.", ["Ben West"]),
        ("Ask @Ben, or @Eddie Larch and @Vera Larch.", ["Eddie Larch", "Vera Larch"]),
        ("@Chidi Tide reads none of this; write to ben@westmarch.example.", []),
        ("@ Ben West", []),
        ("@nameless: the figure?", []),
    ],
)
def test_people_are_mentioned_by_their_full_names(world: World, text: str, called: list[str]) -> None:
    plan = published_plan(world)
    person_with_longer_name = person("Ben West-Lake O'Hara", "longer@westmarch.example")
    join(person_with_longer_name, world.westmarch, "viewer", world.now)
    join(person("", "nameless@westmarch.example"), world.westmarch, "viewer", world.now)

    comment = comment_as(plan, world.amina, text)

    assert [mention.person.name for mention in comment.mentions.order_by("person__name")] == called


def test_author_without_a_name_shows_no_part_of_their_address(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    author = person("", "nameless@westmarch.example")
    join(author, world.westmarch, "editor", world.now)
    comment_as(plan, author, "Why here?")

    page = comments_page(as_(world.amina), plan)

    assert "a person without a name" in page
    assert "nameless" not in page


def test_author_sees_who_will_be_emailed_about_a_mention(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    address = reverse("plans:comments", kwargs={"pk": plan.pk})

    response = as_(world.amina).post(address, {"text": "@Ben West, why?", "anchor": "sites/north-quay"}, follow=True)

    assert "An email will be sent to Ben West." in response.content.decode()


def test_person_mentioned_on_a_draft_gets_a_link_to_the_comment(world: World) -> None:
    plan = published_plan(world)
    comment = services.add_comment(
        plan=plan, version_number=0, text="@Eddie Larch, why?", author=world.amina, now=timezone.now()
    )

    (task,) = [item for item in tasks_from(WAITING, world.eddie, timezone.now()) if item.action.startswith("Answer")]

    assert task.path == f"{reverse('plans:draft-comments', args=[plan.pk])}#comment-{comment.pk}"


def test_pieces_show_their_number_of_comments_with_links_both_ways(world: World, as_: Callable[[User], Client]) -> None:
    sites = [{"key": f"site-{number}", "name": f"Site {number}"} for number in range(60)]
    plan = published_plan(world, content=CONTENT | {"sites": sites})
    thread = comment_as(plan, world.ben, anchor="sites/site-55")
    comment_as(plan, world.amina, "Because of the road.", parent=thread)
    comment_as(plan, world.ben, "A good aim.", anchor="sections/vision")
    resolved_thread = comment_as(plan, world.ben, "Typo.", anchor="sections/vision")
    services.set_resolved(comment=resolved_thread, resolved=True, author=world.amina, now=timezone.now())
    amina = as_(world.amina)
    detail = reverse("plans:detail", kwargs={"pk": plan.pk})

    first_page, second_page = (tight(amina.get(f"{detail}{query}").content.decode()) for query in ("", "?sites=2"))
    comments_of_site = amina.get(
        reverse("plans:comments", kwargs={"pk": plan.pk}) + "?about=sites/site-55"
    ).content.decode()

    assert '?about=sections/vision">1 comment<' in first_page
    assert '?about=sites/site-55">2 comments<' in second_page
    assert f'href="{detail}?site=site-55#sites-site-55"' in comments_of_site
    assert "Because of the road." in comments_of_site
    assert "A good aim." not in comments_of_site


def test_readers_outside_see_numbers_of_their_own_comments_only(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world, audience="network")
    comment_as(plan, world.ben, "Between us partners.", anchor="sites/north-quay")
    comment_as(plan, world.chidi, "From outside.", anchor="sections/vision")

    html = tight(as_(world.chidi).get(reverse("plans:detail", kwargs={"pk": plan.pk})).content.decode())

    assert '?about=sites/north-quay">Comment<' in html
    assert '?about=sections/vision">1 comment<' in html


def test_readers_outside_see_only_threads_they_started(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world, audience="network")
    comment_as(plan, world.ben, "Between us partners.")
    own_thread = comment_as(plan, world.chidi, "From outside.")
    comment_as(plan, world.amina, "An answer to you.", parent=own_thread)

    page = comments_page(as_(world.chidi), plan)

    assert "Between us partners." not in page
    assert "From outside." in page
    assert "An answer to you." in page


def test_readers_outside_cannot_comment_on_a_confidential_site(world: World) -> None:
    plan = published_plan(world, audience="network")

    with pytest.raises(services.UnableToComment, match="does not contain that part"):
        comment_as(plan, world.chidi, anchor="sites/secret")


def test_hostile_text_is_shown_as_typed(world: World, as_: Callable[[User], Client]) -> None:
    plan = published_plan(world)
    comment_as(plan, world.ben, "<script>alert(1)</script>")

    page = comments_page(as_(world.amina), plan)

    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
