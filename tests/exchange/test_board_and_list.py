"""The board, the list and the export of asks and offers show what a person may see."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from django.urls import reverse

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry
from tests.exchange.conftest import draft, shared_entry
from tests.exchange.pages import page_text
from tests.support.signing_in import signed_in
from tests.world import World


def share_one_ask_and_two_offers(world: World, now: dt.datetime) -> None:
    """Share an ask and an offer of land, and an offer of data."""
    shared_entry(world.larkhaven, world.amina, now, title="Land wanted")
    shared_entry(world.westmarch, world.ben, now, title="Land given", direction=Direction.OFFER)
    shared_entry(world.westmarch, world.ben, now, title="Data given", direction=Direction.OFFER, theme="data")


def test_the_board_shows_asks_before_offers(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)

    html = page_text(world.chidi, "board")

    assert html.index("Land wanted") < html.index("Data given") < html.index("Land given")


def test_the_board_counts_shared_entries_but_no_drafts(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)
    draft(world.larkhaven, world.amina, now, title="Only a draft")

    html = page_text(world.chidi, "board")

    assert "Only a draft" not in html
    assert 'Land (<span id="count-theme-land">2</span>)' in html
    assert 'id="count-direction-offer">2<' in html


def test_the_filters_of_the_board_leave_only_matching_entries(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)

    html = page_text(world.chidi, "board", "?theme=land&direction=offer")

    assert "Land given" in html
    assert "Land wanted" not in html
    assert "Data given" not in html


def test_a_filtered_board_counts_other_themes_and_links_to_fewer_filters(world: World, now: dt.datetime) -> None:
    share_one_ask_and_two_offers(world, now)

    html = page_text(world.chidi, "board", "?theme=land&direction=offer")

    assert 'id="count-theme-data">1<' in html
    assert 'href="?direction=offer"' in html


@pytest.mark.parametrize(
    ("query", "listed_titles"),
    [
        ("?q=modular", {"Modular"}),
        ("?organisation=westmarch", {"Hours"}),
        ("?standing=on", {"Hours"}),
        ("?status=withdrawn", {"Gone"}),
        ("?q=nothing-of-the-sort", set()),
    ],
)
def test_filters_narrow_the_list(query: str, listed_titles: set[str], world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now, title="Modular")
    shared_entry(world.westmarch, world.ben, now, title="Hours", statement="", direction="offer", standing=True)
    withdrawn_ask = shared_entry(world.larkhaven, world.amina, now, title="Gone", statement="")
    services.withdraw_entry(entry=withdrawn_ask, reason="Found.", author=world.amina, now=now)

    html = page_text(world.chidi, "list", query)

    assert {title for title in ("Modular", "Hours", "Gone") if f">{title}</a>" in html} == listed_titles


def test_the_area_filter_finds_a_county_for_its_district(world: World, now: dt.datetime) -> None:
    county = world.fareham
    world.gosport.parent = county
    world.gosport.save()
    shared_entry(world.larkhaven, world.amina, now, title="For the whole", areas=[county])
    shared_entry(world.larkhaven, world.amina, now, title="Elsewhere", audience=Audience.NETWORK)

    html = page_text(world.ben, "list", f"?area={world.gosport.pk}")

    assert "For the whole" in html
    assert "Elsewhere" not in html


def test_pages_of_the_list_have_no_gaps(world: World, now: dt.datetime) -> None:
    for minute in range(30):
        shared_entry(world.larkhaven, world.amina, now + dt.timedelta(minutes=minute), title=f"Ask {minute:02}")

    first_page = page_text(world.ben, "list")
    second_page = page_text(world.ben, "list", query_of_next_page(first_page))

    titles = re.findall(r">(Ask \d\d)</a>", first_page + second_page)
    assert titles == [f"Ask {minute:02}" for minute in reversed(range(30))]


def query_of_next_page(html: str) -> str:
    """Return the query of the link to the next page of a list."""
    link = re.search(r'href="(\?[^"]*after=[^"]+)"', html)
    assert link, "The page has no link to a next page."
    return link[1].replace("&amp;", "&")


#: What differs each time that a page is shown.
TEXT_OF_ONE_REQUEST = re.compile(
    r"""hx-headers='[^']*'|(nonce|csrfmiddlewaretoken|hx-headers|value)="[^"]*"|X-CSRFToken[^}]*"""
)


def pages_for_chidi(world: World) -> list[str]:
    """Return the pages of entries as Chidi sees them with several filters, without what differs each time."""
    queries = ["", "?q=canary", "?theme=land", "?organisation=larkhaven", f"?area={world.fareham.pk}"]
    return [
        TEXT_OF_ONE_REQUEST.sub("", page_text(world.chidi, name, query))
        for name in ("board", "list", "ours", "matches", "export")
        for query in queries
    ]


def test_entries_that_a_person_cannot_see_change_no_page(world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now, title="For all")
    pages_before = pages_for_chidi(world)
    fields = {"title": "Canary", "statement": "canary", "areas": [world.fareham], "private_note": "canary"}

    shared_entry(world.larkhaven, world.amina, now, audience="partnership", partnership=world.partnership, **fields)
    shared_entry(world.larkhaven, world.amina, now, audience="named", addressees=[world.westmarch], **fields)
    draft(world.larkhaven, world.amina, now, **fields)

    assert pages_for_chidi(world) == pages_before


def test_the_csv_escapes_formulas(world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now, title='=HYPERLINK("http://harm.example")', statement="  @SUM(A1)")

    rows = list(csv.reader(io.StringIO(page_text(world.ben, "export").removeprefix("\ufeff"))))

    cells = dict(zip(*rows, strict=True))
    assert cells["Title"].startswith("'=")
    assert cells["Statement"].startswith("'")
    assert cells["Quantity"] == "60.00"


def test_htmx_gets_the_results_only(world: World) -> None:
    response = signed_in(world.ben).get(reverse("exchange:board"), HTTP_HX_REQUEST="true")

    assert b"<html" not in response.content
    assert b"cg-board" in response.content


def test_the_oldest_first_filter_shows_only_unanswered_entries(ask: Entry, world: World, now: dt.datetime) -> None:
    shared_entry(world.larkhaven, world.amina, now + dt.timedelta(days=1), title="Waits too")
    shared_entry(world.westmarch, world.ben, now, title="Always there", direction=Direction.OFFER, standing=True)
    services.respond(entry=ask, organisation=world.westmarch, text="Twenty.", quantity=20, author=world.ben, now=now)
    shared_entry(world.larkhaven, world.amina, now, title="Waits longest")

    html = page_text(world.amina, "list", "?oldest=on")

    assert re.findall(r">(Waits [a-z]+)</a>", html) == ["Waits longest", "Waits too"]
    assert ask.title not in html
    assert "Always there" not in html
    assert '<strong class="cg-number">2</strong>' in html
