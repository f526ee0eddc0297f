"""Every list has the right columns, filters, order, pages and files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.http import QueryDict
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from partnerships.activity.models import Export
from partnerships.exchange.models import Entry
from partnerships.kit.http import keyset_page
from partnerships.kit.lists import Kind, all_lists, find_list
from partnerships.lists.grouping import count_groups
from partnerships.lists.reading import Listing, read
from partnerships.lists.services import choose_default, save_view
from partnerships.plans.models import Plan
from tests.commitments.promises import agree, in_days, propose
from tests.exchange.conftest import shared_entry
from tests.lists.conftest import fill_lists, promises
from tests.plans.drafts import CANARY, publish, published_plan, save
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


def first_cells(response: Any) -> list[str]:
    """Return the text of the first cell of each row of a page."""
    return [row.text for row in response.context["page"].rows]


def export_commitments(world: World, form: str, query: str = "") -> bytes:
    """Return the file of the commitments that Ben may see, in this format and with the parameters of `query`."""
    address = reverse("lists:export", args=["commitments", form])
    response = signed_in(world.ben).get(f"{address}?{query}")
    assert response.status_code == 200
    return b"".join(response.streaming_content) if response.streaming else response.content


@override_settings(EXPORTS_PER_MINUTE=100)
def test_every_column_sorts_both_ways_filters_and_is_exported(world: World) -> None:
    fill_lists(world)
    for definition in all_lists():
        names = ",".join(definition.by_name)
        listing = read(definition, world.amina, QueryDict(f"columns={names}"))
        file = signed_in(world.amina).get(reverse("lists:export", args=[definition.slug, "csv"]) + f"?columns={names}")
        lines = list(csv.reader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))

        assert lines[0] == [*(column.label for column in definition.columns), "Address"]
        everything = set(listing.matching_rows().values_list("pk", flat=True))
        assert len(lines) - 1 == len(everything) > 0, definition.slug
        for column in definition.columns:
            filters = set(column.filters()) & set(listing.form.fields)
            assert filters or (column.covered or column.name) in listing.form.fields, column
            grouped = read(definition, world.amina, QueryDict(f"columns={names}&group={column.name}"))
            if grouped.group:
                assert sum(group.row_count for group in count_groups(grouped, column)) == len(everything)
            for sort in (column.name, f"-{column.name}"):
                ordered = read(definition, world.amina, QueryDict(f"sort={sort}"))
                assert set(ordered.sortable().order_by(*ordered.sorting).values_list("pk", flat=True)) == everything


@pytest.mark.parametrize(
    ("query", "expected_texts"),
    [
        ("text=x&words=Cottages", {"Cottages."}),
        ("status=agreed", {"Cottages."}),
        ("status=agreed&status=proposed&quantity_max=1", set()),
        ("due_from={day_in_30}&due_to={day_in_30}", {"Cottages.", "Bungalows."}),
        ("due_to={day_in_30}&quantity_min=60", {"Cottages."}),
        ("owner=eddie&unit=homes&status=agreed", {"Cottages."}),
        ("giver=westmarch", set()),
        ("proposed_from={today}&giver=larkhaven&quantity_max=1", set()),
    ],
)
def test_each_filter_of_a_column_finds_its_rows_alone(world: World, query: str, expected_texts: set[str]) -> None:
    promises(world)
    definition = find_list("commitments")
    assert definition is not None
    query = query.format(day_in_30=f"{in_days(30):%-d %b %Y}", today=timezone.localdate().isoformat())

    listing = read(definition, world.ben, QueryDict(query))

    assert set(listing.matching_rows().values_list("text", flat=True)) == expected_texts


def ids_page_by_page(listing: Listing) -> tuple[list[int], list[int]]:
    """Return the ids of pages of one row in their order: those read from the first to the last, and those read back."""

    def read_page(query: str) -> Any:
        request = RequestFactory().get(f"/{query}")
        return keyset_page(request, listing.sortable(), order=listing.order, nullable=listing.nullable, size=1)

    list_page = read_page("")
    ids_forwards = [row.pk for row in list_page.rows]
    while list_page.next:
        list_page = read_page(list_page.next)
        ids_forwards += [row.pk for row in list_page.rows]
    ids_backwards = [row.pk for row in list_page.rows]
    while list_page.previous:
        list_page = read_page(list_page.previous)
        ids_backwards += [row.pk for row in reversed(list_page.rows)]
    return ids_forwards, ids_backwards[::-1]


@pytest.mark.parametrize("sort", ["quantity", "-quantity", "due", "-due", "text", "status"])
def test_pages_by_keys_visit_every_row_once_under_ties_or_empty_cells(world: World, sort: str) -> None:
    without_quantity = {"quantity": None, "unit": ""}
    propose(world, text="Bungalows.")
    propose(world, text="Cottages.", **without_quantity)
    propose(world, text="Flats.")
    propose(world, text="Houses.", **without_quantity)
    definition = find_list("commitments")
    assert definition is not None
    listing = read(definition, world.ben, QueryDict(f"sort={sort}"))

    ids_forwards, ids_backwards = ids_page_by_page(listing)

    all_ids = list(listing.sortable().order_by(*listing.sorting).values_list("pk", flat=True))
    assert len(all_ids) == 4
    assert ids_forwards == all_ids
    assert ids_backwards == all_ids


#: Three columns of the two proposed commitments.
QUERY_OF_FILE = "columns=text,due,quantity&sort=text&standing=proposed"
HEADINGS_OF_FILE = ["Commitment", "Due date", "Quantity", "Address"]


def test_an_excel_file_has_the_filtered_rows_with_their_types(world: World) -> None:
    promises(world)

    content = export_commitments(world, "xlsx", QUERY_OF_FILE)

    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    headings, formula_row, bungalows_row = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert headings == HEADINGS_OF_FILE
    assert formula_row[:3] == ["=HYPERLINK(1)", dt.datetime.combine(in_days(60), dt.time()), 60]
    assert sheet["A2"].data_type == "s"  # text, and not a formula
    assert sheet["B2"].is_date
    assert (bungalows_row[0], bungalows_row[2]) == ("Bungalows.", None)
    assert formula_row[3].startswith("http")
    assert bungalows_row[3].startswith("http")


def test_an_ods_file_has_the_filtered_rows_with_their_types(world: World) -> None:
    promises(world)

    content = export_commitments(world, "ods", QUERY_OF_FILE)

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    headings, formula_row, bungalows_row = sheet.to_python()
    assert headings == HEADINGS_OF_FILE
    assert formula_row[:3] == ["=HYPERLINK(1)", in_days(60), 60.0]
    assert bungalows_row[0] == "Bungalows."


def test_a_csv_file_has_the_filtered_rows_without_formulas(world: World) -> None:
    promises(world)

    content = export_commitments(world, "csv", QUERY_OF_FILE)

    headings, formula_row, bungalows_row = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert headings == HEADINGS_OF_FILE
    assert formula_row[:3] == ["'=HYPERLINK(1)", in_days(60).isoformat(), "60.00"]
    assert bungalows_row[0] == "Bungalows."


def test_a_stranger_sees_no_row(world: World) -> None:
    promises(world)

    list_page = signed_in(world.chidi).get(reverse("commitments:list"), {"words": "Cottages"})

    assert list_page.context["page"].rows == []


def test_a_stranger_gets_no_row_in_a_file(world: World) -> None:
    promises(world)

    response: Any = signed_in(world.chidi).get(reverse("lists:export", args=["commitments", "csv"]))

    [headings] = response.getvalue().decode("utf-8-sig").splitlines()
    assert headings.startswith("Commitment,")


def test_columns_come_in_the_order_of_their_places_without_a_script(world: World) -> None:
    promises(world)
    ben = signed_in(world.ben)

    response = ben.get(
        reverse("commitments:list"),
        {"show": ["status", "due"], "place-due": "1", "place-status": "2", "sort": "-due", "standing": "proposed"},
    )

    assert [heading.label for heading in response.context["headings"]] == ["Commitment", "Due date", "Status"]
    assert "columns=text%2Cdue%2Cstatus" in response.context["query"]
    assert 'aria-sort="descending"' in response.content.decode()
    assert first_cells(response) == ["=HYPERLINK(1)", "Bungalows."]


def test_a_filter_by_a_record_that_the_reader_cannot_see_does_not_name_it(world: World) -> None:
    promises(world)

    response = signed_in(world.ben).get(reverse("commitments:list"), {"partnership": world.other_partnership.pk})

    assert response.status_code == 200
    assert response.context["page"].rows == []
    assert [chip.label for chip in response.context["chips"]] == ["a record you cannot see"]
    assert world.other_partnership.title not in response.content.decode()


def test_a_list_says_which_filter_cannot_be_read(world: World) -> None:
    response = signed_in(world.ben).get(reverse("commitments:list"), {"due_from": "soon"})

    assert response.status_code == 422
    assert "Due date, from is not clear. Enter 27 March 2027 or 27/3/2027" in response.content.decode()
    assert 'type="date"' not in response.content.decode()


def test_nothing_is_exported_by_a_filter_that_cannot_be_read(world: World) -> None:
    export_url = reverse("lists:export", args=["commitments", "csv"])

    response = signed_in(world.ben).get(export_url, {"due_from": "soon"}, follow=True)

    assert response.redirect_chain == [(f"{reverse('commitments:list')}?due_from=soon", 302)]
    assert response.status_code == 422


def test_the_log_of_exports_says_how_lists_were_filtered(world: World) -> None:
    promises(world)
    client = signed_in(world.ben)

    client.get(
        reverse("lists:export", args=["commitments", "ods"]), {"standing": "proposed", "words": "Canary", "view": ""}
    )
    client.get(reverse("exchange:export"), {"theme": ["land", "funding"], "sort": "title"})
    client.get(reverse("lists:export", args=["milestones", "csv"]), {"view": ""})

    assert list(Export.objects.order_by("pk").values_list("asked", flat=True)) == [
        "commitments.ods?standing=proposed&words=*",  # a star replaces typed words
        "asks.csv?theme=land&theme=funding&sort=title",
        "milestones.csv",
    ]


#: Columns of partnerships that only their parties may read.
COLUMNS_OF_PARTIES = {"columns": "title,review,budget", "view": ""}


@pytest.fixture
def partnership_with_budget(world: World) -> None:
    """Show the network the Estuary Partnership, which has an annual budget of £77,123."""
    world.partnership.audience = "network"
    world.partnership.review_on = timezone.localdate() + dt.timedelta(days=9)
    world.partnership.annual_budget = 77_123
    world.partnership.save(update_fields=["audience", "review_on", "annual_budget"])


def test_a_party_sees_the_budget_of_its_partnership_in_a_list(world: World, partnership_with_budget: None) -> None:
    response = signed_in(world.ben).get(reverse("agreements:list"), COLUMNS_OF_PARTIES)

    assert "77,123" in response.content.decode()


def test_a_list_does_not_show_others_the_budget_of_a_partnership(world: World, partnership_with_budget: None) -> None:
    response = signed_in(world.chidi).get(reverse("agreements:list"), COLUMNS_OF_PARTIES)

    assert "Estuary Partnership" in response.content.decode()
    assert "77,123" not in response.content.decode()


def test_others_cannot_find_a_partnership_by_its_budget(world: World, partnership_with_budget: None) -> None:
    response = signed_in(world.chidi).get(reverse("agreements:list"), COLUMNS_OF_PARTIES | {"budget_min": "77000"})

    assert response.context["page"].rows == []


def test_asks_that_waited_longest_come_with_who_owes_the_answer(world: World) -> None:
    sharing = {"audience": "partnership", "partnership": world.partnership, "closes_on": None}
    older_ask = shared_entry(world.larkhaven, world.amina, timezone.now(), **sharing)
    # In local time, because the clocks may have changed within the 40 days.
    Entry.objects.filter(pk=older_ask.pk).update(shared_at=timezone.localtime() - dt.timedelta(days=40))
    shared_entry(world.larkhaven, world.amina, timezone.now(), title="New land", closes_on=None)

    response = signed_in(world.ben).get(
        reverse("exchange:list"), {"look": "table", "waiting": "30", "sort": "waiting_since"}
    )

    cells = [[cell.html for cell in row.cells] for row in response.context["rows"]]
    assert len(cells) == 1
    assert "Westmarch Borough Council" in cells[0]
    assert any("40 days" in cell for cell in cells[0])


def test_a_column_that_is_not_shown_costs_no_query(world: World) -> None:
    agree(world, text="Cottages.", partnership=world.partnership)
    client = signed_in(world.ben)
    address = reverse("commitments:list")

    def open_columns(columns: str) -> tuple[int, list[str]]:
        client.get(address, {"columns": columns})
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address, {"columns": columns})
        return len(captured), [cell.html for cell in response.context["rows"][0].cells]

    queries_without_titles, _ = open_columns("text,kind")
    queries_with_titles, cells = open_columns("text,partnership")

    assert queries_with_titles == queries_without_titles + 1
    assert cells[1] == world.partnership.title


def test_a_list_longer_than_its_page_says_how_many_rows_it_has(world: World) -> None:
    for _ in range(26):
        propose(world)
    client = signed_in(world.ben)
    list_url = reverse("commitments:list")

    first_page = client.get(list_url)
    last_page = client.get(list_url + first_page.context["page"].next)

    assert (len(first_page.context["page"].rows), first_page.context["count"]) == (25, 26)
    assert (len(last_page.context["page"].rows), last_page.context["count"]) == (1, 26)


def test_each_kind_of_column_is_in_use() -> None:
    assert {column.kind for definition in all_lists() for column in definition.columns} == set(Kind)


@pytest.fixture
def slipping_plan(world: World) -> Plan:
    """Publish a plan whose start on site has slipped from April to September 2027."""
    plan = published_plan(world)
    save(plan, world, "milestones/start", name="Start on site", baseline="2027-04", forecast="2027-09")
    publish(plan, world, "Later.")
    return plan


def test_milestones_that_slip_are_found_by_their_forecast(world: World, slipping_plan: Plan) -> None:
    query = {"plan": [slipping_plan.pk, slipping_plan.pk], "slips": "on", "due_from": "2027-04-01"}

    response = signed_in(world.ben).get(reverse("plans:milestones"), query)

    assert [milestone.name for milestone in response.context["page"].rows] == ["Start on site"]
    assert "a record you cannot see" not in response.content.decode()


def test_milestones_that_slip_are_not_found_before_their_forecast(world: World, slipping_plan: Plan) -> None:
    query = {"plan": [slipping_plan.pk], "slips": "on", "due_to": "2027-08-31"}

    response = signed_in(world.ben).get(reverse("plans:milestones"), query)

    assert response.context["page"].rows == []


def test_a_plan_that_does_not_exist_has_no_milestones(world: World, slipping_plan: Plan) -> None:
    response = signed_in(world.ben).get(reverse("plans:milestones"), {"plan": ["999999"]})

    assert response.context["page"].rows == []
    assert [chip.label for chip in response.context["chips"]] == ["a record you cannot see"]


def test_plans_of_others_can_be_chosen_if_their_milestones_are_listed(world: World) -> None:
    plan = published_plan(world, audience="network")

    response = signed_in(world.chidi).get(reverse("plans:milestones"), {"plan": [plan.pk]})

    assert [chip.label for chip in response.context["chips"]] == [plan.title]
    assert response.context["page"].rows
    assert list(response.context["form"].fields["plan"].queryset) == [plan]


def test_days_in_lists_have_room_for_their_year(world: World) -> None:
    propose(world)

    page = signed_in(world.ben).get(reverse("commitments:list")).content.decode()

    assert re.findall(r'class="govuk-table__cell cg-list-table__day" data-label="([^"]+)"', page) == ["Due date"]


@pytest.fixture
def plan_renamed_after_leaving(world: World) -> Plan:
    """Rename a plan from “Quay homes” to “Quillwort homes” after Ben's council left its partnership."""
    plan = published_plan(world, title="Quay homes")
    leave_partnership_as_westmarch(world)
    save(plan, world, "about", title="Quillwort homes")
    publish(plan, world, "Renamed.")
    return plan


