"""Write the HTML of Markdown as paragraphs of a Word document.

This handles the elements that `kit.prose` allows. Of any other element, only the text is written.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

_STYLES = {"strong": "bold", "em": "italic", "del": "strike", "sup": "superscript", "sub": "subscript"}
_LISTS = {"ul": "List Bullet", "ol": "List Number"}
#: The deepest level of lists for which Word's template has a style.
_DEEPEST_LIST = 3
_BLOCKS = frozenset({"p", "h3", "h4", "h5", "h6", "li", "pre", "blockquote"})

#: The characters that XML 1.0 does not allow.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml_text(text: str) -> str:
    """Return the text without the characters that XML does not allow."""
    return _FORBIDDEN.sub("", text)


def add_prose(container: Any, html: str, *, level: int = 2) -> None:
    """Add HTML to a document or to a cell of a table. The headings in the HTML are below `level`."""
    writer = _Writer(container, level)
    writer.feed(xml_text(html))
    writer.close()


class _Writer(HTMLParser):
    """A parser of HTML that adds a paragraph for each block."""

    def __init__(self, container: Any, level: int) -> None:
        super().__init__(convert_charrefs=True)
        self._container = container
        self._level = level
        self._paragraph: Any = None
        self._formats: list[str] = []
        self._lists: list[str] = []
        self._quotes = self._pre = 0
        self._links: list[str] = []
        self._rows: list[list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block, a list, a table, a link or a format."""
        if tag in _STYLES:
            self._formats.append(_STYLES[tag])
        elif tag in _LISTS:
            self._lists.append(_LISTS[tag])
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        elif tag == "table":
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in ("th", "td") and self._rows:
            self._rows[-1].append("")
        elif tag == "br":
            self._add_break()
        elif tag in _BLOCKS:
            self._pre += tag == "pre"
            self._quotes += tag == "blockquote"
            self._begin(tag)

    def handle_endtag(self, tag: str) -> None:
        """End the block, list, table, link or format."""
        if tag in _STYLES and self._formats:
            self._formats.pop()
        elif tag in _LISTS and self._lists:
            self._lists.pop()
        elif tag == "a" and self._links:
            self._add_address(self._links.pop())
        elif tag == "table" and self._rows is not None:
            rows, self._rows = self._rows, None
            self._add_table(rows)
        elif tag in _BLOCKS:
            self._pre -= tag == "pre"
            self._quotes -= tag == "blockquote"
            self._paragraph = None

    def handle_data(self, data: str) -> None:
        """Add a text in the current formats."""
        # The parser has turned references such as &#11; into characters, so the text may contain forbidden characters.
        text = xml_text(data if self._pre else self._collapse_space(data))
        if self._rows:
            if self._rows[-1]:
                self._rows[-1][-1] += text
            return
        if self._paragraph is None:
            if not text.strip():
                return
            self._begin("p")
        if not self._paragraph.runs:
            text = text.lstrip()
        run = self._paragraph.add_run(text.rstrip("\n") if self._pre else text)
        for name in self._formats:
            setattr(run if name in ("bold", "italic") else run.font, name, True)

    def _collapse_space(self, data: str) -> str:
        """Return the text with single spaces, and without the line breaks between the elements of the HTML."""
        if not data.strip() and "\n" in data:
            return ""
        text = re.sub(r"\s+", " ", data)
        if data.endswith("\n"):
            text = text.rstrip()
        after_break = self._paragraph is not None and self._paragraph.text.endswith("\n")
        return text.lstrip() if after_break else text

    def _begin(self, tag: str) -> None:
        """Begin a paragraph in the style of the tag."""
        if tag.startswith("h") and tag[1:].isdecimal():
            # The highest heading in the HTML is h3 (`kit.prose`).
            style = f"Heading {min(9, self._level + int(tag[1:]) - 2)}"
        elif self._lists:
            depth = min(len(self._lists), _DEEPEST_LIST)
            style = self._lists[-1] if depth == 1 else f"{self._lists[-1]} {depth}"
            if tag == "p" and self._paragraph is not None and not self._paragraph.runs:
                # The list item has already begun a paragraph, so the `p` in the item does not begin another.
                return
        else:
            style = "Quote" if self._quotes else "Normal"
        self._paragraph = self._container.add_paragraph(style=style)

    def _add_break(self) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] += " "
        elif self._paragraph is not None:
            self._paragraph.add_run().add_break()

    def _add_address(self, address: str) -> None:
        """Add the address of a link in brackets, for readers on paper, unless the text is the address."""
        address_to_read = address.removeprefix("mailto:")
        text = self._paragraph.text if self._paragraph is not None else ""
        if address and self._rows is None and not text.endswith(address_to_read):
            self.handle_data(f" ({address_to_read})")

    def _add_table(self, rows: list[list[str]]) -> None:
        columns = max((len(row) for row in rows), default=0)
        if not columns:
            return
        table = self._container.add_table(rows=0, cols=columns)
        for row in rows:
            cells = table.add_row().cells
            for cell, text in zip(cells, row, strict=False):
                cell.text = text.strip()
        self._paragraph = None
