"""The next holder of a post gets digests about the records that the post follows."""

from __future__ import annotations

from django.utils import timezone

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
    assert followers(world) == {"Vera Larch"}

    fill(post, world.eddie)
    announce_joined(now=timezone.now())

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


def test_contact_without_account_follows_while_holding_the_post(world: World) -> None:
    post = create_post_of(world)
    fill(post, contact=ContactDetails(name="Farah Ledger", email="Farah@larkhaven.example"))
    follow_for_post(post=post, target=world.partnership, author=world.amina, now=timezone.now())

    asked_counts = [ask_post_contacts(now=timezone.now()) for _ in range(2)]

    assert asked_counts == [1, 0]
    subscription = Subscription.objects.get(person__email="farah@larkhaven.example")
    assert subscription.status == "asked"
    assert subscription.added_for == world.larkhaven
    confirm(subscription=subscription, now=timezone.now())
    announce_joined(now=timezone.now())
    assert "Farah Ledger" in followers(world)
    fill(post, world.vera)
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