@pytest.mark.parametrize(
    "build_query",
    [
        pytest.param(lambda _plan: {"suggest": "plan", "words": "homes"}, id="suggestions"),
        pytest.param(lambda plan: {"plan": [plan.pk]}, id="name of the filter"),
    ],
)
def test_a_filter_by_plan_does_not_say_a_later_title_to_those_who_left(
    world: World, plan_renamed_after_leaving: Plan, build_query: Callable[[Plan], dict[str, Any]]
) -> None:
    response = signed_in(world.ben).get(reverse("plans:milestones"), build_query(plan_renamed_after_leaving))

    assert response.status_code == 200
    assert "Quillwort" not in response.content.decode()


#: Each list of parts of plans, and a public row of it.
PUBLIC_ROW_BY_LIST = {"plans:sites": "North Quay", "plans:milestones": "Start on site"}


@pytest.mark.parametrize("list_name", PUBLIC_ROW_BY_LIST)
def test_readers_inside_see_confidential_sites_in_lists(world: World, list_name: str) -> None:
    published_plan(world, audience="network")

    response = signed_in(world.ben).get(reverse(list_name))

    assert CANARY in response.content.decode()


@pytest.mark.parametrize(("list_name", "public_row"), PUBLIC_ROW_BY_LIST.items())
def test_readers_outside_see_no_confidential_sites_in_lists(world: World, list_name: str, public_row: str) -> None:
    published_plan(world, audience="network")

    response = signed_in(world.chidi).get(reverse(list_name))

    assert public_row in response.content.decode()
    assert CANARY not in response.content.decode()


