"""Working days follow the bank holidays of an organisation's nation."""

from __future__ import annotations

import datetime as dt

import pytest

from partnerships.kit.bank_holidays import Nation, holidays
from partnerships.organisations.models import Area, AreaKind, AreaServed
from partnerships.organisations.nations import holidays_of, nation_of, nation_of_codes
from tests.world import World


@pytest.mark.parametrize(
    ("codes", "nation"),
    [
        ([], Nation.ENGLAND_AND_WALES),
        (["K02000001"], Nation.ENGLAND_AND_WALES),
        (["W06000015"], Nation.ENGLAND_AND_WALES),
        (["S12000036", "S12000049", "E07000087"], Nation.SCOTLAND),
        (["N09000003"], Nation.NORTHERN_IRELAND),
    ],
)
def test_most_areas_decide_the_nation(codes: list[str], nation: Nation) -> None:
    nation_of_most = nation_of_codes(codes)

    assert nation_of_most == nation


SAINT_ANDREWS_DAY = dt.date(2026, 11, 30)
EASTER_MONDAY = dt.date(2026, 4, 6)


def test_scotland_has_saint_andrews_day_but_no_easter_monday() -> None:
    days = holidays(Nation.SCOTLAND)

    assert SAINT_ANDREWS_DAY in days
    assert EASTER_MONDAY not in days


def test_england_has_easter_monday_but_no_saint_andrews_day() -> None:
    days = holidays()

    assert EASTER_MONDAY in days
    assert SAINT_ANDREWS_DAY not in days


@pytest.fixture
def glasgow_served(world: World) -> AreaServed:
    """Return the row that says that Tidewater serves Glasgow, and nothing else."""
    glasgow = Area.objects.create(code="S12000049", name="Glasgow City", kind=AreaKind.DISTRICT)
    AreaServed.objects.filter(organisation=world.tidewater).delete()
    return AreaServed.objects.create(organisation=world.tidewater, area=glasgow)


@pytest.mark.usefixtures("glasgow_served")
def test_an_organisation_belongs_to_the_nation_of_the_areas_that_it_serves(world: World) -> None:
    nation = nation_of(world.tidewater)

    assert nation == Nation.SCOTLAND


@pytest.mark.usefixtures("glasgow_served")
def test_an_organisation_has_the_holidays_of_its_nation(world: World) -> None:
    days = holidays_of(world.tidewater)

    assert SAINT_ANDREWS_DAY in days


def test_areas_that_an_organisation_no_longer_serves_do_not_decide_its_nation(
    world: World, glasgow_served: AreaServed
) -> None:
    glasgow_served.ends_on = dt.date(2026, 1, 1)
    glasgow_served.save()

    nation = nation_of(world.tidewater)

    assert nation == Nation.ENGLAND_AND_WALES
