"""Markdown as safe HTML, in which only some elements are allowed, and no images or scripts.

The parser takes time in proportion to the length of the text (docs/decisions/0040).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from partnerships.kit.late import late

if TYPE_CHECKING:
    import markdown_it
    import nh3
    from markdown_it import rules_block
    from markdown_it.rules_block import StateBlock
else:
    markdown_it, nh3, rules_block = late("markdown_it"), late("nh3"), late("markdown_it.rules_block")

ELEMENTS = frozenset(
    {"p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "a"}
    | {"table", "thead", "tbody", "tr", "th", "td", "sup", "sub"}
)
ATTRIBUTES: dict[str, set[str]] = {"a": {"href", "title"}, "th": {"align"}, "td": {"align"}, "ol": {"start"}}
SCHEMES = frozenset({"http", "https", "mailto"})

#: Limit of missing cells that are added, in all tables of a text together.
MAX_FILLED_CELLS = 10_000

#: Headings of a text become lower headings, because the page's own headings go down to h2.
_HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}


@lru_cache(maxsize=1)
def _parser() -> markdown_it.MarkdownIt:
    """Return a parser of CommonMark with tables, which preserves line breaks and shows HTML as text.

    Reference links are off, because a long address defined once could be repeated a thousand times.
    """
    parser = markdown_it.MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    return parser.enable("table").disable("reference")


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Apply the package's table rule, with one limit for all tables of a text.

    The package has a limit for each table. HTML of many small tables with 256 columns would become 430 times as long as
    the source. The signature is the package's. With `silent`, the rule is only checked for a match.
    """
    if state.env.get("too_many_cells") or not rules_block.table(state, start, end, True):
        return False
    if silent:
        return True
    columns = _line(state, start).strip("|").count("|") + 1
    for line_index in range(start + 2, end):
        line = _line(state, line_index)
        if not line:
            break
        missing_cells = columns - line.strip("|").count("|") - 1
        state.env["filled"] = state.env.get("filled", 0) + max(0, missing_cells)
        if state.env["filled"] > MAX_FILLED_CELLS:
            state.env["too_many_cells"] = True
            return False
    return rules_block.table(state, start, end, False)


def _line(state: StateBlock, index: int) -> str:
    """Return a line of the source without the spaces around it."""
    return state.src[state.bMarks[index] + state.tShift[index] : state.eMarks[index]].strip()


@lru_cache(maxsize=1)
def rules() -> str:
    """Return a hash of everything that decides which HTML is allowed.

    HTML that was stored with another hash is cleaned again.
    """
    rendering_rules = (
        sorted(ELEMENTS),
        sorted((name, sorted(values)) for name, values in ATTRIBUTES.items()),
        sorted(SCHEMES),
        version("nh3"),
        version("markdown-it-py"),
    )
    return hashlib.sha256(repr(rendering_rules).encode()).hexdigest()[:16]


def clean(html: str) -> SafeString:
    """Return the HTML with allowed elements only."""
    return SafeString(
        nh3.clean(
            html,
            tags=set(ELEMENTS),
            attributes=ATTRIBUTES,
            url_schemes=set(SCHEMES),
            link_rel="noopener noreferrer nofollow",
        )
    )


def to_html(text: str) -> SafeString:
    """Return the HTML of a Markdown text, with allowed elements only."""
    if not text.strip():
        return SafeString("")
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    return clean(parser.renderer.render(tokens, parser.options, {}))


@dataclass(frozen=True, slots=True)
class StoredHtml:
    """The HTML of Markdown fields, by their paths, with the hash of the rules that rendered it."""

    html: Mapping[str, str]
    rules: str

    def get(self, path: str) -> SafeString:
        """Return the HTML of a field, or "". It is cleaned again if the rules have changed since it was stored."""
        html = self.html.get(path, "")
        return SafeString(html) if self.rules == rules() else clean(html)
