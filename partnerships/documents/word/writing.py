"""Write a Word document: title, facts, sections, tables, changes and signatures."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from partnerships.documents.comparing.naming import Names
from partnerships.documents.comparisons import ChangeRow, Comparison
from partnerships.documents.schema import Collection, Content, Field, Item, Schema
from partnerships.documents.word.blank import add_facts, add_lines, add_muted, add_table, new_document
from partnerships.documents.word.prose import add_prose, xml_text
from partnerships.kit.late import late
from partnerships.kit.prose import StoredHtml
from partnerships.kit.text import Fragment

shared = late("docx.shared")

#: Columns of a table beside the title; the other fields follow in one column of details.
MAX_COLUMNS = 4
_GONE, _COME = (0xA6, 0x1B, 0x1B), (0x1B, 0x5E, 0x34)


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line of the page of signatures.

    Without `decision` there is room to sign by hand.
    """

    organisation: str
    role: str
    decision: str = ""
    by: str = ""  # who decided, and when
    reason: str = ""
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPaper:
    """What a Word document shows, as its reader may see it.

    `columns` names the fields of a collection's table, where the first four that are given will not do; `headings` the
    collections, where their plural will not do. `left_out` are fields that mean nothing to people. The collection
    `clauses` comes first, numbered; then the fields about the whole below `about_heading`, with `about_facts`.
    `totals` are further tables after a collection, headings first.
    """

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    note: str
    schema: Schema
    content: Content
    html: StoredHtml
    names: Names
    made_at: dt.datetime
    since: str = ""  # "version 2", with which `changes` compares
    changes: Comparison | None = None
    signatures: Sequence[SignatureLine] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    clauses: str = ""
    about_heading: str = ""
    about_facts: Sequence[tuple[str, str]] = ()
    totals: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)


def write_word(paper: WordPaper) -> bytes:
    """The paper as a .docx file."""
    document = new_document(paper.title, paper.made_at)
    document.add_heading(xml_text(paper.title), level=0)
    add_muted(document.add_paragraph(), paper.lead)
    add_facts(document, paper.facts)
    if paper.note:
        document.add_heading("Why this version", level=1)
        add_lines(document, paper.note)
    for collection in paper.schema.collections:
        if collection.code == paper.clauses:
            _add_collection(document, paper, collection)
    _add_about(document, paper)
    for collection in paper.schema.collections:
        if collection.code != paper.clauses:
            _add_collection(document, paper, collection)
    if paper.changes is not None and not paper.changes.is_empty:
        _add_changes(document, paper.changes, paper.since)
    if paper.signatures:
        _add_signatures(document, paper.signatures)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _add_about(document: Any, paper: WordPaper) -> None:
    """The Markdown fields about the whole; facts hold the others."""
    about, level = paper.content["about"], 1
    if paper.about_heading:
        document.add_heading(paper.about_heading, level=level)
        level += 1
    for spec in paper.schema.about:
        if spec.shape == "text" and about[spec.code]:
            document.add_heading(spec.label, level=level)
            add_prose(document, paper.html.get(f"about/{spec.code}"), level=level)
    add_facts(document, paper.about_facts)


def _add_collection(document: Any, paper: WordPaper, collection: Collection) -> None:
    """Its heading with its items, and what they add up to.

    Nothing where it is empty.
    """
    items = paper.content[collection.code]
    if not items:
        return
    document.add_heading(paper.headings.get(collection.code, collection.many), level=1)
    if _is_prose(paper, collection, items):
        _add_sections(document, paper, collection, items)
    else:
        _add_items(document, paper, collection, items)
    headings, *rows = paper.totals.get(collection.code, ((),))
    if rows:
        document.add_paragraph()
        table = add_table(document, headings)
        for row in rows:
            for cell, words in zip(table.add_row().cells, row, strict=True):
                cell.text = xml_text(words)


def _given(paper: WordPaper, collection: Collection, items: Sequence[Item]) -> list[Field]:
    """The fields, beside title and flag, that some item has and that mean something to people."""
    unseen = {collection.title, collection.hidden_by, *paper.left_out}
    fields = [spec for spec in collection.fields if spec.code not in unseen]
    return [spec for spec in fields if any(item[spec.code] for item in items)]


def _is_prose(paper: WordPaper, collection: Collection, items: Sequence[Item]) -> bool:
    """Whether its items are titled texts, which read better below headings than in a table."""
    given = _given(paper, collection, items)
    return bool(given) and all(spec.shape == "text" for spec in given) and collection.code not in paper.columns


def _title(collection: Collection, item: Item) -> str:
    return xml_text(f"{item[collection.title]} (partners only)" if collection.hides(item) else item[collection.title])


def _add_sections(document: Any, paper: WordPaper, collection: Collection, items: Sequence[Item]) -> None:
    for number, item in enumerate(items, 1):
        title = _title(collection, item)
        document.add_heading(f"{number}. {title}" if collection.code == paper.clauses else title, level=2)
        for spec in collection.fields:
            if spec.shape == "text" and item[spec.code]:
                add_prose(document, paper.html.get(f"{collection.code}/{item['key']}/{spec.code}"), level=2)


