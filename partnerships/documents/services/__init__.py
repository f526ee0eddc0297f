"""Services of any document: its draft, its versions, its HTML.

They change rows that the caller has locked. The caller checks rights and state, records the event and opens the
transaction.
"""

from partnerships.documents.services.drafting import (
    SAVED_FIELDS,
    UnableToSavePiece,
    discard_changes,
    moved,
    save_piece,
)
from partnerships.documents.services.publishing import (
    NOTHING_CHANGED,
    Prepared,
    UnableToPublish,
    create_version,
    next_number,
    prepare,
    rebase_draft,
)
from partnerships.documents.services.rendering import prose_of, write_content

__all__ = [
    "NOTHING_CHANGED",
    "SAVED_FIELDS",
    "Prepared",
    "UnableToPublish",
    "UnableToSavePiece",
    "create_version",
    "discard_changes",
    "moved",
    "next_number",
    "prepare",
    "prose_of",
    "rebase_draft",
    "save_piece",
    "write_content",
]
