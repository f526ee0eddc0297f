"""A comparison has the same content on the page and in the spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.models import Plan
from tests.plans.drafts import fewer_homes, publish, published_plan, save
from tests.support.signing_in import signed_in
from tests.world import World


def comparison_page(client: Client, plan: Plan, query: str, route: str = "plans:compare") -> str:
    """Return the text of a page or file that compares two versions of a plan."""
    response = client.get(reverse(route, kwargs={"pk": plan.pk}) + query)
    assert response.status_code == 200
    return response.content.decode()


def words_of(html: str) -> str:
    """Return the text of a page, without tags and with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def plan_with_many_changes(world: World) -> Plan:
    """Return a plan in which each kind of piece changed between its two versions."""
    plan = published_plan(world)
    fewer_homes(plan, world)
    save(plan, world, "about", summary="Homes along both banks.")
    save(plan, world, "sections/vision", body="Build what is *wanted* and needed.")
    save(plan, world, "sites/north-quay", area="E07000088", planning_status="outline", forecast_completion="2028-09")
    save(plan, world, "milestones/start", site="", forecast="2027-06")
    save(plan, world, "risks/slip", impact=5, mitigation="Meet daily.")
    services.save_piece(
        plan=plan,
        piece="sites/island",
        value={"name": "The island", "homes": [{"tenure": "first_homes", "count": 9}], "notes": "By boat."},
        based_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    services.save_piece(
        plan=plan, piece="milestones/secret-start", value=None, based_on=None, author=world.amina, now=timezone.now()
    )
    publish(plan, world, "Wet ground.")
    plan.refresh_from_db()
    return plan


def comparison_rows(client: Client, plan: Plan) -> list[list[str]]:
    """Return the rows of the spreadsheet that compares two versions of a plan. The first row has the headings."""
    sheet = comparison_page(client, plan, "?from=1&to=2", "plans:compare-csv").lstrip("\ufeff")
    return list(csv.reader(io.StringIO(sheet)))


def texts_on_page(row: list[str]) -> list[str]:
    """Return the texts in a row of the spreadsheet that the page shows unchanged."""
    part, item, _key, _change, field, *values = row
    if part in ("Comparison", "Summary"):
        return values
    if part == "Why":
        return [part, *item.split(", "), *values]
    # The page shows these fields word by word, with the changed words marked.
    if field in ("Summary", "Text", "Mitigation"):
        return [part, item, field]
    return [part, item, field, *values]


def test_spreadsheet_of_a_comparison_has_a_part_for_each_section_of_the_page(world: World) -> None:
    headings, *rows = comparison_rows(signed_in(world.ben), plan_with_many_changes(world))

    part_names = list(dict.fromkeys(row[0] for row in rows))
    assert headings == ["Part", "Item", "Key", "Change", "Field", "Was", "Now", "Difference", "By"]
    assert part_names[:4] == ["Comparison", "Why", "Summary", "Homes before and now"]
    assert {"About the plan", "Text", "Sites and homes", "Milestones", "Risks"} <= set(part_names)


def test_page_shows_everything_in_the_spreadsheet_of_a_comparison(world: World) -> None:
    plan = plan_with_many_changes(world)
    ben = signed_in(world.ben)

    words_on_page = words_of(comparison_page(ben, plan, "?from=1&to=2"))
    _headings, *rows = comparison_rows(ben, plan)

    texts = [" ".join(text.split()) for row in rows for text in texts_on_page(row)]
    assert [text for text in texts if text not in words_on_page] == []


def test_spreadsheet_of_a_comparison_names_areas_and_sites_instead_of_their_codes(world: World) -> None:
    rows = comparison_rows(signed_in(world.ben), plan_with_many_changes(world))

    homes = ["Homes before and now", "Social Rent", "", "", "Tenure", "120", "100", "20 fewer", ""]
    area = ["Sites and homes", "North Quay", "north-quay", "changed", "Area", "Fareham", "Gosport", "", ""]
    site = ["Milestones", "Start on site", "start", "changed", "Site", "North Quay", "the whole plan", "", ""]
    assert homes in rows
    assert area in rows
    assert site in rows


def test_spreadsheet_of_a_draft_is_marked_as_a_draft(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)

    sheet = comparison_page(signed_in(world.amina), plan, "?from=1&to=draft", "plans:compare-csv")

    assert "One of these two versions is a draft, which has not been published and may change." in sheet
    assert "Amina Larch" in sheet


@pytest.mark.parametrize("query", ["?from=1&to=draft", "?from=draft&to=1"])
def test_comparison_with_the_draft_gives_the_reasons_after_the_older_version(query: str, world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world)
    publish(plan, world, "Wet ground.")
    save(plan, world, "about", summary="Homes along both banks.")

    html = comparison_page(signed_in(world.amina), plan, query)

    assert "<dt>Version 2</dt>" in html
    assert "<dt>Version 1</dt>" not in html


def test_comparison_says_when_no_version_is_pinned_as_baseline(world: World) -> None:
    plan = plan_with_many_changes(world)

    html = comparison_page(signed_in(world.ben), plan, "?from=baseline&to=2")

    assert "No version is the baseline yet," in html
    assert "20 fewer" in html


def test_owner_is_advised_to_choose_a_baseline(world: World) -> None:
    plan = plan_with_many_changes(world)

    html = comparison_page(signed_in(world.amina), plan, "?from=baseline&to=2")

    assert "Choose a baseline in the history" in html


def test_partner_is_not_advised_to_choose_a_baseline(world: World) -> None:
    plan = plan_with_many_changes(world)

    html = comparison_page(signed_in(world.ben), plan, "?from=baseline&to=2")

    assert "Choose a baseline in the history" not in html


def test_comparison_of_equal_versions_says_they_are_equal(world: World) -> None:
    plan = published_plan(world)
    fewer_homes(plan, world, 100)
    publish(plan, world, "Wet ground.")
    fewer_homes(plan, world, 120)
    publish(plan, world, "Dry again.")

    html = comparison_page(signed_in(world.ben), plan, "?from=1&to=3")

    assert "No differences" in html
    assert "Any changes in between were undone." in html
    assert "Dry again." in html


def test_page_of_a_plan_names_the_area_of_a_site(world: World) -> None:
    plan = published_plan(world)

    response = signed_in(world.ben).get(reverse("plans:detail", kwargs={"pk": plan.pk}))

    words_on_page = words_of(response.content.decode())
    assert "Area Fareham" in words_on_page
    assert "E07000087" not in words_on_page
