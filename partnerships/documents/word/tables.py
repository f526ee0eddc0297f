"""Write a Word document of figures: sentences, tables and notes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.documents.word.blank import add_facts, add_muted, add_table, new_document
from partnerships.documents.word.prose import xml_text
from partnerships.kit.late import late

text = late("docx.enum.text")

#: A paper with a table of more columns is landscape.
MAX_COLUMNS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTable:
    """A table with a heading: `rows` of words, headings first; `figures` are the columns aligned to the right."""

    heading: str
    rows: Sequence[Sequence[str]]
    figures: Sequence[bool]
    has_total: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesPaper:
    """What a Word document of figures says: title, facts, sentences, tables, and notes at the end."""

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
    for table in paper.tables:
        document.add_heading(xml_text(table.heading), level=1)
        if table.note:
            add_muted(document.add_paragraph(), table.note)
        if len(table.rows) > 1:
            _add_rows(document, table)
    if paper.notes:
        document.add_heading("Where these figures come from", level=1)
        for note in paper.notes:
            document.add_paragraph(xml_text(note), style="List Bullet")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


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
