"""Every figure of the homes pipeline agrees with a count of the versions by hand."""

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
from partnerships.organisations.audience import Everybody
from partnerships.plans import services
from partnerships.plans.content import NEEDS, TENURES, Content, bedrooms_in_words
from partnerships.plans.models import HomesCombination, HomesProvider, PackedHomes, Plan, PlannedHomes, Site, Status
from partnerships.plans.queries import content_of
from partnerships.plans.queries.homes_to_come import planned_homes_now
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
DIVISIONS = ("year", "tenure", "area", "bedrooms", "needs", "provider", "confidence")


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


def count_by_hand(contents: Iterable[Content], division: str, owners: str) -> dict[str, int]:
    """Return the homes of some versions by one division, counted one by one."""
    homes_by_name: Counter[str] = Counter()
    areas = {"E07000087": "Fareham", "E07000088": "Gosport", "": "Area not given"}
    for content in contents:
        for site in content["sites"]:
            for homes in site["homes"]:
                name = {
                    "year": homes["year"] or "Year not given",
                    "tenure": TENURES[homes["tenure"]],
                    "area": areas[site["area"]],
                    "bedrooms": bedrooms_in_words(homes["bedrooms"]).capitalize(),
                    "needs": NEEDS[homes["needs"]].capitalize(),
                    "provider": site["lead"] or owners,
                    "confidence": (site["confidence"] or "Confidence not given").capitalize(),
                }[division]
                homes_by_name[name.lower()] += homes["count"]
    return dict(homes_by_name)


def column(snapshot: Snapshot, division: str, label: str) -> dict[str, int]:
    """Return the figures of a column other than 0 and None, by lower-case name, with the total."""
    return {name.lower(): int(str(value)) for name, value in cells(snapshot, division, label).items() if value}


def day_ago(days: int) -> dt.date:
    """Return the day this many days ago."""
    return timezone.localdate() - dt.timedelta(days=days)


@pytest.mark.parametrize("division", DIVISIONS)
def test_each_figure_is_that_of_a_count_of_the_versions_by_hand(world: World, division: str) -> None:
    first = plan_with(world, QUAY, MILL, SECRET)
    change(first, world, "quay", days=10, homes=[line(48), line(26, "shared_ownership", year=LATER)])
    change(first, world, "quay", homes=[line(50), line(26, "affordable_rent", year=LATER)])
    second = plan_with(world, site("lock", line(7, bedrooms=None)), title="Another", days=15)

    snapshot = figures_for(world.ben, "homes-pipeline", f"since={day_ago(5)}")

    shown = [(f"As at {long_date(day_ago(5))}", 2), ("Today", 3), ("Baseline", 1)]
    for label, number in shown:
        expected = count_by_hand([content_of(first, number), content_of(second, 1)], division, "Larkhaven Homes")
        total = sum(expected.values())
        assert column(snapshot, division, label) == {**expected, "all homes": total}, label


def test_the_page_says_how_many_social_rented_homes_complete_next_year(world: World) -> None:
    plan = plan_with(world, QUAY, MILL)
    change(plan, world, "quay", homes=[line(48)])
    since = day_ago(5)

    page = signed_in(world.ben).get(
        reverse("reports:report", args=["homes-pipeline"]),
        {"area": world.fareham.pk, "tenure": "social_rent", "since": since.isoformat()},
    )

    sentence = f"Next year, {NEXT}, 48 homes complete: 12 fewer than the 60 on {long_date(since)}."
    assert sentence in page.content.decode()
    assert f"Compare with the figures on {long_date(since)}" in page.content.decode()


def test_a_council_finds_homes_in_its_areas_and_where_it_is_the_authority(world: World) -> None:
    site_in_gosport = site("elsewhere", line(5), area="E07000088")
    site_of_authority = site("named", line(7), area="", planning_authority=world.westmarch.name)
    plan_with(world, QUAY, site_in_gosport, site_of_authority)
    world.westmarch.areas_served.create(area=world.fareham)

    snapshot = figures_for(world.ben, "homes-pipeline", f"council={world.westmarch.pk}")
    nothing = figures_for(world.ben, "homes-pipeline", "council=999999")

    assert cells(snapshot, "area", "Today") == {"Fareham": 80, world.westmarch.name: 7, "All homes": 87}
    assert nothing.answers == ("No homes in published plans match these filters.",)


