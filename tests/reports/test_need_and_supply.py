"""Each figure of need and supply agrees with the published rows and the plans, read by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.housing_figures.models import Dataset
from partnerships.organisations.models import Area
from partnerships.organisations.services import create_organisation, serve_area
from partnerships.reports.downloads import file_content
from partnerships.reports.kinds.homes_pipeline import financial_year
from partnerships.reports.snapshot import Cell, from_json, to_json
from partnerships.transfer.services.housing_figures.shipped import FIGURES, load_figures
from tests.plans.drafts import CANARY, begin, publish
from tests.reports.conftest import cells, figures_for
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.transfer.lists import import_list
from tests.world import World

NEXT = financial_year(timezone.localdate(), 1)
FAREHAM, GOSPORT = "E07000087", "E07000088"


def published_rows(series: str, code: str) -> list[dict[str, str]]:
    """Return the rows of an area in the files that come with the project."""
    path = next(FIGURES.glob(f"{series}_*.csv"))
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if code in row.values()]


@pytest.fixture
def figures(world: World) -> World:
    """Published figures of Fareham and Gosport, which Westmarch serves, and homes in a plan."""
    load_figures(author=None, now=world.now)
    for area in (world.fareham, world.gosport):
        serve_area(organisation=world.westmarch, area=area, author=None, now=world.now)
    plan = begin(
        world,
        content={
            "about": {"title": "Programme"},
            "sites": [
                {"key": "quay", "name": "Quay", "area": FAREHAM, "homes": [_homes(60, NEXT), _homes(5, "")]},
                {"key": "mill", "name": "Mill", "area": GOSPORT, "homes": [_homes(9, NEXT)]},
                {
                    "key": "done",
                    "name": "Done",
                    "area": GOSPORT,
                    "actual_completion": "2026-05",
                    "homes": [_homes(7, NEXT)],
                },
                {"key": "secret", "name": CANARY, "area": GOSPORT, "confidential": True, "homes": [_homes(30, NEXT)]},
                {"key": "far", "name": "Far", "homes": [_homes(4, NEXT)]},
            ],
        },
        audience="network",
    )
    publish(plan, world)
    return world


def _homes(count: int, year: str) -> dict[str, Any]:
    """Return a line of homes for social rent."""
    return {"tenure": "social_rent", "needs": "general", "year": year, "count": count}


def test_figures_are_those_of_the_published_rows_and_the_plans(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    for name, code in (("Fareham", FAREHAM), ("Gosport", GOSPORT)):
        [net_additions, *_] = published_rows("net-additions", code)
        [completions] = [row for row in published_rows("affordable-supply", code) if row["Table"] == "1008C"]
        [waiting_list] = [row for row in published_rows("waiting-lists", code) if row["reporting_year"] == "2025"]

        def cell(label: str, area: str = name) -> Cell:
            return cells(snapshot, "areas", label)[area]

        assert cell("Net additional dwellings, 2024-25") == int(net_additions["2024-25 [p]"])
        assert cell("Affordable homes completed, 2020-21") == int(completions["2020-21"])
        assert cell("Waiting list on 31 March, 2025") == int(waiting_list["households_on_register"])


def test_results_of_the_delivery_test_are_published_ones_and_their_total_is_computed(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")
    result_by_area = cells(snapshot, "areas", "Housing Delivery Test, 2020-21 to 2022-23")
    consequence_by_area = cells(snapshot, "areas", "Consequence of the test")

    delivered = required = Decimal(0)
    for name, code in (("Fareham", FAREHAM), ("Gosport", GOSPORT)):
        published = published_rows("delivery-test", code)[0]
        assert result_by_area[name] == Decimal(published["Housing Delivery Test: 2023 measurement"]) * 100
        assert consequence_by_area[name] == published["Housing Delivery Test: 2023 consequence"]
        delivered += Decimal(published["Total number of homes delivered"])
        required += Decimal(published["Total number of homes required"])

    assert result_by_area["All areas"] == (delivered * 100 / required).quantize(Decimal("0.1"))


def test_required_homes_are_those_of_adopted_plans(figures: World) -> None:
    """The adopted plans have 9,560 homes from 2021 to 2037 and 3,060 from 2011 to 2029."""
    snapshot = figures_for(figures.amina, "need-and-supply")

    assert cells(snapshot, "areas", "Required a year") == {"Fareham": 598, "Gosport": 170, "All areas": 768}
    assert cells(snapshot, "areas", "Homes to come in plans") == {"Fareham": 65, "Gosport": 39, "All areas": 104}


def test_note_that_all_figures_are_provisional_is_shown_once_for_all_areas(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    areas = snapshot.table("areas")

    assert areas is not None
    assert "All figures for net additions are provisional." in areas.note
    assert "net additions" not in str(cells(snapshot, "areas", "Notes"))


def test_affordable_homes_are_shown_by_kind_beside_those_to_come(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    for kind, table in (("Social rent", "1006"), ("Affordable rent", "1006a"), ("Shared ownership", "1007b")):
        rows = [row for code in (FAREHAM, GOSPORT) for row in published_rows("affordable-supply", code)]
        for label, stage in (("Started", "S"), ("Completed", "C")):
            expected = sum(
                int(row["2020-21"]) for row in rows if row["Table"].casefold() == f"{table}{stage}".casefold()
            )
            assert cells(snapshot, "kinds", f"{label}, 2020-21")[kind] == expected, (kind, label)
    to_come = cells(snapshot, "kinds", "Homes to come in plans")
    assert to_come["Social rent"] == 60 + 5 + 9 + 30 + 4
    assert to_come["Shared ownership"] == 0


def test_years_have_published_figures_and_homes_to_come(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    assert cells(snapshot, "years", "Net additional dwellings")["2022-23"] == 144 + 21
    assert cells(snapshot, "years", "Affordable homes completed")["2020-21"] == 64 + 58
    assert cells(snapshot, "years", "Affordable homes started")["2019-20"] == 23 + 54
    assert cells(snapshot, "years", "Homes to come in plans")[NEXT] == 60 + 9 + 30 + 4
    assert cells(snapshot, "years", "Homes to come in plans")["Year not given"] == 5


def test_homes_at_confidential_sites_count_inside_only(figures: World) -> None:
    outside = figures_for(figures.nadia, "need-and-supply")

    assert cells(outside, "areas", "Homes to come in plans") == {"Fareham": 65, "Gosport": 9, "All areas": 74}
    assert CANARY not in str(to_json(outside))
    assert "The plans for 4 homes to come name no council area" in " ".join(outside.notes)


def test_filter_by_council_takes_the_areas_that_it_serves(figures: World) -> None:
    snapshot = figures_for(
        figures.amina, "need-and-supply", f"council={figures.westmarch.pk}&area={figures.gosport.pk}"
    )

    assert list(cells(snapshot, "areas", "Homes to come in plans")) == ["Gosport"]
    assert "39 homes to come in Gosport" in snapshot.answers[0]
    assert "Plans require 170 homes a year there" in snapshot.answers[1]
    assert (
        snapshot.answers[2] == "Housing Delivery Test, 2020-21 to 2022-23: 31.0% of the homes required were delivered."
    )
    assert [row.cells[0] for row in snapshot.tables[3].rows] == [
        "Gosport Borough Local Plan 2011-2029",
        "Gosport Local Plan 2040",
    ]


def test_sources_say_publisher_licence_and_day(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    days = {source.words.partition(":")[0]: source.as_of for source in snapshot.sources}
    assert days["Net additional dwellings (live table 122)"] == dt.date(2025, 11, 20)
    assert all("Open Government Licence v3.0" in source.words for source in snapshot.sources[:-1])


def test_figures_of_predecessors_are_added_and_the_notes_say_so(world: World) -> None:
    start_day = timezone.localdate() - dt.timedelta(days=30)
    first, second = (
        create_organisation(
            name=f"{name} Council", kind="council", status="dissolved", valid_to=start_day, author=None, now=world.now
        )
        for name in ("Fareham", "Gosport")
    )
    new = create_organisation(name="Solent Council", kind="council", author=None, now=world.now)
    area = Area.objects.create(code="E06900099", name="Solent", kind="district", valid_from=start_day)
    for body, place in ((first, world.fareham), (second, world.gosport)):
        serve_area(organisation=body, area=place, author=None, now=world.now)
        Area.objects.filter(pk=place.pk).update(valid_to=start_day)
    load_figures(author=None, now=world.now)
    follow([first, second], [new], on=start_day, now=world.now)
    serve_area(organisation=new, area=area, starts_on=start_day, author=None, now=world.now)

    snapshot = figures_for(world.amina, "need-and-supply")

    assert cells(snapshot, "areas", "Net additional dwellings, 2024-25") == {"Solent": 356 + 120}
    assert cells(snapshot, "areas", "Required a year") == {"Solent": 768}
    assert cells(snapshot, "areas", "Housing Delivery Test, 2020-21 to 2022-23") == {
        "Solent": (Decimal("671.1579") * 100 / Decimal("1562.8603")).quantize(Decimal("0.1"))
    }
    assert cells(snapshot, "areas", "Consequence of the test") == {
        "Solent": "Fareham: Presumption; Gosport: Presumption"
    }
    notes = str(cells(snapshot, "areas", "Notes")["Solent"])
    assert "net additions: the sum of Fareham and Gosport; provisional" in notes
    assert "delivery test: worked out from the sum of Fareham and Gosport" in notes


def test_a_new_release_changes_the_report_but_not_a_stored_one(figures: World) -> None:
    before = from_json(to_json(figures_for(figures.amina, "need-and-supply")))
    table = "ONS code,Area,2023-24,2024-25\nE07000087,Fareham,244,300\n"
    import_list("net-additions", table, name="table-122_2026-11-20.csv")

    snapshot = figures_for(figures.amina, "need-and-supply")

    assert Dataset.objects.filter(series="net-additions").count() == 2
    assert cells(snapshot, "areas", "Net additional dwellings, 2024-25") == {
        "Fareham": 300,
        "Gosport": None,
        "All areas": 300,
    }
    assert cells(before, "areas", "Net additional dwellings, 2024-25")["Fareham"] == 356
    table_now = snapshot.table("areas")
    assert table_now is not None
    assert "1 for “Net additional dwellings, 2024-25”" in table_now.note


def test_requirement_of_a_joint_plan_is_shown_for_each_area_and_never_added(figures: World) -> None:
    table = (
        "ons_code,name,plan_title,plan_id,start_year,end_year,housing_number_type,number,min,max,joint_plan_total,"
        "is_joint_plan,adopted\n"
        "E07000087,Fareham,Joint Plan,j1,2021,2041,HOUSING_REQUIREMENT_TOTAL,,,,12000,True,2024-05-01\n"
        "E07000088,Gosport,Joint Plan,j1,2021,2041,HOUSING_REQUIREMENT_TOTAL,,,,12000,True,2024-05-01\n"
    )
    import_list("requirements", table, name="requirements_2026-03-21.csv")

    snapshot = figures_for(figures.amina, "need-and-supply")

    assert cells(snapshot, "areas", "Required a year") == {"Fareham": 600, "Gosport": 600, "All areas": None}
    areas = snapshot.table("areas")
    assert areas is not None
    assert "2 for “Required a year”" in areas.note
    assert "Plans require" not in str(snapshot.answers)


def test_page_without_imported_figures_says_what_is_missing(world: World) -> None:
    client = signed_in(world.nadia)

    page = client.get(reverse("reports:report", args=["need-and-supply"])).content.decode()

    assert "These figures are not imported yet: Housing Delivery Test" in page
    assert "E07000087" not in page or "cg-map__drawing" in page


def test_the_map_and_its_legend_are_on_the_first_sheet(figures: World) -> None:
    pdf = file_content(figures_for(figures.amina, "need-and-supply", f"council={figures.westmarch.pk}"), "pdf")

    first = pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()

    assert "Plans require" in first
    assert "Boundaries: Office for National Statistics" in first
