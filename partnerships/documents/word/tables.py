"""Create a Word document of figures, with sentences, tables, pictures and notes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.documents.word.blank import (
    add_contents,
    add_contents_heading,
    add_facts,
    add_muted,
    add_table,
    new_document,
)
from partnerships.documents.word.prose import xml_text
from partnerships.kit.late import late

enums = late("docx.enum.text")
shared = late("docx.shared")

#: The most columns of a table in a portrait document, Word or PDF. A document with a wider table is landscape.
MAX_COLUMNS = 7
#: A document with more tables than this gets a table of contents.
MAX_TABLES_WITHOUT_CONTENTS = 4
_SOURCES = "Where these figures come from"
#: The width and the greatest height of a picture in mm, on a portrait and on a landscape page.
_PORTRAIT_PICTURE = (165, 190)
_LANDSCAPE_PICTURE = (200, 110)


@dataclass(frozen=True, slots=True)
class WordPicture:
    """A picture (PNG) with its title."""

    title: str
    content: bytes
    #: For people who cannot see the picture.
    alternative_text: str
    #: Shown below the picture.
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTable:
    """A table with its heading and its pictures."""

    heading: str
    #: The first row contains the headings of the columns.
    rows: Sequence[Sequence[str]]
    #: Whether each column contains figures, which are aligned to the right.
    figures: Sequence[bool]
    #: Whether the last row is a total.
    has_total: bool = False
    note: str = ""
    #: Shown above the table.
    pictures: Sequence[WordPicture] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesPaper:
    """The content of a Word document of figures."""

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    sentences: Sequence[str]
    tables: Sequence[WordTable]
    notes: Sequence[str]
    made_at: dt.datetime


def write_tables(paper: TablesPaper) -> bytes:
    """Return the document as the content of a .docx file."""
    is_wide = any(len(table.figures) > MAX_COLUMNS for table in paper.tables)
    document = new_document(paper.title, paper.made_at, is_wide=is_wide)
    document.add_heading(xml_text(paper.title), level=0)
    add_muted(document.add_paragraph(), paper.lead)
    add_facts(document, paper.facts)
    for sentence in paper.sentences:
        document.add_paragraph().add_run(xml_text(sentence)).bold = True

    headings = [table.heading for table in paper.tables]
    if paper.notes:
        headings.append(_SOURCES)
    if len(paper.tables) > MAX_TABLES_WITHOUT_CONTENTS:
        add_contents(document, headings)

    for index, table in enumerate(paper.tables):
        add_contents_heading(document, index, table.heading)
        _add_section(document, table, is_wide=is_wide)
    if paper.notes:
        add_contents_heading(document, len(paper.tables), _SOURCES)
        for note in paper.notes:
            document.add_paragraph(xml_text(note), style="List Bullet")

    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _add_section(document: Any, table: WordTable, *, is_wide: bool) -> None:
    """Add the pictures, the note and the rows of a table below its heading. Some tables have only pictures."""
    for picture in table.pictures:
        _add_picture(document, picture, is_wide=is_wide)
    if table.note:
        add_muted(document.add_paragraph(), table.note)
    has_rows_below_headings = len(table.rows) > 1
    if has_rows_below_headings:
        _add_rows(document, table)


def _add_picture(document: Any, picture: WordPicture, *, is_wide: bool) -> None:
    """Add a picture below its title, with its alternative text for screen readers."""
    title = document.add_paragraph()
    title.add_run(xml_text(picture.title)).bold = True
    title.paragraph_format.keep_with_next = True
    width_mm, max_height_mm = _LANDSCAPE_PICTURE if is_wide else _PORTRAIT_PICTURE
    width, max_height = shared.Mm(width_mm), shared.Mm(max_height_mm)
    shape = document.add_picture(io.BytesIO(picture.content), width=width)
    if shape.height > max_height:
        # Make the picture smaller, and keep its proportions.
        shape.width = round(width * max_height / shape.height)
        shape.height = max_height
    # The library has no public name for the title and the alternative text.
    properties = shape._inline.docPr
    properties.set("title", xml_text(picture.title))
    properties.set("descr", xml_text(picture.alternative_text))
    if picture.caption:
        document.paragraphs[-1].paragraph_format.keep_with_next = True
        add_muted(document.add_paragraph(), picture.caption)


def _add_rows(document: Any, table: WordTable) -> None:
    """Add the rows of a table, with the first column and the total in bold."""
    headings, *rows = table.rows
    word_table = add_table(document, headings)
    for row_number, row in enumerate(rows, start=1):
        is_total = table.has_total and row_number == len(rows)
        for column, (cell, value) in enumerate(zip(word_table.add_row().cells, row, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.add_run(xml_text(value)).bold = is_total or column == 0
            if table.figures[column]:
                paragraph.alignment = enums.WD_ALIGN_PARAGRAPH.RIGHT
