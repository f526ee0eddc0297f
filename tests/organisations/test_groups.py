"""Groups of organisations may have any depth, but no circles."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.kit.dates import known_day
from partnerships.organisations.models import Organisation, Succession
from partnerships.organisations.queries import ancestors_of, group_of
from partnerships.organisations.services import (
    UnableToUpdateOrganisation,
    create_organisation,
    record_succession,
    take_effect,
    ties_between,
    undo_succession,
    update_organisation,
)
from partnerships.plans.services import change_status
from partnerships.web.group import group_of_organisation, group_with_predecessors
from tests.commitments.promises import agree
from tests.plans.drafts import published_plan
from tests.support.at_once import run_at_once
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


def create_body(name: str, parent: Organisation | None = None) -> Organisation:
    """Return a new provider with this parent."""
    return create_organisation(name=name, kind="registered_provider", parent=parent, author=None, now=timezone.now())


def set_parent(child: Organisation, parent: Organisation | None) -> None:
    update_organisation(organisation=child, parent=parent, author=None, now=timezone.now())


class Group(NamedTuple):
    """A head, its daughter and the daughter of its daughter."""

    head: Organisation
    middle: Organisation
    lowest: Organisation


@pytest.fixture
def group(db: None) -> Group:
    """Return a group of three organisations, one below the other."""
    head = create_body("Head")
    middle = create_body("Middle", head)
    return Group(head, middle, create_body("Lowest", middle))


def test_a_group_has_members_at_any_depth(group: Group) -> None:
    depths = group_of(group.head.pk)

    assert depths == {group.head.pk: 0, group.middle.pk: 1, group.lowest.pk: 2}


def test_an_organisation_has_ancestors_at_any_height(group: Group) -> None:
    ancestors = ancestors_of(group.lowest.pk)

    assert set(ancestors) == {group.lowest.pk, group.middle.pk, group.head.pk}


def test_a_group_may_be_twelve_deep() -> None:
    lowest = head = create_body("Group 0")
    for number in range(1, 12):
        lowest = create_body(f"Group {number}", lowest)

    depths = group_of(head.pk)

    assert len(depths) == 12
    assert depths[lowest.pk] == 11


@pytest.mark.parametrize("parent", ["head", "middle", "lowest"])
def test_an_organisation_cannot_join_its_own_group(group: Group, parent: str) -> None:
    with pytest.raises(UnableToUpdateOrganisation, match="Choose another parent"):
        set_parent(group.head, getattr(group, parent))


def test_a_member_of_a_group_can_get_another_parent_in_the_group(group: Group) -> None:
    set_parent(group.lowest, group.head)

    assert group_of(group.head.pk) == {group.head.pk: 0, group.middle.pk: 1, group.lowest.pk: 1}


def test_the_database_refuses_an_organisation_as_its_own_parent() -> None:
    head = create_body("Head")

    with pytest.raises(IntegrityError, match="organisation_is_not_its_own_parent"), transaction.atomic():
        Organisation.objects.filter(pk=head.pk).update(parent=head)


def test_a_circle_written_by_hand_does_not_hang_the_page() -> None:
    elm = create_body("Elm Homes")
    oak = create_body("Oak Homes")
    Organisation.objects.filter(pk=elm.pk).update(parent=oak)
    Organisation.objects.filter(pk=oak.pk).update(parent=elm)

    depths = group_of(elm.pk)

    assert set(depths) == {elm.pk, oak.pk}


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_do_not_make_a_circle() -> None:
    elm = create_body("Elm Homes")
    oak = create_body("Oak Homes")

    outcomes = run_at_once(lambda: set_parent(elm, oak), lambda: set_parent(oak, elm))

    [error] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(error, UnableToUpdateOrganisation)


def test_a_partnership_of_two_members_counts_once_for_the_group(world: World) -> None:
    head = create_body("Head")
    set_parent(world.larkhaven, head)
    set_parent(world.westmarch, head)

    group = group_of_organisation(world.amina, head)

    assert [member.depth for member in group.members] == [0, 1, 1]
    assert [len(member.held.partnerships) for member in group.members] == [0, 1, 1]
    assert group.total.partnerships == {world.partnership.pk}


def test_homes_of_two_plans_are_summed(world: World) -> None:
    published_plan(world, title="North programme")
    published_plan(world, title="South programme")

    group = group_of_organisation(world.amina, world.larkhaven)

    assert group.total.homes == 300


def test_homes_of_a_superseded_plan_do_not_count_beside_its_successor(world: World) -> None:
    old_plan = published_plan(world, title="Old programme")
    new_plan = published_plan(world, title="New programme")
    change_status(
        plan=old_plan,
        to="superseded",
        successor=new_plan,
        reason="A new one.",
        author=world.amina,
        now=timezone.now(),
    )

    group = group_of_organisation(world.amina, world.larkhaven)

    assert group.total.homes == 150


def test_a_stranger_sees_no_figures_of_the_group(world: World) -> None:
    head = create_body("Head")
    set_parent(world.larkhaven, head)

    group = group_of_organisation(world.chidi, head)

    assert not group.total.partnerships
    assert not group.total.commitments
    assert group.total.homes == 0


def test_the_organisation_page_leads_to_its_group(world: World) -> None:
    head = create_body("Head")
    set_parent(world.larkhaven, head)

    page = signed_in(world.amina).get(head.get_absolute_url()).content.decode()

    assert reverse("web:group", args=[head.pk]) in page


def test_a_group_has_a_page(world: World) -> None:
    head = create_body("Head")
    set_parent(world.larkhaven, head)

    page = signed_in(world.amina).get(reverse("web:group", args=[head.pk])).content.decode()

    assert "The whole group" in page


def replace_bodies(predecessors: list[Organisation], successor: Organisation) -> Succession:
    """Record that organisations become another organisation today, and return the succession."""
    succession = record_succession(
        kind="merge",
        status="order_made",
        vests_on=known_day(timezone.localdate()),
        ties=ties_between(predecessors, [successor]),
        author=None,
        now=timezone.now(),
    )
    take_effect(succession=succession, author=None, now=timezone.now())
    return succession


class MergedBodies(NamedTuple):
    """Harbour after a merger with Westmarch and Tidewater; Westmarch had replaced a district before."""

    merger: Succession
    #: The district that Westmarch replaced.
    district: Organisation
    open_commitment: Commitment
    done_commitment: Commitment


@pytest.fixture
def merged_bodies(world: World) -> MergedBodies:
    """Merge Westmarch and Tidewater into Harbour. Westmarch has an open commitment and a done one."""
    open_commitment = agree(world)
    done_commitment = agree(world)
    Commitment.objects.filter(pk=done_commitment.pk).update(status="done", done_at=timezone.now())
    district = create_body("Westmarch District")
    replace_bodies([district], world.westmarch)
    merger = replace_bodies([world.westmarch, world.tidewater], world.harbour)
    return MergedBodies(merger, district, open_commitment, done_commitment)


def test_figures_of_all_predecessors_are_summed(world: World, merged_bodies: MergedBodies) -> None:
    group = group_with_predecessors(world.ben, world.harbour)

    members = {member.organisation for member in group.members}
    assert members == {world.harbour, world.westmarch, world.tidewater, merged_bodies.district}
    assert group.total.commitments == {merged_bodies.open_commitment.pk}
    assert group.total.done == {merged_bodies.done_commitment.pk}


@pytest.mark.usefixtures("merged_bodies")
def test_figures_of_predecessors_count_only_what_the_reader_may_read(world: World) -> None:
    group = group_with_predecessors(world.chidi, world.harbour)

    assert group.total.commitments == set()


@pytest.mark.usefixtures("merged_bodies")
def test_page_of_the_successor_links_to_the_figures_of_its_predecessors(world: World) -> None:
    page = signed_in(world.ben).get(world.harbour.get_absolute_url()).content.decode()

    assert reverse("web:predecessors", args=[world.harbour.pk]) in page


@pytest.mark.usefixtures("merged_bodies")
def test_figures_of_predecessors_have_a_page(world: World) -> None:
    page = signed_in(world.ben).get(reverse("web:predecessors", args=[world.harbour.pk])).content.decode()

    assert "of the organisations that it took over from" in collapse(page)


def test_a_merger_that_was_undone_leaves_no_predecessors(world: World, merged_bodies: MergedBodies) -> None:
    undoing_succession = undo_succession(
        succession=merged_bodies.merger,
        vests_on=known_day(timezone.localdate()),
        status="order_made",
        reason="Quashed.",
        author=None,
        now=timezone.now(),
    )

    take_effect(succession=undoing_succession, author=None, now=timezone.now())

    group = group_with_predecessors(world.ben, world.harbour)
    assert [member.organisation for member in group.members] == [world.harbour]
