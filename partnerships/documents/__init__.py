"""Documents that several people draft, publish and sign.

Pure logic for any schema. A schema says which fields and collections a kind of document has (`PLAN` in `plans.content`
is one). A content is a plain dictionary: "about", and a list of items with stable keys for each collection. After
`normalise`, two contents say the same exactly when they are equal.

    normalise(schema, raw)             -> content; raises InvalidContent
    get_piece, set_piece               read and replace what one person edits: "about", "sites/north-quay"
    rebase(schema, draft, was, now)    merge a draft with what was published meanwhile
    check_conflict, touch              who saved which piece last, and conflicts between two people
    changes(schema, a, b)              -> changes; apply(schema, changes, a) == b; summary(changes) -> text
    why_not_minor(changes)             -> why a version with them needs new signatures, or ""
    SigningState                       whether a signatory has decided on the present version, or must do so

Nothing here knows Django, plans or sites.
"""

from partnerships.documents.comparing.applying import apply
from partnerships.documents.comparing.change import Change, Kind
from partnerships.documents.comparing.finding import changes
from partnerships.documents.comparing.naming import Names, Registers
from partnerships.documents.comparing.summary import count_difference, summary, why_not_minor
from partnerships.documents.comparing.wording import (
    date_in_words,
    item_in_words,
    more_or_fewer,
    value_in_words,
    words_changed,
)
from partnerships.documents.merging import rebase
from partnerships.documents.normalising import (
    KEY,
    MAX_ITEMS,
    add_missing_fields,
    key_for,
    normalise,
    normalise_about,
    normalise_item,
    without_hidden,
)
from partnerships.documents.pieces import UnknownPiece, get_piece, set_piece, split_piece
from partnerships.documents.revisions import PieceConflict, check_conflict, revision_of, touch, touched_since
from partnerships.documents.schema import Choices, Collection, Content, Counts, Field, Item, Line, Schema
from partnerships.documents.signing import SigningState
from partnerships.documents.slippage import Slippage, slippage
from partnerships.documents.values import (
    InvalidContent,
    Problem,
    read_choice,
    read_field,
    read_money,
    read_percent,
    read_whole,
    read_year,
)

__all__ = [
    "KEY",
    "MAX_ITEMS",
    "Change",
    "Choices",
    "Collection",
    "Content",
    "Counts",
    "Field",
    "InvalidContent",
    "Item",
    "Kind",
    "Line",
    "Names",
    "PieceConflict",
    "Problem",
    "Registers",
    "Schema",
    "SigningState",
    "Slippage",
    "UnknownPiece",
    "add_missing_fields",
    "apply",
    "changes",
    "check_conflict",
    "count_difference",
    "date_in_words",
    "get_piece",
    "item_in_words",
    "key_for",
    "more_or_fewer",
    "normalise",
    "normalise_about",
    "normalise_item",
    "read_choice",
    "read_field",
    "read_money",
    "read_percent",
    "read_whole",
    "read_year",
    "rebase",
    "revision_of",
    "set_piece",
    "slippage",
    "split_piece",
    "summary",
    "touch",
    "touched_since",
    "value_in_words",
    "why_not_minor",
    "without_hidden",
    "words_changed",
]
