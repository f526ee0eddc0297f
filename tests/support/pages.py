"""What a page or an email says, whatever the layout of its HTML."""

from __future__ import annotations

import re


def collapse(text: str) -> str:
    """The text with every run of whitespace as one space, as a browser shows it."""
    return " ".join(text.split())


def tight(html: str) -> str:
    """The same, and without whitespace beside tags and before their end: for looking up an element with its text."""
    return re.sub(r"\s*(<[^>]*?)\s*(/?>)\s*", r"\1\2", collapse(html))
