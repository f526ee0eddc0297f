"""Homes of a site are entered in a grid of tenures and years, and no homes are lost by saving it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import NEEDS, TENURES, get_piece
from partnerships.plans.content.homes import normalise_homes
from partnerships.plans.forms import HomesFormSet
from partnerships.plans.forms.homes import MAX_ROWS
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import draft_content
from tests.plans.drafts import begin, save
from tests.support.pages import tight
from tests.support.signing_in import signed_in
from tests.world import World

#: A grid of three rows and two years, as a browser without JavaScript sends it.
GRID_DATA = {
    "name": "North Quay",
    "based_on": "0",
    "homes-TOTAL_FORMS": "3",
    "homes-INITIAL_FORMS": "0",
    "homes-YEARS": "2",
    "homes-year_0": "2027/28",
    "homes-year_1": "",
    "homes-0-tenure": "social_rent",
    "homes-0-bedrooms": "2",
    "homes-0-needs": "general",
    "homes-0-count_0": "1,120",
    "homes-0-count_1": "",
    "homes-1-tenure": "first_homes",
    "homes-1-bedrooms": "",
    "homes-1-needs": "older",
    "homes-1-count_0": "1x",
    "homes-1-count_1": "",
    "homes-2-tenure": "",
    "homes-2-bedrooms": "",
    "homes-2-needs": "",
    "homes-2-count_0": "",
    "homes-2-count_1": "7",
}


def address_of_north_quay(plan: Plan) -> str:
    """Return the address of the form for the site North Quay in the draft."""
    return reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "north-quay"})


def homes_of(plan: Plan) -> int:
    """Return the number of homes at North Quay in the draft."""
    return sum(line["count"] for line in get_piece(draft_content(plan), "sites/north-quay")["homes"])


def test_form_of_a_site_shows_the_total_of_its_homes(world: World) -> None:
    plan = begin(world)

    html = tight(signed_in(world.amina).get(address_of_north_quay(plan)).content.decode())

    assert "<output data-homes-total>120</output>" in html


def test_homes_are_totalled_without_javascript(world: World) -> None:
    plan = begin(world)

    response = signed_in(world.amina).post(address_of_north_quay(plan), {**GRID_DATA, "more": "totals"})

    html = tight(response.content.decode())
    assert "<output data-homes-total>1,127</output>" in html
    assert "data-homes-row>1,120</td>" in html
    assert 'name="homes-3-count_0"' not in html
    assert homes_of(plan) == 120


def test_rows_are_added_without_javascript(world: World) -> None:
    plan = begin(world)

    response = signed_in(world.amina).post(address_of_north_quay(plan), {**GRID_DATA, "more": "rows"})

    assert 'name="homes-5-count_0"' in tight(response.content.decode())
    assert homes_of(plan) == 120


def test_a_year_is_added_without_javascript(world: World) -> None:
    plan = begin(world)

    response = signed_in(world.amina).post(address_of_north_quay(plan), {**GRID_DATA, "more": "years"})

    assert 'name="homes-year_2" value="2028-29"' in tight(response.content.decode())
    assert homes_of(plan) == 120


def test_grid_with_wrong_cells_is_not_saved_but_names_them(world: World) -> None:
    plan = begin(world)
    grid_data = {
        "name": "North Quay",
        "based_on": "0",
        "homes-TOTAL_FORMS": "1",
        "homes-INITIAL_FORMS": "0",
        "homes-YEARS": "2",
        "homes-year_0": "soon",
        "homes-year_1": "2028-29",
        "homes-0-tenure": "social_rent",
        "homes-0-count_0": "",
        "homes-0-count_1": "lots",
    }

    response = signed_in(world.amina).post(address_of_north_quay(plan), grid_data)

    html = tight(response.content.decode())
    assert response.status_code == 422
    assert (
        "Year of column 1: “soon” is not a year. Enter a year, for example 2027, or 2027-28 for a financial year."
        in html
    )
    assert 'href="#id_homes-0-count_1">Homes, 2028-29, row 1 must be a number, like 1,150.</a>' in html
    assert 'id="id_homes-0-count_1"' in html
    assert homes_of(plan) == 120


def data_sent_by_browser(grid: Any) -> dict[str, Any]:
    """Return the data that a browser sends for a grid that nobody has changed."""
    fields = [*grid.headings, *(field for row in grid for field in row.visible_fields())]
    values = {field.html_name: "" if field.value() is None else str(field.value()) for field in fields}
    form_count = str(len(grid.forms))
    return values | {
        "homes-YEARS": str(len(grid.headings)),
        "homes-TOTAL_FORMS": form_count,
        "homes-INITIAL_FORMS": form_count,
    }


def test_a_grid_keeps_more_years_than_its_button_adds() -> None:
    homes = normalise_homes([{"tenure": "social_rent", "year": str(year), "count": 1} for year in range(2020, 2050)])

    sent_grid = HomesFormSet(data_sent_by_browser(HomesFormSet(homes=homes)))

    assert sent_grid.is_valid(), sent_grid.problems
    assert normalise_homes(sent_grid.value()["homes"]) == homes


def test_a_grid_keeps_more_rows_than_its_button_adds() -> None:
    homes = normalise_homes(
        [
            {"tenure": tenure, "bedrooms": bedrooms, "needs": needs, "count": 1_150}
            for tenure in TENURES
            for bedrooms in range(6)
            for needs in NEEDS
        ]
    )

    sent_grid = HomesFormSet(data_sent_by_browser(HomesFormSet(homes=homes)))

    assert len(homes) > MAX_ROWS
    assert sent_grid.is_valid(), sent_grid.problems
    assert normalise_homes(sent_grid.value()["homes"]) == homes


@pytest.fixture
def plan_with_many_homes(world: World) -> Plan:
    """Return a plan with a site that has 1,560 lines of homes, too many for one page."""
    plan = begin(world)
    # 6 tenures × 20 numbers of bedrooms × 13 years
    homes = [
        {"tenure": tenure, "bedrooms": bedrooms, "year": f"{year}-{year % 100 + 1}", "count": 1}
        for tenure in list(TENURES)[:6]
        for bedrooms in range(20)
        for year in range(2027, 2040)
    ]
    save(plan, world, "sites/north-quay", homes=homes)
    return plan


def test_form_of_a_site_with_too_many_homes_has_no_grid(world: World, plan_with_many_homes: Plan) -> None:
    html = tight(signed_in(world.amina).get(address_of_north_quay(plan_with_many_homes)).content.decode())

    assert "This site has 1,560 lines of homes, which are too many to change on this page." in html
    assert "homes-YEARS" not in html


def test_site_with_too_many_homes_keeps_them_when_its_other_fields_are_saved(
    world: World, plan_with_many_homes: Plan
) -> None:
    plan = plan_with_many_homes
    based_on = Draft.objects.get(plan=plan).revision_of("sites/north-quay")

    response = signed_in(world.amina).post(
        address_of_north_quay(plan), {"name": "South Quay", "based_on": based_on}, follow=True
    )

    assert response.status_code == 200
    assert get_piece(draft_content(plan), "sites/north-quay")["name"] == "South Quay"
    assert homes_of(plan) == 1_560


def test_form_with_too_many_fields_is_refused(world: World) -> None:
    plan = begin(world)
    too_many_fields = {f"homes-0-count_{column}": "1" for column in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}

    response = signed_in(world.amina).post(address_of_north_quay(plan), too_many_fields)

    assert response.status_code == 413
    assert "That form is too large" in response.content.decode()


def test_a_grid_without_its_years_does_not_lose_the_homes(world: World) -> None:
    plan = begin(world)
    data_without_years = {
        "name": "North Quay",
        "based_on": "0",
        "homes-TOTAL_FORMS": "1",
        "homes-INITIAL_FORMS": "0",
        "homes-0-tenure": "social_rent",
        "homes-0-year": "2027-28",
        "homes-0-count": "90",
    }

    response = signed_in(world.amina).post(address_of_north_quay(plan), data_without_years)

    html = response.content.decode()
    assert response.status_code == 422
    assert "Part of the table of homes is missing" in html
    assert 'name="homes-YEARS"' not in html
    assert homes_of(plan) == 120


def test_calendar_year_is_refused_in_a_plan_with_financial_years(world: World) -> None:
    plan = begin(world)
    calendar_homes = [{"tenure": "social_rent", "year": "2028", "count": 5}]

    with pytest.raises(services.UnableToSavePiece, match="2028 is a calendar year, but this plan uses financial years"):
        save(plan, world, "sites/secret", homes=calendar_homes)


def test_the_first_year_of_homes_decides_the_kind_of_years(world: World) -> None:
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": [{"key": "one", "name": "One"}]})

    save(plan, world, "sites/one", homes=[{"tenure": "social_rent", "year": "2028", "count": 5}])

    plan.refresh_from_db()
    assert plan.years == "calendar"


def test_kind_of_years_chosen_in_error_can_change_while_no_home_has_a_year(world: World) -> None:
    sites = [{"key": key, "name": key} for key in ("one", "two")]
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": sites})
    Plan.objects.filter(pk=plan.pk).update(years="financial")
    address = reverse("plans:edit-item", kwargs={"pk": plan.pk, "code": "sites", "key": "one"})
    data_with_calendar_year = {
        "name": "One",
        "based_on": "0",
        "homes-TOTAL_FORMS": "1",
        "homes-INITIAL_FORMS": "0",
        "homes-YEARS": "1",
        "homes-year_0": "2028",
        "homes-0-tenure": "social_rent",
        "homes-0-count_0": "5",
    }

    response = signed_in(world.amina).post(address, data_with_calendar_year, follow=True)

    plan.refresh_from_db()
    assert plan.years == "calendar"
    assert "The homes in this plan are now counted in calendar years." in response.content.decode()


def test_first_year_of_homes_decides_the_kind_for_the_other_sites(world: World) -> None:
    sites = [{"key": key, "name": key} for key in ("one", "two")]
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": sites})
    save(plan, world, "sites/one", homes=[{"tenure": "social_rent", "year": "2028", "count": 5}])

    with pytest.raises(services.UnableToSavePiece, match="this plan uses calendar years"):
        save(plan, world, "sites/two", homes=[{"tenure": "social_rent", "year": "2028-29", "count": 5}])


def test_a_version_from_a_file_decides_the_kind_of_years(world: World) -> None:
    plan = begin(world, content={"about": {"title": "One site"}})
    site = {"key": "one", "name": "One", "homes": [{"tenure": "social_rent", "year": "2028", "count": 5}]}

    services.publish_version(
        plan=plan,
        author=world.amina,
        note="From a file.",
        content={"about": {"title": "One site"}, "sites": [site]},
        now=timezone.now(),
    )

    plan.refresh_from_db()
    assert plan.years == "calendar"


def test_sites_saved_together_have_years_of_one_kind(world: World) -> None:
    sites = [{"key": key, "name": key} for key in ("one", "two")]
    plan = begin(world, content={"about": {"title": "Two sites"}, "sites": sites})
    year_by_site = {"one": "2028", "two": "2028-29"}
    changed_sites = {
        key: {
            **get_piece(draft_content(plan), f"sites/{key}"),
            "homes": normalise_homes([{"tenure": "social_rent", "year": year, "count": 5}]),
        }
        for key, year in year_by_site.items()
    }

    with pytest.raises(services.UnableToSavePiece, match="this plan uses"):
        services.save_items(plan=plan, code="sites", items=changed_sites, author=world.amina, now=timezone.now())


#: Homes with years of both kinds, as some older plans have them.
HOMES_OF_BOTH_KINDS = [{"tenure": "social_rent", "year": year, "count": 5} for year in ("2028", "2028-29")]


@pytest.fixture
def plan_with_both_kinds_of_years(world: World) -> Plan:
    """Return a plan with one site, which has years of both kinds."""
    site = {"key": "one", "name": "One", "homes": HOMES_OF_BOTH_KINDS}
    return begin(world, content={"about": {"title": "One site"}, "sites": [site]})


def test_older_years_of_both_kinds_do_not_prevent_changes_of_other_fields(
    world: World, plan_with_both_kinds_of_years: Plan
) -> None:
    plan = plan_with_both_kinds_of_years

    save(plan, world, "sites/one", notes="The ground is wet.")

    assert get_piece(draft_content(plan), "sites/one")["notes"] == "The ground is wet."


def test_homes_with_years_of_both_kinds_cannot_be_changed_without_correcting_them(
    world: World, plan_with_both_kinds_of_years: Plan
) -> None:
    new_homes = [*HOMES_OF_BOTH_KINDS, {"tenure": "first_homes", "year": "2029", "count": 1}]

    with pytest.raises(services.UnableToSavePiece, match="2028-29 is a financial year"):
        save(plan_with_both_kinds_of_years, world, "sites/one", homes=new_homes)
