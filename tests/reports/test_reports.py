"""Pages and files of a report come from the same snapshot."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from typing import Any, NamedTuple

import docx
import pypdf
import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from partnerships.documents.downloads import draw_pdf
from partnerships.organisations.audience import Everybody
from partnerships.plans.models import Plan
from partnerships.reports.registry import Report, all_reports, register_report
from partnerships.reports.snapshot import (
    Chart,
    Column,
    Kind,
    Row,
    Snapshot,
    Source,
    Table,
    from_json,
    to_json,
)
from partnerships.reports.wording import cell_in_words
from tests.plans.drafts import published_plan
from tests.reports.conftest import figures_for
from tests.support.signing_in import signed_in
from tests.world import World

SAMPLE = Snapshot(
    report="sample",
    title="Sample",
    made_at=dt.datetime(2027, 3, 3, 9, 30, tzinfo=dt.UTC),
    made_for="This report counts what everybody at Larkhaven Homes can read.",
    filters=("Westmarch",),
    answers=("60 homes.",),
    tables=(
        Table(
            "homes",
            "Homes",
            (
                Column("Year"),
                Column("Homes", Kind.NUMBER),
                Column("Change", Kind.CHANGE),
                Column("Share", Kind.SHARE),
                Column("Grant (£)", Kind.MONEY),
                Column("Due", Kind.DAY),
            ),
            (
                Row(
                    ("2027-28", 60, -4, Decimal("12.5"), Decimal("1000.50"), dt.date(2028, 3, 31)),
                    href="/plans/1/",
                    key="a",
                ),
            ),
            Row(("Total", 60, -4, None, Decimal("1000.50"), None)),
            "Of one plan.",
        ),
    ),
    charts=(Chart("Homes by year", "homes", (1, 2)),),
    sources=(Source("Plans", dt.date(2027, 3, 3), "/plans/"),),
    notes=("Nothing is left out.",),
)


def test_a_snapshot_is_the_same_after_it_was_stored_as_json() -> None:
    assert from_json(to_json(SAMPLE)) == SAMPLE


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Kind.NUMBER, 1250, "1,250"),
        (Kind.CHANGE, 12, "+12"),
        (Kind.CHANGE, -12, "\u221212"),
        (Kind.SHARE, Decimal("12.5"), "12.5%"),
        (Kind.MONEY, Decimal(85000), "£85,000"),
        (Kind.DAY, dt.date(2027, 3, 3), "3 March 2027"),
        (Kind.TEXT, None, "–"),
    ],
)
def test_cells_are_shown_by_their_kind(kind: Kind, value: object, words: str) -> None:
    assert cell_in_words(kind, value) == words  # type: ignore[arg-type]  # values of all kinds


def test_two_reports_cannot_have_one_name() -> None:
    first = all_reports()[0]
    same = Report(slug=first.slug, title="", about="", group="", form=first.form, compute=first.compute)

    with pytest.raises(ValueError, match="Two reports"):
        register_report(same)


def test_the_menu_leads_to_the_page_of_reports(world: World) -> None:
    page = signed_in(world.amina).get(reverse("web:home")).content.decode()

    assert f'href="{reverse("reports:index")}"' in page


@pytest.mark.parametrize("slug", [report.slug for report in all_reports()])
def test_the_page_of_reports_links_to_each_report(world: World, slug: str) -> None:
    page = signed_in(world.amina).get(reverse("reports:index")).content.decode()

    assert reverse("reports:report", args=[slug]) in page


def test_pdfs_have_the_fonts_of_the_site_and_text_that_can_be_copied() -> None:
    style = render_to_string("plans/_pdf_style.html")
    drawing = '<svg viewBox="0 0 90 20" width="90"><text x="0" y="15">Homes 60</text></svg>'
    body = f"<h1>Tŷ Grŵp</h1><p>Gdańsk: 1,234</p>{drawing}"
    page = f"<html lang=en><head><title>Brief</title>{style}</head><body>{body}</body>"

    (sheet,) = pypdf.PdfReader(io.BytesIO(draw_pdf(page))).pages

    resources: Any = sheet["/Resources"]
    fonts = {font.get_object()["/BaseFont"].partition("+")[2] for font in resources["/Font"].values()}
    assert {"cg-display-Bold", "cg-text"} <= fonts
    assert not any(font.startswith("DejaVu") for font in fonts)
    assert sheet.extract_text().split("\n")[:2] == ["Tŷ Grŵp", "Gdańsk: 1,234"]


@pytest.fixture
def client_of_amina(world: World) -> Client:
    """Return a client of Amina, whose partnership has a budget of £85,000 and is reviewed on 12 September 2031."""
    world.partnership.annual_budget = Decimal(85000)
    world.partnership.review_on = dt.date(2031, 9, 12)
    world.partnership.save(update_fields=["annual_budget", "review_on"])
    return signed_in(world.amina)


def register_file(client: Client, form: str) -> io.BytesIO:
    """Return the partnership register as a file in this format."""
    return io.BytesIO(client.get(reverse("reports:file", args=["partnership-register", form])).content)


def test_page_of_a_report_shows_its_figures_and_for_whom_it_was_made(client_of_amina: Client) -> None:
    page = client_of_amina.get(reverse("reports:report", args=["partnership-register"])).content.decode()

    assert "£85,000" in page
    assert re.search(r'<td class="govuk-table__cell cg-nowrap"[^>]*>\s*12 September 2031\s*</td>', page)
    assert "This report counts what Amina Larch can read." in page


def test_excel_file_of_a_report_has_its_figures_as_numbers(client_of_amina: Client) -> None:
    workbook = CalamineWorkbook.from_filelike(register_file(client_of_amina, "xlsx"))

    # The first two sheets are about the file and its answers.
    first_row = workbook.get_sheet_by_index(2).to_python()[1]
    assert first_row[0] == "Estuary Partnership"
    assert 85000.0 in first_row


def test_word_file_of_a_report_has_its_figures_and_sources(client_of_amina: Client) -> None:
    document = docx.Document(register_file(client_of_amina, "docx"))

    first_row = [cell.text for cell in document.tables[-1].rows[1].cells]
    assert first_row[0] == "Estuary Partnership"
    assert {"£85,000", "12\u00a0September\u00a02031"} <= set(first_row)
    assert any("Partnerships, their signed terms" in paragraph.text for paragraph in document.paragraphs)


def test_pdf_file_of_a_report_has_its_figures(client_of_amina: Client) -> None:
    pdf = pypdf.PdfReader(register_file(client_of_amina, "pdf"))

    text = "".join(page.extract_text() for page in pdf.pages)
    assert "£85,000" in text
    assert "12 September 2031" in text


def test_page_of_a_report_refuses_an_invalid_filter(world: World) -> None:
    address = reverse("reports:report", args=["partnership-register"])

    response = signed_in(world.amina).get(address, {"status": "nonsense"})

    assert response.status_code == 422


def test_file_of_a_report_with_an_invalid_filter_leads_to_the_page(world: World) -> None:
    address = reverse("reports:file", args=["partnership-register", "xlsx"])

    response: Any = signed_in(world.amina).get(address, {"status": "nonsense"})

    assert response.status_code == 302
    assert response.url == reverse("reports:report", args=["partnership-register"]) + "?status=nonsense"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("reports:report", ["no-such-report"], id="unknown report"),
        pytest.param("reports:file", ["partnership-register", "exe"], id="unknown format"),
    ],
)
def test_unknown_report_or_format_is_not_found(world: World, name: str, arguments: list[str]) -> None:
    response = signed_in(world.amina).get(reverse(name, args=arguments))

    assert response.status_code == 404


class PlansByAudience(NamedTuple):
    """Published plans of Larkhaven, for three audiences."""

    for_partnership: Plan
    for_owners: Plan
    for_network: Plan


@pytest.fixture
def plans(world: World) -> PlansByAudience:
    """Publish a plan of Larkhaven for its partnership, one for itself and one for the network."""
    return PlansByAudience(
        for_partnership=published_plan(world),
        for_owners=published_plan(world, audience="owners", title="Larkhaven alone"),
        for_network=published_plan(world, audience="network", title="For everyone"),
    )


def test_owner_fully_reads_all_its_plans(world: World, plans: PlansByAudience) -> None:
    readable_plans = Plan.objects.fully_readable_by(Everybody([world.larkhaven.pk]))

    assert set(readable_plans) == set(plans)


def test_two_organisations_fully_read_only_what_each_of_them_may(world: World, plans: PlansByAudience) -> None:
    readable_plans = Plan.objects.fully_readable_by(Everybody([world.larkhaven.pk, world.westmarch.pk]))

    assert set(readable_plans) == {plans.for_partnership, plans.for_network}


def test_outsider_fully_reads_no_plan(world: World, plans: PlansByAudience) -> None:
    readable_plans = Plan.objects.fully_readable_by(Everybody([world.tidewater.pk]))

    assert set(readable_plans) == set()


def test_plans_for_the_network_are_published_for_an_outsider(world: World, plans: PlansByAudience) -> None:
    published_plans = Plan.objects.published_today_for(Everybody([world.tidewater.pk]))

    assert set(published_plans) == {plans.for_network}


def test_report_for_everybody_of_an_owner_has_no_drafts(world: World, plans: PlansByAudience) -> None:
    drafts = Plan.objects.draft_visible_to(Everybody([world.larkhaven.pk]))

    assert set(drafts) == set()


def test_no_plan_is_published_for_no_organisation(plans: PlansByAudience) -> None:
    published_plans = Plan.objects.published_today_for(Everybody([]))

    assert set(published_plans) == set()


def test_the_register_shows_what_is_missing_and_overdue(world: World) -> None:
    today = timezone.localdate()
    world.partnership.review_on = today - dt.timedelta(days=12)
    world.partnership.status = "active"
    world.partnership.save(update_fields=["review_on", "status"])
    published_plan(world)

    snapshot = figures_for(world.ben, "partnership-register", "gaps=on")

    table = snapshot.table("register")
    assert table is not None
    row = dict(zip([column.label for column in table.columns], table.rows[0].cells, strict=True))
    assert row == {
        "Partnership": "Estuary Partnership",
        "Status": "Under review",
        "Chair": "Larkhaven Homes",
        "Terms in force since": None,
        "Review due": today - dt.timedelta(days=12),
        "Review": "overdue by 12 days",
        "Ends": None,
        "Annual budget (£)": None,
        "Liabilities": "",
        "Data sharing": "not needed",
        "Open risks": 1,
        "High risks": 0,
        "Missing": "terms in force, budget, liabilities",
    }
    assert snapshot.answers[0].startswith("1 partnership: 1 without terms in force, 1 without a budget, ")


def test_the_register_has_only_partnerships_of_its_reader(world: World) -> None:
    table = figures_for(world.chidi, "partnership-register").table("register")

    assert table is not None
    assert [row.name for row in table.rows] == ["Harbour Partnership"]
