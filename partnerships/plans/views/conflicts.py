"""Both texts of a piece that two people changed, side by side."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.kit.text import Fragment, word_differences
from partnerships.people.models import User
from partnerships.plans import presenting
from partnerships.plans.changes import names_in
from partnerships.plans.content import ABOUT, SITES, Collection, Content, Item, line_of
from partnerships.plans.queries import area_names
from partnerships.plans.services import PieceConflict


def conflict_context(conflict: PieceConflict, collection: Collection | None, content: Content) -> dict[str, Any]:
    """The fields in which two texts differ.

    `content` is the draft, for the names of its sites.
    """
    person = User.objects.filter(pk=conflict.by or 0).first()
    theirs: Item | None = conflict.theirs
    both = {**content, "sites": [conflict.mine, *([theirs] if theirs else [])]} if collection is SITES else content
    names = names_in(content, areas=area_names(both))
    rows: list[dict[str, Any]] = []
    for spec in collection.fields if collection else ABOUT:
        mine_words = names.in_words(spec, conflict.mine[spec.code])
        their_words = names.in_words(spec, theirs[spec.code]) if theirs else ""
        if mine_words != their_words:
            fragments: tuple[Fragment, ...] = ()
            if spec.shape == "text" and mine_words and their_words:
                fragments = word_differences(their_words, mine_words)
            rows.append({"label": spec.label, "mine": mine_words, "theirs": their_words, "fragments": fragments})
    if collection is SITES:
        rows += _homes_conflict(conflict.mine, theirs)
    return {
        "conflict": rows,
        "gone": theirs is None,
        "who": person.display_name if person else "Somebody",
        "when": dt.datetime.fromisoformat(conflict.at) if conflict.at else None,
    }


def _homes_conflict(mine: Item, theirs: Item | None) -> list[dict[str, Any]]:
    my_lines = {line_of(line): line["count"] for line in mine["homes"]}
    their_lines = {line_of(line): line["count"] for line in (theirs or {"homes": []})["homes"]}
    return [
        {
            "label": f"Homes, {presenting.line_words(line)}",
            "mine": str(my_lines.get(line, 0)),
            "theirs": str(their_lines.get(line, 0)),
            "fragments": (),
        }
        for line in dict.fromkeys((*their_lines, *my_lines))
        if my_lines.get(line, 0) != their_lines.get(line, 0)
    ]
