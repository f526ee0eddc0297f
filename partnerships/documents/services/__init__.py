"""Draft, publish and sign documents of any kind.

These services are parts of the services of plans and terms. Those open the transaction, lock the rows, check rights
and state, and record the event. The exception is `escalate_late`, which opens a transaction for each signatory.
"""

from partnerships.documents.services.drafting import (
    SAVED_FIELDS,
    OpenDraft,
    UnableToSavePiece,
    discard_changes,
    order_after_move,
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
    "next_number",
    "order_after_move",
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
