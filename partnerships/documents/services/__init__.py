"""Services of any document: its draft, its versions, its HTML.

They change rows that the caller has locked. The caller checks rights and state, records the event and opens the
transaction. Only the sweep of late signatures opens its own, one for each signatory.
"""

from partnerships.documents.services.drafting import (
    SAVED_FIELDS,
    OpenDraft,
    UnableToSavePiece,
    discard_changes,
    moved,
    save_items,
    save_piece,
)
from partnerships.documents.services.escalating import escalate_late
from partnerships.documents.services.publishing import (
    NOTHING_CHANGED,
    Prepared,
    UnableToPublish,
    create_version,
    next_number,
    prepare,
    rebase_draft,
    refuse_minor,
)
from partnerships.documents.services.rendering import prose_of, write_content
from partnerships.documents.services.signing import (
    MAX_ANSWER,
    MAX_QUESTION,
    InvalidAnswers,
    read_answers,
    read_questions,
)

__all__ = [
    "MAX_ANSWER",
    "MAX_QUESTION",
    "NOTHING_CHANGED",
    "SAVED_FIELDS",
    "InvalidAnswers",
    "OpenDraft",
    "Prepared",
    "UnableToPublish",
    "UnableToSavePiece",
    "create_version",
    "discard_changes",
    "escalate_late",
    "moved",
    "next_number",
    "prepare",
    "prose_of",
    "read_answers",
    "read_questions",
    "rebase_draft",
    "refuse_minor",
    "save_items",
    "save_piece",
    "write_content",
]
