"""Working groups are partnerships within a partnership, and follow its rules."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from partnerships.agreements import services
from partnerships.agreements.models import Partnership, PartyStatus
from partnerships.agreements.services.steps import set_status
from tests.support.parties import invite_and_accept
from tests.support.signing_in import signed_in
from tests.world import World


def in_days(days: int) -> dt.date:
    """Return the day this many days from today."""
    return timezone.localdate() + dt.timedelta(days=days)


def start_group(world: World, *, parent: Partnership | None = None, **changes: Any) -> Partnership:
    """Start a group of Larkhaven and Westmarch, as Amina."""
    fields: dict[str, Any] = {
        "title": "Depot group",
        "purpose": "Move the depot.",
        "members": [world.westmarch],
        "ends_on": in_days(90),
    }
    return services.start_working_group(
        parent=parent or world.partnership,
        organisation=world.larkhaven,
        group=services.NewGroup(**(fields | changes)),
        author=world.amina,
        now=timezone.now(),
    )


def test_group_starts_with_its_chair_accepted(world: World) -> None:
    group = start_group(world)

    parties = dict(group.parties.values_list("organisation__name", "status"))
    assert parties == {
        "Larkhaven Homes": PartyStatus.ACCEPTED,
        "Westmarch Borough Council": PartyStatus.INVITED,
    }
    assert group.ends_on == in_days(90)


def test_other_parties_see_the_outline_of_a_group(world: World) -> None:
    invite_and_accept(world, world.riverside, accepted_by=world.nadia)
    group = start_group(world)
    nadia = signed_in(world.nadia)

    group_page = nadia.get(group.get_absolute_url())
    partnership_page = nadia.get(world.partnership.get_absolute_url()).content.decode()

    assert group_page.status_code == 200
    assert "Depot group" in partnership_page
    assert not Partnership.objects.readable_by(world.nadia).filter(pk=group.pk).exists()


def test_group_is_hidden_from_strangers(world: World) -> None:
    group = start_group(world)

    assert not Partnership.objects.visible_to(world.chidi).filter(pk=group.pk).exists()


def test_outline_ends_when_the_party_leaves_the_partnership(world: World) -> None:
    invite_and_accept(world, world.riverside, accepted_by=world.nadia)
    group = start_group(world)

    services.leave_partnership(
        party=world.party(world.riverside), reason="Budget.", author=world.nadia, now=timezone.now()
    )

    assert not Partnership.objects.visible_to(world.nadia).filter(pk=group.pk).exists()


def test_only_parties_can_be_members(world: World) -> None:
    with pytest.raises(services.UnableToStartGroup, match="take part"):
        start_group(world, members=[world.tidewater])


def test_group_does_not_end_after_its_partnership_unless_said(world: World) -> None:
    Partnership.objects.filter(pk=world.partnership.pk).update(ends_on=in_days(30))

    with pytest.raises(services.UnableToStartGroup, match="can continue"):
        start_group(world)

    assert start_group(world, outlives_parent=True).as_group.outlives_parent


def test_group_ends_with_its_partnership_unless_it_outlives_it(world: World) -> None:
    depot_group = start_group(world)
    school_group = start_group(world, title="School group", outlives_parent=True)

    set_status(world.partnership, "ended", reason="Reorganised.", author=world.amina, now=timezone.now())

    depot_group.refresh_from_db()
    school_group.refresh_from_db()
    assert depot_group.status == "ended"
    assert school_group.status == "exploring"


def test_group_has_no_groups_of_its_own(world: World) -> None:
    with pytest.raises(services.UnableToStartGroup, match="of its own"):
        start_group(world, parent=start_group(world))
