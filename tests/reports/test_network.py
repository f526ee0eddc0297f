"""The network report agrees with a count by hand: who works together on a day, and what ends without a body."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from typing import Any

import docx
import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Audience, Partnership
from partnerships.commitments.models import Commitment
from partnerships.organisations.models import Organisation
from partnerships.organisations.services import update_organisation
from partnerships.people.models import User
from partnerships.reports.comparing import restatements
from partnerships.reports.downloads import file_content
from partnerships.reports.paging import Pages, Paging
from partnerships.reports.pictures import chart_caption, draw_chart, draw_network
from partnerships.reports.presenting import (
    note_on_paper,
    row_limits_on_paper,
    rows_of_text,
    tables_on_page,
    tables_on_paper,
)
from partnerships.reports.snapshot import (
    MAX_KEPT_ROWS,
    Chart,
    Column,
    Kind,
    NetworkPicture,
    Row,
    Snapshot,
    Table,
    from_json,
    to_json,
    with_rows_limited,
)
from tests.commitments.promises import agree
from tests.reports.conftest import cells, figures_for
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.world import World, make_partnership


def add_middle_partnership(world: World) -> Partnership:
    """Create a partnership of Westmarch and Tidewater, which only its parties see."""
    return make_partnership(
        "Middle",
        chair=world.westmarch,
        chair_lead=world.ben,
        other=world.tidewater,
        other_lead=world.chidi,
        now=world.now,
    )


def chain(world: World) -> Partnership:
    """Link Larkhaven, Westmarch, Tidewater and Harbour in a chain that everybody sees.

    Returns the middle partnership.
    """
    middle = add_middle_partnership(world)
    Partnership.objects.update(audience=Audience.NETWORK)
    return middle


def links(report: Snapshot) -> set[tuple[str, str, int]]:
    """Return the links of the report, each with both names and the number of shared partnerships."""
    table = report.table("links")
    assert table is not None
    return {(str(row.cells[0]), str(row.cells[1]), int(str(row.cells[2]))) for row in table.rows}


def fates(report: Snapshot) -> dict[str, str]:
    """Return what happens to each record if the chosen organisation leaves."""
    table = report.table("ends")
    assert table is not None
    return {row.name: f"{row.cells[1]}: {row.cells[2]}" for row in table.rows}


def test_each_partnership_of_a_chain_is_a_link(world: World) -> None:
    chain(world)

    report = figures_for(world.ben, "network")

    assert links(report) == {
        ("Larkhaven Homes", "Westmarch Borough Council", 1),
        ("Tidewater Housing Group", "Westmarch Borough Council", 1),
        ("Harbour Community Trust", "Tidewater Housing Group", 1),
    }
    assert cells(report, "counts", "Number") == {
        "Organisations": 4,
        "Partnerships": 3,
        "Links between two organisations": 3,
        "Single points of failure": 2,
        "Separate parts of the network": 1,
        "Organisations in the largest part": 4,
    }


def test_single_points_of_failure_are_the_middle_of_a_chain(world: World) -> None:
    chain(world)

    report = figures_for(world.ben, "network")

    cut_off_by_name = cells(report, "single", "Organisations cut off")
    assert cut_off_by_name == {"Tidewater Housing Group": 1, "Westmarch Borough Council": 1}
    ended_by_name = cells(report, "single", "Partnerships that would end")
    assert ended_by_name == {"Tidewater Housing Group": 2, "Westmarch Borough Council": 2}
    assert "2 single points of failure: Tidewater Housing Group (1 cut off)" in report.answers[1]


def test_a_party_gets_the_links_of_its_own_partnerships(world: World) -> None:
    add_middle_partnership(world)

    report = figures_for(world.ben, "network")

    assert links(report) == {
        ("Larkhaven Homes", "Westmarch Borough Council", 1),
        ("Tidewater Housing Group", "Westmarch Borough Council", 1),
    }
    assert world.harbour.name not in str(report)


def test_a_stranger_gets_no_links(world: World) -> None:
    add_middle_partnership(world)

    report = figures_for(world.nadia, "network")

    assert links(report) == set()
    assert "You cannot see any partnership" in report.answers[0]


@pytest.fixture
def changed_chain(world: World) -> None:
    """Let Tidewater leave the middle of the chain today, and rename Larkhaven Homes."""
    middle = chain(world)
    now = timezone.now()
    agreements.leave_partnership(
        party=middle.parties.get(organisation=world.tidewater), reason="Reorganised.", author=world.chidi, now=now
    )
    update_organisation(
        organisation=world.larkhaven, name="Larkhaven Group", reason="Renamed.", author=world.dee, now=now
    )


def network_days_ago(reader: User, days: int) -> Snapshot:
    """Return the network of the day this many days ago."""
    return figures_for(reader, "network", f"day={timezone.localdate() - dt.timedelta(days=days)}")


def test_the_network_of_today_has_the_parties_of_today(world: World, changed_chain: None) -> None:
    report = figures_for(world.ben, "network")

    assert links(report) == {
        ("Larkhaven Group", "Westmarch Borough Council", 1),
        ("Harbour Community Trust", "Tidewater Housing Group", 1),
    }


def test_an_earlier_network_has_the_parties_of_its_day(world: World, changed_chain: None) -> None:
    report = network_days_ago(world.ben, 2)

    assert links(report) == {
        ("Larkhaven Homes (now Larkhaven Group)", "Westmarch Borough Council", 1),
        ("Harbour Community Trust", "Tidewater Housing Group", 1),
        ("Tidewater Housing Group", "Westmarch Borough Council", 1),
    }


def test_an_earlier_network_does_not_show_readers_outside_who_has_left(world: World, changed_chain: None) -> None:
    report = network_days_ago(world.nadia, 2)

    assert links(report) == {
        ("Larkhaven Homes (now Larkhaven Group)", "Westmarch Borough Council", 1),
        ("Harbour Community Trust", "Tidewater Housing Group", 1),
    }


def test_the_network_before_the_first_partnership_has_no_links(world: World, changed_chain: None) -> None:
    report = network_days_ago(world.ben, 40)

    assert links(report) == set()


def test_a_partnership_that_has_ended_is_in_the_network_of_the_days_before(world: World) -> None:
    middle = chain(world)
    agreements.change_status(partnership=middle, status="ended", reason="Done.", author=world.ben, now=timezone.now())

    report_of_today = figures_for(world.ben, "network")
    report_of_yesterday = network_days_ago(world.ben, 1)

    link_of_middle = ("Tidewater Housing Group", "Westmarch Borough Council", 1)
    assert link_of_middle not in links(report_of_today)
    assert link_of_middle in links(report_of_yesterday)


def test_a_body_that_ended_is_shown_with_its_successor(world: World) -> None:
    chain(world)
    follow([world.harbour], [world.riverside])

    report = figures_for(world.chidi, "network", f"day={timezone.localdate() - dt.timedelta(days=2)}")

    assert f"{world.harbour.name} (now {world.riverside.name})" in cells(report, "organisations", "Partners")


@pytest.fixture
def promise_in_chain(world: World) -> Commitment:
    """Return a commitment of Larkhaven to Westmarch, made today by two bodies of the chain."""
    chain(world)
    return agree(world)


def test_the_report_says_what_ends_if_an_organisation_leaves(world: World, promise_in_chain: Commitment) -> None:
    report = figures_for(world.amina, "network", f"around={world.westmarch.pk}")

    assert promise_in_chain.receiver == world.westmarch
    assert fates(report) == {
        "Estuary Partnership": "Partnership: Ends",
        "Middle": "Partnership: Ends",
        promise_in_chain.text: "Commitment: Nobody receives it",
    }
    assert (
        "If Westmarch Borough Council leaves, 2 of its 2 partnerships end, and 1 organisation is cut off."
        in report.answers
    )


def test_an_earlier_network_has_no_commitments(world: World, promise_in_chain: Commitment) -> None:
    yesterday = timezone.localdate() - dt.timedelta(days=1)

    report = figures_for(world.amina, "network", f"around={world.westmarch.pk}&day={yesterday}")

    assert set(fates(report)) == {"Estuary Partnership", "Middle"}


@pytest.mark.parametrize(
    ("organisation_name", "expected_fate"),
    [
        pytest.param("riverside", "Partnership: Continues", id="observer"),
        pytest.param("westmarch", "Partnership: Continues", id="one of three parties"),
        pytest.param("larkhaven", "Partnership: Loses its chair or lead", id="chair"),
    ],
)
def test_a_partnership_continues_while_two_parties_remain(
    world: World, organisation_name: str, expected_fate: str
) -> None:
    now = timezone.now()
    for organisation, role, lead in (
        (world.riverside, "observer", world.nadia),
        (world.harbour, "member", world.hana),
    ):
        party = agreements.invite_organisation(
            partnership=world.partnership,
            organisation=organisation,
            role=role,
            reason="Helps.",
            author=world.amina,
            now=now,
        )
        agreements.answer_invitation(party=party, accept=True, reason="", author=lead, now=now)
    leaving_organisation = getattr(world, organisation_name)

    report = figures_for(world.amina, "network", f"around={leaving_organisation.pk}")

    assert fates(report)["Estuary Partnership"] == expected_fate


def text_of_report(person: User, **query: Any) -> str:
    """Return the text of the report's page for this person."""
    response = signed_in(person).get(reverse("reports:report", args=["network"]), query)
    return collapse(response.content.decode())


