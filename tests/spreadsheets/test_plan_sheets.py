"""Sites, homes and milestones from a spreadsheet go into the draft of a plan."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.rights import UnableToAct
from partnerships.kit.workbooks import xlsx_bytes
from partnerships.plans.content import total_homes
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import draft_content
from partnerships.spreadsheets import tasks
from partnerships.spreadsheets.models import OwnHeading, Status, Upload
from partnerships.spreadsheets.services import (
    UnableToApply,
    ask_to_import,
    confirm_headings,
    discard_upload,
    import_upload,
)
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import rows_to_correct
from tests.plans.drafts import CANARY, begin, publish, save
from tests.spreadsheets.sheets import brought_in, counts, exported, items, rows, upload
from tests.world import World

TWENTY = "Reference\tSite name\tDistrict\tPlanning status\tForecast start\n" + "".join(
    f"S{number}\tSite {number}\tFareham\tOutline permission\tApril 2027\n" for number in range(1, 21)
)
#: As a housing team keeps it: a column for each year.
HOMES = "Site\tTenure\tBeds\t2027/28\t2028/29\n" + "".join(
    f"S{number}\tSocial rent\t2 bed\t10\t5\nS{number}\tShared ownership\t3\t\t1,000\n" for number in range(1, 21)
)


def pasted(client: Client, plan: Plan, kind: str, text: str, query: str = "") -> Upload:
    """Paste rows on the page, and import them with its button."""
    answer = client.post(reverse("spreadsheets:new", args=["plan", plan.pk, kind]) + query, {"rows": text})
    assert answer.status_code == 302, answer.content.decode()
    made = Upload.objects.latest("pk")
    assert made.status == Status.PREVIEWED
    client.post(reverse("spreadsheets:import", args=[made.pk]))
    made.refresh_from_db()
    return made


def test_sites_and_homes_pasted_from_a_spreadsheet_publish_as_a_version(world: World, client: Client) -> None:
    plan = begin(world, content={"about": {"title": "Twenty sites"}})
    client.force_login(world.eddie)

    assert counts(pasted(client, plan, "sites", TWENTY)) == {"created": 20}
    assert counts(pasted(client, plan, "homes", HOMES)) == {"changed": 20}
    version = publish(plan, world)

    assert len(version.content["sites"]) == 20
    assert total_homes(version.content) == 20 * 1015
    first = version.content["sites"][0]
    assert (first["reference"], first["area"], first["forecast_start"]) == ("S1", "E07000087", "2027-04")
    assert first["homes"] == [
        {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2027-28", "count": 10},
        {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2028-29", "count": 5},
        {"tenure": "shared_ownership", "bedrooms": 3, "needs": "general", "year": "2028-29", "count": 1000},
    ]


def test_second_upload_changes_nothing_and_a_corrected_row_updates(world: World) -> None:
    plan = begin(world, content={"about": {"title": "Twenty sites"}})
    brought_in(plan, world.eddie, "sites", TWENTY)
    revision = Draft.objects.get(plan=plan).revision

    again = brought_in(plan, world.eddie, "sites", TWENTY)
    assert counts(again) == {"left_alone": 20}
    assert Draft.objects.get(plan=plan).revision == revision

    moved = brought_in(plan, world.eddie, "sites", "Reference,Name,Forecast start\nS7,Site 7,1 June 2028\n")
    assert counts(moved) == {"changed": 1}
    assert items(plan, "sites")["Site 7"]["forecast_start"] == "2028-06-01"
    assert items(plan, "sites")["Site 7"]["planning_status"] == "outline"


def test_good_rows_go_in_and_bad_ones_come_back_as_a_file(world: World, plan: Plan, client: Client) -> None:
    data = (
        "Reference,Name,Planning status,Forecast start,Area\n"
        "A1,Mill Lane,Allocated,soon,Fareham\nA2,Ferry Road,Sold,2027,Atlantis\nA3,,,,\n"
        "A4,Dock,Allocated,2027,Gosport\n"
    )

    done = brought_in(plan, world.eddie, "sites", data)

    assert counts(done) == {"created": 1, "set_aside": 3}
    client.force_login(world.eddie)
    download = reverse("spreadsheets:set-aside", args=[done.pk])
    assert download in client.get(done.get_absolute_url()).content.decode()
    assert [row["Reference"] for row in rows(client.get(download).getvalue())] == ["A1", "A2", "A3"]
    heading, aside = rows_to_correct(done.report)
    assert heading == (
        "Reference",
        "Name",
        "Planning status",
        "Forecast start",
        "Area",
        "Set aside because",
        "What to do",
    )
    assert [row[0] for row in aside] == ["A1", "A2", "A3"]
    assert "Forecast start: “soon” is not a date." in aside[0][-2]
    assert "“Sold” is not an allowed value." in aside[1][-2]
    assert "“Atlantis” is not a district or county." in aside[1][-2]
    corrected = ",".join(heading) + "\n" + ",".join([*aside[0][:3], "2027-05", "Fareham", "x", "y"])
    assert counts(brought_in(plan, world.eddie, "sites", corrected)) == {"created": 1}


def test_all_or_nothing_imports_nothing_while_a_row_is_bad(world: World, plan: Plan, client: Client) -> None:
    made = upload(plan, world.eddie, "sites", "Name,Area\nMill Lane,Fareham\nDock,Atlantis\n", all_or_nothing=True)
    client.force_login(world.eddie)

    page = client.get(made.get_absolute_url()).content.decode()
    assert "You chose “Import all rows or nothing”" in page
    assert "Import rows" not in page
    with pytest.raises(UnableToApply, match=r"Nothing was imported\. Row 3, column “Area”: “Atlantis”"):
        ask_to_import(upload=made, author=world.eddie, now=timezone.now())
    assert "Mill Lane" not in items(plan, "sites")


def test_preview_changes_nothing(world: World, plan: Plan) -> None:
    before = draft_content(plan)

    made = upload(plan, world.eddie, "sites", TWENTY)

    assert counts(made) == {"created": 20}
    assert draft_content(plan) == before


def test_row_that_somebody_changed_since_the_preview_is_set_aside(world: World, plan: Plan) -> None:
    made = upload(plan, world.eddie, "sites", "Reference,Name,Landowner\nNQ1,North Quay,The Crown\nN2,Dock,\n")
    save(plan, world, "sites/north-quay", landowner="Harbour Trust")

    done = ask_to_import(upload=made, author=world.eddie, now=timezone.now())

    assert counts(done) == {"created": 1, "set_aside": 1}
    assert items(plan, "sites")["North Quay"]["landowner"] == "Harbour Trust"


def test_milestones_find_their_sites_and_keep_their_precision(world: World, plan: Plan) -> None:
    data = "Milestone,Site,Forecast,Status\nStart on site,NQ1,12/09/2027,At risk\nHandover,North Quay,2029,\n"

    done = brought_in(plan, world.eddie, "milestones", data)

    assert counts(done) == {"created": 1, "changed": 1}
    found = items(plan, "milestones")
    assert found["Start on site"]["forecast"] == "2027-09-12"
    assert found["Start on site"]["status"] == "at_risk"
    assert (found["Handover"]["site"], found["Handover"]["forecast"]) == ("north-quay", "2029")


def test_postcodes_are_read_in_full_or_by_district(world: World, plan: Plan) -> None:
    data = "Site,Address,Postcode\nDock,1 Dock Road,po16 7gz\nMill,,PO17\nYard,,Fareham\n"

    done = brought_in(plan, world.eddie, "sites", data)

    assert counts(done) == {"created": 2, "set_aside": 1}
    found = items(plan, "sites")
    assert (found["Dock"]["address"], found["Dock"]["postcode"]) == ("1 Dock Road", "PO16 7GZ")
    assert found["Mill"]["postcode"] == "PO17"
    [aside] = rows_to_correct(done.report)[1]
    assert "“Fareham” is not a postcode." in aside[-2]


def test_homes_of_one_site_can_be_pasted_without_headings(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)

    rows_ = "Social Rent\t2\t2027/28\t60\nmarket sale\tstudio\t2029/30\t4\nFirst Homes\t1\t2029\t9\n"

    done = pasted(client, plan, "homes", rows_, "?site=north-quay")

    assert counts(done) == {"changed": 1, "set_aside": 1}
    [aside] = rows_to_correct(done.report)[1]
    assert "2029 is a calendar year, and this plan has financial years." in aside[-2]
    assert aside[-1] == "Enter 2028-29 or 2029-30."
    homes = items(plan, "sites")["North Quay"]["homes"]
    assert [(home["tenure"], home["bedrooms"], home["count"]) for home in homes] == [
        ("social_rent", 2, 60),
        ("market_sale", 0, 4),
    ]


def test_zero_homes_remove_a_line_and_contradicting_rows_are_set_aside(world: World, plan: Plan) -> None:
    data = (
        "Site,Tenure,Bedrooms,Year,Homes\nNQ1,social rent,2,2027-28,0\n"
        "NQ1,market sale,,2030,5\nNQ1,market sale,,2030,6\nNowhere,market sale,,2030,6\n"
    )

    done = brought_in(plan, world.eddie, "homes", data)

    assert counts(done) == {"changed": 1, "set_aside": 3}
    assert items(plan, "sites")["North Quay"]["homes"] == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", ["sites", "homes", "milestones"])
def test_export_imports_again_unchanged(world: World, plan: Plan, client: Client, kind: str, form: str) -> None:
    save(plan, world, "sites/north-quay", landowner="=1+1", lead="- none", notes="One.\n\nTwo, “three”.", lng=-1.0)
    save(plan, world, "sites/north-quay", address="Quay Street", postcode="PO16 7GZ")
    before = draft_content(plan)
    client.force_login(world.eddie)

    done = brought_in(plan, world.eddie, kind, exported(client, plan, kind, form), f"export.{form}")

    assert set(counts(done)) == {"left_alone"}
    assert draft_content(plan) == before


def test_export_holds_what_the_reader_may_read_and_no_formula(world: World, plan: Plan, client: Client) -> None:
    save(plan, world, "sites/north-quay", landowner="=1+1")
    publish(plan, world)
    save(plan, world, "sites/north-quay", landowner="Changed since")
    Plan.objects.filter(pk=plan.pk).update(audience="network")

    client.force_login(world.chidi)
    outside = exported(client, plan, "sites")
    client.force_login(world.ben)
    inside = exported(client, plan, "sites")
    client.force_login(world.eddie)
    draft = exported(client, plan, "sites")

    assert CANARY not in outside.decode()
    assert [row["Name"] for row in rows(outside)] == ["North Quay"]
    assert rows(outside)[0]["Landowner"] == "'=1+1"
    assert len(rows(inside)) == 2
    assert rows(draft)[0]["Landowner"] == "Changed since"


def test_only_editors_of_an_owner_import(world: World, plan: Plan, client: Client) -> None:
    publish(plan, world)
    for person in (world.vera, world.ben, world.chidi, world.dee):
        with pytest.raises(UnableToAct):
            upload(plan, person, "sites", TWENTY)
    made = upload(plan, world.eddie, "sites", TWENTY)
    client.force_login(world.amina)
    assert client.get(made.get_absolute_url()).status_code == 404

    world.eddie.memberships.update(role="viewer")
    with pytest.raises(UnableToAct):
        import_upload(upload=made, author=world.eddie, now=timezone.now())


def test_key_of_another_plan_never_touches_its_row(world: World, plan: Plan) -> None:
    other = begin(world, title="Another plan")
    before = draft_content(other)

    brought_in(plan, world.eddie, "sites", "ID,Reference,Name\nnorth-quay,NQ1,North Quay renamed\nnew-one,X,Mine\n")

    assert draft_content(other) == before
    assert set(items(plan, "sites")) >= {"North Quay renamed", "Mine"}


def test_unknown_headings_are_confirmed_once_and_remembered(world: World, plan: Plan, client: Client) -> None:
    data = "Our code,Name of the plot\nA1,Mill Lane\n"
    client.force_login(world.eddie)
    made = upload(plan, world.eddie, "sites", data)
    assert made.is_unread
    page = reverse("spreadsheets:headings", args=[made.pk])
    assert "Name of the plot (“Mill Lane”)" in client.get(page).content.decode()

    answer = client.post(page, {"column-name": "Name of the plot", "column-reference": "Our code"})

    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.status, counts(made)) == (Status.PREVIEWED, {"created": 1})
    assert OwnHeading.objects.filter(organisation=world.larkhaven).count() == 2
    assert upload(plan, world.eddie, "sites", data).is_previewed


def test_template_names_its_columns_and_allowed_values(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    answer = client.get(reverse("spreadsheets:template", args=["plan", plan.pk, "milestones", "xlsx"]))
    book = read_sheets(answer.getvalue(), "template.xlsx")

    made = upload(plan, world.eddie, "milestones", answer.getvalue(), "template.xlsx")

    assert [sheet.name for sheet in book] == ["Milestones", "Allowed values"]
    allowed = {str(row.cells[0]): row.cells[3] for row in book[1].rows}
    assert allowed["Column “Status”"] == "Planned, On track, At risk, Late, Achieved, Cancelled"
    assert made.report["remarks"] == ["We left out the example row of the template."]
    assert not counts(made)


def test_spreadsheet_bomb_is_refused(world: World, plan: Plan) -> None:
    far = [[""] * 290 for _ in range(2)]
    far[1][289] = "x"
    with pytest.raises(UnableToRead):
        upload(plan, world.eddie, "sites", b"PK\x03\x04 no archive", "bomb.xlsx")
    with pytest.raises(UnableToRead, match="limit"):
        upload(plan, world.eddie, "sites", b"Name\n" + b"x" * 5_000_000)
    with pytest.raises(UnableToRead):
        upload(plan, world.eddie, "sites", xlsx_bytes([("Sheet", far)]), "far.xlsx")


@pytest.mark.slow
def test_large_file_is_imported_by_a_worker_and_shows_its_progress(world: World, plan: Plan, client: Client) -> None:
    data = "Reference,Name\n" + "".join(f"R{number},Plot {number}\n" for number in range(4_900))
    client.force_login(world.eddie)
    made = upload(plan, world.eddie, "sites", data)
    assert made.total == 4_900
    assert "4900 rows. We will start within 20 seconds." in client.get(made.get_absolute_url()).content.decode()
    Upload.objects.filter(pk=made.pk).update(total=1)
    assert "1 row. We will start within 20 seconds." in client.get(made.get_absolute_url()).content.decode()
    Upload.objects.filter(pk=made.pk).update(total=4_900)

    assert tasks.work_on_waiting() == 1
    client.post(reverse("spreadsheets:import", args=[made.pk]))
    Upload.objects.filter(pk=made.pk).update(done=2_450)
    page = client.get(made.get_absolute_url()).content.decode()
    assert "2450 of 4900 rows done." in page
    assert "Import rows" not in page
    assert tasks.work_on_waiting() == 1

    made.refresh_from_db()
    assert (made.status, made.content, counts(made)) == (Status.APPLIED, None, {"created": 4_900})
    assert len(draft_content(plan)["sites"]) == 4_902


def test_discarded_file_is_gone(world: World, plan: Plan) -> None:
    made = upload(plan, world.eddie, "sites", "Name,Area\nMill Lane,Atlantis\n")

    discard_upload(upload=made, author=world.eddie, now=timezone.now())

    made.refresh_from_db()
    assert (made.status, made.content, made.report["set_aside"]) == (Status.DISCARDED, None, [])
    with pytest.raises(UnableToApply):
        ask_to_import(upload=made, author=world.eddie, now=timezone.now())
    with pytest.raises(UnableToApply):
        confirm_headings(upload=made, headings={"name": "Name"}, author=world.eddie, now=timezone.now())


def test_worker_says_why_nothing_was_imported(world: World, plan: Plan, client: Client) -> None:
    data = "Name\n" + "".join(f"Plot {number}\n" for number in range(301))
    made = upload(plan, world.eddie, "sites", data)
    tasks.work_on_waiting()
    made.refresh_from_db()
    ask_to_import(upload=made, author=world.eddie, now=timezone.now())
    world.eddie.memberships.update(role="viewer")

    tasks.work_on_waiting()

    made.refresh_from_db()
    assert made.is_previewed
    assert made.error == "You can no longer import this spreadsheet. Ask a lead of your organisation to import it."
    assert "Plot 1" not in items(plan, "sites")


def refused(answer: Any) -> str:
    """Return the page of a refused upload."""
    assert answer.status_code == 422
    return str(answer.content.decode())


def test_page_says_what_is_wrong_with_a_file(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    page = reverse("spreadsheets:new", args=["plan", plan.pk, "sites"])

    assert "Choose a file or paste rows" in refused(client.post(page, {}))
    assert "it is a web page" in refused(client.post(page, {"rows": "<html>"}))
