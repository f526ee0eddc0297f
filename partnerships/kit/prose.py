"""Markdown that people wrote, as HTML that is safe to show: an allow list of elements, no images, no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from partnerships.kit.late import late

if TYPE_CHECKING:
    import markdown
    import nh3
else:
    markdown, nh3 = late("markdown"), late("nh3")

ELEMENTS = frozenset(
    {"p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "a"}
    | {"table", "thead", "tbody", "tr", "th", "td", "sup", "sub"}
)
ATTRIBUTES: dict[str, set[str]] = {"a": {"href", "title"}, "th": {"align"}, "td": {"align"}, "ol": {"start"}}
SCHEMES = frozenset({"http", "https", "mailto"})

# Headings of a text stand below the page's own, which go down to h2.
_HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}


def _lower_headings(html: str) -> str:
    for name in ("h6", "h5", "h4", "h3", "h2", "h1"):
        html = html.replace(f"<{name}>", f"<{_HEADINGS[name]}>").replace(f"</{name}>", f"</{_HEADINGS[name]}>")
    return html


def to_html(text: str) -> SafeString:
    """The HTML of a Markdown text; what is not on the allow list is taken out."""
    if not text.strip():
        return SafeString("")
    html = markdown.Markdown(extensions=["tables", "sane_lists", "nl2br"], output_format="html").convert(text)
    clean = nh3.clean(
        _lower_headings(html),
        tags=set(ELEMENTS),
        attributes=ATTRIBUTES,
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return SafeString(clean)
