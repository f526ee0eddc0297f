"""The board pack has its parts for the chosen partnerships since their last meetings; a command writes it."""

from __future__ import annotations

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
from partnerships.kit.dates import long_date
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.queries import masked_trend_of
from partnerships.nominations.rights import read_by
from partnerships.organisations.audience import Everybody, Reader
from partnerships.recommendations.models import Recommendation
from partnerships.reports import services
from partnerships.reports.models import FrozenReport
from partnerships.reports.queries import readable_figures
from partnerships.reports.snapshot import Snapshot
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


def test_the_pack_of_one_partnership_has_no_column_that_names_it(world: World) -> None:
    pack = figures_for(world.ben, "board-pack", prepare_pack(world))

    assert [column.label for column in pack.tables[0].columns] == ["What", "Why", "Details"]


#: The note of every pack about the figures of nominations.
NOTE_ON_HIDDEN_NUMBERS = "We hide small numbers of nominations, so that nobody can be recognised."


def test_notes_say_from_which_day_a_pack_starts_if_none_was_chosen(world: World) -> None:
    pack = figures_for(world.ben, "board-pack", prepare_pack(world))

    assert pack.notes == (
        "This pack starts at the last meeting of each partnership, or 90 days ago if there was no meeting.",
        NOTE_ON_HIDDEN_NUMBERS,
    )


def test_notes_do_not_say_from_which_day_a_pack_starts_if_one_was_chosen(world: World) -> None:
    pack = figures_for(world.ben, "board-pack", f"{prepare_pack(world)}&since={timezone.localdate()}")

    assert pack.notes == (NOTE_ON_HIDDEN_NUMBERS,)


def test_the_pack_has_only_the_chosen_parts(world: World) -> None:
    query = prepare_pack(world)

    pack = figures_for(world.ben, "board-pack", f"{query}&part=overdue&part=risks&since={timezone.localdate()}")

    assert [table.code for table in pack.tables] == ["overdue", "risks"]


def test_a_stranger_gets_a_pack_without_rows(world: World) -> None:
    pack = figures_for(world.chidi, "board-pack", prepare_pack(world))

    assert [table.code for table in pack.tables if table.rows] == []
    assert "Estuary" not in str(pack)


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


@pytest.fixture
def adopted_by_partnership(world: World) -> Recommendation:
    """Return a recommendation that the partnership adopted and that Westmarch is working on."""
    recommendation = adopted_recommendation(world).recommendation
    answer_recommendation(recommendation, world.westmarch, world.ben)
    return recommendation


def pack_on_recommendations(world: World, reader: Reader) -> Snapshot:
    """Return the part of the board pack about recommendations."""
    return figures_for(reader, "board-pack", f"partnership={world.partnership.pk}&part=recommendations")


def test_the_pack_says_what_parties_do_about_a_recommendation(
    world: World, adopted_by_partnership: Recommendation
) -> None:
    pack = pack_on_recommendations(world, world.vera)

    title = adopted_by_partnership.title
    assert cells(pack, "recommendations", "Status") == {title: "Adopted"}
    assert cells(pack, "recommendations", "Since") == {title: timezone.localdate()}
    assert cells(pack, "recommendations", "What the parties are doing") == {
        title: f"{world.westmarch.display_name}: under way"
    }


@pytest.mark.usefixtures("adopted_by_partnership")
def test_the_pack_for_all_parties_has_the_recommendations_of_one_party(world: World) -> None:
    pack_of_vera = pack_on_recommendations(world, world.vera)

    pack_of_parties = pack_on_recommendations(world, Everybody([world.larkhaven.pk, world.westmarch.pk]))

    assert pack_of_parties.tables == pack_of_vera.tables


@pytest.mark.usefixtures("adopted_by_partnership")
def test_the_pack_for_a_stranger_says_how_to_get_one(world: World) -> None:
    pack = pack_on_recommendations(world, world.chidi)

    assert pack.tables == ()
    assert pack.answers == (
        "None of your partnerships is under way. You can make a board pack once your organisation takes part in one.",
    )