def groups_of(world: World, column: str) -> list[Any]:
    """Return the groups of the commitments that Ben sees, by this column."""
    query = {"group": column, "columns": "text,quantity", "view": ""}
    groups: list[Any] = signed_in(world.ben).get(reverse("commitments:list"), query).context["groups"]
    return groups


def test_a_list_counts_the_rows_of_each_group(world: World) -> None:
    promises(world)

    groups = groups_of(world, "status")

    assert [(group.label, group.count, group.sums) for group in groups] == [
        ("Proposed", 2, ["60"]),
        ("Agreed", 1, ["60"]),
    ]


def test_a_group_links_to_its_rows(world: World) -> None:
    promises(world)
    [_proposed, agreed_group] = groups_of(world, "status")

    list_page = signed_in(world.ben).get(reverse("commitments:list") + agreed_group.href)

    assert first_cells(list_page) == ["Cottages."]


@pytest.fixture
def commitments_in_homes_or_pounds(world: World) -> None:
    """Agree 60 homes and £1,800,000, and propose 60 homes."""
    promises(world)
    agree(world, text="Money.", quantity=1_800_000, unit="pounds")


def test_numbers_in_different_units_are_not_summed(world: World, commitments_in_homes_or_pounds: None) -> None:
    groups = groups_of(world, "status")

    assert [(group.label, group.sums) for group in groups] == [("Agreed", ["Several units"]), ("Proposed", ["60"])]


