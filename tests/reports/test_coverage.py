"""The coverage report counts the records in each council area, and names the areas without records."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import docx
import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.exchange.models import Theme
from partnerships.exchange.services import meet_entry
from partnerships.organisations.models import Area, AreaKind
from partnerships.organisations.services import create_organisation, serve_area
from partnerships.plans.models import Plan
from partnerships.plans.services import give_up_ownership
from partnerships.reports.downloads import file_content
from partnerships.reports.snapshot import Cell, Snapshot, to_json
from tests.commitments.promises import propose
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import CANARY, begin, publish
from tests.reports.conftest import cells, figures_for
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.world import World

THEME = "homelessness"


def ask(world: World, *areas: Area, **changes: Any) -> Any:
    """Share an ask of Larkhaven about homelessness with its partnership."""
    return shared_entry(
        world.larkhaven,
        world.amina,
        world.now,
        **{
            "theme": THEME,
            "areas": list(areas),
            "audience": "partnership",
            "partnership": world.partnership,
            **changes,
        },
    )


def row(snapshot: Snapshot, area: str) -> dict[str, Cell]:
    """Return the cells of an area, by the labels of their columns."""
    table = snapshot.table("areas")
    assert table is not None
    row_of_area = next(row for row in table.rows if row.name == area)
    return {column.label: cell for column, cell in zip(table.columns, row_of_area.cells, strict=True)}


def place_partnership_in_fareham(world: World) -> None:
    """Set Fareham as the area of the Estuary Partnership, so that Gosport has no partnership."""
    world.partnership.areas.set([world.fareham])


@pytest.fixture
def ask_and_plan_in_gosport(world: World) -> None:
    """Share an ask for Fareham and Gosport, and publish a plan with a site in Gosport."""
    place_partnership_in_fareham(world)
    ask(world, world.fareham, world.gosport)
    content = {
        "about": {"title": "P", "summary": "Homes."},
        "sites": [{"key": "a", "name": "A", "area": "E07000088", "homes": []}],
    }
    publish(begin(world, content=content), world)


@pytest.mark.usefixtures("ask_and_plan_in_gosport")
def test_records_are_counted_in_the_areas_that_they_name(world: World) -> None:
    coverage = figures_for(world.amina, "coverage")

    assert row(coverage, "Fareham") | {"Council": ""} == {
        "Council area": "Fareham",
        "Council": "",
        "Partnerships": 1,
        "Asks": 1,
        "Offers": 0,
        "Plans": 0,
        "Commitments": 0,
        "In all": 2,
    }
    assert row(coverage, "Gosport")["Asks"] == 1
    assert row(coverage, "Gosport")["Plans"] == 1
    assert row(coverage, "Gosport")["Partnerships"] == 0


@pytest.mark.usefixtures("ask_and_plan_in_gosport")
def test_area_without_a_partnership_is_named(world: World) -> None:
    coverage = figures_for(world.amina, "coverage")

    assert coverage.answers == ("1 of 2 council areas has no partnership: Gosport.",)


@pytest.mark.usefixtures("ask_and_plan_in_gosport")
def test_counts_are_whole_numbers(world: World) -> None:
    coverage = figures_for(world.amina, "coverage")

    counts = [*cells(coverage, "areas", "Asks").values(), *cells(coverage, "areas", "In all").values()]
    assert {type(count) for count in counts} == {int}


#: The report on partnerships that work on homelessness.
HOMELESSNESS_PARTNERSHIPS = f"theme={THEME}&what=partnership"


def test_a_partnership_without_records_has_no_theme(world: World) -> None:
    place_partnership_in_fareham(world)

    coverage = figures_for(world.amina, "coverage", HOMELESSNESS_PARTNERSHIPS)

    assert coverage.answers == ("2 of 2 council areas have no homelessness partnership: Fareham, Gosport.",)


def test_a_partnership_has_the_themes_of_its_records(world: World) -> None:
    place_partnership_in_fareham(world)
    ask(world)

    coverage = figures_for(world.amina, "coverage", HOMELESSNESS_PARTNERSHIPS)

    assert coverage.answers == ("1 of 2 council areas has no homelessness partnership: Gosport.",)
    assert cells(coverage, "themes", "Homelessness") == {"Fareham": 1, "Gosport": 0}
    label_of_land = str(Theme.by_code()["land"].label)
    assert cells(coverage, "themes", label_of_land) == {"Fareham": 0, "Gosport": 0}


def test_a_report_on_gaps_lists_only_areas_without_records(world: World) -> None:
    place_partnership_in_fareham(world)
    ask(world)
    whole_coverage = figures_for(world.amina, "coverage", HOMELESSNESS_PARTNERSHIPS)

    gaps = figures_for(world.amina, "coverage", f"{HOMELESSNESS_PARTNERSHIPS}&gaps=on")

    assert cells(gaps, "areas", "Partnerships") == {"Gosport": 0}
    assert gaps.answers == whole_coverage.answers
    assert gaps.table("short") == whole_coverage.table("short")
    assert cells(gaps, "short", "Areas with some")["Partnerships"] == 1
    assert cells(gaps, "short", "Areas with none")["Asks"] == 1


def test_areas_with_records_are_named_first_if_they_are_few(world: World) -> None:
    for code in ("E07000086", "E07000090"):
        Area.objects.create(code=code, name=f"Area {code[-2:]}", kind=AreaKind.DISTRICT)
    place_partnership_in_fareham(world)
    ask(world)

    coverage = figures_for(world.amina, "coverage", HOMELESSNESS_PARTNERSHIPS)

    assert coverage.answers == (
        "Only Fareham has at least one homelessness partnership.",
        "3 of 4 council areas have no homelessness partnership: Area 86, Area 90, Gosport.",
    )


@pytest.fixture
def records_of_every_kind(world: World) -> None:
    """Create records in both areas: Larkhaven serves Fareham, and Westmarch, a council, serves Gosport.

    The partnership names no area, so it is in that of its council. So are its records that name no area.
    """
    serve_area(organisation=world.larkhaven, area=world.fareham, author=None, now=world.now)
    serve_area(organisation=world.westmarch, area=world.gosport, author=None, now=world.now)
    ask(world, world.fareham)
    ask(world)
    offer = shared_entry(world.larkhaven, world.amina, world.now, theme="land", direction="offer")
    meet_entry(entry=offer, commitment=propose(world), quantity=None, author=world.amina, now=timezone.now())
    propose(world)
    propose(world, partnership=None)
    about = {"title": "P", "summary": "Homes."}
    site_in_fareham = {"key": "a", "name": "A", "area": "E07000087", "homes": []}
    publish(begin(world, content={"about": about, "sites": [site_in_fareham]}), world)
    publish(begin(world, content={"about": about}), world)
    publish(begin(world, content={"about": about}, partnership=None, audience="network"), world)


@pytest.mark.usefixtures("records_of_every_kind")
@pytest.mark.parametrize(
    ("kind", "count_by_theme_and_area"),
    [
        # The partnership has the themes of its asks and commitments.
        ("partnership", {("Homelessness", "Gosport"): 1, ("Land", "Gosport"): 1}),
        ("ask", {("Homelessness", "Fareham"): 1, ("Homelessness", "Gosport"): 1}),
        # An offer outside a partnership is in the area of Larkhaven, which made it.
        ("offer", {("Land", "Fareham"): 1}),
        # Two plans are in Fareham, one by its site and one by its owner.
        ("plan", {("No theme", "Fareham"): 2, ("No theme", "Gosport"): 1}),
        # The commitment that meets the offer has the area and theme of the offer.
        ("commitment", {("Land", "Fareham"): 1, ("No theme", "Gosport"): 2}),
    ],
)
def test_records_are_counted_by_theme_and_area(
    world: World, kind: str, count_by_theme_and_area: dict[tuple[str, str], int]
) -> None:
    coverage = figures_for(world.amina, "coverage", f"what={kind}")

    themes = [*(str(theme.label) for theme in Theme.by_code().values()), "No theme"]
    assert {
        (theme, area): count for theme in themes for area, count in cells(coverage, "themes", theme).items() if count
    } == count_by_theme_and_area


def test_a_stranger_gets_no_records_of_a_partnership(world: World) -> None:
    place_partnership_in_fareham(world)
    ask(world, world.gosport)

    coverage = figures_for(world.chidi, "coverage")

    assert row(coverage, "Fareham")["In all"] == 0
    assert row(coverage, "Gosport")["In all"] == 0
    assert any("counts only what the reader can see" in note for note in coverage.notes)


def test_a_party_gets_the_number_of_asks_without_their_titles(world: World) -> None:
    place_partnership_in_fareham(world)
    ask(world, world.gosport, title=CANARY)

    coverage = figures_for(world.ben, "coverage")

    assert row(coverage, "Gosport")["Asks"] == 1
    assert CANARY not in str(to_json(coverage))


def test_a_commitment_without_a_partnership_is_in_the_areas_of_its_bodies(world: World) -> None:
    serve_area(organisation=world.westmarch, area=world.gosport, author=None, now=world.now)
    propose(world, partnership=None)

    coverage = figures_for(world.amina, "coverage")

    assert row(coverage, "Gosport")["Commitments"] == 1


def plan_shared_by_larkhaven_and_westmarch(world: World) -> Plan:
    """Publish a plan without sites of Larkhaven, which serves Fareham, and of Westmarch, which serves Gosport."""
    serve_area(organisation=world.larkhaven, area=world.fareham, author=None, now=world.now)
    serve_area(organisation=world.westmarch, area=world.gosport, author=None, now=world.now)
    plan = begin(
        world,
        owners=[world.larkhaven, world.westmarch],
        partnership=None,
        audience="network",
        content={"about": {"title": "P", "summary": "Homes."}},
    )
    publish(plan, world)
    return plan


def test_plan_of_a_council_and_others_is_in_the_area_of_the_council(world: World) -> None:
    plan_shared_by_larkhaven_and_westmarch(world)

    coverage = figures_for(world.amina, "coverage")

    assert cells(coverage, "areas", "Plans") == {"Fareham": 0, "Gosport": 1}


def test_plan_is_not_in_the_area_of_a_former_owner(world: World) -> None:
    plan = plan_shared_by_larkhaven_and_westmarch(world)
    give_up_ownership(
        plan=plan, organisation=world.westmarch, reason="Larkhaven builds it.", author=world.ben, now=timezone.now()
    )

    coverage = figures_for(world.amina, "coverage")

    assert cells(coverage, "areas", "Plans") == {"Fareham": 1, "Gosport": 0}


def test_partnership_of_a_county_is_counted_in_its_districts(world: World) -> None:
    county = Area.objects.create(code="E10900001", name="Marchshire", kind=AreaKind.COUNTY)
    Area.objects.filter(pk=world.gosport.pk).update(parent=county)
    world.partnership.areas.set([county])

    coverage = figures_for(world.amina, "coverage", f"within={county.pk}")

    assert cells(coverage, "areas", "Partnerships") == {"Gosport": 1}


@pytest.fixture
def solent_follows_fareham(world: World) -> None:
    """Let the area and council of Solent replace those of Fareham, 30 days ago."""
    start_day = timezone.localdate() - dt.timedelta(days=30)
    fareham_council = create_organisation(
        name="Fareham Council", kind="council", status="dissolved", valid_to=start_day, author=None, now=world.now
    )
    serve_area(organisation=fareham_council, area=world.fareham, author=None, now=world.now)
    Area.objects.filter(pk=world.fareham.pk).update(valid_to=start_day)
    solent = Area.objects.create(code="E06900099", name="Solent", kind="district", valid_from=start_day)
    solent_council = create_organisation(name="Solent Council", kind="council", author=None, now=world.now)
    follow([fareham_council], [solent_council], kind="replace", on=start_day, now=world.now)
    serve_area(organisation=solent_council, area=solent, starts_on=start_day, author=None, now=world.now)


@pytest.mark.usefixtures("solent_follows_fareham")
def test_area_has_the_records_of_the_area_that_it_replaced(world: World) -> None:
    place_partnership_in_fareham(world)

    coverage = figures_for(world.amina, "coverage")

    assert cells(coverage, "areas", "Partnerships") == {"Gosport": 0, "Solent": 1}


def test_councils_of_an_area_are_listed_in_one_cell(world: World) -> None:
    havant = Area.objects.create(code="E07000091", name="Havant", kind=AreaKind.DISTRICT)
    for name in ("Arun Council", "Bure Council", "Cam Council"):
        council = create_organisation(name=name, kind="council", author=None, now=world.now)
        serve_area(organisation=council, area=havant, author=None, now=world.now)

    coverage = figures_for(world.amina, "coverage")

    assert row(coverage, "Havant")["Council"] == "Arun Council, Bure Council and Cam Council"


def test_the_page_has_a_map_that_says_which_areas_have_none(world: World) -> None:
    place_partnership_in_fareham(world)

    response = signed_in(world.amina).get(reverse("reports:report", args=["coverage"]))

    html = response.content.decode()
    assert re.search(r'<use href="[^"]*outlines[^"]*\.svg#E07000087"', html)
    assert 'data-words="Fareham: 1"' in html
    assert 'data-words="Gosport: none"' in html
    assert ">none<" in html.replace("\n", "").replace(" ", "")
    assert "Contains OS data" in html


def test_the_word_file_has_a_chart_before_its_map(world: World) -> None:
    place_partnership_in_fareham(world)

    document = docx.Document(io.BytesIO(file_content(figures_for(world.amina, "coverage"), "docx")))

    [chart, area_map] = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert chart == "Council areas with some records and with none. The table gives the figures"
    assert area_map.endswith("in each council area. The table gives the figures")
    text = "".join(paragraph.text for paragraph in document.paragraphs)
    assert "From white to the darkest shade: none, 1, 2 to 3" in text
