"""Pages and files of a report come from the same snapshot."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from typing import Any

import docx
import pypdf
import pytest
from django.template.loader import render_to_string
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


def test_the_menu_leads_to_the_page_of_reports_which_lists_each(world: World) -> None:
    client = signed_in(world.amina)

    page = client.get(reverse("web:home")).content.decode()
    index = client.get(reverse("reports:index")).content.decode()

    assert f'href="{reverse("reports:index")}"' in page
    assert [
        report.title for report in all_reports() if reverse("reports:report", args=[report.slug]) not in index
    ] == []


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


def test_page_pdf_word_and_excel_have_the_figures_of_one_snapshot(world: World) -> None:
    world.partnership.annual_budget = Decimal(85000)
    world.partnership.review_on = dt.date(2031, 9, 12)
    world.partnership.save(update_fields=["annual_budget", "review_on"])
    client = signed_in(world.amina)
    address = {form: reverse("reports:file", args=["partnership-register", form]) for form in ("xlsx", "docx", "pdf")}

    page = client.get(reverse("reports:report", args=["partnership-register"])).content.decode()
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(address["xlsx"]).content))
    paper = docx.Document(io.BytesIO(client.get(address["docx"]).content))
    pdf = pypdf.PdfReader(io.BytesIO(client.get(address["pdf"]).content))
    printed = "".join(sheet.extract_text() for sheet in pdf.pages)

    assert "£85,000" in page
    assert re.search(r'<td class="govuk-table__cell cg-nowrap"[^>]*>\s*12 September 2031\s*</td>', page)
    assert "£85,000" in printed
    assert "12 September 2031" in printed
    assert "This report counts what Amina Larch can read." in page
    sheet = book.get_sheet_by_index(2).to_python()
    assert sheet[1][0] == "Estuary Partnership"
    assert 85000.0 in sheet[1]
    words = [[cell.text for cell in row.cells] for row in paper.tables[-1].rows]
    assert words[1][0] == "Estuary Partnership"
    assert {"£85,000", "12\u00a0September\u00a02031"} <= set(words[1])
    assert any("Partnerships, their signed terms" in paragraph.text for paragraph in paper.paragraphs)


def test_a_report_says_which_filter_is_wrong(world: World) -> None:
    client = signed_in(world.amina)
    address = reverse("reports:report", args=["partnership-register"])

    page = client.get(f"{address}?status=nonsense")
    file = client.get(f"{reverse('reports:file', args=['partnership-register', 'xlsx'])}?status=nonsense")

    assert page.status_code == 422
    assert file.status_code == 302
    assert client.get(reverse("reports:report", args=["no-such-report"])).status_code == 404
    assert client.get(reverse("reports:file", args=["partnership-register", "exe"])).status_code == 404


def test_everybody_of_two_organisations_may_read_what_both_may_read(world: World) -> None:
    shared = published_plan(world)
    own = published_plan(world, audience="owners", title="Larkhaven alone")
    open_to_all = published_plan(world, audience="network", title="For everyone")
    larkhaven = Everybody([world.larkhaven.pk])
    both = Everybody([world.larkhaven.pk, world.westmarch.pk])

    assert set(Plan.objects.fully_readable_by(larkhaven)) == {shared, own, open_to_all}
    assert set(Plan.objects.fully_readable_by(both)) == {shared, open_to_all}
    assert set(Plan.objects.fully_readable_by(Everybody([world.tidewater.pk]))) == set()
    assert set(Plan.objects.published_today_for(Everybody([world.tidewater.pk]))) == {open_to_all}
    assert set(Plan.objects.draft_visible_to(larkhaven)) == set()
    assert set(Plan.objects.published_today_for(Everybody([]))) == set()


def test_the_register_shows_what_is_missing_and_overdue(world: World) -> None:
    today = timezone.localdate()
    world.partnership.review_on = today - dt.timedelta(days=12)
    world.partnership.status = "active"
    world.partnership.save(update_fields=["review_on", "status"])
    published_plan(world)

    snapshot = figures_for(world.ben, "partnership-register", "gaps=on")
    strangers = figures_for(world.chidi, "partnership-register")

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
    other = strangers.table("register")
    assert other is not None
    assert [row.name for row in other.rows] == ["Harbour Partnership"]