def test_the_page_draws_the_whole_network(world: World) -> None:
    chain(world)

    text = text_of_report(world.ben)

    assert "The whole network" in text
    assert text.count('<circle class="cg-network__ring"') == 4


@pytest.fixture
def namesake(world: World) -> Organisation:
    """Return an organisation outside the chain with the name of Larkhaven Homes."""
    chain(world)
    Organisation.objects.filter(pk=world.riverside.pk).update(name=world.larkhaven.name)
    return world.riverside


def test_the_page_draws_the_network_around_one_of_two_namesakes(world: World, namesake: Organisation) -> None:
    text = text_of_report(world.ben, around=world.larkhaven.pk)

    assert "Around Larkhaven Homes" in text
    assert f"around={world.westmarch.pk}" in text


def test_nothing_ends_if_a_namesake_without_partnerships_leaves(world: World, namesake: Organisation) -> None:
    report = figures_for(world.ben, "network", f"around={namesake.pk}")

    assert fates(report) == {}


def test_the_network_around_an_unknown_organisation_is_refused(world: World) -> None:
    response = signed_in(world.ben).get(reverse("reports:report", args=["network"]), {"around": "999999"})

    assert response.status_code == 422


def test_a_word_file_of_the_network_has_its_pictures(world: World) -> None:
    chain(world)
    report = figures_for(world.ben, "network", f"around={world.larkhaven.pk}")

    document = docx.Document(io.BytesIO(file_content(report, "docx")))

    titles = [shape._inline.docPr.get("title") for shape in document.inline_shapes]
    assert titles == ["Organisations cut off if each one left", "Around Larkhaven Homes"]


