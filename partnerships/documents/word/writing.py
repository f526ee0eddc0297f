"""Create the Word document of a version, with its texts, tables, changes and signatures."""

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

#: At most this many fields have a column of their own. The other fields of an item share the column of details.
MAX_COLUMNS = 4
#: The colours of removed text and of added text.
_REMOVED, _ADDED = (0xA6, 0x1B, 0x1B), (0x1B, 0x5E, 0x34)


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """A line on the page of signatures."""

    organisation: str
    role: str
    #: A line without a decision has room to sign by hand.
    decision: str = ""
    by: str = ""  # who decided, and when
    reason: str = ""
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPaper:
    """The content of a Word document, as its reader may see it."""

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    note: str
    schema: Schema
    content: Content
    html: StoredHtml
    names: Names
    made_at: dt.datetime
    #: The changes since another version, and the name of that version: "version 2".
    since: str = ""
    changes: Comparison | None = None
    signatures: Sequence[SignatureLine] = ()
    #: The fields with their own columns, by the code of a collection; by default the first four that are filled in.
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: The headings of collections by their codes, if the heading is not the plural.
    headings: Mapping[str, str] = field(default_factory=dict)
    #: The codes of fields that are left out, because readers can do nothing with their values.
    left_out: frozenset[str] = frozenset()
    #: The code of a collection of clauses, which come first and are numbered.
    clauses: str = ""
    #: The heading above the fields of the document itself, and further facts below it.
    about_heading: str = ""
    about_facts: Sequence[tuple[str, str]] = ()
    #: The tables to add after collections, by the code of the collection. The first row of a table is its headings.
    totals: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)


def write_word(paper: WordPaper) -> bytes:
    """Return the document as the content of a .docx file."""
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
    """Add the Markdown fields of the document itself, and the facts about the document."""
    about = paper.content["about"]
    level = 1
    if paper.about_heading:
        document.add_heading(paper.about_heading, level=level)
        level += 1
    for spec in paper.schema.about:
        if spec.shape == "text" and about[spec.code]:
            document.add_heading(spec.label, level=level)
            add_prose(document, paper.html.get(f"about/{spec.code}"), level=level)
    add_facts(document, paper.about_facts)


def _add_collection(document: Any, paper: WordPaper, collection: Collection) -> None:
    """Add the heading, the items and any table of totals of a collection that is not empty."""
    items = paper.content[collection.code]
    if not items:
        return
    document.add_heading(paper.headings.get(collection.code, collection.plural_label), level=1)
    if _is_prose(paper, collection, items):
        _add_sections(document, paper, collection, items)
    else:
        _add_items(document, paper, collection, items)
    total_headings, *total_rows = paper.totals.get(collection.code, ((),))
    if total_rows:
        document.add_paragraph()
        table = add_table(document, total_headings)
        for row in total_rows:
            for cell, value in zip(table.add_row().cells, row, strict=True):
                cell.text = xml_text(value)


def _filled_fields(paper: WordPaper, collection: Collection, items: Sequence[Item]) -> list[Field]:
    """Return the fields besides the title that any item has a value for and that are not left out."""
    left_out = {collection.title_field, collection.hidden_by, *paper.left_out}
    fields = [spec for spec in collection.fields if spec.code not in left_out]
    return [spec for spec in fields if any(item[spec.code] for item in items)]


def _is_prose(paper: WordPaper, collection: Collection, items: Sequence[Item]) -> bool:
    """Return whether the items are texts with titles, which are easier to read below headings than in a table."""
    fields = _filled_fields(paper, collection, items)
    return bool(fields) and all(spec.shape == "text" for spec in fields) and collection.code not in paper.columns


def _title(collection: Collection, item: Item) -> str:
    """Return the title of an item, with a note if only partners may read the item."""
    title = item[collection.title_field]
    return xml_text(f"{title} (partners only)" if collection.hides(item) else title)


def _add_sections(document: Any, paper: WordPaper, collection: Collection, items: Sequence[Item]) -> None:
    """Add items as texts below their titles."""
    for number, item in enumerate(items, 1):
        title = _title(collection, item)
        document.add_heading(f"{number}. {title}" if collection.code == paper.clauses else title, level=2)
        for spec in collection.fields:
            if spec.shape == "text" and item[spec.code]:
                add_prose(document, paper.html.get(f"{collection.code}/{item['key']}/{spec.code}"), level=2)


