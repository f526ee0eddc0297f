"""The board pack has its parts for the chosen partnerships since their last meetings; a command writes it."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from pathlib import Path

import docx
import pypdf
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from docx.document import Document
from docx.oxml.ns import qn

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import change_status
from partnerships.exchange.models import Audience
from partnerships.nominations.queries import masked_trend_of
from partnerships.nominations.rights import read_by
from partnerships.organisations.audience import Everybody
from partnerships.reports import services
from partnerships.reports.queries import readable_figures
from tests.commitments import promises
from tests.exchange.conftest import shared_entry
from tests.nominations.quarters import confirmed_return, place_of
from tests.nominations.signed import sign_data_sharing, sign_nominations
from tests.plans.drafts import CONTENT, ask_signatures
from tests.recommendations.reports import adopted_recommendation, answer_recommendation
from tests.reports.conftest import cells, figures_for
from tests.reports.test_asks_and_promises import overdue
from tests.reports.test_homes_pipeline import NEXT, QUAY, plan_with
from tests.world import World


def prepare_pack(world: World) -> str:
    """Create a plan to sign with a risk, an overdue commitment and an ask; return the query of the pack."""
    plan = plan_with(world, QUAY, risks=CONTENT["risks"], days=3)
    ask_signatures(plan, world)
    overdue(world, 5)
    shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        closes_on=None,
    )
    return f"partnership={world.partnership.pk}"


def test_the_pack_says_what_to_decide_and_what_is_late_unanswered_or_at_risk(world: World) -> None:
    query = prepare_pack(world)

    pack = figures_for(world.ben, "board-pack", query)

    assert "Sign off Programme, version 1" in cells(pack, "decisions", "Why")
    assert list(cells(pack, "overdue", "Days overdue").values()) == [5]
    assert list(cells(pack, "asks", "Days without an answer").values()) == [0]
    assert cells(pack, "year", "Today")[NEXT] == 60
    assert cells(pack, "risks", "Score") == {"Programme slips": 12}
    assert {table.code for table in pack.tables} >= {"discussion", "changes", "nominations", "slippage", "tenure"}
    assert "1 overdue commitment," in pack.answers[0]
    # Only a pack of several partnerships has a column that names them.
    assert [column.label for column in pack.tables[0].columns] == ["What", "Why", "Details"]


def test_the_notes_of_a_pack_are_about_that_pack_only(world: World) -> None:
    query = prepare_pack(world)

    usual = figures_for(world.ben, "board-pack", query)
    dated = figures_for(world.ben, "board-pack", f"{query}&since={timezone.localdate()}")

    masked = "We hide small numbers of nominations, so that nobody can be recognised."
    looks_back = "This pack starts at the last meeting of each partnership, or 90 days ago if there was no meeting."
    assert usual.notes == (looks_back, masked)
    assert dated.notes == (masked,)


def test_the_pack_has_only_the_chosen_parts_and_what_its_reader_may_read(world: World) -> None:
    query = prepare_pack(world)

    short = figures_for(world.ben, "board-pack", f"{query}&part=overdue&part=risks&since={timezone.localdate()}")
    stranger = figures_for(world.chidi, "board-pack", query)

    assert [table.code for table in short.tables] == ["overdue", "risks"]
    assert [len(table.rows) for table in stranger.tables] == [0] * len(stranger.tables)
    assert "Estuary" not in str(stranger)


def test_a_pack_frozen_for_its_parties_has_what_each_of_them_may_read(world: World) -> None:
    query = prepare_pack(world)
    plan_with(world, QUAY, title="Own", audience="owners", days=1)

    frozen = services.freeze_report(
        report="board-pack",
        query_string=query,
        name="March board",
        reason="It met.",
        audience=world.partnership,
        author=world.ben,
        now=timezone.now(),
    )

    pack = frozen.snapshot
    assert "Sign off Programme, version 1" in cells(pack, "decisions", "Why")
    assert list(cells(pack, "changes", "Why")) == ["Programme, version 1"]
    assert list(cells(pack, "overdue", "Days overdue").values()) == [5]
    assert cells(pack, "year", "Today")[NEXT] == 60


def test_the_pack_says_what_its_partnerships_do_about_recommendations(world: World) -> None:
    adoption = adopted_recommendation(world)
    answer_recommendation(adoption.recommendation, world.westmarch, world.ben)
    query = f"partnership={world.partnership.pk}&part=recommendations"
    parties = Everybody([world.larkhaven.pk, world.westmarch.pk])

    pack, frozen, stranger = (figures_for(reader, "board-pack", query) for reader in (world.vera, parties, world.chidi))

    title = adoption.recommendation.title
    assert cells(pack, "recommendations", "Status") == {title: "Adopted"}
    assert cells(pack, "recommendations", "Since") == {title: timezone.localdate()}
    assert cells(pack, "recommendations", "What the parties are doing") == {
        title: f"{world.westmarch.display_name}: under way"
    }
    assert frozen.tables == pack.tables
    assert stranger.tables == ()
    assert stranger.answers == (
        "None of your partnerships is under way. You can make a board pack once your organisation takes part in one.",
    )


def test_a_pack_for_parties_has_nominations_that_each_of_them_may_read(world: World) -> None:
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    parties = Everybody([world.larkhaven.pk, world.westmarch.pk, world.riverside.pk])

    pack = figures_for(parties, "board-pack", f"partnership={agreement.partnership_id}&part=nominations")

    quarter, line = masked_trend_of(agreement)[-1]
    table = pack.table("nominations")
    assert table is not None
    assert [row.cells[:4] for row in table.rows] == [
        ("Westmarch nominations", str(quarter), line.lettings, line.nominated)
    ]
    now = timezone.now()
    assert read_by([agreement], parties, now) == [agreement]
    assert read_by([agreement], Everybody([world.larkhaven.pk, world.tidewater.pk]), now) == []
    assert read_by([agreement], Everybody([]), now) == []


def test_frozen_nominations_are_closed_while_no_data_sharing_is_in_force(world: World) -> None:
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    frozen = services.freeze_report(
        report="board-pack",
        query_string=f"partnership={agreement.partnership_id}&part=nominations",
        name="March board",
        reason="It met.",
        audience=agreement.partnership,
        author=world.amina,
        now=timezone.now(),
    )
    sharing = Partnership.objects.get(title="Data about lettings")
    frozen_figures = frozen.snapshot

    before = readable_figures(frozen, world.nadia, timezone.now())
    change_status(partnership=sharing, status="ended", reason="Over.", author=world.amina, now=timezone.now())
    after, figures_for_council = (readable_figures(frozen, who, timezone.now()) for who in (world.nadia, world.ben))
    sign_data_sharing(world)

    assert len(before.tables[0].rows) == 1
    assert before == frozen_figures
    assert after.tables[0].rows == ()
    assert "no data-sharing agreement is in force" in after.tables[0].empty
    assert figures_for_council == after
    assert readable_figures(frozen, world.nadia, timezone.now()) == frozen_figures


def make_pack(world: World, file: Path) -> None:
    """Write the board pack as Ben reads it to this file, with the command."""
    call_command(
        "make_report",
        "board-pack",
        to=str(file),
        reader=world.ben.email,
        filters=prepare_pack(world),
        stdout=StringIO(),
    )


def test_command_writes_the_pack_as_pdf(world: World, tmp_path: Path) -> None:
    file = tmp_path / "pack.pdf"

    make_pack(world, file)

    text = "".join(page.extract_text() for page in pypdf.PdfReader(file).pages)
    assert "Decisions needed" in text
    assert "Page 1 of" in text


@pytest.fixture
def word_pack(world: World, tmp_path: Path) -> Document:
    """Return the board pack that the command wrote as a Word document."""
    file = tmp_path / "pack.docx"
    make_pack(world, file)
    return docx.Document(str(file))


def test_contents_of_the_pack_in_word_link_to_every_heading(word_pack: Document) -> None:
    headings = [paragraph.text for paragraph in word_pack.paragraphs if paragraph.style.name == "Heading 1"]
    links = word_pack.element.body.findall(f".//{qn('w:hyperlink')}")
    bookmarks = word_pack.element.body.findall(f".//{qn('w:bookmarkStart')}")

    assert headings[:3] == ["Decisions needed", "What needs discussion", "What has changed"]
    assert ["".join(words.text for words in link.iter(qn("w:t"))) for link in links] == headings
    assert {link.get(qn("w:anchor")) for link in links} == {bookmark.get(qn("w:name")) for bookmark in bookmarks}


def test_chart_of_the_pack_in_word_has_a_description(word_pack: Document) -> None:
    [chart] = word_pack.inline_shapes

    assert chart._inline.docPr.get("descr") == "Homes by year of completion. The table gives the figures"


def test_command_refuses_a_report_that_does_not_exist(world: World, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no report called nothing"):
        call_command("make_report", "nothing", to=str(tmp_path / "pack.pdf"), reader=world.ben.email)


def test_the_pack_looks_back_to_the_last_meeting_or_ninety_days(world: World) -> None:
    prepare_pack(world)

    pack = figures_for(world.ben, "board-pack")

    assert pack.filters[0] == "Estuary Partnership"
    first = timezone.localdate() - dt.timedelta(days=90)
    assert pack.filters[1].endswith(f"{first:%Y}")
    assert promises.in_days(-90) == first
