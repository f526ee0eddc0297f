"""What a page or an email says, whatever the layout of its HTML."""

from __future__ import annotations


def collapse(text: str) -> str:
    """The text with every run of whitespace as one space, as a browser shows it."""
    return " ".join(text.split())
