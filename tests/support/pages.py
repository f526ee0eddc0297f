"""Collapse the whitespace of pages and emails, so that tests can search for words and elements."""

from __future__ import annotations

import re


def collapse(text: str) -> str:
    """Return the text with whitespace collapsed, as a browser shows it."""
    return " ".join(text.split())


def tight(html: str) -> str:
    """Return the text collapsed and without whitespace at tags, to search for an element."""
    return re.sub(r"\s*(<[^>]*?)\s*(/?>)\s*", r"\1\2", collapse(html))
