"""Import, preview and review published registers."""

from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.outcomes import Outcome, last_line, refuse_unusable
from partnerships.transfer.services.registers.headings import UnableToConfirm, column_key, confirm_headings
from partnerships.transfer.services.registers.importing import import_register
from partnerships.transfer.services.registers.jobs import apply_waiting, queue_import
from partnerships.transfer.services.registers.known_headings import publishers_of
from partnerships.transfer.services.registers.previewing import (
    FileProposals,
    UnableToApply,
    apply_preview,
    check_list,
    discard_preview,
    preview_register,
    proposals_for,
    receive_list,
)
from partnerships.transfer.services.registers.reviewing import UnableToAnswer, answer_doubt

__all__ = [
    "Choices",
    "FileProposals",
    "Outcome",
    "UnableToAnswer",
    "UnableToApply",
    "UnableToConfirm",
    "answer_doubt",
    "apply_preview",
    "apply_waiting",
    "check_list",
    "column_key",
    "confirm_headings",
    "discard_preview",
    "import_register",
    "last_line",
    "preview_register",
    "proposals_for",
    "publishers_of",
    "queue_import",
    "receive_list",
    "refuse_unusable",
]
