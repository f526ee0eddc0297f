"""The report on need and supply shows published figures of areas beside the homes in plans."""

from __future__ import annotations

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
from partnerships.reports.snapshot import from_json, to_json
from partnerships.transfer.services.housing_figures.shipped import load_figures
from tests.plans.drafts import CANARY, begin, publish
from tests.reports.conftest import cells, figures_for
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.transfer.lists import import_list
from tests.world import World

NEXT = financial_year(timezone.localdate(), 1)
FAREHAM, GOSPORT = "E07000087", "E07000088"


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
                {"key": "quay", "name": "Quay", "area": FAREHAM, "homes": [homes(60, NEXT), homes(5, "")]},
                {"key": "mill", "name": "Mill", "area": GOSPORT, "homes": [homes(9, NEXT)]},
                {
                    "key": "done",
                    "name": "Done",
                    "area": GOSPORT,
                    "actual_completion": "2026-05",
                    "homes": [homes(7, NEXT)],
                },
                {"key": "secret", "name": CANARY, "area": GOSPORT, "confidential": True, "homes": [homes(30, NEXT)]},
                {"key": "far", "name": "Far", "homes": [homes(4, NEXT)]},
            ],
        },
        audience="network",
    )
    publish(plan, world)
    return world


def homes(count: int, year: str) -> dict[str, Any]:
    """Return a line of homes for social rent."""
    return {"tenure": "social_rent", "needs": "general", "year": year, "count": count}