def test_homes_without_a_lead_count_for_the_present_owners_of_their_plan(world: World) -> None:
    plan = plan_with(world, MILL, owners=[world.larkhaven, world.westmarch])
    both = figures_for(world.ben, "homes-pipeline")
    services.give_up_ownership(
        plan=plan, organisation=world.westmarch, reason="Larkhaven builds it.", author=world.ben, now=timezone.now()
    )

    after = figures_for(world.ben, "homes-pipeline")

    assert column(both, "provider", "Today") == {"larkhaven homes and westmarch borough council": 9, "all homes": 9}
    assert column(after, "provider", "Today") == {"larkhaven homes": 9, "all homes": 9}


def test_readers_outside_get_every_figure_without_confidential_sites(world: World) -> None:
    plan = plan_with(world, QUAY, SECRET, audience="network")
    change(plan, world, "secret", homes=[line(44)])
    query = f"since={day_ago(5)}"

    inside, outside = (figures_for(person, "homes-pipeline", query) for person in (world.ben, world.chidi))

    assert cells(inside, "year", "Today")["All homes"] == 124
    assert cells(outside, "year", "Today")["All homes"] == 80
    assert {cells(outside, "year", label)["All homes"] for label in ("Baseline", "Change")} == {80, 0}
    assert CANARY in str(inside)
    assert CANARY not in str(outside)
    assert "Area not given" not in cells(outside, "area", "Today")
    assert outside.answers[0].startswith("80 homes at 1 site in 1 plan")
    form = signed_in(world.chidi).get(reverse("reports:report", args=["homes-pipeline"]))
    assert CANARY not in form.content.decode()


def test_a_report_for_a_partnership_counts_what_each_party_may_read(world: World) -> None:
    plan_with(world, QUAY, SECRET)
    plan_with(world, site("own", line(5)), title="Own", audience="owners")
    plan_with(world, site("open", line(3)), title="Open", audience="network", partnership=None)
    parties = Everybody([world.larkhaven.pk, world.westmarch.pk])

    snapshot = figures_for(parties, "homes-pipeline")

    assert cells(snapshot, "year", "Today")["All homes"] == 113
    own = figures_for(Everybody([world.larkhaven.pk]), "homes-pipeline")
    assert cells(own, "year", "Today")["All homes"] == 118


def test_an_embargoed_version_counts_for_owners_alone_until_it_opens(world: World) -> None:
    plan = plan_with(world, QUAY)
    save(plan, world, "sites/quay", homes=[line(10)])
    publish(plan, world, note="Held.", embargo_until=timezone.now() + dt.timedelta(days=2))

    owner, partner = (figures_for(person, "homes-pipeline") for person in (world.vera, world.ben))

    assert cells(owner, "year", "Today")["All homes"] == 10
    assert cells(partner, "year", "Today")["All homes"] == 80


def test_homes_of_today_and_sites_of_a_report_are_those_that_each_reader_may_read(world: World) -> None:
    add_plans_for_different_readers(world)
    now = timezone.now()

    totals = set()
    site_counts = set()
    for reader in (
        world.vera,
        world.ben,
        world.chidi,
        world.eddie,
        Everybody([world.larkhaven.pk, world.westmarch.pk]),
    ):
        homes = planned_homes_now(reader, [], now=now)
        check_homes_are_those_of_the_pipeline(homes, reader, now)
        totals.add(sum(part.homes for part in homes))

        report_sites = records_for(reader, Districts.on(timezone.localdate())).sites
        sites = Site.objects.visible_to(reader).filter(
            area__isnull=False, plan__in=Plan.objects.published_today_for(reader)
        )
        assert sorted(zip(*report_sites.tolist(), strict=True)) == sorted(sites.values_list("plan", "area")), reader
        site_counts.add(report_sites.shape[1])

    assert len(totals) == 3, "Not every reader may read the same homes."
    assert len(site_counts) > 2


