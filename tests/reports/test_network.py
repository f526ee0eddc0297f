"""The network report agrees with a count by hand: who works together on a day, and what ends without a body."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from itertools import combinations

import docx
import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Audience, Partnership
from partnerships.organisations.models import Organisation
from partnerships.organisations.services import update_organisation
from partnerships.people.models import User
from partnerships.reports.comparing import restatements
from partnerships.reports.downloads import file_content
from partnerships.reports.paging import Pages, Paging
from partnerships.reports.pictures import chart_caption, draw_chart, draw_network
from partnerships.reports.presenting import note_on_paper, printed_rows, rows_of_text, shown_tables
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


def chain(world: World) -> Partnership:
    """Link Larkhaven, Westmarch, Tidewater and Harbour in a chain that everybody sees.

    Returns the middle partnership.
    """
    middle = make_partnership(
        "Middle",
        chair=world.westmarch,
        chair_lead=world.ben,
        other=world.tidewater,
        other_lead=world.chidi,
        now=world.now,
    )
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


def test_links_and_single_points_of_failure_are_those_counted_by_hand(world: World) -> None:
    chain(world)
    parties = [
        sorted(partnership.parties.values_list("organisation__name", flat=True))
        for partnership in Partnership.objects.all()
    ]

    report = figures_for(world.ben, "network")

    assert links(report) == {(one, other, 1) for bodies in parties for one, other in combinations(bodies, 2)}
    assert cells(report, "counts", "Number") == {
        "Organisations": 4,
        "Partnerships": 3,
        "Links between two organisations": 3,
        "Single points of failure": 2,
        "Parts that are not linked with each other": 1,
        "Organisations in the largest part": 4,
    }
    assert cells(report, "single", "Organisations cut off") == {world.tidewater.name: 1, world.westmarch.name: 1}
    assert cells(report, "single", "Partnerships that would end") == {world.tidewater.name: 2, world.westmarch.name: 2}
    assert f"2 single points of failure: {world.tidewater.name} (1 cut off)" in report.answers[1]


def test_the_report_counts_only_partnerships_that_the_reader_may_know_of(world: World) -> None:
    make_partnership(
        "Middle",
        chair=world.westmarch,
        chair_lead=world.ben,
        other=world.tidewater,
        other_lead=world.chidi,
        now=world.now,
    )

    ben = figures_for(world.ben, "network")
    stranger = figures_for(world.nadia, "network")

    assert links(ben) == {
        (world.larkhaven.name, world.westmarch.name, 1),
        (world.tidewater.name, world.westmarch.name, 1),
    }
    assert world.harbour.name not in str(ben)
    assert links(stranger) == set()
    assert "You cannot see any partnership" in stranger.answers[0]


def test_an_earlier_day_has_the_parties_and_names_of_that_day(world: World) -> None:
    middle = chain(world)
    now = timezone.now()
    agreements.leave_partnership(
        party=middle.parties.get(organisation=world.tidewater), reason="Reorganised.", author=world.chidi, now=now
    )
    update_organisation(
        organisation=world.larkhaven, name="Larkhaven Group", reason="Renamed.", author=world.dee, now=now
    )
    before = f"day={timezone.localdate() - dt.timedelta(days=2)}"

    today = figures_for(world.ben, "network")
    then = figures_for(world.ben, "network", before)
    outside = figures_for(world.nadia, "network", before)
    earliest = figures_for(world.ben, "network", f"day={timezone.localdate() - dt.timedelta(days=40)}")

    was = "Larkhaven Homes (now Larkhaven Group)"
    assert links(today) == {
        ("Larkhaven Group", world.westmarch.name, 1),
        (world.harbour.name, world.tidewater.name, 1),
    }
    assert links(then) == {
        (was, world.westmarch.name, 1),
        (world.harbour.name, world.tidewater.name, 1),
        (world.tidewater.name, world.westmarch.name, 1),
    }
    # People who see only the outline of the partnership do not see which parties have left.
    assert links(outside) == {(was, world.westmarch.name, 1), (world.harbour.name, world.tidewater.name, 1)}
    assert links(earliest) == set()


def test_a_partnership_that_has_ended_is_in_the_network_of_the_days_before(world: World) -> None:
    middle = chain(world)
    agreements.change_status(partnership=middle, status="ended", reason="Done.", author=world.ben, now=timezone.now())
    yesterday = timezone.localdate() - dt.timedelta(days=1)

    today = figures_for(world.ben, "network")
    then = figures_for(world.ben, "network", f"day={yesterday}")

    pair = (world.tidewater.name, world.westmarch.name, 1)
    assert pair not in links(today)
    assert pair in links(then)


def test_a_body_that_ended_is_shown_with_its_successor(world: World) -> None:
    chain(world)
    follow([world.harbour], [world.riverside])

    report = figures_for(world.chidi, "network", f"day={timezone.localdate() - dt.timedelta(days=2)}")

    assert f"{world.harbour.name} (now {world.riverside.name})" in cells(report, "organisations", "Partners")


def test_the_report_says_what_ends_if_an_organisation_leaves(world: World) -> None:
    chain(world)
    promise = agree(world)

    report = figures_for(world.amina, "network", f"around={world.westmarch.pk}")
    earlier = figures_for(
        world.amina, "network", f"around={world.westmarch.pk}&day={timezone.localdate() - dt.timedelta(days=1)}"
    )

    side = "keeps it" if promise.giver == world.westmarch else "receives it"
    assert fates(report) == {
        "Estuary Partnership": "Partnership: Ends",
        "Middle": "Partnership: Ends",
        promise.text: f"Commitment: Nobody {side}",
    }
    assert set(fates(earlier)) == {"Estuary Partnership", "Middle"}
    assert (
        f"If {world.westmarch.name} leaves, 2 of its 2 partnerships end, and 1 organisation is cut off."
        in report.answers
    )


def test_an_observer_or_a_third_party_does_not_end_a_partnership(world: World) -> None:
    now = timezone.now()
    for body, role, lead in ((world.riverside, "observer", world.nadia), (world.harbour, "member", world.hana)):
        party = agreements.invite_organisation(
            partnership=world.partnership, organisation=body, role=role, reason="Helps.", author=world.amina, now=now
        )
        agreements.answer_invitation(party=party, accept=True, reason="", author=lead, now=now)

    def fate(body: Organisation) -> str:
        return fates(figures_for(world.amina, "network", f"around={body.pk}"))["Estuary Partnership"]

    assert fate(world.riverside) == "Partnership: Continues"
    assert fate(world.westmarch) == "Partnership: Continues"
    assert fate(world.larkhaven) == "Partnership: Loses its chair or lead"


def page(person: User, query: str = "") -> str:
    """Return the text of the report's page for this person."""
    address = reverse("reports:report", args=["network"])
    return collapse(signed_in(person).get(f"{address}{query}").content.decode())