@pytest.fixture
def nominations_agreement(world: World) -> NominationsAgreement:
    """Return a nominations agreement of Larkhaven, Westmarch and Riverside, with a confirmed return."""
    agreement = sign_nominations(world)
    place_of(world)
    confirmed_return(world, agreement)
    return agreement


def test_a_pack_for_parties_has_the_nominations_of_their_last_quarter(
    world: World, nominations_agreement: NominationsAgreement
) -> None:
    parties = Everybody([world.larkhaven.pk, world.westmarch.pk, world.riverside.pk])

    pack = figures_for(parties, "board-pack", f"partnership={nominations_agreement.partnership_id}&part=nominations")

    quarter, figures = masked_trend_of(nominations_agreement)[-1]
    table = pack.table("nominations")
    assert table is not None
    assert [row.cells[:4] for row in table.rows] == [
        ("Westmarch nominations", str(quarter), figures.lettings, figures.nominated)
    ]


def test_parties_together_read_the_nominations_of_their_agreement(
    world: World, nominations_agreement: NominationsAgreement
) -> None:
    parties = Everybody([world.larkhaven.pk, world.westmarch.pk, world.riverside.pk])

    readable_agreements = read_by([nominations_agreement], parties, timezone.now())

    assert readable_agreements == [nominations_agreement]


def test_a_party_and_an_outsider_together_read_no_nominations(
    world: World, nominations_agreement: NominationsAgreement
) -> None:
    party_and_outsider = Everybody([world.larkhaven.pk, world.tidewater.pk])

    readable_agreements = read_by([nominations_agreement], party_and_outsider, timezone.now())

    assert readable_agreements == []


def test_no_organisation_reads_no_nominations(nominations_agreement: NominationsAgreement) -> None:
    readable_agreements = read_by([nominations_agreement], Everybody([]), timezone.now())

    assert readable_agreements == []


@pytest.fixture
def frozen_nominations(world: World, nominations_agreement: NominationsAgreement) -> FrozenReport:
    """Return a board pack with nominations, frozen for the parties of their agreement."""
    return services.freeze_report(
        report="board-pack",
        query_string=f"partnership={nominations_agreement.partnership_id}&part=nominations",
        name="March board",
        reason="It met.",
        audience=nominations_agreement.partnership,
        author=world.amina,
        now=timezone.now(),
    )


def end_data_sharing(world: World) -> None:
    """End the agreement by which the parties share data about lettings."""
    data_sharing = Partnership.objects.get(title="Data about lettings")
    change_status(partnership=data_sharing, status="ended", reason="Over.", author=world.amina, now=timezone.now())


def test_frozen_nominations_are_open_while_data_sharing_is_in_force(
    world: World, frozen_nominations: FrozenReport
) -> None:
    figures = readable_figures(frozen_nominations, world.nadia, timezone.now())

    assert len(figures.tables[0].rows) == 1
    assert figures == frozen_nominations.snapshot


@pytest.mark.parametrize("reader_name", ["nadia", "ben"])
def test_frozen_nominations_are_closed_while_no_data_sharing_is_in_force(
    world: World, frozen_nominations: FrozenReport, reader_name: str
) -> None:
    end_data_sharing(world)

    figures = readable_figures(frozen_nominations, getattr(world, reader_name), timezone.now())

    assert figures.tables[0].rows == ()
    assert "no data-sharing agreement is in force" in figures.tables[0].empty


def test_frozen_nominations_open_again_with_another_data_sharing_agreement(
    world: World, frozen_nominations: FrozenReport
) -> None:
    end_data_sharing(world)
    sign_data_sharing(world)

    figures = readable_figures(frozen_nominations, world.nadia, timezone.now())

    assert figures == frozen_nominations.snapshot


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


def test_the_pack_starts_ninety_days_ago_if_there_was_no_meeting(world: World) -> None:
    prepare_pack(world)

    pack = figures_for(world.ben, "board-pack")

    assert pack.filters[0] == "Estuary Partnership"
    assert pack.filters[1].endswith(long_date(promises.in_days(-90)))
