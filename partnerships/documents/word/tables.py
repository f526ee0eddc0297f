"""Write a Word document of figures: sentences, tables and notes."""

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

text = late("docx.enum.text")
shared = late("docx.shared")

#: A paper with a table of more columns is landscape.
MAX_COLUMNS = 7
#: A paper with more tables begins with its contents.
FEW_TABLES = 4
_SOURCES = "Where these figures come from"
#: Width and greatest height of a picture in mm, on an upright and on a landscape page.
_NARROW, _WIDE = (165, 190), (200, 110)


@dataclass(frozen=True, slots=True)
class WordPicture:
    """A picture (PNG) with its title.

    `words` are for those who cannot see it, `caption` stands below it.
    """

    title: str
    content: bytes
    words: str
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTable:
    """A table with a heading: `rows` of words, headings first.

    `figures` are the columns aligned to the right. Its pictures stand above it.
    """

    heading: str
    rows: Sequence[Sequence[str]]
    figures: Sequence[bool]
    has_total: bool = False
    note: str = ""
    pictures: Sequence[WordPicture] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesPaper:
    """What a Word document of figures says.

    Title, facts, sentences, tables, and notes at the end.
    """

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    sentences: Sequence[str]
    tables: Sequence[WordTable]
    notes: Sequence[str]
    made_at: dt.datetime


def write_tables(paper: TablesPaper) -> bytes:
    """The paper as a .docx file."""
    is_wide = any(len(table.figures) > MAX_COLUMNS for table in paper.tables)
    document = new_document(paper.title, paper.made_at, is_wide=is_wide)
    document.add_heading(xml_text(paper.title), level=0)
    add_muted(document.add_paragraph(), paper.lead)
    add_facts(document, paper.facts)
    for sentence in paper.sentences:
        document.add_paragraph().add_run(xml_text(sentence)).bold = True
    headings = [table.heading for table in paper.tables] + ([_SOURCES] if paper.notes else [])
    if len(paper.tables) > FEW_TABLES:
        add_contents(document, headings)
    for number, table in enumerate(paper.tables):
        add_contents_heading(document, number, table.heading)
        for picture in table.pictures:
            _add_picture(document, picture, is_wide=is_wide)
        if table.note:
            add_muted(document.add_paragraph(), table.note)
        if len(table.rows) > 1:
            _add_rows(document, table)
    if paper.notes:
        add_contents_heading(document, len(paper.tables), _SOURCES)
        for note in paper.notes:
            document.add_paragraph(xml_text(note), style="List Bullet")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _add_picture(document: Any, picture: WordPicture, *, is_wide: bool) -> None:
    """Add a picture below its title, with its words for screen readers."""
    title = document.add_paragraph()
    title.add_run(xml_text(picture.title)).bold = True
    title.paragraph_format.keep_with_next = True
    width, highest = map(shared.Mm, _WIDE if is_wide else _NARROW)
    shape = document.add_picture(io.BytesIO(picture.content), width=width)
    if shape.height > highest:
        shape.width, shape.height = round(width * highest / shape.height), highest
    properties = shape._inline.docPr
    properties.set("title", xml_text(picture.title))
    properties.set("descr", xml_text(picture.words))
    if picture.caption:
        document.paragraphs[-1].paragraph_format.keep_with_next = True
        add_muted(document.add_paragraph(), picture.caption)


def _add_rows(document: Any, table: WordTable) -> None:
    headings, *rows = table.rows
    made = add_table(document, headings)
    for number, row in enumerate(rows, 1):
        is_total = table.has_total and number == len(rows)
        for place, (cell, words) in enumerate(zip(made.add_row().cells, row, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.add_run(xml_text(words)).bold = is_total or place == 0
            if table.figures[place]:
                paragraph.alignment = text.WD_ALIGN_PARAGRAPH.RIGHT
