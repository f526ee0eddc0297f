"""Every list has the right columns, filters, order, pages and files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
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
from partnerships.agreements import services as agreements
from partnerships.exchange.models import Entry
from partnerships.kit.http import keyset_page
from partnerships.kit.lists import Kind, all_lists, find_list
from partnerships.lists.reading import read
from partnerships.lists.services import choose_default, save_view
from tests.commitments.promises import agree, in_days, propose
from tests.exchange.conftest import shared_entry
from tests.lists.conftest import fill_lists, promises
from tests.plans.drafts import CANARY, publish, published_plan, save
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
                assert sum(row["list_count"] for row in grouped.counted(column)) == len(everything)
            for sort in (column.name, f"-{column.name}"):
                ordered = read(definition, world.amina, QueryDict(f"sort={sort}"))
                assert set(ordered.sortable().order_by(*ordered.sorting).values_list("pk", flat=True)) == everything


def test_each_filter_of_a_column_finds_its_rows_alone(world: World) -> None:
    agreed, proposed, _ = promises(world)
    definition = find_list("commitments")
    assert definition is not None

    def ids_found_by(query: str) -> set[int]:
        return set(read(definition, world.ben, QueryDict(query)).matching_rows().values_list("pk", flat=True))

    day = f"{in_days(30):%-d %b %Y}"
    assert ids_found_by("text=x&words=Cottages") == {agreed.pk}
    assert ids_found_by("status=agreed") == {agreed.pk}
    assert ids_found_by("status=agreed&status=proposed&quantity_max=1") == set()
    assert ids_found_by(f"due_from={day}&due_to={day}") == {agreed.pk, proposed.pk}
    assert ids_found_by(f"due_to={day}&quantity_min=60") == {agreed.pk}
    assert ids_found_by("owner=eddie&unit=homes&status=agreed") == {agreed.pk}
    assert ids_found_by("giver=westmarch") == set()
    assert ids_found_by(f"proposed_from={timezone.localdate():%Y-%m-%d}&giver=larkhaven&quantity_max=1") == set()


@pytest.mark.parametrize("sort", ["quantity", "-quantity", "due", "-due", "text", "status"])
def test_pages_by_keys_visit_every_row_once_under_ties_and_empty_cells(world: World, sort: str) -> None:
    for number in range(4):
        propose(world, text=f"Homes {number}.", **({"quantity": None, "unit": ""} if number % 2 else {}))
    definition = find_list("commitments")
    assert definition is not None
    listing = read(definition, world.ben, QueryDict(f"sort={sort}"))
    all_ids = list(listing.sortable().order_by(*listing.sorting).values_list("pk", flat=True))

    ids_forwards = []
    query = ""
    while True:
        request = RequestFactory().get(f"/{query}")
        page = keyset_page(request, listing.sortable(), order=listing.order, nullable=listing.nullable, size=1)
        ids_forwards += [row.pk for row in page.rows]
        if not page.next:
            break
        query = page.next
    ids_backwards = [page.rows[0].pk]
    while page.previous:
        request = RequestFactory().get(f"/{page.previous}")
        page = keyset_page(request, listing.sortable(), order=listing.order, nullable=listing.nullable, size=1)
        ids_backwards.insert(0, page.rows[0].pk)

    assert ids_forwards == all_ids == ids_backwards


def test_a_file_has_exactly_the_filtered_rows_with_their_types(world: World) -> None:
    promises(world)
    columns = "columns=text,due,quantity&sort=text&standing=proposed"

    sheet = openpyxl.load_workbook(io.BytesIO(export_commitments(world, "xlsx", columns))).active
    ods_rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(export_commitments(world, "ods", columns)))
        .get_sheet_by_index(0)
        .to_python()
    )
    lines = list(csv.reader(io.StringIO(export_commitments(world, "csv", columns).decode("utf-8-sig"))))

    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == ["Commitment", "Due date", "Quantity", "Address"] == ods_rows[0] == lines[0]
    assert [row[0] for row in rows[1:]] == ["=HYPERLINK(1)", "Bungalows."] == [row[0] for row in ods_rows[1:]]
    assert sheet["A2"].data_type == "s"
    assert rows[1][1] == dt.datetime.combine(in_days(60), dt.time())
    assert sheet["B2"].is_date
    assert rows[1][2] == 60
    assert rows[2][2] is None
    assert ods_rows[1][1:3] == [in_days(60), 60.0]
    assert [line[0] for line in lines[1:]] == ["'=HYPERLINK(1)", "Bungalows."]
    assert lines[1][1:3] == [in_days(60).isoformat(), "60.00"]
    assert all(str(row[3]).startswith("http") for row in rows[1:])


def test_a_stranger_sees_no_row_and_gets_none_in_a_file(world: World) -> None:
    promises(world)
    chidi = signed_in(world.chidi)

    page = chidi.get(reverse("commitments:list"), {"words": "Cottages"})
    file = chidi.get(reverse("lists:export", args=["commitments", "csv"]))

    assert page.context["page"].rows == []
    assert len(b"".join(file.streaming_content).decode().splitlines()) == 1


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


def test_a_record_that_the_reader_cannot_see_finds_nothing_and_is_not_named(world: World) -> None:
    promises(world)
    response = signed_in(world.ben).get(reverse("commitments:list"), {"partnership": world.other_partnership.pk})

    assert response.status_code == 200
    assert response.context["page"].rows == []
    assert [chip.label for chip in response.context["chips"]] == ["a record you cannot see"]
    assert world.other_partnership.title not in response.content.decode()


def test_a_filter_that_cannot_be_read_is_named_and_nothing_is_exported(world: World) -> None:
    ben = signed_in(world.ben)

    page = ben.get(reverse("commitments:list"), {"due_from": "soon"})
    file = ben.get(reverse("lists:export", args=["commitments", "csv"]), {"due_from": "soon"}, follow=True)

    assert page.status_code == file.status_code == 422
    assert file.redirect_chain == [(f"{reverse('commitments:list')}?due_from=soon", 302)]
    assert "Due date, from is not clear. Enter 27 March 2027 or 27/3/2027" in page.content.decode()
    assert 'type="date"' not in page.content.decode()


def test_the_log_of_exports_says_which_list_and_how_it_was_filtered(world: World) -> None:
    promises(world)
    ben = signed_in(world.ben)

    ben.get(
        reverse("lists:export", args=["commitments", "ods"]), {"standing": "proposed", "words": "Canary", "view": ""}
    )
    ben.get(reverse("exchange:export"), {"theme": ["land", "funding"], "sort": "title"})
    ben.get(reverse("lists:export", args=["milestones", "csv"]), {"view": ""})

    assert list(Export.objects.order_by("pk").values_list("asked", flat=True)) == [
        "commitments.ods?standing=proposed&words=*",
        "asks.csv?theme=land&theme=funding&sort=title",
        "milestones.csv",
    ]


def test_the_sides_dates_of_a_partnership_neither_show_nor_sort_for_others(world: World) -> None:
    world.partnership.audience = "network"
    world.partnership.review_on = timezone.localdate() + dt.timedelta(days=9)
    world.partnership.annual_budget = 77_123
    world.partnership.save(update_fields=["audience", "review_on", "annual_budget"])
    columns = {"columns": "title,review,budget", "view": ""}

    page_of_partner = signed_in(world.ben).get(reverse("agreements:list"), columns).content.decode()
    page_of_stranger = signed_in(world.chidi).get(reverse("agreements:list"), columns).content.decode()
    filtered_page = signed_in(world.chidi).get(reverse("agreements:list"), columns | {"budget_min": "77000"})

    assert "77,123" in page_of_partner
    assert "Estuary Partnership" in page_of_stranger
    assert "77,123" not in page_of_stranger
    assert filtered_page.context["page"].rows == []


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
    for number in range(26):
        propose(world, text=f"Homes {number}.")
    client = signed_in(world.ben)
    address = reverse("commitments:list")

    first = client.get(address)
    last = client.get(address + first.context["page"].next)

    assert [(len(one.context["page"].rows), one.context["count"]) for one in (first, last)] == [(25, 26), (1, 26)]


def test_each_kind_of_column_is_in_use() -> None:
    assert {column.kind for definition in all_lists() for column in definition.columns} == set(Kind)


def test_milestones_of_several_plans_are_found_by_plan_and_by_what_slips(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "milestones/start", name="Start on site", baseline="2027-04", forecast="2027-09")
    publish(plan, world, "Later.")
    ben = signed_in(world.ben)
    address = reverse("plans:milestones")

    page_of_late_dates = ben.get(address, {"plan": [plan.pk, plan.pk], "slips": "on", "due_from": "2027-04-01"})
    page_of_early_dates = ben.get(address, {"plan": [plan.pk], "slips": "on", "due_to": "2027-08-31"})
    page_of_other_plan = ben.get(address, {"plan": ["999999"]})

    assert [row.name for row in page_of_late_dates.context["page"].rows] == ["Start on site"]
    assert "a record you cannot see" not in page_of_late_dates.content.decode()
    assert page_of_early_dates.context["page"].rows == page_of_other_plan.context["page"].rows == []
    assert [chip.label for chip in page_of_other_plan.context["chips"]] == ["a record you cannot see"]


def test_plans_of_others_can_be_chosen_if_their_milestones_are_listed(world: World) -> None:
    plan = published_plan(world, audience="network")
    chidi = signed_in(world.chidi)
    address = reverse("plans:milestones")

    filtered_page = chidi.get(address, {"plan": [plan.pk]})
    suggested = chidi.get(address).context["form"].fields["plan"].queryset

    assert [chip.label for chip in filtered_page.context["chips"]] == [plan.title]
    assert filtered_page.context["page"].rows
    assert list(suggested) == [plan]


def test_days_in_lists_have_room_for_their_year(world: World) -> None:
    propose(world)

    page = signed_in(world.ben).get(reverse("commitments:list")).content.decode()

    assert re.findall(r'class="govuk-table__cell cg-list-table__day" data-label="([^"]+)"', page) == ["Due date"]


def test_filter_by_plan_does_not_say_a_later_title_to_those_who_left(world: World) -> None:
    plan = published_plan(world, title="Quay homes")
    agreements.leave_partnership(
        party=world.party(world.westmarch), reason="Budget.", author=world.ben, now=timezone.now()
    )
    save(plan, world, "about", title="Quillwort homes")
    publish(plan, world, "Renamed.")

    suggested = signed_in(world.ben).get(reverse("plans:milestones"), {"suggest": "plan", "words": "homes"})
    filtered_page = signed_in(world.ben).get(reverse("plans:milestones"), {"plan": [plan.pk]})

    assert "Quillwort" not in suggested.content.decode() + filtered_page.content.decode()


def test_confidential_sites_and_their_milestones_are_for_readers_inside(world: World) -> None:
    published_plan(world, audience="network")

    for name in ("plans:sites", "plans:milestones"):
        page_of_partner = signed_in(world.ben).get(reverse(name)).content.decode()
        page_of_stranger = signed_in(world.chidi).get(reverse(name)).content.decode()
        assert CANARY in page_of_partner
        assert CANARY not in page_of_stranger
        assert "North Quay" in page_of_stranger or "Start on site" in page_of_stranger


def test_rows_are_counted_and_summed_by_a_column(world: World) -> None:
    promises(world)
    query = {"group": "status", "columns": "text,quantity", "view": ""}

    page = signed_in(world.ben).get(reverse("commitments:list"), query)

    groups = [(group.label, group.count, group.sums) for group in page.context["groups"]]
    assert groups == [("Proposed", 2, ["60"]), ("Agreed", 1, ["60"])]
    page_of_group = signed_in(world.ben).get(reverse("commitments:list") + page.context["groups"][1].href)
    assert first_cells(page_of_group) == ["Cottages."]


def test_numbers_in_different_units_are_not_summed(world: World) -> None:
    promises(world)
    agree(world, text="Money.", quantity=1_800_000, unit="pounds")

    def sums_by(group: str) -> list[tuple[str, list[str]]]:
        query = {"group": group, "columns": "text,quantity", "view": ""}
        page = signed_in(world.ben).get(reverse("commitments:list"), query)
        return [(group.label, group.sums) for group in page.context["groups"]]

    assert sums_by("status") == [("Agreed", ["Several units"]), ("Proposed", ["60"])]
    assert dict(sums_by("unit"))["homes"] == ["120"]


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

    page = signed_in(world.ben).get(reverse("plans:sites"), {"confidential": "False", "view": ""})

    assert [chip.label for chip in page.context["chips"]] == ["Confidential: no"]


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ("forecast_from=2027-04-30", {"Quillwort"}),
        ("forecast_from=2027-05-01", set()),
        ("forecast_to=2027-04-01", {"Quillwort"}),
        ("forecast_to=2027-03-31", set()),
        ("forecast_from=2027-04-10&forecast_to=2027-04-20", {"Quillwort"}),
    ],
)
def test_a_month_is_found_by_every_day_in_it(world: World, bounds: str, found: set[str]) -> None:
    plan = published_plan(world)
    save(plan, world, "milestones/start", name="Quillwort", baseline="2027-04", forecast="2027-04")
    publish(plan, world, "Known better.")

    page = signed_in(world.ben).get(f"{reverse('plans:milestones')}?q=Quillwort&{bounds}")

    assert {row.name for row in page.context["page"].rows} == found


def test_a_month_within_the_year_first_planned_is_not_late(world: World) -> None:
    plan = published_plan(world)
    save(plan, world, "milestones/start", name="Start on site", baseline="2027", forecast="2027-04")
    publish(plan, world, "Known better.")
    ben = signed_in(world.ben)
    address = reverse("plans:milestones")

    page_of_late_milestones = ben.get(address, {"slips": "on"})
    page_with_column = ben.get(address, {"columns": "name,slips", "view": ""})

    assert page_of_late_milestones.context["page"].rows == []
    assert "Yes" not in [cell.html for row in page_with_column.context["rows"] for cell in row.cells]


def test_the_file_of_the_board_does_not_take_the_default_view_of_the_list(world: World) -> None:
    ask = shared_entry(world.larkhaven, world.amina, timezone.now())
    view = save_view(
        person=world.ben, kind="asks", name="None", state={"filters": {"q": ["nowhere"]}}, now=timezone.now()
    )
    choose_default(kind="asks", view=view, person=world.ben)
    ben = signed_in(world.ben)

    board = ben.get(reverse("exchange:board")).content.decode()
    file = ben.get(f"{reverse('exchange:export')}?view=")

    assert f'href="{reverse("exchange:export")}?view="' in board
    assert ask.title in b"".join(file.streaming_content).decode()