def add_plans_for_different_readers(world: World) -> None:
    """Publish a plan with confidential sites, one with an embargoed version, and one for its owners only."""
    hidden = site("hidden", line(1), area="E07000088", confidential=True)
    plan_with(world, QUAY, SECRET, hidden, audience="network")
    held = plan_with(world, site("held", line(5), line(2, year="2020-21"), actual_completion="2021-01"), title="Held")
    save(held, world, "sites/held", homes=[line(70)])
    publish(held, world, note="Held.", embargo_until=timezone.now() + dt.timedelta(days=2))
    plan_with(world, MILL, title="Own", audience="owners")


def check_homes_are_those_of_the_pipeline(homes: Iterable[Any], reader: Any, now: dt.datetime) -> None:
    """Check that the homes to come are those of the pipeline, by area, by year and by tenure."""
    pipeline = homes_pipeline(reader, PipelineFilters(), earlier=None, now=now)
    for division, attribute in (("area", "area_code"), ("year", "year"), ("tenure", "tenure")):
        homes_by_value: Counter[Any] = Counter()
        for part in homes:
            homes_by_value[getattr(part, attribute)] += part.to_come
        expected_homes: Counter[Any] = Counter()
        for values, count in pipeline.by[division].items():
            expected_homes[values[0]] += count.to_come
        assert +homes_by_value == +expected_homes, (reader, division)


def test_a_superseded_plan_counts_for_days_before_it_was_superseded(world: World) -> None:
    old = plan_with(world, QUAY)
    new = plan_with(world, site("new", line(70)), title="New", days=1)
    services.change_status(
        plan=old, to=Status.SUPERSEDED, reason="Replaced.", author=world.amina, now=timezone.now(), successor=new
    )

    snapshot = figures_for(world.ben, "homes-pipeline", f"since={day_ago(5)}")

    assert cells(snapshot, "year", f"As at {long_date(day_ago(5))}")["All homes"] == 80
    assert cells(snapshot, "year", "Today")["All homes"] == 70


def test_completed_homes_count_in_the_year_of_completion_at_the_latest(world: World) -> None:
    done = site("done", line(6, year="2030-31"), line(4, year="2024-25"), actual_completion="2025-05-01")
    undated = site("undated", line(3, year=""), forecast_completion="2029-02")
    plan_with(world, done, undated)

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


def test_the_migrations_write_the_rows_that_publishing_writes(world: World) -> None:
    plan = plan_with(world, QUAY, MILL, SECRET)
    change(plan, world, "quay", days=5, homes=[line(48)])
    save(plan, world, "sites/mill", name="Mill Lane")
    publish(plan, world, note="Held.", embargo_until=timezone.now() + dt.timedelta(days=2))
    names = [field.attname for field in PlannedHomes._meta.fields if field.name != "id"]
    written = sorted(map(str, PlannedHomes.objects.values_list(*names)))
    figures = figures_for(world.vera, "homes-pipeline").tables
    PlannedHomes.objects.all().delete()

    with connection.cursor() as cursor:  # as old code while an upgrade runs, which gives rights at its end
        cursor.execute("CREATE ROLE test_old_code NOLOGIN; GRANT test_old_code TO CURRENT_USER")
        grant(role="test_old_code")
        for model in (PackedHomes, HomesCombination, HomesProvider):
            cursor.execute(f"REVOKE ALL ON {model._meta.db_table} FROM test_old_code")
        cursor.execute("SET LOCAL ROLE test_old_code")
        importlib.import_module("partnerships.plans.migrations.0020_homes_over_time").record(apps, None)
        cursor.execute("RESET ROLE")

    assert sorted(map(str, PlannedHomes.objects.values_list(*names))) == written
    assert len(written) == 6
    # The database itself packs rows of code that does not pack.
    assert figures_for(world.vera, "homes-pipeline").tables == figures
    PackedHomes.objects.all().delete()
    pack = importlib.import_module("partnerships.plans.migrations.0031_pack_homes").pack
    pack(apps, SimpleNamespace(connection=connection))
    assert figures_for(world.vera, "homes-pipeline").tables == figures