def test_numbers_in_one_unit_are_summed(world: World, commitments_in_homes_or_pounds: None) -> None:
    groups = groups_of(world, "unit")

    assert {group.label: group.sums for group in groups}["homes"] == ["120"]


def test_a_group_leads_to_its_rows_or_nowhere(world: World) -> None:
    fill_lists(world)
    ben = signed_in(world.amina)
    has_link = {}
    for definition in all_lists():
        address = reverse(definition.address)
        for column in definition.columns:
            if column.is_grouped:
                for group in ben.get(address, {"group": column.name, "view": ""}).context["groups"]:
                    has_link[definition.slug, column.name] = bool(group.href)
                    if group.href:
                        page_of_group = ben.get(address + group.href)
                        assert page_of_group.status_code == 200
                        assert page_of_group.context["count"] >= group.count, (
                            definition.slug,
                            column.name,
                            group.label,
                        )

    assert has_link["commitments", "partnership"] is has_link["milestones", "plan"] is False
    assert has_link["commitments", "status"] is has_link["commitments", "giver"] is True


def test_a_filter_by_yes_or_no_is_named_while_it_is_in_use(world: World) -> None:
    published_plan(world)

    list_page = signed_in(world.ben).get(reverse("plans:sites"), {"confidential": "False", "view": ""})

    assert [chip.label for chip in list_page.context["chips"]] == ["Confidential: no"]


