"""Documents that several people draft, publish and sign.

This is pure logic, which knows neither Django nor plans. A `Schema` says which fields and lists a kind of document has.
For example, `PLAN` in `partnerships/plans/content/shape.py` is the schema of plans. The content of a document is a
plain dictionary, with the fields of "about" and a list of items for each collection.

    normalise(schema, raw)              returns a checked content; raises InvalidContent
    get_piece, set_piece                read and replace one piece, such as "sites/north-quay"
    check_conflict, record_of_save      detect that two people edit the same piece
    rebase(schema, draft, old, new)     merges a draft with a version that was published since
    changes(schema, before, after)      returns what changed; `apply` applies it, and `summary` puts it into words
    why_not_minor(changes)              returns why a version with these changes needs new signatures; "" if it does not
    SigningState                        the state of a signatory, such as "approved" or "waiting"

Contents that have been normalised are equal if they say the same.
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
from partnerships.documents.revisions import PieceConflict, check_conflict, record_of_save, revision_of, saved_since
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
    "record_of_save",
    "revision_of",
    "saved_since",
    "set_piece",
    "slippage",
    "split_piece",
    "summary",
    "value_in_words",
    "why_not_minor",
    "without_hidden",
    "words_changed",
]
