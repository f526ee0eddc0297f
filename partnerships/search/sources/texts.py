"""The words in the content of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a content, without dates, figures and the keys of its items."""
    if isinstance(value, str):
        if any(character.isalpha() for character in value):
            yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            if name != "key":
                yield from texts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one)
