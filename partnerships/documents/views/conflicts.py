"""Show both texts of a piece that two people have changed, side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from partnerships.documents.comparing.naming import Names
from partnerships.documents.revisions import PieceConflict
from partnerships.documents.schema import Collection, Counts, Field, Item, Schema
from partnerships.kit.text import DiffTime, Fragment, word_differences
from partnerships.people.models import User


def conflict_context(
    schema: Schema, collection: Collection | None, conflict: PieceConflict, names: Names
) -> dict[str, Any]:
    """Return the context of `documents/_conflict.html`, with the fields in which the two texts differ."""
    person = User.objects.filter(pk=conflict.by or 0).first()
    their_item: Item | None = conflict.theirs
    different_fields = _different_fields(collection.fields if collection else schema.about, conflict, names)
    if collection is not None and collection.counts is not None:
        different_fields += _different_counts(collection.counts, conflict.mine, their_item)
    return {
        "different_fields": different_fields,
        "was_removed": their_item is None,
        "other_person": person.display_name if person else "Another person",
        "saved_at": dt.datetime.fromisoformat(conflict.at) if conflict.at else None,
    }


def _different_fields(specs: Iterable[Field], conflict: PieceConflict, names: Names) -> list[dict[str, Any]]:
    """Return the fields in which the two texts differ, with the differences word by word in long texts."""
    time = DiffTime()  # all fields share one limit of time for the comparison
    rows: list[dict[str, Any]] = []
    for spec in specs:
        own_words = names.in_words(spec, conflict.mine[spec.code])
        their_words = names.in_words(spec, conflict.theirs[spec.code]) if conflict.theirs else ""
        if own_words == their_words:
            continue
        fragments: tuple[Fragment, ...] = ()
        if spec.shape == "text" and own_words and their_words:
            fragments = word_differences(their_words, own_words, time)
        rows.append({"label": spec.label, "mine": own_words, "theirs": their_words, "fragments": fragments})
    return rows


def _different_counts(counts: Counts, own_item: Item, their_item: Item | None) -> list[dict[str, Any]]:
    """Return the counted lines in which the two texts differ."""
    own_lines = counts.by_line(own_item)
    their_lines = counts.by_line(their_item) if their_item else {}
    rows = []
    # A dict keeps the order of the lines and removes those that occur twice.
    for line in dict.fromkeys((*their_lines, *own_lines)):
        own_count, their_count = own_lines.get(line, 0), their_lines.get(line, 0)
        if own_count != their_count:
            label = f"{counts.label}, {counts.words(line)}"
            rows.append({"label": label, "mine": str(own_count), "theirs": str(their_count), "fragments": ()})
    return rows
