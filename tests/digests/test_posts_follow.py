"""The next holder of a post gets digests about the records that the post follows."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.agreements.models import Post
from partnerships.agreements.services import ContactDetails
from partnerships.digests.models import RoleRule, Subscription
from partnerships.digests.planning.choosing import announce_joined
from partnerships.digests.services import (
    ask_post_contacts,
    confirm,
    end_role_rule,
    follow_for_post,
    set_role_rule,
    stop,
)
from tests.agreements.test_posts import create_post_of, fill
from tests.world import World


def followers(world: World) -> set[str]:
    """Return the names of the people who follow the partnership."""
    subscriptions = Subscription.objects.confirmed().filter(partnership=world.partnership)
    return {subscription.person.display_name for subscription in subscriptions.select_related("person")}


def test_next_holder_of_a_post_follows_what_it_follows(world: World) -> None:
    post = create_post_of(world)
    fill(post, world.vera, now=world.now)
    follow_for_post(post=post, target=world.partnership, author=world.amina, now=timezone.now())
    followers_before = followers(world)

    fill(post, world.eddie)
    announce_joined(now=timezone.now())

    assert followers_before == {"Vera Larch"}
    assert followers(world) == {"Eddie Larch"}


def test_end_of_what_a_post_follows_leaves_members_their_digests(world: World) -> None:
    post = create_post_of(world)
    fill(post, world.vera, now=world.now)
    set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())
    followers_before = followers(world)
    rule = follow_for_post(post=post, target=world.partnership, author=world.amina, now=timezone.now())

    end_role_rule(rule=rule, author=world.amina, reason="Not needed.", now=timezone.now())

    assert followers(world) == followers_before
    assert RoleRule.objects.get().role == RoleRule.Role.MEMBERS


@pytest.fixture
def farahs_post(world: World) -> Post:
    """Return a post that follows the Estuary Partnership. Its holder Farah is a contact without an account."""
    post = create_post_of(world)
    fill(post, contact=ContactDetails(name="Farah Ledger", email="Farah@larkhaven.example"))
    follow_for_post(post=post, target=world.partnership, author=world.amina, now=timezone.now())
    return post


def confirm_as_farah() -> None:
    """Ask the contacts of posts for consent, and confirm as Farah."""
    ask_post_contacts(now=timezone.now())
    confirm(subscription=Subscription.objects.get(person__email="farah@larkhaven.example"), now=timezone.now())
    announce_joined(now=timezone.now())


@pytest.mark.usefixtures("farahs_post")
def test_contact_without_account_is_asked_once_for_consent(world: World) -> None:
    asked_count = ask_post_contacts(now=timezone.now())
    asked_count_of_second_run = ask_post_contacts(now=timezone.now())

    subscription = Subscription.objects.get(person__email="farah@larkhaven.example")
    assert asked_count == 1
    assert asked_count_of_second_run == 0
    assert subscription.status == "asked"
    assert subscription.added_for == world.larkhaven


@pytest.mark.usefixtures("farahs_post")
def test_contact_without_account_follows_after_confirming(world: World) -> None:
    confirm_as_farah()

    assert "Farah Ledger" in followers(world)


def test_contact_without_account_follows_only_while_holding_the_post(world: World, farahs_post: Post) -> None:
    confirm_as_farah()

    fill(farahs_post, world.vera)
    announce_joined(now=timezone.now())

    assert followers(world) == {"Vera Larch"}


def test_contact_who_declined_is_not_asked_again(world: World) -> None:
    post = create_post_of(world)
    fill(post, contact=ContactDetails(name="Farah Ledger", email="farah@larkhaven.example"))
    follow_for_post(post=post, target=world.partnership, author=world.amina, now=timezone.now())
    ask_post_contacts(now=timezone.now())
    subscription = Subscription.objects.get(person__email="farah@larkhaven.example")

    stop(subscriptions=[subscription], author=subscription.person, reason="No.", now=timezone.now())

    assert ask_post_contacts(now=timezone.now()) == 0


def test_contacts_without_an_address_are_not_asked(world: World) -> None:
    post = create_post_of(world)
    fill(post, contact=ContactDetails(name="Farah Ledger", phone="020 7946 0103"))
    follow_for_post(post=post, target=world.partnership, author=world.amina, now=timezone.now())

    assert ask_post_contacts(now=timezone.now()) == 0
