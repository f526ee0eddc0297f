"""An example of a document that is not a plan: the charter of a board."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from partnerships.documents import Collection, Counts, Field, Schema, normalise

RULES = "The board *decides*.\n\n1. It meets.\n2. It votes."


def read_seats(raw: Any, _path: str) -> list[dict[str, Any]]:
    """Return the seats of a board without other fields."""
    return [{"body": line["body"], "count": line["count"]} for line in raw or ()]


SEATS = Counts(
    code="seats",
    label="Seats",
    singular="seat",
    plural="seats",
    line_of=itemgetter("body"),
    line_item=lambda body, count: {"body": body, "count": count},
    order=str,
    words=str,
    normalise=read_seats,
    substantive=True,
)
CLAUSES = Collection(
    code="clauses",
    singular="clause",
    label="Clause",
    title_field="title",
    fields=(
        Field("title", "Title", required=True),
        Field("body", "Text", "text", max_length=10_000),
        Field("private", "Private", "flag", default=False),
    ),
    hidden_by="private",
)
BOARDS = Collection(
    code="boards",
    singular="board",
    label="Board",
    title_field="name",
    fields=(
        Field("name", "Name", required=True),
        Field("clause", "Clause", "item", collection="clauses"),
        Field("meets_from", "Meets from", "date", substantive=True),
        Field("chair", "Chair", hint="The organisation that chairs it.", substantive=True),
        Field("minutes", "Minutes", "number", default=0),
    ),
    counts=SEATS,
)
CHARTER = Schema("charter", (Field("title", "Title", required=True), Field("purpose", "Purpose")), (CLAUSES, BOARDS))


def a_charter(**parts: Any) -> dict[str, Any]:
    """Return a charter with two clauses and a board."""
    board = {"key": "board", "name": "Board", "clause": "governance", "meets_from": "2026-09", "chair": "Council"}
    return normalise(
        CHARTER,
        {
            "about": {"title": "Charter of the valley"},
            "clauses": [
                {"key": "governance", "title": "Governance", "body": RULES},
                {"key": "fees", "title": "Fees", "body": "Nobody pays."},
            ],
            "boards": [{**board, "seats": [{"body": "Council", "count": 3}, {"body": "Homes", "count": 2}]}],
            **parts,
        },
    )
