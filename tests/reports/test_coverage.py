"""The coverage report counts the records in each council area, as a count by hand does, and names gaps."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter
from typing import Any

import docx
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Theme
from partnerships.exchange.services import meet_entry
from partnerships.organisations.models import Area, AreaKind, Organisation
from partnerships.organisations.services import create_organisation, serve_area
from partnerships.people.models import User
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


def place(world: World) -> None:
    """Set Fareham as the area of the Estuary Partnership. Gosport has no partnership."""
    world.partnership.areas.set([world.fareham])


def test_records_count_in_the_areas_that_they_name(world: World) -> None:
    place(world)
    ask(world, world.fareham, world.gosport)
    plan = begin(
        world,
        content={
            "about": {"title": "P", "summary": "Homes."},
            "sites": [{"key": "a", "name": "A", "area": "E07000088", "homes": []}],
        },
    )
    publish(plan, world)

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
    assert {type(cell) for label in ("Asks", "In all") for cell in cells(coverage, "areas", label).values()} == {int}
    assert coverage.answers == ("1 of 2 council areas has no partnership: Gosport.",)


#: The report on partnerships that work on homelessness.
HOMELESSNESS_PARTNERSHIPS = f"theme={THEME}&what=partnership"


def test_a_partnership_without_records_has_no_theme(world: World) -> None:
    place(world)

    coverage = figures_for(world.amina, "coverage", HOMELESSNESS_PARTNERSHIPS)

    assert coverage.answers == ("2 of 2 council areas have no homelessness partnership: Fareham, Gosport.",)


def test_a_partnership_has_the_themes_of_its_records(world: World) -> None:
    place(world)
    ask(world)

    coverage = figures_for(world.amina, "coverage", HOMELESSNESS_PARTNERSHIPS)

    assert coverage.answers == ("1 of 2 council areas has no homelessness partnership: Gosport.",)
    assert cells(coverage, "themes", "Homelessness") == {"Fareham": 1, "Gosport": 0}
    label_of_land = str(Theme.by_code()["land"].label)
    assert cells(coverage, "themes", label_of_land) == {"Fareham": 0, "Gosport": 0}


def test_a_report_on_gaps_lists_only_areas_without_records(world: World) -> None:
    place(world)
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
    place(world)
    ask(world)

    coverage = figures_for(world.amina, "coverage", f"theme={THEME}&what=partnership")

    assert coverage.answers == (
        "Only Fareham has at least one homelessness partnership.",
        "3 of 4 council areas have no homelessness partnership: Area 86, Area 90, Gosport.",
    )


def places_of(bodies: list[Organisation]) -> set[str]:
    """Return the areas that the councils among these bodies serve; without councils, the areas of all bodies."""
    councils = [body for body in bodies if body.kind == "council" and body.areas.exists()]
    return {area.name for body in councils or bodies for area in body.areas.all()}


def count_by_hand(reader: User) -> Counter[tuple[str, str, str]]:
    """Count records one by one, by kind, area and theme ("" is none)."""
    places: dict[int | None, set[str]] = {}
    for partnership in Partnership.objects.visible_today_to(reader).live():
        parties = [party.organisation for party in partnership.parties.filter(status="accepted")]
        places[partnership.pk] = {area.name for area in partnership.areas.all()} or places_of(parties)
    lines: list[tuple[str, set[str], set[str], int | None]] = []
    entries: dict[int, set[str]] = {}
    for entry in Entry.objects.followed_by(reader).live():
        named_areas = {area.name for area in entry.areas.all()}
        entries[entry.pk] = named_areas or places.get(entry.partnership_id) or places_of([entry.organisation])
        lines.append((entry.direction, entries[entry.pk], {entry.theme}, entry.partnership_id))
    for commitment in Commitment.objects.followed_by(reader):
        met_entries = [link.entry for link in commitment.fulfilments.all()]
        sides = [body for body in (commitment.giver, commitment.receiver) if body]
        area_names = {area for entry in met_entries for area in entries[entry.pk]}
        area_names = area_names or places.get(commitment.partnership_id) or places_of(sides)
        lines.append(
            ("commitment", area_names, {entry.theme for entry in met_entries} or {""}, commitment.partnership_id)
        )
    for plan in Plan.objects.published_today_for(reader):
        sites = {site.area.name for site in plan.sites.all() if site.area}
        owners = [owner.organisation for owner in plan.owners.all()]
        area_names = sites or places.get(plan.partnership_id) or places_of(owners)
        lines.append(("plan", area_names, {""}, plan.partnership_id))
    for pk, area_names in places.items():
        themes_of_records = {theme for _, _, themes, within in lines if within == pk for theme in themes if theme}
        lines.append(("partnership", area_names, themes_of_records or {""}, None))
    return Counter(
        (what, area, theme) for what, area_names, themes, _ in lines for area in area_names for theme in themes
    )


def test_each_count_is_that_of_a_count_of_the_records_by_hand(world: World) -> None:
    for body, area in ((world.larkhaven, world.fareham), (world.westmarch, world.gosport)):
        serve_area(organisation=body, area=area, author=None, now=world.now)
    ask(world, world.fareham)
    ask(world)
    offer = shared_entry(world.larkhaven, world.amina, world.now, theme="land", direction="offer")
    meet_entry(entry=offer, commitment=propose(world), quantity=None, author=world.amina, now=timezone.now())
    propose(world)
    propose(world, partnership=None)
    site = {"key": "a", "name": "A", "area": "E07000087", "homes": []}
    for more_content in ({"sites": [site]}, {}):
        publish(begin(world, content={"about": {"title": "P", "summary": "Homes."}, **more_content}), world)
    publish(
        begin(world, content={"about": {"title": "P", "summary": "Homes."}}, partnership=None, audience="network"),
        world,
    )

    expected = count_by_hand(world.amina)

    labels = {code: str(theme.label) for code, theme in Theme.by_code().items()} | {"": "No theme"}
    for what in ("partnership", "ask", "offer", "plan", "commitment"):
        coverage = figures_for(world.amina, "coverage", f"what={what}")
        counts_shown = {
            (what, area, code): number
            for code, label in labels.items()
            for area, number in cells(coverage, "themes", label).items()
            if number
        }
        assert counts_shown == {key: number for key, number in expected.items() if key[0] == what} != {}


def test_a_stranger_gets_no_records_of_a_partnership(world: World) -> None:
    place(world)
    ask(world, world.gosport)

    coverage = figures_for(world.chidi, "coverage")

    assert row(coverage, "Fareham")["In all"] == 0
    assert row(coverage, "Gosport")["In all"] == 0
    assert any("counts only what the reader can see" in note for note in coverage.notes)


def test_a_party_gets_the_number_of_asks_without_their_titles(world: World) -> None:
    place(world)
    ask(world, world.gosport, title=CANARY)

    coverage = figures_for(world.ben, "coverage")

    assert row(coverage, "Gosport")["Asks"] == 1
    assert CANARY not in str(to_json(coverage))


def test_a_commitment_without_a_partnership_is_in_the_areas_of_its_bodies(world: World) -> None:
    serve_area(organisation=world.westmarch, area=world.gosport, author=None, now=world.now)
    propose(world, partnership=None)

    coverage = figures_for(world.amina, "coverage")

    assert row(coverage, "Gosport")["Commitments"] == 1


def test_plan_counts_where_its_present_owners_are(world: World) -> None:
    for body, area in ((world.larkhaven, world.fareham), (world.westmarch, world.gosport)):
        serve_area(organisation=body, area=area, author=None, now=world.now)
    plan = begin(
        world,
        owners=[world.larkhaven, world.westmarch],
        partnership=None,
        audience="network",
        content={"about": {"title": "P", "summary": "Homes."}},
    )
    publish(plan, world)
    both = figures_for(world.amina, "coverage")
    give_up_ownership(
        plan=plan, organisation=world.westmarch, reason="Larkhaven builds it.", author=world.ben, now=timezone.now()
    )

    after = figures_for(world.amina, "coverage")

    # If some of several owners are councils, only they count.
    assert cells(both, "areas", "Plans") == {"Fareham": 0, "Gosport": 1}
    assert cells(after, "areas", "Plans") == {"Fareham": 1, "Gosport": 0}


def test_wider_areas_count_in_each_of_their_districts(world: World) -> None:
    county = Area.objects.create(code="E10900001", name="Marchshire", kind=AreaKind.COUNTY)
    Area.objects.filter(pk=world.gosport.pk).update(parent=county)
    world.partnership.areas.set([county])

    coverage = figures_for(world.amina, "coverage", f"within={county.pk}")

    assert cells(coverage, "areas", "Partnerships") == {"Gosport": 1}


def test_successors_area_has_the_records_of_the_area_before_it(world: World) -> None:
    place(world)
    begun = timezone.localdate() - dt.timedelta(days=30)
    old = create_organisation(
        name="Fareham Council", kind="council", status="dissolved", valid_to=begun, author=None, now=world.now
    )
    new = create_organisation(name="Solent Council", kind="council", author=None, now=world.now)
    serve_area(organisation=old, area=world.fareham, author=None, now=world.now)
    Area.objects.filter(pk=world.fareham.pk).update(valid_to=begun)
    area = Area.objects.create(code="E06900099", name="Solent", kind="district", valid_from=begun)
    follow([old], [new], kind="replace", on=begun, now=world.now)
    serve_area(organisation=new, area=area, starts_on=begun, author=None, now=world.now)

    coverage = figures_for(world.amina, "coverage")

    assert cells(coverage, "areas", "Partnerships") == {"Gosport": 0, "Solent": 1}


def test_three_councils_of_an_area_are_named_with_a_comma_and_an_and(world: World) -> None:
    havant = Area.objects.create(code="E07000091", name="Havant", kind=AreaKind.DISTRICT)
    for name in ("Arun Council", "Bure Council", "Cam Council"):
        council = create_organisation(name=name, kind="council", author=None, now=world.now)
        serve_area(organisation=council, area=havant, author=None, now=world.now)

    coverage = figures_for(world.amina, "coverage")

    assert row(coverage, "Havant")["Council"] == "Arun Council, Bure Council and Cam Council"


def test_the_page_has_a_map_that_says_which_areas_have_none(world: World) -> None:
    place(world)

    response = signed_in(world.amina).get(reverse("reports:report", args=["coverage"]))

    html = response.content.decode()
    assert re.search(r'<use href="[^"]*outlines[^"]*\.svg#E07000087"', html)
    assert 'data-words="Fareham: 1"' in html
    assert 'data-words="Gosport: none"' in html
    assert ">none<" in html.replace("\n", "").replace(" ", "")
    assert "Contains OS data" in html


def test_the_word_file_has_a_chart_before_its_map(world: World) -> None:
    place(world)

    document = docx.Document(io.BytesIO(file_content(figures_for(world.amina, "coverage"), "docx")))

    [chart, area_map] = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert chart == "Council areas with some records and with none; the table gives the figures"
    assert area_map.endswith("in each council area; the table gives the figures")
    text = "".join(paragraph.text for paragraph in document.paragraphs)
    assert "From white to the darkest shade: none, 1, 2 to 3" in text