def _add_items(document: Any, paper: WordPaper, collection: Collection, items: Sequence[Item]) -> None:
    """Add items as a table.

    It has columns for the title, for some fields and for the counts. The other fields are in a column of details.
    """
    columns, detail_fields = _divide_fields(paper, collection, items)
    counts = collection.counts
    if counts and not any(counts.total(item) for item in items):
        counts = None

    title_field = collection.field_by_code[collection.title_field]
    headings = [collection.label if title_field.shape == "line" else title_field.label]
    headings += [spec.label for spec in columns]
    if counts:
        headings.append(counts.label)
    if detail_fields:
        headings.append("Details")

    table = add_table(document, headings)
    for item in items:
        title_cell, *other_cells = table.add_row().cells
        title_cell.paragraphs[0].add_run(_title(collection, item)).bold = True
        for cell, spec in zip(other_cells, columns, strict=False):
            cell.text = _value_in_words(paper, spec, item)
        if counts:
            lines = [f"{count:,} {counts.words(line)}" for line, count in counts.by_line(item).items()]
            other_cells[len(columns)].text = xml_text("\n".join([f"{counts.total(item):,}", *lines]))
        if detail_fields:
            _add_details(other_cells[-1], paper, collection, item, detail_fields)
    if counts:
        title_cell, *other_cells = table.add_row().cells
        title_cell.paragraphs[0].add_run("Total").bold = True
        total = sum(counts.total(item) for item in items)
        other_cells[len(columns)].paragraphs[0].add_run(f"{total:,}").bold = True


def _divide_fields(paper: WordPaper, collection: Collection, items: Sequence[Item]) -> tuple[list[Field], list[Field]]:
    """Return the fields with a column of their own, and the fields in the column of details."""
    fields = _filled_fields(paper, collection, items)
    short_fields = [spec for spec in fields if spec.shape != "text"]
    column_codes = paper.columns.get(collection.code)
    if column_codes is None:
        columns = short_fields[:MAX_COLUMNS]
    else:
        columns = [spec for spec in short_fields if spec.code in column_codes]
    return columns, [spec for spec in fields if spec not in columns]


def _value_in_words(paper: WordPaper, spec: Field, item: Item) -> str:
    """Return the value of a field in words, or "" if it is empty."""
    return xml_text(paper.names.in_words(spec, item[spec.code])) if item[spec.code] else ""


def _add_details(cell: Any, paper: WordPaper, collection: Collection, item: Item, fields: Sequence[Field]) -> None:
    """Fill the cell with labels and values, and then with the texts."""
    short_values = [
        f"{spec.label}: {_value_in_words(paper, spec, item)}"
        for spec in fields
        if spec.shape != "text" and item[spec.code]
    ]
    cell.text = xml_text("\n".join(short_values))
    for spec in fields:
        if spec.shape == "text" and item[spec.code]:
            add_prose(cell, paper.html.get(f"{collection.code}/{item['key']}/{spec.code}"), level=3)


def _add_changes(document: Any, changes: Comparison, since: str) -> None:
    """Add the changes since another version, in tables of old and new values."""
    document.add_page_break()
    document.add_heading(f"What changed since {since}", level=1)
    document.add_paragraph(xml_text(changes.summary))
    for heading, items in changes.parts:
        document.add_heading(heading, level=2)
        table = add_table(document, ("Item", "Field", "Was", "Now", "Difference"))
        for item in items:
            for index, row in enumerate(item.rows):
                label_cell, field_cell, old_cell, new_cell, difference_cell = table.add_row().cells
                # Only the first row of an item contains its name.
                label_cell.paragraphs[0].add_run("" if index else xml_text(item.label)).bold = True
                field_cell.text = xml_text(row.field)
                _add_values(old_cell, new_cell, row)
                difference_cell.text = xml_text(row.difference)


def _add_values(old_cell: Any, new_cell: Any, row: ChangeRow) -> None:
    """Fill the cells with the old and the new value, or with the differences word by word."""
    if not row.fragments:
        old_cell.text = xml_text(row.was or row.nothing_before)
        new_cell.text = xml_text(row.now or row.nothing_now)
        return
    for fragment in row.fragments:
        _add_fragment(old_cell, new_cell, fragment)


def _add_fragment(old_cell: Any, new_cell: Any, fragment: Fragment) -> None:
    """Add removed text to the left cell, added text to the right cell, and any other text to both."""
    text = xml_text(" … " if fragment.kind == "gap" else fragment.text)
    if fragment.kind != "insert":
        run = old_cell.paragraphs[0].add_run(text)
        if fragment.kind == "delete":
            run.font.strike, run.font.color.rgb = True, shared.RGBColor(*_REMOVED)
    if fragment.kind != "delete":
        run = new_cell.paragraphs[0].add_run(text)
        if fragment.kind == "insert":
            run.font.underline, run.font.color.rgb = True, shared.RGBColor(*_ADDED)


def _add_signatures(document: Any, lines: Sequence[SignatureLine]) -> None:
    """Add a page with the decisions, and room to sign by hand for organisations that have not decided."""
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
