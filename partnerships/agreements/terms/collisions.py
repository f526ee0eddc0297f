"""Find the parts of the terms that two proposals both change.

For example, both change the quorum, or both change the clause “Exit”. Then only one of them can be sent for signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.documents import Content, Schema, changes

#: A part of the terms: ("about", code of a field), (code of a table, key of a row), or ("order", code of a table).
Part: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """The content of a proposal, and the content from which it was begun."""

    base: Content
    content: Content


def changed_parts(schema: Schema, draft: Draft) -> dict[Part, str]:
    """Return the parts that a draft changes, each with its name, such as `clause “Exit”`."""
    names_by_part: dict[Part, str] = {}
    for change in changes(schema, draft.base, draft.content):
        if change.what == "about":
            names_by_part["about", change.field] = f"“{schema.about_by_code[change.field].label}”"
            continue
        collection = schema.collection_of[change.what]
        if change.kind == "moved":
            names_by_part["order", collection.code] = f"the order of “{collection.label}”"
        else:
            names_by_part[collection.code, change.key] = f"{collection.singular} “{change.label}”"
    return names_by_part


def collisions(schema: Schema, draft: Draft, other_draft: Draft) -> tuple[str, ...]:
    """Return the names of the parts that both drafts change."""
    other_parts = changed_parts(schema, other_draft)
    return tuple(name for part, name in changed_parts(schema, draft).items() if part in other_parts)


def parts_in_words(part_names: Iterable[str]) -> str:
    """Join names of parts into a phrase, such as `clause “Exit” and “Quorum”`."""
    names = list(part_names)
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
