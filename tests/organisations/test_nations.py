"""Working days follow the bank holidays of an organisation's nation."""

from __future__ import annotations

import datetime as dt

import pytest

from partnerships.kit.bank_holidays import Nation, holidays
from partnerships.organisations.models import Area, AreaKind, AreaServed
from partnerships.organisations.nations import holidays_of, nation_of, nation_of_codes
from tests.world import World, make_world


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
    assert nation_of_codes(codes) == nation


def test_scotland_has_saint_andrews_day_and_no_easter_monday() -> None:
    andrew = dt.date(2026, 11, 30)
    easter_monday = dt.date(2026, 4, 6)

    assert andrew in holidays(Nation.SCOTLAND)
    assert andrew not in holidays()
    assert easter_monday in holidays()
    assert easter_monday not in holidays(Nation.SCOTLAND)


def test_an_organisation_follows_the_areas_that_it_serves_now(db: None) -> None:
    world: World = make_world()
    glasgow = Area.objects.create(code="S12000049", name="Glasgow City", kind=AreaKind.DISTRICT)
    AreaServed.objects.filter(organisation=world.tidewater).delete()
    area_served = AreaServed.objects.create(organisation=world.tidewater, area=glasgow)

    nation_before = nation_of(world.tidewater)
    has_saint_andrew = dt.date(2026, 11, 30) in holidays_of(world.tidewater)
    area_served.ends_on = dt.date(2026, 1, 1)
    area_served.save()

    assert nation_before == Nation.SCOTLAND
    assert has_saint_andrew
    assert nation_of(world.tidewater) == Nation.ENGLAND_AND_WALES
