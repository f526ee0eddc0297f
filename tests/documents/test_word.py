"""A version of any document can be written as a Word file."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import docx
import pytest

from partnerships.documents import Names, set_piece
from partnerships.documents.comparisons import compare
from partnerships.documents.services import prose_of
from partnerships.documents.word import SignatureLine, WordPaper, write_word
from partnerships.kit.prose import StoredHtml, rules, to_html
from tests.documents.charters import CHARTER, a_charter


def word_document_of_charter(**more: Any) -> Any:
    """Return the Word document of a charter, read back with python-docx."""
    content = more.pop("content", a_charter())
    paper = WordPaper(
        title=more.pop("title", "Charter of the valley"),
        lead="Version 2, published 1 June 2026.",
        facts=[("Kind", "Charter"), ("Ends", "")],
        note=more.pop("note", "The board is larger."),
        schema=CHARTER,
        content=content,
        html=more.pop("html", StoredHtml(prose_of(CHARTER, content), rules())),
        names=Names(CHARTER, content),
        made_at=dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC),
        **more,
    )
    return docx.Document(io.BytesIO(write_word(paper)))


def cell_texts(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def headings(document: Any) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs if paragraph.style.name.startswith("Heading")]


def test_word_file_has_title_facts_note_clauses_and_tables() -> None:
    document = word_document_of_charter()

    texts = [paragraph.text for paragraph in document.paragraphs]
    facts, boards = document.tables
    assert texts[0] == "Charter of the valley"
    assert headings(document) == ["Why this version", "Clauses", "Governance", "Fees", "Boards"]
    assert cell_texts(facts) == [["Kind", "Charter"]]
    assert cell_texts(boards) == [
        ["Board", "Clause", "Meets from", "Chair", "Seats"],
        ["Board", "Governance", "September 2026", "Council", "5\n3 Council\n2 Homes"],
        ["Total", "", "", "", "5"],
    ]
    assert {"The board decides.", "It meets.", "It votes.", "Nobody pays."} <= set(texts)
    assert document.core_properties.title == "Charter of the valley"


def test_word_file_shows_what_changed_word_by_word() -> None:
    before = a_charter()
    after = set_piece(CHARTER, before, "clauses/fees", {"title": "Fees", "body": "Everybody pays."})

    document = word_document_of_charter(content=after, changes=compare(CHARTER, before, after), since="version 1")

    (table,) = [table for table in document.tables if table.rows[0].cells[0].text == "Item"]
    assert "What changed since version 1" in headings(document)
    assert cell_texts(table)[1][:4] == ["Fees", "Text", "Nobody pays.", "Everybody pays."]
    assert any(run.font.strike for run in table.rows[1].cells[2].paragraphs[0].runs)


def test_word_file_ends_with_signatures_and_room_to_sign_by_hand() -> None:
    signed_line = SignatureLine("Council", "Leader", "Approved", "Ben, 1 June 2026", answers=(("Funded?", "Yes."),))

    document = word_document_of_charter(signatures=[signed_line, SignatureLine("Homes", "Chief executive")])

    assert cell_texts(document.tables[-1])[1:] == [
        ["Council", "Leader", "Approved", "Ben, 1 June 2026"],
        ["Homes", "Chief executive", "Not decided yet", "Signature:\n\nName:\n\nDate:"],
    ]
    assert [paragraph.text for paragraph in document.paragraphs][-2:] == ["Funded?", "Yes."]


@pytest.mark.parametrize(
    ("markdown", "texts"),
    [
        ("See [the site](https://example.org/x).", ["See the site (https://example.org/x)."]),
        ("- one\n- two\n  - deeper", ["one", "two", "deeper"]),
        ("> quoted\n\nplain", ["quoted", "plain"]),
        ("first  \nsecond", ["first\nsecond"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", []),
        ("# Heading\n\n```\ncode  here\n```", ["Heading", "code  here"]),
        ("1 < 2 &amp; <b>three</b>", ["1 < 2 & <b>three</b>"]),
    ],
)
def test_markdown_becomes_paragraphs_lists_and_tables(markdown: str, texts: list[str]) -> None:
    content = a_charter(clauses=[{"key": "only", "title": "Only", "body": markdown}], boards=[])

    document = word_document_of_charter(
        content=content, html=StoredHtml({"clauses/only/body": to_html(markdown)}, rules()), note=""
    )

    all_texts = [paragraph.text for paragraph in document.paragraphs]
    texts_below_heading = all_texts[all_texts.index("Only") + 1 :]
    assert [text for text in texts_below_heading if text] == texts
    assert [cell_texts(table) for table in document.tables[1:]] == ([[["a", "b"], ["1", "2"]]] if not texts else [])


def test_control_characters_do_not_spoil_the_file() -> None:
    document = word_document_of_charter(title="A \x0b title\x00", note="One\x0cline")

    assert document.paragraphs[0].text == "A  title"
