"""The homes pipeline counts the homes of the right versions, and only those that its reader may read."""

from __future__ import annotations

import datetime as dt
import importlib
from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from housing.grants import grant
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.dates import long_date
from partnerships.organisations.audience import Everybody, Reader
from partnerships.plans import services
from partnerships.plans.models import HomesCombination, HomesProvider, PackedHomes, Plan, PlannedHomes, Site, Status
from partnerships.plans.queries.homes_to_come import PlannedHomesNow, planned_homes_now
from partnerships.plans.queries.pipeline import PipelineFilters, homes_pipeline
from partnerships.reports.kinds.districts import Districts
from partnerships.reports.kinds.homes_pipeline import financial_year
from partnerships.reports.kinds.standing_rows import records_for
from partnerships.reports.snapshot import Snapshot
from tests.plans.drafts import CANARY, begin, publish, save
from tests.reports.conftest import cells, figures_for
from tests.support.signing_in import signed_in
from tests.world import World

NEXT = financial_year(timezone.localdate(), 1)
LATER = financial_year(timezone.localdate(), 2)


def line(count: int, tenure: str = "social_rent", **changes: Any) -> dict[str, Any]:
    """Return a line of homes, by default of two bedrooms for social rent next year."""
    return {"tenure": tenure, "bedrooms": 2, "needs": "general", "year": NEXT, "count": count, **changes}