def test_figures_of_an_area_are_the_published_ones(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    # From live tables 122, 1008C and 600, in partnerships/transfer/figures/.
    assert cells(snapshot, "areas", "Net additional dwellings, 2024-25") == {
        "Fareham": 356,
        "Gosport": 120,
        "All areas": 476,
    }
    assert cells(snapshot, "areas", "Affordable homes completed, 2020-21") == {
        "Fareham": 64,
        "Gosport": 58,
        "All areas": 122,
    }
    assert cells(snapshot, "areas", "Waiting list on 31 March, 2025") == {
        "Fareham": 293,
        "Gosport": 553,
        "All areas": 846,
    }


def test_results_of_the_delivery_test_are_the_published_ones(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    result_by_area = cells(snapshot, "areas", "Housing Delivery Test, 2020-21 to 2022-23")
    consequence_by_area = cells(snapshot, "areas", "Consequence of the test")
    assert result_by_area["Fareham"] == 55
    assert result_by_area["Gosport"] == 31
    assert consequence_by_area["Fareham"] == "Presumption"
    assert consequence_by_area["Gosport"] == "Presumption"


def test_result_of_the_delivery_test_for_all_areas_is_worked_out_fromhomes(figures: World) -> None:
    """Fareham and Gosport delivered 421 and 250 of the 762 and 801 homes required."""
    snapshot = figures_for(figures.amina, "need-and-supply")

    result_by_area = cells(snapshot, "areas", "Housing Delivery Test, 2020-21 to 2022-23")
    assert result_by_area["All areas"] == Decimal("42.9")


def test_required_homes_are_those_of_adopted_plans(figures: World) -> None:
    """The adopted plans have 9,560 homes from 2021 to 2037 and 3,060 from 2011 to 2029."""
    snapshot = figures_for(figures.amina, "need-and-supply")

    assert cells(snapshot, "areas", "Required a year") == {"Fareham": 598, "Gosport": 170, "All areas": 768}
    assert cells(snapshot, "areas", "Homes to come in plans") == {"Fareham": 65, "Gosport": 39, "All areas": 104}


def test_note_that_all_figures_are_provisional_is_shown_once(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    areas = snapshot.table("areas")

    assert areas is not None
    assert "All figures for net additions are provisional." in areas.note
    assert "net additions" not in str(cells(snapshot, "areas", "Notes"))


@pytest.mark.parametrize(
    ("kind", "started", "completed"),
    # The sums of Fareham and Gosport in live tables 1006, 1006a and 1007b.
    [("Social rent", 0, 2), ("Affordable rent", 0, 15), ("Shared ownership", 0, 105)],
)
def test_published_affordable_homes_are_shown_by_kind(figures: World, kind: str, started: int, completed: int) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    assert cells(snapshot, "kinds", "Started, 2020-21")[kind] == started
    assert cells(snapshot, "kinds", "Completed, 2020-21")[kind] == completed


def test_homes_to_come_in_plans_are_shown_by_kind(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    homes_to_come = cells(snapshot, "kinds", "Homes to come in plans")
    assert homes_to_come["Social rent"] == 60 + 5 + 9 + 30 + 4
    assert homes_to_come["Shared ownership"] == 0


def test_published_figures_are_shown_by_year(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    # Each figure is the sum of Fareham and Gosport.
    assert cells(snapshot, "years", "Net additional dwellings")["2022-23"] == 144 + 21
    assert cells(snapshot, "years", "Affordable homes completed")["2020-21"] == 64 + 58
    assert cells(snapshot, "years", "Affordable homes started")["2019-20"] == 23 + 54


def test_homes_to_come_in_plans_are_shown_by_year(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    assert cells(snapshot, "years", "Homes to come in plans")[NEXT] == 60 + 9 + 30 + 4
    assert cells(snapshot, "years", "Homes to come in plans")["Year not given"] == 5


def test_homes_at_confidential_sites_are_not_counted_for_outsiders(figures: World) -> None:
    snapshot = figures_for(figures.nadia, "need-and-supply")

    assert cells(snapshot, "areas", "Homes to come in plans") == {"Fareham": 65, "Gosport": 9, "All areas": 74}
    assert CANARY not in str(to_json(snapshot))
    assert "The plans for 4 homes to come name no council area" in " ".join(snapshot.notes)


def test_report_on_an_area_of_a_council_is_about_that_area_alone(figures: World) -> None:
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


def test_sources_state_their_licence_and_date(figures: World) -> None:
    snapshot = figures_for(figures.amina, "need-and-supply")

    date_by_source = {source.words.partition(":")[0]: source.as_of for source in snapshot.sources}
    assert date_by_source["Net additional dwellings (live table 122)"] == dt.date(2025, 11, 20)
    assert all("Open Government Licence v3.0" in source.words for source in snapshot.sources[:-1])


@pytest.fixture
def solent_follows_fareham_and_gosport(world: World) -> None:
    """Load the figures, and let the area and council of Solent replace those of Fareham and Gosport."""
    start_day = timezone.localdate() - dt.timedelta(days=30)
    dissolved_councils = []
    for name, area in (("Fareham Council", world.fareham), ("Gosport Council", world.gosport)):
        council = create_organisation(
            name=name, kind="council", status="dissolved", valid_to=start_day, author=None, now=world.now
        )
        serve_area(organisation=council, area=area, author=None, now=world.now)
        Area.objects.filter(pk=area.pk).update(valid_to=start_day)
        dissolved_councils.append(council)
    solent = Area.objects.create(code="E06900099", name="Solent", kind="district", valid_from=start_day)
    solent_council = create_organisation(name="Solent Council", kind="council", author=None, now=world.now)
    load_figures(author=None, now=world.now)
    follow(dissolved_councils, [solent_council], on=start_day, now=world.now)
    serve_area(organisation=solent_council, area=solent, starts_on=start_day, author=None, now=world.now)


@pytest.mark.usefixtures("solent_follows_fareham_and_gosport")
def test_figures_of_the_areas_that_an_area_replaced_are_added(world: World) -> None:
    snapshot = figures_for(world.amina, "need-and-supply")

    assert cells(snapshot, "areas", "Net additional dwellings, 2024-25") == {"Solent": 356 + 120}
    assert cells(snapshot, "areas", "Required a year") == {"Solent": 768}
    assert cells(snapshot, "areas", "Housing Delivery Test, 2020-21 to 2022-23") == {"Solent": Decimal("42.9")}
    assert cells(snapshot, "areas", "Consequence of the test") == {
        "Solent": "Fareham: Presumption; Gosport: Presumption"
    }


@pytest.mark.usefixtures("solent_follows_fareham_and_gosport")
def test_notes_say_that_figures_of_replaced_areas_were_added(world: World) -> None:
    snapshot = figures_for(world.amina, "need-and-supply")

    notes = str(cells(snapshot, "areas", "Notes")["Solent"])
    assert "net additions: the sum of Fareham and Gosport; provisional" in notes
    assert "delivery test: worked out from the sum of Fareham and Gosport" in notes


def import_release_of_2026() -> None:
    """Import the net additions that are published in 2026, in which Gosport is missing."""
    table = "ONS code,Area,2023-24,2024-25\nE07000087,Fareham,244,300\n"
    import_list("net-additions", table, name="table-122_2026-11-20.csv")


def test_report_has_the_figures_of_the_latest_release(figures: World) -> None:
    import_release_of_2026()

    snapshot = figures_for(figures.amina, "need-and-supply")

    assert Dataset.objects.filter(series="net-additions").count() == 2
    assert cells(snapshot, "areas", "Net additional dwellings, 2024-25") == {
        "Fareham": 300,
        "Gosport": None,
        "All areas": 300,
    }
    areas = snapshot.table("areas")
    assert areas is not None
    assert "1 for “Net additional dwellings, 2024-25”" in areas.note


def test_stored_report_keeps_the_figures_of_its_release(figures: World) -> None:
    stored_report = to_json(figures_for(figures.amina, "need-and-supply"))

    import_release_of_2026()

    snapshot = from_json(stored_report)
    assert cells(snapshot, "areas", "Net additional dwellings, 2024-25")["Fareham"] == 356


def test_requirement_of_a_joint_plan_is_shown_for_each_area_without_a_sum(figures: World) -> None:
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


def test_the_map_is_on_the_first_page_of_the_pdf(figures: World) -> None:
    pdf = file_content(figures_for(figures.amina, "need-and-supply", f"council={figures.westmarch.pk}"), "pdf")

    first_page_text = pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()

    assert "Plans require" in first_page_text
    assert "Boundaries: Office for National Statistics" in first_page_text
