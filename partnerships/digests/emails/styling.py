"""Copies the styles of digests into each HTML element, because many email apps ignore style sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.loader import render_to_string

from partnerships.kit.late import late

if TYPE_CHECKING:
    import css_inline
else:
    css_inline = late("css_inline")


def style() -> str:
    """Return the style sheet of all emails about digests."""
    return render_to_string("emails/digests/digest.css")


def inline(html: str) -> str:
    """Return the HTML of an email with its styles copied into each element."""
    return css_inline.CSSInliner(keep_link_tags=False, load_remote_stylesheets=False).inline(html)


def inline_fragment(html: str) -> str:
    """Return a part of an email's HTML with the styles copied into each element."""
    inlined: str = css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(html, style())
    return inlined