def test_the_page_draws_the_network_around_one_of_two_bodies_with_the_same_name(world: World) -> None:
    chain(world)
    Organisation.objects.filter(pk=world.riverside.pk).update(name=world.larkhaven.name)

    whole = page(world.ben)
    around = page(world.ben, f"?around={world.larkhaven.pk}")
    namesake = figures_for(world.ben, "network", f"around={world.riverside.pk}")
    nobody = signed_in(world.ben).get(reverse("reports:report", args=["network"]), {"around": "999999"})

    assert "The whole network" in whole
    assert whole.count('<circle class="cg-network__ring"') == 4
    assert f"Around {world.larkhaven.name}" in around
    assert f"around={world.westmarch.pk}" in around
    assert fates(namesake) == {}
    assert nobody.status_code == 422


def test_a_frozen_network_and_its_word_file_keep_the_picture(world: World) -> None:
    chain(world)
    report = figures_for(world.ben, "network", f"around={world.larkhaven.pk}")

    paper = docx.Document(io.BytesIO(file_content(report, "docx")))

    titles = [shape._inline.docPr.get("title") for shape in paper.inline_shapes]
    assert titles == ["Organisations cut off if each one left", f"Around {world.larkhaven.name}"]
    assert from_json(to_json(report)) == report
    assert report.networks[0].centre == str(world.larkhaven.pk)


