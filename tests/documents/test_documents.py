"""Documents of any kind can be edited and compared through their schema."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import pytest

from partnerships.documents import (
    Collection,
    Counts,
    Field,
    InvalidContent,
    Schema,
    UnknownPiece,
    apply,
    changes,
    get_piece,
    normalise,
    rebase,
    set_piece,
    summary,
)


def places(raw: Any, _path: str) -> list[dict[str, Any]]:
    return [{"body": line["body"], "count": line["count"]} for line in raw or ()]


SEATS = Counts(
    code="seats",
    label="Seats",
    one="seat",
    many="seats",
    line_of=itemgetter("body"),
    line_item=lambda body, count: {"body": body, "count": count},
    order=str,
    words=str,
    normalise=places,
)
CLAUSES = Collection("clauses", "clause", "Clause", "title", (Field("title", "Title", required=True),), "private")
BOARDS = Collection(
    "boards",
    "board",
    "Board",
    "name",
    (
        Field("name", "Name", required=True),
        Field("clause", "Clause", "item", collection="clauses"),
        Field("meets_from", "Meets from", "date"),
    ),
    "private",
    counts=SEATS,
)
TERMS = Schema("charter", (Field("title", "Title"),), (CLAUSES, BOARDS))


def a_charter(**parts: Any) -> dict[str, Any]:
    board = {"name": "Board", "clause": "governance", "seats": [{"body": "Council", "count": 3}]}
    return normalise(TERMS, {"about": {"title": "Charter"}, "clauses": ["Governance"], "boards": [board]} | parts)


def test_changes_are_worded_by_the_schema() -> None:
    before = a_charter()
    after = set_piece(
        TERMS, before, "boards/board", {**before["boards"][0], "clause": "", "seats": [{"body": "Council", "count": 4}]}
    )

    found_changes = changes(TERMS, before, after)

    assert [change.sentence() for change in found_changes] == [
        "Board Board, clause: was Governance, now the whole charter",
        "Seats, Council at Board: was 3, now 4 (1 more)",
    ]
    assert summary(found_changes) == "2 changes. 1 more seat in all. Details changed: Board."
    assert apply(TERMS, found_changes, before) == after


def test_edits_of_different_fields_are_merged() -> None:
    old_base = a_charter()
    draft = set_piece(TERMS, old_base, "boards/board", {**old_base["boards"][0], "meets_from": "2027"})
    new_base = set_piece(
        TERMS, old_base, "boards/board", {**old_base["boards"][0], "seats": [{"body": "Council", "count": 5}]}
    )

    merged = get_piece(TERMS, rebase(TERMS, draft, old_base, new_base), "boards/board")

    assert merged["meets_from"] == "2027"
    assert merged["seats"][0]["count"] == 5


def test_errors_name_the_kind_of_document() -> None:
    with pytest.raises(UnknownPiece, match="A charter has no part called “sites/north-quay”"):
        get_piece(TERMS, a_charter(), "sites/north-quay")
    with pytest.raises(InvalidContent, match="A charter has no part of this name"):
        normalise(TERMS, {"sites": []})
