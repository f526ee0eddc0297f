"""Which parts of the terms two proposals both change."""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.documents import Content, Schema, changes

#: A field about the whole, an item, or the order of a list.
Part = tuple[str, str]


def touched(schema: Schema, was: Content, draft: Content) -> dict[Part, str]:
    """The parts that a draft changes, with their names for people."""
    touched_parts: dict[Part, str] = {}
    for change in changes(schema, was, draft):
        if change.what == "about":
            touched_parts["about", change.field] = f"“{schema.about_by_code[change.field].label}”"
            continue
        collection = schema.collection_of[change.what]
        if change.kind == "moved":
            touched_parts["order", collection.code] = f"the order of “{collection.label}”"
        else:
            touched_parts[collection.code, change.key] = f"{collection.one} “{change.label}”"
    return touched_parts


def collisions(schema: Schema, own_change: tuple[Content, Content], other: tuple[Content, Content]) -> tuple[str, ...]:
    """The parts that both proposals change, in words; empty if none.

    Each proposal is what it was begun from and what it says.
    """
    other_touched = touched(schema, *other)
    return tuple(words for part, words in touched(schema, *own_change).items() if part in other_touched)


def in_words(parts: Iterable[str]) -> str:
    """Names in one list: `clause “Exit” and “Quorum”`."""
    names = list(parts)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