@pytest.mark.parametrize(
    ("bounds", "expected_names"),
    [
        ("forecast_from=2027-04-30", {"Quillwort"}),
        ("forecast_from=2027-05-01", set()),
        ("forecast_to=2027-04-01", {"Quillwort"}),
        ("forecast_to=2027-03-31", set()),
        ("forecast_from=2027-04-10&forecast_to=2027-04-20", {"Quillwort"}),
    ],
)
def test_a_month_is_found_by_every_day_in_it(world: World, bounds: str, expected_names: set[str]) -> None:
    plan = published_plan(world)
    save(plan, world, "milestones/start", name="Quillwort", baseline="2027-04", forecast="2027-04")
    publish(plan, world, "Known better.")

    list_page = signed_in(world.ben).get(f"{reverse('plans:milestones')}?q=Quillwort&{bounds}")

    assert {milestone.name for milestone in list_page.context["page"].rows} == expected_names


@pytest.fixture
def milestone_within_its_year(world: World) -> None:
    """Publish a milestone that was first planned for 2027, and is forecast for April 2027."""
    plan = published_plan(world)
    save(plan, world, "milestones/start", name="Start on site", baseline="2027", forecast="2027-04")
    publish(plan, world, "Known better.")


def test_a_month_within_the_year_first_planned_is_not_found_as_late(
    world: World, milestone_within_its_year: None
) -> None:
    list_page = signed_in(world.ben).get(reverse("plans:milestones"), {"slips": "on"})

    assert list_page.context["page"].rows == []