def _add_items(document: Any, paper: WordPaper, collection: Collection, items: Sequence[Item]) -> None:
    """A table: the title, some fields, the counts, and a column of details with the rest."""
    given = _given(paper, collection, items)
    wanted = paper.columns.get(collection.code)
    short = [spec for spec in given if spec.shape != "text"]
    columns = [spec for spec in short if spec.code in wanted] if wanted is not None else short[:MAX_COLUMNS]
    rest = [spec for spec in given if spec not in columns]
    counts = collection.counts if any(collection.counts and collection.counts.total(item) for item in items) else None
    names = next(spec for spec in collection.fields if spec.code == collection.title)
    headings = [collection.label if names.shape == "line" else names.label, *(spec.label for spec in columns)]
    headings += [counts.label] if counts else []
    headings += ["Details"] if rest else []
    table = add_table(document, headings)
    for item in items:
        cells = iter(table.add_row().cells)
        next(cells).paragraphs[0].add_run(_title(collection, item)).bold = True
        for spec in columns:
            next(cells).text = _words(paper, spec, item)
        if counts:
            lines = [f"{count:,} {counts.words(line)}" for line, count in counts.by_line(item).items()]
            next(cells).text = xml_text("\n".join([f"{counts.total(item):,}", *lines]))
        if rest:
            _add_details(next(cells), paper, collection, item, rest)
    if counts:
        cells = table.add_row().cells
        cells[0].paragraphs[0].add_run("Total").bold = True
        total = cells[1 + len(columns)].paragraphs[0].add_run(f"{sum(map(counts.total, items)):,}")
        total.bold = True


def _words(paper: WordPaper, spec: Field, item: Item) -> str:
    return xml_text(paper.names.in_words(spec, item[spec.code])) if item[spec.code] else ""


def _add_details(cell: Any, paper: WordPaper, collection: Collection, item: Item, fields: Sequence[Field]) -> None:
    words = [
        f"{spec.label}: {_words(paper, spec, item)}" for spec in fields if spec.shape != "text" and item[spec.code]
    ]
    cell.text = xml_text("\n".join(words))
    for spec in fields:
        if spec.shape == "text" and item[spec.code]:
            add_prose(cell, paper.html.get(f"{collection.code}/{item['key']}/{spec.code}"), level=3)


def _add_changes(document: Any, changes: Comparison, since: str) -> None:
    """What changed since another version: was, now and the difference."""
    document.add_page_break()
    document.add_heading(f"What changed since {since}", level=1)
    document.add_paragraph(xml_text(changes.summary))
    for heading, items in changes.parts:
        document.add_heading(heading, level=2)
        table = add_table(document, ("Item", "Field", "Was", "Now", "Difference"))
        for item in items:
            for place, row in enumerate(item.rows):
                cells = table.add_row().cells
                cells[0].paragraphs[0].add_run("" if place else xml_text(item.label)).bold = True
                cells[1].text = xml_text(row.field)
                _add_both(cells[2], cells[3], row)
                cells[4].text = xml_text(row.extra)


def _add_both(was: Any, now: Any, row: ChangeRow) -> None:
    if not row.fragments:
        was.text, now.text = xml_text(row.was or row.nothing_before), xml_text(row.now or row.nothing_now)
        return
    for fragment in row.fragments:
        _add_fragment(was, now, fragment)


def _add_fragment(was: Any, now: Any, fragment: Fragment) -> None:
    text = xml_text(" … " if fragment.kind == "gap" else fragment.text)
    if fragment.kind != "insert":
        run = was.paragraphs[0].add_run(text)
        if fragment.kind == "delete":
            run.font.strike, run.font.color.rgb = True, shared.RGBColor(*_GONE)
    if fragment.kind != "delete":
        run = now.paragraphs[0].add_run(text)
        if fragment.kind == "insert":
            run.font.underline, run.font.color.rgb = True, shared.RGBColor(*_COME)


def _add_signatures(document: Any, lines: Sequence[SignatureLine]) -> None:
    """A page of its own: decisions that were made, and room for those that were not."""
    document.add_page_break()
    document.add_heading("Signatures", level=1)
    table = add_table(document, ("Organisation", "Role", "Decision", "By"))
    for line in lines:
        cells = table.add_row().cells
        cells[0].paragraphs[0].add_run(xml_text(line.organisation)).bold = True
        cells[1].text = xml_text(line.role)
        cells[2].text = xml_text(": ".join(filter(None, (line.decision, line.reason))) or "Not decided yet")
        cells[3].text = xml_text(line.by) or "Signature:\n\nName:\n\nDate:"
    for line in lines:
        if line.answers:
            document.add_heading(xml_text(f"Answers of {line.organisation}"), level=2)
            for question, answer in line.answers:
                document.add_paragraph().add_run(xml_text(question)).bold = True
                add_lines(document, answer)
