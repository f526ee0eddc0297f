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
    response = client.post(reverse("spreadsheets:new", args=["plan", plan.pk, kind]) + query, {"rows": text})
    assert response.status_code == 302, response.content.decode()
    upload = Upload.objects.latest("pk")
    assert upload.status == Status.PREVIEWED
    client.post(reverse("spreadsheets:import", args=[upload.pk]))
    upload.refresh_from_db()
    return upload


@pytest.fixture
def empty_plan(world: World) -> Plan:
    """Return a draft of a plan without sites, and with financial years."""
    return begin(world, content={"about": {"title": "Twenty sites"}})


def test_sites_and_homes_pasted_from_a_spreadsheet_publish_as_a_version(
    world: World, empty_plan: Plan, client: Client
) -> None:
    client.force_login(world.eddie)
    upload_of_sites = paste_and_import(client, empty_plan, "sites", TWENTY)
    upload_of_homes = paste_and_import(client, empty_plan, "homes", HOMES)

    version = publish(empty_plan, world)

    assert row_counts(upload_of_sites) == {"created": 20}
    assert row_counts(upload_of_homes) == {"changed": 20}
    assert len(version.content["sites"]) == 20
    assert total_homes(version.content) == 20 * (10 + 5 + 1000)


def test_cells_of_sites_and_homes_are_read_as_codes_months_and_numbers(world: World, empty_plan: Plan) -> None:
    imported_upload(empty_plan, world.eddie, "sites", TWENTY)

    imported_upload(empty_plan, world.eddie, "homes", HOMES)

    site = draft_items_by_name(empty_plan, "sites")["Site 1"]
    assert site["reference"] == "S1"
    assert site["area"] == "E07000087"
    assert site["forecast_start"] == "2027-04"
    assert site["homes"] == [
        {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2027-28", "count": 10},
        {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2028-29", "count": 5},
        {"tenure": "shared_ownership", "bedrooms": 3, "needs": "general", "year": "2028-29", "count": 1000},
    ]


def test_second_upload_of_the_same_rows_changes_nothing(world: World, empty_plan: Plan) -> None:
    imported_upload(empty_plan, world.eddie, "sites", TWENTY)
    revision = Draft.objects.get(plan=empty_plan).revision

    second_upload = imported_upload(empty_plan, world.eddie, "sites", TWENTY)

    assert row_counts(second_upload) == {"left_alone": 20}
    assert Draft.objects.get(plan=empty_plan).revision == revision


def test_an_upload_with_a_corrected_row_updates_only_its_cells(world: World, empty_plan: Plan) -> None:
    imported_upload(empty_plan, world.eddie, "sites", TWENTY)

    corrected_upload = imported_upload(
        empty_plan, world.eddie, "sites", "Reference,Name,Forecast start\nS7,Site 7,1 June 2028\n"
    )

    assert row_counts(corrected_upload) == {"changed": 1}
    site = draft_items_by_name(empty_plan, "sites")["Site 7"]
    assert site["forecast_start"] == "2028-06-01"
    assert site["planning_status"] == "outline"


#: Four sites. Only the last is correct.
SITES_WITH_PROBLEMS = """\
Reference,Name,Planning status,Forecast start,Area
A1,Mill Lane,Allocated,soon,Fareham
A2,Ferry Road,Sold,2027,Atlantis
A3,,,,
A4,Dock,Allocated,2027,Gosport
"""


def test_good_rows_beside_bad_rows_are_imported(world: World, plan: Plan) -> None:
    imported = imported_upload(plan, world.eddie, "sites", SITES_WITH_PROBLEMS)

    assert row_counts(imported) == {"created": 1, "set_aside": 3}


def test_rows_set_aside_can_be_downloaded(world: World, plan: Plan, client: Client) -> None:
    imported = imported_upload(plan, world.eddie, "sites", SITES_WITH_PROBLEMS)
    client.force_login(world.eddie)

    page = client.get(imported.get_absolute_url()).content.decode()

    download = reverse("spreadsheets:set-aside", args=[imported.pk])
    assert download in page
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


#: Two sites. The area of the second does not exist.
SITES_WITH_UNKNOWN_AREA = "Name,Area\nMill Lane,Fareham\nDock,Atlantis\n"


def test_preview_of_all_or_nothing_offers_no_import_while_a_row_is_bad(
    world: World, plan: Plan, client: Client
) -> None:
    preview = upload(plan, world.eddie, "sites", SITES_WITH_UNKNOWN_AREA, all_or_nothing=True)
    client.force_login(world.eddie)

    page = client.get(preview.get_absolute_url()).content.decode()

    assert "You chose “Import all rows or nothing”" in page
    assert "Import rows" not in page


def test_all_or_nothing_imports_nothing_while_a_row_is_bad(world: World, plan: Plan) -> None:
    preview = upload(plan, world.eddie, "sites", SITES_WITH_UNKNOWN_AREA, all_or_nothing=True)

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
    imported = imported_upload(
        plan, world.eddie, "sites", "Site,Address,Postcode\nDock,1 Dock Road,po16 7gz\nMill,,PO17\n"
    )

    assert row_counts(imported) == {"created": 2}
    site_by_name = draft_items_by_name(plan, "sites")
    assert site_by_name["Dock"]["address"] == "1 Dock Road"
    assert site_by_name["Dock"]["postcode"] == "PO16 7GZ"
    assert site_by_name["Mill"]["postcode"] == "PO17"


def test_a_row_whose_postcode_is_a_town_is_set_aside(world: World, plan: Plan) -> None:
    imported = imported_upload(plan, world.eddie, "sites", "Site,Address,Postcode\nYard,,Fareham\n")

    assert row_counts(imported) == {"set_aside": 1}
    [row_set_aside] = rows_to_correct(imported.report)[1]
    assert "“Fareham” is not a postcode." in row_set_aside[-2]


def test_homes_of_one_site_can_be_pasted_without_headings(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    pasted_rows = "Social Rent\t2\t2027/28\t60\nmarket sale\tstudio\t2029/30\t4\n"

    imported = paste_and_import(client, plan, "homes", pasted_rows, "?site=north-quay")

    assert row_counts(imported) == {"changed": 1}
    rented, sold = draft_items_by_name(plan, "sites")["North Quay"]["homes"]
    assert rented == {"tenure": "social_rent", "bedrooms": 2, "needs": "general", "year": "2027-28", "count": 60}
    assert sold == {"tenure": "market_sale", "bedrooms": 0, "needs": "general", "year": "2029-30", "count": 4}


def test_a_calendar_year_is_set_aside_in_a_plan_with_financial_years(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)

    imported = paste_and_import(client, plan, "homes", "First Homes\t1\t2029\t9\n", "?site=north-quay")

    assert row_counts(imported) == {"set_aside": 1}
    [row_set_aside] = rows_to_correct(imported.report)[1]
    assert "2029 is a calendar year, but this plan uses financial years." in row_set_aside[-2]
    assert row_set_aside[-1] == "Enter 2028-29 or 2029-30."


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


@pytest.mark.parametrize("name", ["vera", "ben", "chidi", "dee"])
def test_only_editors_of_an_owner_upload(world: World, plan: Plan, name: str) -> None:
    publish(plan, world)

    with pytest.raises(UnableToAct):
        upload(plan, getattr(world, name), "sites", TWENTY)


def test_an_upload_is_shown_only_to_who_made_it(world: World, plan: Plan, client: Client) -> None:
    preview = upload(plan, world.eddie, "sites", TWENTY)
    client.force_login(world.amina)

    response = client.get(preview.get_absolute_url())

    assert response.status_code == 404


def test_an_author_who_is_no_longer_an_editor_cannot_import_their_upload(world: World, plan: Plan) -> None:
    preview = upload(plan, world.eddie, "sites", TWENTY)
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


OWN_HEADINGS = "Our code,Name of the plot\nA1,Mill Lane\n"


def test_the_page_of_unknown_headings_shows_an_example_of_each_column(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    unread_upload = upload(plan, world.eddie, "sites", OWN_HEADINGS)

    response = client.get(reverse("spreadsheets:headings", args=[unread_upload.pk]))

    assert unread_upload.is_unread
    assert "Name of the plot (“Mill Lane”)" in response.content.decode()


def test_unknown_headings_are_confirmed_once_and_remembered(world: World, plan: Plan, client: Client) -> None:
    client.force_login(world.eddie)
    unread_upload = upload(plan, world.eddie, "sites", OWN_HEADINGS)
    columns = {"column-name": "Name of the plot", "column-reference": "Our code"}

    client.post(reverse("spreadsheets:headings", args=[unread_upload.pk]), columns)
    second_upload = upload(plan, world.eddie, "sites", OWN_HEADINGS)

    unread_upload.refresh_from_db()
    assert unread_upload.status == Status.PREVIEWED
    assert row_counts(unread_upload) == {"created": 1}
    assert OwnHeading.objects.filter(organisation=world.larkhaven).count() == 2
    assert second_upload.is_previewed


@pytest.fixture
def template_of_milestones(world: World, plan: Plan, client: Client) -> bytes:
    """Return the downloaded Excel template for milestones."""
    client.force_login(world.eddie)
    response = client.get(reverse("spreadsheets:template", args=["plan", plan.pk, "milestones", "xlsx"]))
    return bytes(response.getvalue())


def test_template_names_its_columns_and_allowed_values(template_of_milestones: bytes) -> None:
    milestones, allowed_values = read_sheets(template_of_milestones, "template.xlsx")

    values_by_column = {str(row.cells[0]): row.cells[3] for row in allowed_values.rows}
    assert milestones.name == "Milestones"
    assert allowed_values.name == "Allowed values"
    assert values_by_column["Column “Status”"] == "Planned, On track, At risk, Late, Achieved, Cancelled"


def test_the_example_row_of_a_template_is_not_imported(world: World, plan: Plan, template_of_milestones: bytes) -> None:
    preview = upload(plan, world.eddie, "milestones", template_of_milestones, "template.xlsx")

    assert preview.report["remarks"] == ["We left out the example row of the template."]
    assert not row_counts(preview)


def test_workbook_that_is_no_archive_is_refused(world: World, plan: Plan) -> None:
    with pytest.raises(UnableToRead):
        upload(plan, world.eddie, "sites", b"PK\x03\x04 no archive", "bomb.xlsx")


def test_file_over_the_limit_is_refused(world: World, plan: Plan) -> None:
    with pytest.raises(UnableToRead, match="limit"):
        upload(plan, world.eddie, "sites", b"Name\n" + b"x" * 5_000_000)


def test_workbook_with_a_cell_far_to_the_right_is_refused(world: World, plan: Plan) -> None:
    wide_rows = [[""] * 290 for _ in range(2)]
    wide_rows[1][289] = "x"

    with pytest.raises(UnableToRead):
        upload(plan, world.eddie, "sites", xlsx_bytes([("Sheet", wide_rows)]), "far.xlsx")


@pytest.fixture
def large_upload(world: World, plan: Plan, client: Client) -> Upload:
    """Return an upload of 4,900 rows, which a worker reads and imports; its author is signed in."""
    data = "Reference,Name\n" + "".join(f"R{number},Plot {number}\n" for number in range(4_900))
    client.force_login(world.eddie)
    return upload(plan, world.eddie, "sites", data)


@pytest.mark.parametrize(("row_count", "words"), [(4_900, "4900 rows."), (1, "1 row.")])
def test_a_large_file_waits_for_a_worker(large_upload: Upload, client: Client, row_count: int, words: str) -> None:
    Upload.objects.filter(pk=large_upload.pk).update(total=row_count)

    response = client.get(large_upload.get_absolute_url())

    assert f"{words} We will start within 20 seconds." in response.content.decode()


@pytest.mark.slow
def test_a_large_import_shows_its_progress(large_upload: Upload, client: Client) -> None:
    tasks.work_on_waiting()
    client.post(reverse("spreadsheets:import", args=[large_upload.pk]))
    Upload.objects.filter(pk=large_upload.pk).update(done=2_450)

    page = client.get(large_upload.get_absolute_url()).content.decode()

    assert "2450 of 4900 rows done." in page
    assert "Import rows" not in page


@pytest.mark.slow
def test_a_large_file_is_read_and_imported_by_a_worker(large_upload: Upload, plan: Plan, client: Client) -> None:
    read_count = tasks.work_on_waiting()
    client.post(reverse("spreadsheets:import", args=[large_upload.pk]))
    imported_count = tasks.work_on_waiting()

    large_upload.refresh_from_db()
    assert read_count == imported_count == 1
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


def test_discarded_file_cannot_be_imported(world: World, plan: Plan) -> None:
    discarded = upload(plan, world.eddie, "sites", "Name,Area\nMill Lane,Atlantis\n")
    discard_upload(upload=discarded, author=world.eddie, now=timezone.now())

    with pytest.raises(UnableToApply):
        ask_to_import(upload=discarded, author=world.eddie, now=timezone.now())


def test_headings_of_a_discarded_file_cannot_be_confirmed(world: World, plan: Plan) -> None:
    discarded = upload(plan, world.eddie, "sites", "Name,Area\nMill Lane,Atlantis\n")
    discard_upload(upload=discarded, author=world.eddie, now=timezone.now())

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


@pytest.mark.parametrize(
    ("fields", "message"), [({}, "Choose a file or paste rows"), ({"rows": "<html>"}, "file is a web page")]
)
def test_page_says_what_is_wrong_with_a_file(
    world: World, plan: Plan, client: Client, fields: dict[str, str], message: str
) -> None:
    client.force_login(world.eddie)

    response = client.post(reverse("spreadsheets:new", args=["plan", plan.pk, "sites"]), fields)

    assert message in html_of_refusal(response)
