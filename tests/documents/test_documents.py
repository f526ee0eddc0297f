"""Documents of any kind can be edited and compared through their schema."""

from __future__ import annotations

import pytest

from partnerships.documents import (
    InvalidContent,
    UnknownPiece,
    apply,
    changes,
    get_piece,
    normalise,
    rebase,
    set_piece,
    summary,
)
from tests.documents.charters import CHARTER, a_charter


def test_changes_are_worded_by_the_schema() -> None:
    before = a_charter()
    board = get_piece(CHARTER, before, "boards/board")
    seats = [{"body": "Council", "count": 4}, {"body": "Homes", "count": 2}]
    after = set_piece(CHARTER, before, "boards/board", {**board, "clause": "", "seats": seats})

    found_changes = changes(CHARTER, before, after)

    assert [change.sentence() for change in found_changes] == [
        "Board Board, clause: was Governance, now the whole charter",
        "Seats, Council at Board: was 3, now 4 (1 more)",
    ]
    assert summary(found_changes) == "2 changes. 1 more seat in all. Details changed: Board."


def test_changes_that_are_applied_to_the_first_content_give_the_second() -> None:
    before = a_charter()
    board = get_piece(CHARTER, before, "boards/board")
    after = set_piece(CHARTER, before, "boards/board", {**board, "clause": "", "seats": []})

    assert apply(CHARTER, changes(CHARTER, before, after), before) == after


def test_edits_of_different_fields_are_merged() -> None:
    old_base = a_charter()
    board = get_piece(CHARTER, old_base, "boards/board")
    draft = set_piece(CHARTER, old_base, "boards/board", {**board, "meets_from": "2027"})
    new_base = set_piece(CHARTER, old_base, "boards/board", {**board, "seats": [{"body": "Council", "count": 5}]})

    merged_board = get_piece(CHARTER, rebase(CHARTER, draft, old_base, new_base), "boards/board")

    assert merged_board["meets_from"] == "2027"
    assert merged_board["seats"] == [{"body": "Council", "count": 5}]


def test_unknown_piece_names_the_kind_of_document() -> None:
    with pytest.raises(UnknownPiece, match="A charter has no part called “sites/north-quay”"):
        get_piece(CHARTER, a_charter(), "sites/north-quay")


def test_unknown_list_names_the_kind_of_document() -> None:
    with pytest.raises(InvalidContent, match="A charter has no part of this name"):
        normalise(CHARTER, {"sites": []})
