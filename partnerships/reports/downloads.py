"""PDF, Word and Excel files of a snapshot, with the figures and sources of its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from partnerships.documents.downloads import WORD, draw_pdf, pdf_response, word_response
from partnerships.documents.word import MAX_COLUMNS, TablesPaper, WordPicture, WordTable, write_tables
from partnerships.kit.pictures import png_of
from partnerships.kit.workbooks import XLSX, Worksheet, xlsx_bytes, xlsx_response
from partnerships.reports.paging import Paging
from partnerships.reports.pictures import chart_caption, draw_chart, draw_map, draw_network, map_shades_in_words
from partnerships.reports.presenting import (
    note_on_paper,
    row_limits_on_paper,
    rows_of_text,
    tables_on_page,
    tables_on_paper,
)
from partnerships.reports.snapshot import Snapshot, Table
from partnerships.reports.wording import creation_in_words, source_in_words

CONTENT_TYPES = {"pdf": "application/pdf", "docx": WORD, "xlsx": XLSX}
_PDF = "reports/report_pdf.html"
#: Characters that Excel does not allow in the name of a sheet.
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
#: Excel allows 31 characters. Four of these are for the number of the sheet.
_MAX_SHEET_NAME = 27


def file_response(request: HttpRequest, snapshot: Snapshot, form: str) -> HttpResponse:
    """Send the snapshot in one of `FORMATS`.

    The file is written during the request, so it has fewer rows on paper than a file of `file_content`.
    """
    if form == "pdf":
        return pdf_response(request, _PDF, _pdf_context(snapshot, at_once=True), snapshot.title)
    if form == "docx":
        return word_response(write_tables(_word_contents(snapshot, at_once=True)), snapshot.title)
    return xlsx_response(f"{snapshot.report}.xlsx", list(_sheets(snapshot)))


def file_content(snapshot: Snapshot, form: str) -> bytes:
    """Return a file of the snapshot in one of `FORMATS`, written without a request and with more rows on paper."""
    if form == "pdf":
        return draw_pdf(render_to_string(_PDF, _pdf_context(snapshot, at_once=False)))
    if form == "docx":
        return write_tables(_word_contents(snapshot, at_once=False))
    return xlsx_bytes(_sheets(snapshot))


def _pdf_context(snapshot: Snapshot, *, at_once: bool) -> dict[str, Any]:
    """Return the template context of a PDF. The paper is wide if a table has many columns."""
    return {
        **_common_context(snapshot),
        "tables": tables_on_paper(snapshot, row_limits_on_paper(snapshot, at_once=at_once)),
        "is_wide": any(len(table.columns) > MAX_COLUMNS for table in snapshot.tables),
    }


def page_context(snapshot: Snapshot, paging: Paging) -> dict[str, Any]:
    """Return the template context of a snapshot's page."""
    return {**_common_context(snapshot), "tables": tables_on_page(snapshot, paging)}


def _common_context(snapshot: Snapshot) -> dict[str, Any]:
    """Return the part of the template context that is the same on a page and on paper."""
    return {
        "snapshot": snapshot,
        "made": creation_in_words(snapshot),
        "sources": [(source_in_words(source), source.href) for source in snapshot.sources],
    }


def _word_contents(snapshot: Snapshot, *, at_once: bool) -> TablesPaper:
    """Return the report as the contents of a Word file."""
    row_limits = row_limits_on_paper(snapshot, at_once=at_once)
    return TablesPaper(
        title=snapshot.title,
        lead=creation_in_words(snapshot),
        facts=(("Filters", "; ".join(snapshot.filters)),),
        sentences=snapshot.answers,
        tables=tuple(
            WordTable(
                pictures=tuple(_pictures(snapshot, table)),
                heading=table.title,
                rows=tuple(rows_of_text(table, row_limits[table.code])),
                figures=tuple(column.is_figure for column in table.columns),
                has_total=table.total is not None,
                note=note_on_paper(table, row_limits[table.code]) if table.rows else table.empty,
            )
            for table in snapshot.tables
        ),
        notes=(*map(source_in_words, snapshot.sources), *snapshot.notes),
        made_at=snapshot.made_at,
    )


def _pictures(snapshot: Snapshot, table: Table) -> Iterator[WordPicture]:
    """Yield the charts, maps and networks that are drawn from a table."""
    for chart in snapshot.charts:
        if chart.table == table.code and chart.has_bars(table):
            title = chart_caption(chart, table, "paper")
            yield WordPicture(title, png_of(draw_chart(chart, table, "paper")), _alternative_text(title))
    for drawn_map in snapshot.maps:
        if drawn_map.table == table.code:
            drawn = draw_map(drawn_map, table)
            caption = f"{map_shades_in_words(drawn_map, table)} {drawn.source}"
            yield WordPicture(drawn_map.title, png_of(drawn.drawing), _alternative_text(drawn_map.title), caption)
    for network in snapshot.networks:
        if network.bodies == table.code:
            shown_network = draw_network(network, snapshot)
            drawing = render_to_string("partials/_network_drawing.html", {"picture": shown_network.picture})
            yield WordPicture(network.title, png_of(drawing), _alternative_text(network.title), shown_network.words)


def _alternative_text(title: str) -> str:
    """Return the alternative text of a picture."""
    return f"{title}. The table gives the figures"


def _sheets(snapshot: Snapshot) -> Iterator[Worksheet]:
    """Yield the sheets of a workbook: one about the report, then one for each table."""
    about: list[list[object]] = [["Report", snapshot.title], ["Made", creation_in_words(snapshot)]]
    about += [["Filter", filter_] for filter_ in snapshot.filters]
    about += [["Answer", answer] for answer in snapshot.answers]
    about += [["Source", source_in_words(source)] for source in snapshot.sources]
    about += [["Note", note] for note in snapshot.notes]
    yield "About", about
    for sheet_number, table in enumerate(snapshot.tables, start=1):
        name = _NOT_IN_SHEET_NAMES.sub(" ", table.title)[:_MAX_SHEET_NAME]
        headings = [column.label for column in table.columns]
        yield f"{sheet_number} {name}", [headings, *(list(row.cells) for row in table.rows_with_total())]