def test_a_frozen_network_keeps_its_picture(world: World) -> None:
    chain(world)
    report = figures_for(world.ben, "network", f"around={world.larkhaven.pk}")

    frozen_report = from_json(to_json(report))

    assert frozen_report == report
    assert frozen_report.networks[0].centre == str(world.larkhaven.pk)


def table_of_links(report: Snapshot) -> Table:
    """Return the table of the report's links."""
    table = report.table("links")
    assert table is not None
    return table


@pytest.fixture
def long_report(world: World) -> Snapshot:
    """Return a network with seven links more than a frozen report keeps."""
    report = figures_for(world.ben, "network")
    rows = tuple(Row((f"Body {pk}", "Other", 2), key=f"{pk}-0") for pk in range(MAX_KEPT_ROWS + 7))
    return replace(report, tables=(replace(table_of_links(report), rows=rows),), networks=())


def test_a_frozen_network_of_many_links_keeps_only_the_first(long_report: Snapshot) -> None:
    frozen_report = from_json(to_json(with_rows_limited(long_report)))

    [table] = frozen_report.tables
    assert len(table.rows) == MAX_KEPT_ROWS
    assert table.left_out == 7
    assert table.note == "We kept the first 5,000 rows, and left out 7."


def test_links_that_a_frozen_network_left_out_are_not_restated(long_report: Snapshot) -> None:
    frozen_report = from_json(to_json(with_rows_limited(long_report)))

    assert restatements(frozen_report, long_report) == []


def test_links_that_a_frozen_network_kept_are_compared(long_report: Snapshot) -> None:
    frozen_report = from_json(to_json(with_rows_limited(long_report)))
    [table] = long_report.tables
    changed_rows = (replace(table.rows[0], cells=("Body 0", "Other", 1)), *table.rows[1:])
    changed_report = replace(long_report, tables=(replace(table, rows=changed_rows),))

    [restatement] = restatements(frozen_report, changed_report)

    assert (restatement.row, restatement.was, restatement.now) == ("Body 0", 2, 1)


def report_of_links(world: World, link_count: int) -> Snapshot:
    """Return a network with one table, which has this many links."""
    report = figures_for(world.ben, "network")
    rows = tuple(Row((f"Body {pk}", "Other", 1), key=f"{pk}-0") for pk in range(link_count))
    return replace(report, tables=(replace(table_of_links(report), rows=rows),), charts=(), networks=())