def test_a_month_within_the_year_first_planned_is_not_shown_as_late(
    world: World, milestone_within_its_year: None
) -> None:
    list_page = signed_in(world.ben).get(reverse("plans:milestones"), {"columns": "name,slips", "view": ""})

    cells_by_name = {row.cells[0].html: row.cells[1].html for row in list_page.context["rows"]}
    assert len(cells_by_name) == 2
    assert "Yes" not in cells_by_name.values()


@pytest.fixture
def ask_outside_default_view(world: World) -> Entry:
    """Share an ask. Ben's default view of asks does not show it."""
    view = save_view(
        person=world.ben, kind="asks", name="None", state={"filters": {"q": ["nowhere"]}}, now=timezone.now()
    )
    choose_default(kind="asks", view=view, person=world.ben)
    return shared_entry(world.larkhaven, world.amina, timezone.now())


def test_the_board_links_to_a_file_without_the_default_view(world: World, ask_outside_default_view: Entry) -> None:
    response = signed_in(world.ben).get(reverse("exchange:board"))

    assert f'href="{reverse("exchange:export")}?view="' in response.content.decode()


def test_a_file_without_the_default_view_has_all_asks(world: World, ask_outside_default_view: Entry) -> None:
    response: Any = signed_in(world.ben).get(f"{reverse('exchange:export')}?view=")

    assert ask_outside_default_view.title in response.getvalue().decode()