def test_a_frozen_network_of_many_links_stores_and_compares_only_the_first(world: World) -> None:
    chain(world)
    report = figures_for(world.ben, "network")
    table = report.table("links")
    assert table is not None
    long_table = replace(
        table, rows=tuple(Row((f"One {pk}", "Other", 2), key=f"{pk}-0") for pk in range(MAX_KEPT_ROWS + 7))
    )
    whole = replace(report, tables=(long_table,), networks=())

    stored = from_json(to_json(with_rows_limited(whole)))
    changed_table = replace(
        long_table, rows=(replace(long_table.rows[0], cells=("One 0", "Other", 1)), *long_table.rows[1:])
    )

    assert [(len(table.rows), table.left_out, table.note) for table in stored.tables] == [
        (MAX_KEPT_ROWS, 7, "We kept the first 5,000 rows, and left out 7.")
    ]
    assert restatements(stored, whole) == []
    restated = restatements(stored, replace(whole, tables=(changed_table,)))
    assert [(restatement.row, restatement.was, restatement.now) for restatement in restated] == [("One 0", 2, 1)]


def test_long_tables_are_shown_in_pages_and_paper_says_how_many_rows_it_lacks(world: World) -> None:
    report = figures_for(world.ben, "network")
    table = report.table("links")
    assert table is not None
    long_table = replace(
        table, rows=tuple(Row((f"One {number}", "Other", 1), key=f"{number}-0") for number in range(120))
    )
    snapshot = replace(report, tables=(long_table,), charts=(), networks=())

    def shown(query: str) -> tuple[int, Pages]:
        [shown_table] = shown_tables(snapshot, Paging(QueryDict(query)))
        assert shown_table.pages is not None
        return len(shown_table.rows), shown_table.pages

    assert shown("day=x") == (25, Pages("Rows 1 to 25 of 120", "", "?day=x&page-links=2#table-links"))
    assert shown("page-links=2") == (25, Pages("Rows 26 to 50 of 120", "?#table-links", "?page-links=3#table-links"))
    assert shown("page-links=99") == (20, Pages("Rows 101 to 120 of 120", "?page-links=4#table-links", ""))
    assert len(list(rows_of_text(long_table))) == 121
    assert len(shown_tables(snapshot)[0].rows) == 120
    longer_table = replace(long_table, rows=long_table.rows * 10)
    assert len(list(rows_of_text(longer_table))) == 1_001
    assert note_on_paper(longer_table) == "This table has the first 1,000 rows. The Excel file has 200 more."
    snapshot_of_three = replace(
        snapshot, tables=(longer_table, replace(longer_table, code="others"), replace(longer_table, code="more"))
    )
    assert printed_rows(snapshot_of_three, at_once=True) == {"links": 333, "others": 167, "more": 25}
    assert set(printed_rows(snapshot_of_three, at_once=False).values()) == {1_000}


def test_a_chart_that_leaves_bars_out_says_so_to_everybody() -> None:
    rows = tuple(Row((f"Body {number}", number)) for number in range(1, 17))
    table = Table("cut", "Cut off", (Column("Without"), Column("Cut off", Kind.NUMBER)), rows)
    chart = Chart("Cut off without each", "cut", (1,))

    svg = draw_chart(chart, table)

    assert chart_caption(chart, table) == "Cut off without each, the 15 highest"
    assert 'aria-label="Cut off without each, the 15 highest; the table gives the figures"' in svg
    assert svg.count("<rect") == 15
    assert "Body 16" in svg
    assert chart_caption(chart, replace(table, rows=rows[1:])) == "Cut off without each"


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
