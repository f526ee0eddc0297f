"""Organisations create posts, and people hold and leave them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements import services
from partnerships.agreements.models import Holder, Partnership, Post
from partnerships.agreements.queries import people_in_post
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Membership
from partnerships.people.models import User
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.rights import add_personas
from tests.support.terms import agree_terms
from tests.world import World

DAY = dt.timedelta(days=1)


def create_post_of(world: World, role: str = "nominations", **fields: Any) -> Post:
    """Create a post, by default of Larkhaven in the Estuary Partnership."""
    fields = {"organisation": world.larkhaven, "partnership": world.partnership} | fields
    return services.create_post(role=role, author=None, now=world.now, **fields)


def fill(post: Post, person: User | None = None, *, now: dt.datetime | None = None, **fields: Any) -> Holder:
    """Give the post to a person or, with `contact`, to a contact without an account."""
    return services.fill_post(
        post=post, person=person, reason="New in the post.", author=None, now=now or timezone.now(), **fields
    )


def names_of_people_who_see(world: World, post: Post) -> set[str]:
    """Return the names of the people in the world who can see the post."""
    people = ("amina", "eddie", "vera", "lena", "ben", "chidi", "hana", "nadia", "oscar", "dee", "sol")
    return {name for name in people if Post.objects.visible_to(getattr(world, name)).filter(pk=post.pk).exists()}


def names_of_holders_seen_by(user: User) -> set[str]:
    """Return the names of all holders that the person can see."""
    return {holder.display_name for holder in Holder.objects.visible_to(user).select_related("person")}


def test_next_holder_takes_over_on_the_day_the_present_one_ends(world: World) -> None:
    post = create_post_of(world)
    today = timezone.localdate()
    vera_as_holder = fill(post, world.vera, now=world.now)

    eddie_as_holder = fill(post, world.eddie)

    vera_as_holder.refresh_from_db()
    assert vera_as_holder.ends_on == today
    assert eddie_as_holder.starts_on == today
    assert people_in_post(world.larkhaven.pk, "nominations", partnership=world.partnership, day=today) == [world.eddie]
    yesterday = today - DAY
    assert people_in_post(world.larkhaven.pk, "nominations", partnership=world.partnership, day=yesterday) == [
        world.vera
    ]


def test_database_refuses_two_holders_on_the_same_day(world: World) -> None:
    post = create_post_of(world)
    holder = fill(post, world.vera)

    with pytest.raises(IntegrityError), transaction.atomic():
        Holder.objects.create(post=post, name="Sam", starts_on=holder.starts_on + DAY, added_at=world.now)


def test_team_has_several_members(world: World) -> None:
    team = create_post_of(world, "team")

    fill(team, world.vera)
    fill(team, contact=services.ContactDetails(name="Sam Shore"))

    assert team.holders.current().count() == 2


def test_nobody_joins_a_team_twice(world: World) -> None:
    team = create_post_of(world, "team")
    fill(team, world.vera)

    with pytest.raises(services.UnableToChangePost, match="already in this team"):
        fill(team, world.vera)


def test_next_holder_can_be_named_for_a_later_day(world: World) -> None:
    post = create_post_of(world)
    monday = timezone.localdate() + 7 * DAY
    fill(post, world.vera)

    fill(post, world.eddie, starts_on=monday)

    assert people_in_post(world.larkhaven.pk, "nominations", partnership=world.partnership, day=monday - DAY) == [
        world.vera
    ]
    assert people_in_post(world.larkhaven.pk, "nominations", partnership=world.partnership, day=monday) == [world.eddie]


def test_post_with_a_later_holder_is_not_given_to_another_today(world: World) -> None:
    post = create_post_of(world)
    fill(post, world.vera)
    fill(post, world.eddie, starts_on=timezone.localdate() + 7 * DAY)

    with pytest.raises(services.UnableToChangePost, match="later"):
        fill(post, world.amina)


@pytest.fixture
def finance_post_in_partnership(world: World) -> Post:
    """Let Vera hold the finance post of the whole of Larkhaven, and return a vacant one in the partnership."""
    fill(create_post_of(world, "finance", partnership=None), world.vera)
    return create_post_of(world, "finance")


@pytest.mark.usefixtures("finance_post_in_partnership")
def test_holder_of_the_organisations_own_post_replaces_a_vacancy_in_a_partnership(world: World) -> None:
    people = people_in_post(world.larkhaven.pk, "finance", partnership=world.partnership, day=timezone.localdate())

    assert people == [world.vera]


def test_holder_of_the_post_in_a_partnership_comes_before_that_of_the_organisation(
    world: World, finance_post_in_partnership: Post
) -> None:
    today = timezone.localdate()

    fill(finance_post_in_partnership, world.eddie)

    assert people_in_post(world.larkhaven.pk, "finance", partnership=world.partnership, day=today) == [world.eddie]
    assert people_in_post(world.larkhaven.pk, "finance", day=today) == [world.vera]


def test_nobody_is_in_a_post_that_does_not_exist(world: World) -> None:
    assert people_in_post(world.larkhaven.pk, "planning", day=timezone.localdate()) == []


def test_holder_who_no_longer_acts_for_the_organisation_is_not_in_the_post(world: World) -> None:
    fill(create_post_of(world), world.vera)
    Membership.objects.filter(person=world.vera).update(ends_on=timezone.localdate())

    assert (
        people_in_post(world.larkhaven.pk, "nominations", partnership=world.partnership, day=timezone.localdate()) == []
    )


def test_posts_in_a_partnership_are_seen_by_its_present_parties(world: World) -> None:
    add_personas(world)  # Riverside observes, Harbour has left

    post = create_post_of(world)

    assert names_of_people_who_see(world, post) == {"amina", "eddie", "vera", "ben", "nadia", "oscar"}


def test_posts_of_a_whole_organisation_are_seen_by_its_partners(world: World) -> None:
    add_personas(world)

    post = create_post_of(world, partnership=None)

    assert names_of_people_who_see(world, post) == {"amina", "eddie", "vera", "ben", "nadia", "oscar"}


def test_posts_of_a_whole_organisation_are_not_seen_by_its_former_partners(world: World) -> None:
    add_personas(world)  # Harbour has left the partnership with Larkhaven, and is still in one with Tidewater

    post = create_post_of(world, organisation=world.harbour, partnership=None)

    assert names_of_people_who_see(world, post) == {"hana", "chidi"}


def test_posts_of_a_party_that_left_are_seen_by_itself_alone(world: World) -> None:
    post = create_post_of(world, organisation=world.westmarch)
    names_before = names_of_people_who_see(world, post)

    leave_partnership_as_westmarch(world)

    assert "amina" in names_before
    assert names_of_people_who_see(world, post) == {"ben"}


def test_partners_see_the_present_holder_only(world: World) -> None:
    post = create_post_of(world)
    fill(post, contact=services.ContactDetails(name="Former Fran"), now=world.now)
    fill(post, contact=services.ContactDetails(name="Present Pat"))
    fill(post, contact=services.ContactDetails(name="Coming Kim"), starts_on=timezone.localdate() + DAY)

    assert names_of_holders_seen_by(world.vera) == {"Former Fran", "Present Pat", "Coming Kim"}
    assert names_of_holders_seen_by(world.ben) == {"Present Pat"}
    assert names_of_holders_seen_by(world.chidi) == set()


def test_a_post_is_not_filled_without_a_reason(world: World) -> None:
    post = create_post_of(world)

    with pytest.raises(services.UnableToChangePost, match="reason"):
        services.fill_post(post=post, person=world.vera, reason=" ", author=None, now=world.now)


def test_a_post_is_not_vacated_without_a_reason(world: World) -> None:
    holder = fill(create_post_of(world), world.vera)

    with pytest.raises(services.UnableToChangePost, match="reason"):
        services.vacate_post(holder=holder, reason="", author=None, now=timezone.now())


def test_a_post_is_not_ended_without_a_reason(world: World) -> None:
    post = create_post_of(world)

    with pytest.raises(services.UnableToChangePost, match="reason"):
        services.end_post(post=post, reason="", author=None, now=timezone.now())


def test_holder_must_act_for_the_organisation(world: World) -> None:
    post = create_post_of(world)

    with pytest.raises(services.UnableToChangePost, match="does not act for"):
        fill(post, world.ben)


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        (services.ContactDetails(email="sam@larkhaven.example"), "enter a name"),
        (services.ContactDetails(name="Sam", email="sam at home"), "not a complete email address"),
    ],
)
def test_contact_needs_a_name_with_a_valid_address(
    world: World, contact: services.ContactDetails, message: str
) -> None:
    post = create_post_of(world)

    with pytest.raises(services.UnableToChangePost, match=message):
        fill(post, contact=contact)


@pytest.fixture
def ended_post(world: World) -> Post:
    """Return a post that Vera held when it was ended."""
    post = create_post_of(world)
    fill(post, world.vera)
    services.end_post(post=post, reason="Merged with finance.", author=world.amina, now=timezone.now())
    return post


def test_an_ended_post_has_no_holder(ended_post: Post) -> None:
    assert not ended_post.holders.current().exists()


def test_an_ended_post_cannot_be_filled(world: World, ended_post: Post) -> None:
    with pytest.raises(services.UnableToChangePost, match="ended"):
        fill(ended_post, world.vera)

    assert not ended_post.holders.current().exists()


def test_an_ended_post_is_hidden_from_partners(world: World, ended_post: Post) -> None:
    assert "ben" not in names_of_people_who_see(world, ended_post)


@pytest.mark.usefixtures("ended_post")
def test_the_title_of_an_ended_post_can_be_used_again(world: World) -> None:
    new_post = create_post_of(world)

    assert not new_post.is_ended


def test_events_of_a_post_name_nobody(world: World) -> None:
    post = create_post_of(world)
    holder = fill(post, contact=services.ContactDetails(name="Sam Shore", email="sam@larkhaven.example"))
    services.change_contact(
        holder=holder,
        contact=services.ContactDetails(name="Sam Shore", phone="01329 555 010"),
        author=None,
        now=timezone.now(),
    )

    events = Event.objects.filter(target_kind="post", target_id=post.pk)
    assert [event.kind for event in events.order_by("pk")] == ["post.created", "post.filled", "post.contact_changed"]
    assert not any("Sam" in str(event.data) or "555" in str(event.data) for event in events)


def test_editor_cannot_make_themselves_signatory(world: World) -> None:
    post = create_post_of(world, "signatory")

    with pytest.raises(UnableToAct, match="do not have permission"):
        services.fill_post(post=post, person=world.eddie, reason="I sign.", author=world.eddie, now=timezone.now())


def renew_partnership(world: World) -> Partnership:
    """Review the Estuary Partnership, and return its successor."""
    agree_terms(world.partnership, world.amina)
    services.change_status(
        partnership=world.partnership, status="under_review", reason="Due.", author=world.amina, now=timezone.now()
    )
    return services.renew(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="It worked.",
        author=world.amina,
        now=timezone.now(),
    )


def test_a_renewed_partnership_starts_with_the_same_posts_and_holders(world: World) -> None:
    treasurer_post = create_post_of(world, "finance", title="Treasurer")
    create_post_of(world, "planning")
    fill(treasurer_post, world.eddie)

    successor = renew_partnership(world)

    copy_by_role = {post.role: post for post in Post.objects.not_ended().filter(partnership=successor)}
    assert copy_by_role.keys() == {"finance", "planning"}
    assert copy_by_role["finance"].title == "Treasurer"
    assert copy_by_role["finance"].holders.get().person == world.eddie
    assert not copy_by_role["planning"].holders.exists()


def test_posts_of_a_partnership_that_is_renewed_keep_their_holders(world: World) -> None:
    treasurer_post = create_post_of(world, "finance", title="Treasurer")
    fill(treasurer_post, world.vera, now=timezone.now() - dt.timedelta(days=9))
    fill(treasurer_post, world.eddie)
    vacant_post = create_post_of(world, "planning")

    successor = renew_partnership(world)

    treasurer_post.refresh_from_db()
    vacant_post.refresh_from_db()
    assert Post.objects.get(partnership=successor, role="finance").holders.get().person == world.eddie
    assert [holder.person for holder in treasurer_post.holders.order_by("starts_on")] == [world.vera, world.eddie]
    assert not treasurer_post.is_ended
    assert not vacant_post.is_ended