def site(key: str, *homes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a site with these homes, by default in Fareham with Larkhaven as its lead."""
    return {"key": key, "name": key.title(), "area": "E07000087", "lead": "Larkhaven Homes", "homes": homes, **changes}


QUAY = site(
    "quay", line(60), line(20, "shared_ownership", year=LATER), confidence="high", forecast_completion="2029-06"
)
MILL = site("mill", line(9, needs="older", bedrooms=1), area="E07000088", lead="", confidence="low")
SECRET = site("secret", line(30), name=f"Plot {CANARY}", lead=f"Lead {CANARY}", area="", confidential=True)


def plan_with(world: World, *sites: dict[str, Any], days: int = 20, risks: Any = (), **changes: Any) -> Plan:
    """Publish a plan of Larkhaven with these sites, dated some days ago."""
    content = {"about": {"title": changes.get("title", "Programme")}, "sites": sites, "risks": risks}
    plan = begin(world, content=content, **changes)
    publish(plan, world, now=timezone.now() - dt.timedelta(days=days))
    plan.refresh_from_db()
    return plan


def change(plan: Plan, world: World, key: str, days: int = 0, **fields: Any) -> None:
    """Publish another version with these fields of a site."""
    save(plan, world, f"sites/{key}", **fields)
    publish(plan, world, note="Changed.", now=timezone.now() - dt.timedelta(days=days))
    plan.refresh_from_db()


def column(snapshot: Snapshot, division: str, label: str) -> dict[str, int]:
    """Return the figures of a column other than 0 and None, by lower-case name, with the total."""
    return {name.lower(): int(str(value)) for name, value in cells(snapshot, division, label).items() if value}


def day_ago(days: int) -> dt.date:
    """Return the day this many days ago."""
    return timezone.localdate() - dt.timedelta(days=days)


#: The homes in each row of the tables below, as at the compared day, today and in the baseline. The versions have
#: QUAY: 48 + 26, 50 + 26 and 60 + 20 homes; MILL: 9; SECRET: 30; and the lock: 7.
HOMES_BY_DIVISION: dict[str, dict[str, tuple[int, int, int]]] = {
    "year": {NEXT: (94, 96, 106), LATER: (26, 26, 20)},
    "tenure": {"Social Rent": (94, 96, 106), "Shared Ownership": (26, 0, 20), "Affordable Rent": (0, 26, 0)},
    "area": {"Fareham": (81, 83, 87), "Gosport": (9, 9, 9), "Area not given": (30, 30, 30)},
    "bedrooms": {"1 bedroom": (9, 9, 9), "2 bedrooms": (104, 106, 110), "Bedrooms not known": (7, 7, 7)},
    "needs": {"General needs": (111, 113, 117), "Older people": (9, 9, 9)},
    "provider": {"Larkhaven Homes": (90, 92, 96), f"Lead {CANARY}": (30, 30, 30)},
    "confidence": {"High": (74, 76, 80), "Low": (9, 9, 9), "Confidence not given": (37, 37, 37)},
}


@pytest.mark.parametrize("division", HOMES_BY_DIVISION)
def test_each_column_counts_the_versions_of_its_day(world: World, division: str) -> None:
    riverside_plan = plan_with(world, QUAY, MILL, SECRET)  # version 1, the baseline
    change(riverside_plan, world, "quay", days=10, homes=[line(48), line(26, "shared_ownership", year=LATER)])
    change(riverside_plan, world, "quay", homes=[line(50), line(26, "affordable_rent", year=LATER)])
    plan_with(world, site("lock", line(7, bedrooms=None)), title="Lock", days=15)
    compared_day = day_ago(5)

    snapshot = figures_for(world.ben, "homes-pipeline", f"since={compared_day}")

    columns = [cells(snapshot, division, label) for label in (f"As at {long_date(compared_day)}", "Today", "Baseline")]
    homes_by_row = {row_name: tuple(column[row_name] for column in columns) for row_name in columns[0]}
    assert homes_by_row == {**HOMES_BY_DIVISION[division], "All homes": (120, 122, 126)}


def test_the_page_says_how_many_social_rented_homes_complete_next_year(world: World) -> None:
    plan = plan_with(world, QUAY, MILL)
    change(plan, world, "quay", homes=[line(48)])
    since = day_ago(5)

    response = signed_in(world.ben).get(
        reverse("reports:report", args=["homes-pipeline"]),
        {"area": world.fareham.pk, "tenure": "social_rent", "since": since.isoformat()},
    )

    sentence = f"Next year, {NEXT}, 48 homes will be completed. That is 12 fewer than the 60 on {long_date(since)}."
    assert sentence in response.content.decode()
    assert f"Compare with the figures on {long_date(since)}" in response.content.decode()


def test_a_council_finds_homes_in_its_areas_or_with_it_as_the_authority(world: World) -> None:
    site_in_gosport = site("elsewhere", line(5), area="E07000088")
    site_of_authority = site("named", line(7), area="", planning_authority=world.westmarch.name)
    plan_with(world, QUAY, site_in_gosport, site_of_authority)
    world.westmarch.areas_served.create(area=world.fareham)

    snapshot = figures_for(world.ben, "homes-pipeline", f"council={world.westmarch.pk}")

    assert cells(snapshot, "area", "Today") == {"Fareham": 80, world.westmarch.name: 7, "All homes": 87}


def test_a_council_that_does_not_exist_finds_no_homes(world: World) -> None:
    plan_with(world, QUAY)

    snapshot = figures_for(world.ben, "homes-pipeline", "council=999999")

    assert snapshot.answers == ("No homes in published plans match these filters.",)


def test_homes_without_a_lead_are_those_of_all_owners_of_their_plan(world: World) -> None:
    plan_with(world, MILL, owners=[world.larkhaven, world.westmarch])

    snapshot = figures_for(world.ben, "homes-pipeline")

    both_owners = "larkhaven homes and westmarch borough council"
    assert column(snapshot, "provider", "Today") == {both_owners: 9, "all homes": 9}


def test_homes_without_a_lead_leave_an_owner_that_gives_up_the_plan(world: World) -> None:
    plan = plan_with(world, MILL, owners=[world.larkhaven, world.westmarch])
    services.give_up_ownership(
        plan=plan, organisation=world.westmarch, reason="Larkhaven builds it.", author=world.ben, now=timezone.now()
    )

    snapshot = figures_for(world.ben, "homes-pipeline")

    assert column(snapshot, "provider", "Today") == {"larkhaven homes": 9, "all homes": 9}


@pytest.fixture
def plan_with_confidential_site(world: World) -> Plan:
    """Publish 80 homes for the network, with a confidential site of first 30 and today 44 homes."""
    plan = plan_with(world, QUAY, SECRET, audience="network")
    change(plan, world, "secret", homes=[line(44)])
    return plan


def test_readers_inside_get_homes_of_confidential_sites(world: World, plan_with_confidential_site: Plan) -> None:
    snapshot = figures_for(world.ben, "homes-pipeline", f"since={day_ago(5)}")

    assert cells(snapshot, "year", "Today")["All homes"] == 124
    assert CANARY in str(snapshot)


@pytest.mark.parametrize(("label", "expected_homes"), [("Today", 80), ("Baseline", 80), ("Change", 0)])
def test_readers_outside_get_no_homes_of_confidential_sites(
    world: World, plan_with_confidential_site: Plan, label: str, expected_homes: int
) -> None:
    snapshot = figures_for(world.chidi, "homes-pipeline", f"since={day_ago(5)}")

    assert cells(snapshot, "year", label)["All homes"] == expected_homes


def test_a_report_for_readers_outside_does_not_name_confidential_sites(
    world: World, plan_with_confidential_site: Plan
) -> None:
    snapshot = figures_for(world.chidi, "homes-pipeline", f"since={day_ago(5)}")

    assert snapshot.answers[0].startswith("80 homes at 1 site in 1 plan")
    assert cells(snapshot, "area", "Today") == {"Fareham": 80, "All homes": 80}
    assert CANARY not in str(snapshot)


def test_filters_for_readers_outside_do_not_offer_confidential_sites(
    world: World, plan_with_confidential_site: Plan
) -> None:
    response = signed_in(world.chidi).get(reverse("reports:report", args=["homes-pipeline"]))

    assert "80 homes at 1 site in 1 plan" in response.content.decode()
    assert CANARY not in response.content.decode()


@pytest.fixture
def plans_for_three_audiences(world: World) -> None:
    """Publish 110 homes for the partnership, 5 for Larkhaven alone and 3 for the network."""
    plan_with(world, QUAY, SECRET)
    plan_with(world, site("own", line(5)), title="Own", audience="owners")
    plan_with(world, site("open", line(3)), title="Open", audience="network", partnership=None)


def test_a_report_for_several_organisations_counts_what_each_of_them_may_read(
    world: World, plans_for_three_audiences: None
) -> None:
    snapshot = figures_for(Everybody([world.larkhaven.pk, world.westmarch.pk]), "homes-pipeline")

    assert cells(snapshot, "year", "Today")["All homes"] == 110 + 3


def test_a_report_for_one_organisation_counts_its_own_plans_too(world: World, plans_for_three_audiences: None) -> None:
    snapshot = figures_for(Everybody([world.larkhaven.pk]), "homes-pipeline")

    assert cells(snapshot, "year", "Today")["All homes"] == 110 + 5 + 3


@pytest.mark.parametrize(
    ("reader_name", "expected_homes"),
    [pytest.param("vera", 10, id="owner"), pytest.param("ben", 80, id="partner of the owner")],
)
def test_an_embargoed_version_is_counted_only_for_owners(world: World, reader_name: str, expected_homes: int) -> None:
    plan = plan_with(world, QUAY)
    save(plan, world, "sites/quay", homes=[line(10)])
    publish(plan, world, note="Held.", embargo_until=timezone.now() + dt.timedelta(days=2))

    snapshot = figures_for(getattr(world, reader_name), "homes-pipeline")

    assert cells(snapshot, "year", "Today")["All homes"] == expected_homes


@pytest.fixture
def plans_for_different_readers(world: World) -> None:
    """Publish three plans.

    The network reads 80 homes at one site, and the partnership also 30 and 1 at confidential sites. The partnership
    reads 5 + 2 homes at a second plan, for which owners read an embargoed version with 70. A third plan of 9 homes is
    for owners alone.
    """
    confidential_site = site("hidden", line(1), area="E07000088", confidential=True)
    plan_with(world, QUAY, SECRET, confidential_site, audience="network")
    held_site = site("held", line(5), line(2, year="2020-21"), actual_completion="2021-01")
    held_plan = plan_with(world, held_site, title="Held")
    save(held_plan, world, "sites/held", homes=[line(70)])
    publish(held_plan, world, note="Held.", embargo_until=timezone.now() + dt.timedelta(days=2))
    plan_with(world, MILL, title="Own", audience="owners")


def reader_called(world: World, reader_name: str) -> Reader:
    """Return the person of this name, or both parties of the partnership together for "parties"."""
    if reader_name == "parties":
        return Everybody([world.larkhaven.pk, world.westmarch.pk])
    reader: Reader = getattr(world, reader_name)
    return reader


@pytest.mark.parametrize(
    ("reader_name", "expected_homes"),
    [
        pytest.param("vera", 80 + 31 + 70 + 9, id="viewer of the owner"),
        pytest.param("eddie", 80 + 31 + 70 + 9, id="editor of the owner"),
        pytest.param("ben", 80 + 31 + 7, id="party"),
        pytest.param("parties", 80 + 31 + 7, id="both parties together"),
        pytest.param("chidi", 80, id="network"),
    ],
)
def test_homes_of_today_are_those_that_the_reader_may_read(
    world: World, plans_for_different_readers: None, reader_name: str, expected_homes: int
) -> None:
    reader = reader_called(world, reader_name)
    now = timezone.now()

    planned_homes = planned_homes_now(reader, [], now=now)

    assert sum(part.homes for part in planned_homes) == expected_homes
    check_homes_are_those_of_the_pipeline(planned_homes, reader, now)


@pytest.mark.parametrize(
    ("reader_name", "expected_site_count"),
    [
        # SECRET has no area. Sites are those of the newest version, so only owners see the site of the embargoed one.
        pytest.param("vera", 4, id="viewer of the owner"),
        pytest.param("eddie", 4, id="editor of the owner"),
        pytest.param("ben", 2, id="party"),
        pytest.param("parties", 2, id="both parties together"),
        pytest.param("chidi", 1, id="network"),
    ],
)
def test_sites_of_a_report_are_those_in_areas_that_the_reader_may_read(
    world: World, plans_for_different_readers: None, reader_name: str, expected_site_count: int
) -> None:
    reader = reader_called(world, reader_name)

    report_sites = records_for(reader, Districts.on(timezone.localdate())).sites

    readable_sites = Site.objects.visible_to(reader).filter(
        area__isnull=False, plan__in=Plan.objects.published_today_for(reader)
    )
    plan_area_pairs = sorted(zip(*report_sites.tolist(), strict=True))
    assert len(plan_area_pairs) == expected_site_count
    assert plan_area_pairs == sorted(readable_sites.values_list("plan", "area"))


def check_homes_are_those_of_the_pipeline(
    planned_homes: Iterable[PlannedHomesNow], reader: Reader, now: dt.datetime
) -> None:
    """Check that the homes to come are those of the pipeline, by area, by year and by tenure."""
    pipeline = homes_pipeline(reader, PipelineFilters(), earlier=None, now=now)
    for division, attribute in (("area", "area_code"), ("year", "year"), ("tenure", "tenure")):
        homes_by_value: Counter[Any] = Counter()
        for part in planned_homes:
            homes_by_value[getattr(part, attribute)] += part.to_come
        expected_homes: Counter[Any] = Counter()
        for values, count in pipeline.by[division].items():
            expected_homes[values[0]] += count.to_come
        # "+" leaves out what has no homes to come.
        assert +homes_by_value == +expected_homes, division


def test_a_superseded_plan_is_counted_on_days_before_it_was_superseded(world: World) -> None:
    old_plan = plan_with(world, QUAY)
    new_plan = plan_with(world, site("new", line(70)), title="New", days=1)
    services.change_status(
        plan=old_plan,
        to=Status.SUPERSEDED,
        reason="Replaced.",
        author=world.amina,
        now=timezone.now(),
        successor=new_plan,
    )

    snapshot = figures_for(world.ben, "homes-pipeline", f"since={day_ago(5)}")

    assert cells(snapshot, "year", f"As at {long_date(day_ago(5))}")["All homes"] == 80
    assert cells(snapshot, "year", "Today")["All homes"] == 70


def test_completed_homes_are_in_the_year_of_completion_at_the_latest(world: World) -> None:
    completed_site = site("done", line(6, year="2030-31"), line(4, year="2024-25"), actual_completion="2025-05-01")
    site_without_year = site("undated", line(3, year=""), forecast_completion="2029-02")
    plan_with(world, completed_site, site_without_year)

    snapshot = figures_for(world.ben, "homes-pipeline")

    assert column(snapshot, "year", "Today") == {"2024-25": 4, "2025-26": 6, "2028-29": 3, "all homes": 13}
    assert column(snapshot, "year", "Completed") == {"2024-25": 4, "2025-26": 6, "all homes": 10}


def test_sites_whose_forecast_moved_are_listed_with_by_how_much(world: World) -> None:
    plan = plan_with(world, QUAY, MILL)
    change(plan, world, "quay", forecast_completion="2029-12")

    table = figures_for(world.ben, "homes-pipeline").table("slippage")

    assert table is not None
    assert [row.cells for row in table.rows] == [
        ("Quay", "Programme", "June 2029", "December 2029", "2 quarters later", 80)
    ]
    assert table.rows[0].href == plan.get_absolute_url()


def test_homes_have_a_grant_or_a_registered_section_106_agreement_of_that_council(world: World) -> None:
    granted = site("granted", line(5), grant_programme="Homes for All")
    agreed = site("agreed", line(7), planning_reference="26/1/FUL", planning_authority="Westmarch Borough Council")
    elsewhere = site("elsewhere", line(9), planning_reference="26/1/FUL", planning_authority="Another Council")
    plan_with(world, granted, agreed, elsewhere)
    DeveloperAgreement.objects.create(
        reference="A1", kind="section 106", organisation=world.westmarch, planning_application="26/1/FUL", run_id=1
    )

    snapshot = figures_for(world.ben, "homes-pipeline")

    assert column(snapshot, "funding", "Today") == {"grant": 5, "section 106": 7, "neither": 9, "all homes": 21}


#: Everything that publishing writes about homes, except for ids.
FIELDS_OF_HOMES = [field.attname for field in PlannedHomes._meta.fields if field.name != "id"]


@pytest.fixture
def plan_of_three_versions(world: World) -> Plan:
    """Publish a plan with a baseline, a later version and an embargoed one."""
    plan = plan_with(world, QUAY, MILL, SECRET)
    change(plan, world, "quay", days=5, homes=[line(48)])
    save(plan, world, "sites/mill", name="Mill Lane")
    publish(plan, world, note="Held.", embargo_until=timezone.now() + dt.timedelta(days=2))
    return plan


def written_homes() -> list[str]:
    """Return the rows of planned homes without their ids, in an order that does not depend on the ids."""
    return sorted(map(str, PlannedHomes.objects.values_list(*FIELDS_OF_HOMES)))


def record_homes_with_old_code() -> None:
    """Run the migration that writes planned homes with the rights of code that does not know the packed tables.

    Old code runs like this during an upgrade, which gives the rights to the new tables only at its end.
    """
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE test_old_code NOLOGIN; GRANT test_old_code TO CURRENT_USER")
        grant(role="test_old_code")
        for model in (PackedHomes, HomesCombination, HomesProvider):
            cursor.execute(f"REVOKE ALL ON {model._meta.db_table} FROM test_old_code")
        cursor.execute("SET LOCAL ROLE test_old_code")
        importlib.import_module("partnerships.plans.migrations.0020_homes_over_time").record(apps, None)
        cursor.execute("RESET ROLE")


@pytest.mark.usefixtures("plan_of_three_versions")
def test_publishing_writes_a_row_for_each_change_of_planned_homes() -> None:
    rows = PlannedHomes.objects.order_by("site_key", "from_number", "count").values_list("site_key", "count")

    assert list(rows) == [
        ("mill", 9),
        ("mill", 9),  # the third version renames the site
        ("quay", 20),
        ("quay", 60),
        ("quay", 48),  # the second version has fewer homes
        ("secret", 30),
    ]


@pytest.mark.usefixtures("plan_of_three_versions")
def test_a_migration_writes_the_homes_that_publishing_writes() -> None:
    homes_of_publishing = written_homes()
    PlannedHomes.objects.all().delete()

    record_homes_with_old_code()

    assert written_homes() == homes_of_publishing


def test_the_database_packs_homes_of_code_that_does_not_pack(world: World, plan_of_three_versions: Plan) -> None:
    tables_of_publishing = figures_for(world.vera, "homes-pipeline").tables
    PlannedHomes.objects.all().delete()

    record_homes_with_old_code()

    assert figures_for(world.vera, "homes-pipeline").tables == tables_of_publishing


def test_a_migration_packs_the_homes_that_publishing_packs(world: World, plan_of_three_versions: Plan) -> None:
    tables_of_publishing = figures_for(world.vera, "homes-pipeline").tables
    PackedHomes.objects.all().delete()

    pack = importlib.import_module("partnerships.plans.migrations.0031_pack_homes").pack
    pack(apps, SimpleNamespace(connection=connection))

    assert figures_for(world.vera, "homes-pipeline").tables == tables_of_publishing