@pytest.mark.parametrize(
    ("query", "expected_row_count", "expected_pages"),
    [
        pytest.param("day=x", 25, Pages("Rows 1 to 25 of 120", "", "?day=x&page-links=2#table-links"), id="first"),
        pytest.param(
            "page-links=2",
            25,
            Pages("Rows 26 to 50 of 120", "?#table-links", "?page-links=3#table-links"),
            id="second",
        ),
        pytest.param(
            "page-links=99", 20, Pages("Rows 101 to 120 of 120", "?page-links=4#table-links", ""), id="after the last"
        ),
    ],
)
def test_a_long_table_is_shown_in_pages(
    world: World, query: str, expected_row_count: int, expected_pages: Pages
) -> None:
    report = report_of_links(world, 120)

    [shown_table] = tables_on_page(report, Paging(QueryDict(query)))

    assert len(shown_table.rows) == expected_row_count
    assert shown_table.pages == expected_pages


def test_a_long_table_without_pages_has_all_rows(world: World) -> None:
    report = report_of_links(world, 120)

    [shown_table] = tables_on_paper(report, row_limits_on_paper(report, at_once=False))

    assert len(shown_table.rows) == 120


@pytest.mark.parametrize(
    ("link_count", "expected_row_count"),
    [pytest.param(120, 120, id="all rows"), pytest.param(1_200, 1_000, id="the first thousand")],
)
def test_paper_has_up_to_a_thousand_rows_of_a_table(world: World, link_count: int, expected_row_count: int) -> None:
    table = table_of_links(report_of_links(world, link_count))

    rows_on_paper = list(rows_of_text(table))

    headings = 1
    assert len(rows_on_paper) == headings + expected_row_count


def test_paper_says_how_many_rows_are_only_in_the_excel_file(world: World) -> None:
    table = table_of_links(report_of_links(world, 1_200))

    assert note_on_paper(table) == "This table has the first 1,000 rows. The Excel file has 200 more."


@pytest.mark.parametrize(
    ("at_once", "expected_rows"),
    [
        pytest.param(True, {"links": 333, "others": 167, "more": 25}, id="at once"),
        pytest.param(False, {"links": 1_000, "others": 1_000, "more": 1_000}, id="by a worker"),
    ],
)
def test_tables_share_the_rows_of_a_file_that_is_made_at_once(
    world: World, at_once: bool, expected_rows: dict[str, int]
) -> None:
    report = report_of_links(world, 1_200)
    table = table_of_links(report)
    report_of_three = replace(report, tables=(table, replace(table, code="others"), replace(table, code="more")))

    assert row_limits_on_paper(report_of_three, at_once=at_once) == expected_rows


CUT_OFF_CHART = Chart("Cut off without each", "cut", (1,))


def table_of_cut_off(row_count: int) -> Table:
    """Return a table in which the row “Body 3”, for example, has the figure 3."""
    rows = tuple(Row((f"Body {number}", number)) for number in range(1, row_count + 1))
    return Table("cut", "Cut off", (Column("Without"), Column("Cut off", Kind.NUMBER)), rows)


def test_chart_that_leaves_bars_out_says_so_to_everybody() -> None:
    table = table_of_cut_off(16)

    svg = draw_chart(CUT_OFF_CHART, table, "page")

    assert chart_caption(CUT_OFF_CHART, table, "page") == "Cut off without each, the 15 highest"
    assert 'aria-label="Cut off without each, the 15 highest. The table gives the figures"' in svg
    assert svg.count("<rect") == 15
    assert "Body 16" in svg


def test_caption_of_a_chart_with_all_bars_is_its_title() -> None:
    table = table_of_cut_off(15)

    assert chart_caption(CUT_OFF_CHART, table, "page") == "Cut off without each"


def test_a_picture_that_leaves_links_out_says_so_and_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.reports.pictures.MAX_LINES", 2)
    names = ("Alder", "Birch", "Cedar")
    number = Column("Number", Kind.NUMBER)
    bodies = tuple(Row((name, "Council", 2, 2), key=str(pk)) for pk, name in enumerate(names, 1))
    pairs = tuple(Row((key, "", 3 - place), key=key) for place, key in enumerate(("1-2", "1-3", "2-3")))
    tables = (
        Table("organisations", "Organisations", (Column("Organisation"), Column("Kind"), number, number), bodies),
        Table("links", "Who works with whom", (Column("One"), Column("Other"), number), pairs, left_out=4_000),
    )
    arguments = {"report": "network", "title": "Network", "made_at": timezone.now(), "made_for": "", "tables": tables}

    whole = draw_network(NetworkPicture("All", "links", "organisations"), Snapshot(**arguments))
    around = draw_network(NetworkPicture("Around", "links", "organisations", centre="3"), Snapshot(**arguments))

    assert whole.words.endswith(" Of 4,003 links 2 are drawn: the strongest.")
    assert around.words.endswith(" Of 4,003 links 3 are drawn: the strongest, and those of Cedar.")
