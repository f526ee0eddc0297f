"""Create an empty Word document, with page size, fonts and footer, and add tables, facts and a table of contents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.documents.word.prose import xml_text
from partnerships.kit.late import late

docx = late("docx")
shared = late("docx.shared")
oxml = late("docx.oxml")
namespaces = late("docx.oxml.ns")
enums = late("docx.enum.section")

_INK, _MUTED = (0x10, 0x27, 0x2E), (0x4A, 0x61, 0x68)


def new_document(title: str, made_at: dt.datetime, *, is_wide: bool = False) -> Any:
    """Return an empty A4 document with our fonts, page numbers and properties; landscape if `is_wide`."""
    document = docx.Document()
    _set_properties(document, title, made_at)
    _set_styles(document)

    section = document.sections[0]
    short_side, long_side = shared.Mm(210), shared.Mm(297)
    section.page_width = long_side if is_wide else short_side
    section.page_height = short_side if is_wide else long_side
    section.orientation = enums.WD_ORIENT.LANDSCAPE if is_wide else enums.WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = shared.Mm(20)
    section.top_margin = section.bottom_margin = shared.Mm(20)

    footer = section.footer.paragraphs[0]
    add_muted(footer, f"{title}. Page ")
    for kind, instruction in (("begin", ""), ("", "PAGE"), ("end", "")):
        _add_field_part(footer, kind, instruction)
    return document


def _set_properties(document: Any, title: str, made_at: dt.datetime) -> None:
    """Set the title, time and language that Word shows as the document's properties."""
    properties = document.core_properties
    properties.title, properties.author, properties.comments = xml_text(title), "", ""
    properties.created = properties.modified = made_at.astimezone(dt.UTC).replace(tzinfo=None)
    properties.language = "en-GB"


def _set_styles(document: Any) -> None:
    """Set font, colour and language of the text and headings, instead of those of the theme."""
    for style in document.styles:
        if style.name in ("Normal", "Title") or style.name.startswith("Heading"):
            style.font.name = "Arial"
            style.element.get_or_add_rPr().get_or_add_rFonts().set(namespaces.qn("w:eastAsia"), "Arial")
            for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                style.element.rPr.rFonts.attrib.pop(namespaces.qn(f"w:{theme}"), None)
            style.font.color.rgb = shared.RGBColor(*_INK)
    document.styles["Normal"].font.size = shared.Pt(10.5)
    language = oxml.OxmlElement("w:lang")
    language.set(namespaces.qn("w:val"), "en-GB")
    document.styles["Normal"].element.get_or_add_rPr().append(language)


def add_contents(document: Any, headings: Sequence[str]) -> None:
    """Add a table of contents that links to the headings. Add these later with `add_contents_heading`.

    The contents have no page numbers, because only Word knows on which page a heading is.
    """
    document.add_paragraph().add_run("Contents").bold = True
    for index, heading in enumerate(headings):
        paragraph = document.add_paragraph()
        if index == 0:
            _add_field_part(paragraph, "begin")
            _add_field_part(paragraph, "", r'TOC \o "1-1" \h \n')
            _add_field_part(paragraph, "separate")
        link = oxml.OxmlElement("w:hyperlink")
        link.set(namespaces.qn("w:anchor"), _bookmark(index))
        run = paragraph.add_run(xml_text(heading))
        link.append(run._r)
        paragraph._p.append(link)
        paragraph.paragraph_format.space_after = shared.Pt(2)
        if index == len(headings) - 1:
            _add_field_part(paragraph, "end")


def add_contents_heading(document: Any, index: int, heading: str) -> None:
    """Add a heading to which the table of contents links. `index` counts the headings from 0."""
    paragraph = document.add_heading(xml_text(heading), level=1)
    for position, kind in ((1, "bookmarkStart"), (len(paragraph._p) + 1, "bookmarkEnd")):
        mark = oxml.OxmlElement(f"w:{kind}")
        mark.set(namespaces.qn("w:id"), str(index))
        if kind == "bookmarkStart":
            mark.set(namespaces.qn("w:name"), _bookmark(index))
        paragraph._p.insert(position, mark)


def _bookmark(index: int) -> str:
    """Return the name of a heading's bookmark, in the form that Word itself uses: "_Toc000001"."""
    return f"_Toc{index + 1:06}"


def _add_field_part(paragraph: Any, kind: str, instruction: str = "") -> None:
    """Add one part of a Word field, such as a page number.

    `kind` is "begin", "separate" or "end". If it is "", the part is the instruction, such as "PAGE".
    """
    run = paragraph.add_run()
    part = oxml.OxmlElement("w:fldChar" if kind else "w:instrText")
    if kind:
        part.set(namespaces.qn("w:fldCharType"), kind)
    else:
        part.text = instruction
    run._r.append(part)


def add_muted(paragraph: Any, text: str) -> None:
    """Add a text in grey, on one line."""
    paragraph.add_run(xml_text(" ".join(text.split()))).font.color.rgb = shared.RGBColor(*_MUTED)


def add_lines(container: Any, text: str) -> None:
    """Add a paragraph to a document or cell for each line of a text."""
    for line in text.splitlines():
        if line.strip():
            container.add_paragraph(xml_text(line))


def add_facts(document: Any, facts: Sequence[tuple[str, str]]) -> None:
    """Add a table of labels and values, without the facts that have no value."""
    facts_with_value = [(label, value) for label, value in facts if value]
    if not facts_with_value:
        return
    table = document.add_table(rows=0, cols=2)
    for label, value in facts_with_value:
        label_cell, value_cell = table.add_row().cells
        label_cell.paragraphs[0].add_run(label).bold = True
        value_cell.text = xml_text(value)
        label_cell.width, value_cell.width = shared.Mm(45), shared.Mm(125)


def add_table(document: Any, headings: Sequence[str]) -> Any:
    """Add a table whose headings are repeated on each page, and return the table."""
    table = document.add_table(rows=1, cols=len(headings), style="Table Grid")
    heading_row = table.rows[0]
    for cell, heading in zip(heading_row.cells, headings, strict=True):
        cell.paragraphs[0].add_run(heading).bold = True
    repeat_on_pages = oxml.OxmlElement("w:tblHeader")
    repeat_on_pages.set(namespaces.qn("w:val"), "true")
    heading_row._tr.get_or_add_trPr().append(repeat_on_pages)
    return table
