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
from tests.spreadsheets.sheets import csv_rows, draft_items_by_name, export_of, imported_upload, row_counts, upload
from tests.world import World

TWENTY = "Reference\tSite name\tDistrict\tPlanning status\tForecast start\n" + "".join(
    f"S{number}\tSite {number}\tFareham\tOutline permission\tApril 2027\n" for number in range(1, 21)
)
#: Rows as a housing team may have them, with a column for each year.
HOMES = "Site\tTenure\tBeds\t2027/28\t2028/29\n" + "".join(
    f"S{number}\tSocial rent\t2 bed\t10\t5\nS{number}\tShared ownership\t3\t\t1,000\n" for number in range(1, 21)
)


def paste_and_import(client: Client, plan: Plan, kind: str, text: str, query: str = "") -> Upload:
    """Paste rows on the page, and import them with the page's button."""
    answer = client.post(reverse("spreadsheets:new", args=["plan", plan.pk, kind]) + query, {"rows": text})
    assert answer.status_code == 302, answer.content.decode()
    upload = Upload.objects.latest("pk")
    assert upload.status == Status.PREVIEWED
    client.post(reverse("spreadsheets:import", args=[upload.pk]))
    upload.refresh_from_db()
    return upload


def test_sites_and_homes_pasted_from_a_spreadsheet_publish_as_a_version(world: World, client: Client) -> None:
    plan = begin(world, content={"about": {"title": "Twenty sites"}})
    client.force_login(world.eddie)

    assert row_counts(paste_and_import(client, plan, "sites", TWENTY)) == {"created": 20}
    assert row_counts(paste_and_import(client, plan, "homes", HOMES)) == {"changed": 20}
    version = publish(plan, world)

    assert len(version.content["sites"]) == 20
    assert total_homes(version.content) == 20 * 1015
    first_site = version.content["sites"][0]
    assert first_site["reference"] == "S1"
    assert first_site["area"] == "E07000087"
    assert first_site["forecast_start"] == "2027-04"
    assert first_site["homes"] == [
        {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2027-28", "count": 10},
        {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2028-29", "count": 5},
        {"tenure": "shared_ownership", "bedrooms": 3, "needs": "general", "year": "2028-29", "count": 1000},
    ]


def test_second_upload_changes_nothing_and_a_corrected_row_updates(world: World) -> None:
    plan = begin(world, content={"about": {"title": "Twenty sites"}})
    imported_upload(plan, world.eddie, "sites", TWENTY)
    revision = Draft.objects.get(plan=plan).revision

    second_upload = imported_upload(plan, world.eddie, "sites", TWENTY)
    assert row_counts(second_upload) == {"left_alone": 20}
    assert Draft.objects.get(plan=plan).revision == revision

    corrected_upload = imported_upload(
        plan, world.eddie, "sites", "Reference,Name,Forecast start\nS7,Site 7,1 June 2028\n"
    )
    assert row_counts(corrected_upload) == {"changed": 1}
    assert draft_items_by_name(plan, "sites")["Site 7"]["forecast_start"] == "2028-06-01"
    assert draft_items_by_name(plan, "sites")["Site 7"]["planning_status"] == "outline"


#: Four sites. Only the last is correct.
SITES_WITH_PROBLEMS = """\
Reference,Name,Planning status,Forecast start,Area
A1,Mill Lane,Allocated,soon,Fareham
A2,Ferry Road,Sold,2027,Atlantis
A3,,,,
A4,Dock,Allocated,2027,Gosport
"""


def test_good_rows_go_in_and_bad_ones_come_back_as_a_file(world: World, plan: Plan, client: Client) -> None:
    imported = imported_upload(plan, world.eddie, "sites", SITES_WITH_PROBLEMS)

    assert row_counts(imported) == {"created": 1, "set_aside": 3}
    client.force_login(world.eddie)
    download = reverse("spreadsheets:set-aside", args=[imported.pk])
    assert download in client.get(imported.get_absolute_url()).content.decode()
    assert [row["Reference"] for row in csv_rows(client.get(download).getvalue())] == ["A1", "A2", "A3"]


def test_rows_that_were_set_aside_name_every_problem(world: World, plan: Plan) -> None:
    imported = imported_upload(plan, world.eddie, "sites", SITES_WITH_PROBLEMS)

    headings, rows_set_aside = rows_to_correct(imported.report)

    assert headings == (
        "Reference",
        "Name",
        "Planning status",
        "Forecast start",
        "Area",
        "Set aside because",
        "What to do",
    )
    problems_by_reference = {row[0]: row[-2] for row in rows_set_aside}
    assert list(problems_by_reference) == ["A1", "A2", "A3"]
    assert "Forecast start: “soon” is not a date." in problems_by_reference["A1"]
    assert "“Sold” is not an allowed value." in problems_by_reference["A2"]
    assert "“Atlantis” is not a district or county." in problems_by_reference["A2"]


def test_file_of_rows_set_aside_can_be_imported_once_corrected(world: World, plan: Plan) -> None:
    imported = imported_upload(plan, world.eddie, "sites", SITES_WITH_PROBLEMS)
    headings, rows_set_aside = rows_to_correct(imported.report)
    corrected_row = [*rows_set_aside[0][:3], "2027-05", "Fareham", "x", "y"]

    second_import = imported_upload(plan, world.eddie, "sites", f"{','.join(headings)}\n{','.join(corrected_row)}")

    assert row_counts(second_import) == {"created": 1}


def test_all_or_nothing_imports_nothing_while_a_row_is_bad(world: World, plan: Plan, client: Client) -> None:
    preview = upload(plan, world.eddie, "sites", "Name,Area\nMill Lane,Fareham\nDock,Atlantis\n", all_or_nothing=True)
    client.force_login(world.eddie)

    html = client.get(preview.get_absolute_url()).content.decode()
    assert "You chose “Import all rows or nothing”" in html
    assert "Import rows" not in html
    with pytest.raises(UnableToApply, match=r"Nothing was imported\. Row 3, column “Area”: “Atlantis”"):
        ask_to_import(upload=preview, author=world.eddie, now=timezone.now())
    assert "Mill Lane" not in draft_items_by_name(plan, "sites")


def test_preview_changes_nothing(world: World, plan: Plan) -> None:
    content_before = draft_content(plan)

    preview = upload(plan, world.eddie, "sites", TWENTY)

    assert row_counts(preview) == {"created": 20}
    assert draft_content(plan) == content_before


def test_row_that_somebody_changed_since_the_preview_is_set_aside(world: World, plan: Plan) -> None:
    preview = upload(plan, world.eddie, "sites", "Reference,Name,Landowner\nNQ1,North Quay,The Crown\nN2,Dock,\n")
    save(plan, world, "sites/north-quay", landowner="Harbour Trust")

    imported = ask_to_import(upload=preview, author=world.eddie, now=timezone.now())

    assert row_counts(imported) == {"created": 1, "set_aside": 1}
    assert draft_items_by_name(plan, "sites")["North Quay"]["landowner"] == "Harbour Trust"


def test_milestones_find_their_sites_and_keep_their_precision(world: World, plan: Plan) -> None:
    data = "Milestone,Site,Forecast,Status\nStart on site,NQ1,12/09/2027,At risk\nHandover,North Quay,2029,\n"

    imported = imported_upload(plan, world.eddie, "milestones", data)

    assert row_counts(imported) == {"created": 1, "changed": 1}
    milestone_by_name = draft_items_by_name(plan, "milestones")
    assert milestone_by_name["Start on site"]["forecast"] == "2027-09-12"
    assert milestone_by_name["Start on site"]["status"] == "at_risk"
    assert milestone_by_name["Handover"]["site"] == "north-quay"
    assert milestone_by_name["Handover"]["forecast"] == "2029"


def test_postcodes_are_read_in_full_or_by_district(world: World, plan: Plan) -> None:
    data = "Site,Address,Postcode\nDock,1 Dock Road,po16 7gz\nMill,,PO17\nYard,,Fareham\n"

    imported = imported_upload(plan, world.eddie, "sites", data)

    assert row_counts(imported) == {"created": 2, "set_aside": 1}
    site_by_name = draft_items_by_name(plan, "sites")
    assert site_by_name["Dock"]["address"] == "1 Dock Road"
    assert site_by_name["Dock"]["postcode"] == "PO16 7GZ"
    assert site_by_name["Mill"]["postcode"] == "PO17"
    [row_set_aside] = rows_to_correct(imported.report)[1]
    assert "“Fareham” is not a postcode." in row_set_aside[-2]


def test_homes_of_one_site_can_be_pasted_without_headings(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)

    pasted_rows = "Social Rent\t2\t2027/28\t60\nmarket sale\tstudio\t2029/30\t4\nFirst Homes\t1\t2029\t9\n"

    imported = paste_and_import(client, plan, "homes", pasted_rows, "?site=north-quay")

    assert row_counts(imported) == {"changed": 1, "set_aside": 1}
    [row_set_aside] = rows_to_correct(imported.report)[1]
    assert "2029 is a calendar year, and this plan has financial years." in row_set_aside[-2]
    assert row_set_aside[-1] == "Enter 2028-29 or 2029-30."
    homes = draft_items_by_name(plan, "sites")["North Quay"]["homes"]
    assert [(home["tenure"], home["bedrooms"], home["count"]) for home in homes] == [
        ("social_rent", 2, 60),
        ("market_sale", 0, 4),
    ]


def test_zero_homes_remove_a_line_and_contradicting_rows_are_set_aside(world: World, plan: Plan) -> None:
    data = (
        "Site,Tenure,Bedrooms,Year,Homes\nNQ1,social rent,2,2027-28,0\n"
        "NQ1,market sale,,2030,5\nNQ1,market sale,,2030,6\nNowhere,market sale,,2030,6\n"
    )

    imported = imported_upload(plan, world.eddie, "homes", data)

    assert row_counts(imported) == {"changed": 1, "set_aside": 3}
    assert draft_items_by_name(plan, "sites")["North Quay"]["homes"] == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", ["sites", "homes", "milestones"])
def test_export_imports_again_unchanged(world: World, plan: Plan, client: Client, kind: str, form: str) -> None:
    save(plan, world, "sites/north-quay", landowner="=1+1", lead="- none", notes="One.\n\nTwo, “three”.", lng=-1.0)
    save(plan, world, "sites/north-quay", address="Quay Street", postcode="PO16 7GZ")
    content_before = draft_content(plan)
    client.force_login(world.eddie)

    imported = imported_upload(plan, world.eddie, kind, export_of(client, plan, kind, form), f"export.{form}")

    assert set(row_counts(imported)) == {"left_alone"}
    assert draft_content(plan) == content_before


def test_export_holds_what_the_reader_may_read_and_no_formula(world: World, plan: Plan, client: Client) -> None:
    save(plan, world, "sites/north-quay", landowner="=1+1")
    publish(plan, world)
    save(plan, world, "sites/north-quay", landowner="Changed since")
    Plan.objects.filter(pk=plan.pk).update(audience="network")

    client.force_login(world.chidi)
    export_for_outsider = export_of(client, plan, "sites")
    client.force_login(world.ben)
    export_for_partner = export_of(client, plan, "sites")
    client.force_login(world.eddie)
    export_for_editor = export_of(client, plan, "sites")

    assert CANARY not in export_for_outsider.decode()
    assert [row["Name"] for row in csv_rows(export_for_outsider)] == ["North Quay"]
    assert csv_rows(export_for_outsider)[0]["Landowner"] == "'=1+1"
    assert len(csv_rows(export_for_partner)) == 2
    assert csv_rows(export_for_editor)[0]["Landowner"] == "Changed since"


def test_only_editors_of_an_owner_import(world: World, plan: Plan, client: Client) -> None:
    publish(plan, world)
    for person in (world.vera, world.ben, world.chidi, world.dee):
        with pytest.raises(UnableToAct):
            upload(plan, person, "sites", TWENTY)
    preview = upload(plan, world.eddie, "sites", TWENTY)
    client.force_login(world.amina)
    assert client.get(preview.get_absolute_url()).status_code == 404

    world.eddie.memberships.update(role="viewer")
    with pytest.raises(UnableToAct):
        import_upload(upload=preview, author=world.eddie, now=timezone.now())


def test_key_of_another_plan_never_touches_its_row(world: World, plan: Plan) -> None:
    other_plan = begin(world, title="Another plan")
    other_content = draft_content(other_plan)

    imported_upload(
        plan, world.eddie, "sites", "ID,Reference,Name\nnorth-quay,NQ1,North Quay renamed\nnew-one,X,Mine\n"
    )

    assert draft_content(other_plan) == other_content
    assert set(draft_items_by_name(plan, "sites")) >= {"North Quay renamed", "Mine"}


def test_unknown_headings_are_confirmed_once_and_remembered(world: World, plan: Plan, client: Client) -> None:
    data = "Our code,Name of the plot\nA1,Mill Lane\n"
    client.force_login(world.eddie)
    unread_upload = upload(plan, world.eddie, "sites", data)
    assert unread_upload.is_unread
    headings_url = reverse("spreadsheets:headings", args=[unread_upload.pk])
    assert "Name of the plot (“Mill Lane”)" in client.get(headings_url).content.decode()

    answer = client.post(headings_url, {"column-name": "Name of the plot", "column-reference": "Our code"})

    assert answer.status_code == 302
    unread_upload.refresh_from_db()
    assert unread_upload.status == Status.PREVIEWED
    assert row_counts(unread_upload) == {"created": 1}
    assert OwnHeading.objects.filter(organisation=world.larkhaven).count() == 2
    assert upload(plan, world.eddie, "sites", data).is_previewed


def test_template_names_its_columns_and_allowed_values(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    answer = client.get(reverse("spreadsheets:template", args=["plan", plan.pk, "milestones", "xlsx"]))
    sheets = read_sheets(answer.getvalue(), "template.xlsx")

    preview = upload(plan, world.eddie, "milestones", answer.getvalue(), "template.xlsx")

    assert [sheet.name for sheet in sheets] == ["Milestones", "Allowed values"]
    allowed = {str(row.cells[0]): row.cells[3] for row in sheets[1].rows}
    assert allowed["Column “Status”"] == "Planned, On track, At risk, Late, Achieved, Cancelled"
    assert preview.report["remarks"] == ["We left out the example row of the template."]
    assert not row_counts(preview)


def test_spreadsheet_bomb_is_refused(world: World, plan: Plan) -> None:
    wide_rows = [[""] * 290 for _ in range(2)]
    wide_rows[1][289] = "x"
    with pytest.raises(UnableToRead):
        upload(plan, world.eddie, "sites", b"PK\x03\x04 no archive", "bomb.xlsx")
    with pytest.raises(UnableToRead, match="limit"):
        upload(plan, world.eddie, "sites", b"Name\n" + b"x" * 5_000_000)
    with pytest.raises(UnableToRead):
        upload(plan, world.eddie, "sites", xlsx_bytes([("Sheet", wide_rows)]), "far.xlsx")


@pytest.mark.slow
def test_large_file_is_imported_by_a_worker_and_shows_its_progress(world: World, plan: Plan, client: Client) -> None:
    data = "Reference,Name\n" + "".join(f"R{number},Plot {number}\n" for number in range(4_900))
    client.force_login(world.eddie)
    large_upload = upload(plan, world.eddie, "sites", data)
    assert large_upload.total == 4_900
    assert "4900 rows. We will start within 20 seconds." in client.get(large_upload.get_absolute_url()).content.decode()
    Upload.objects.filter(pk=large_upload.pk).update(total=1)
    assert "1 row. We will start within 20 seconds." in client.get(large_upload.get_absolute_url()).content.decode()
    Upload.objects.filter(pk=large_upload.pk).update(total=4_900)

    assert tasks.work_on_waiting() == 1
    client.post(reverse("spreadsheets:import", args=[large_upload.pk]))
    Upload.objects.filter(pk=large_upload.pk).update(done=2_450)
    html = client.get(large_upload.get_absolute_url()).content.decode()
    assert "2450 of 4900 rows done." in html
    assert "Import rows" not in html
    assert tasks.work_on_waiting() == 1

    large_upload.refresh_from_db()
    assert large_upload.status == Status.APPLIED
    assert large_upload.content is None
    assert row_counts(large_upload) == {"created": 4_900}
    assert len(draft_content(plan)["sites"]) == 4_902


def test_discarded_file_is_gone(world: World, plan: Plan) -> None:
    discarded = upload(plan, world.eddie, "sites", "Name,Area\nMill Lane,Atlantis\n")

    discard_upload(upload=discarded, author=world.eddie, now=timezone.now())

    discarded.refresh_from_db()
    assert discarded.status == Status.DISCARDED
    assert discarded.content is None
    assert discarded.report["set_aside"] == []
    with pytest.raises(UnableToApply):
        ask_to_import(upload=discarded, author=world.eddie, now=timezone.now())
    with pytest.raises(UnableToApply):
        confirm_headings(upload=discarded, headings={"name": "Name"}, author=world.eddie, now=timezone.now())


def test_worker_says_why_nothing_was_imported(world: World, plan: Plan, client: Client) -> None:
    data = "Name\n" + "".join(f"Plot {number}\n" for number in range(301))
    large_upload = upload(plan, world.eddie, "sites", data)
    tasks.work_on_waiting()
    large_upload.refresh_from_db()
    ask_to_import(upload=large_upload, author=world.eddie, now=timezone.now())
    world.eddie.memberships.update(role="viewer")

    tasks.work_on_waiting()

    large_upload.refresh_from_db()
    assert large_upload.is_previewed
    assert (
        large_upload.error == "You can no longer import this spreadsheet. Ask a lead of your organisation to import it."
    )
    assert "Plot 1" not in draft_items_by_name(plan, "sites")


def html_of_refusal(answer: Any) -> str:
    """Return the HTML of the page that refuses an upload."""
    assert answer.status_code == 422
    return str(answer.content.decode())


def test_page_says_what_is_wrong_with_a_file(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    new_url = reverse("spreadsheets:new", args=["plan", plan.pk, "sites"])

    assert "Choose a file or paste rows" in html_of_refusal(client.post(new_url, {}))
    assert "it is a web page" in html_of_refusal(client.post(new_url, {"rows": "<html>"}))
