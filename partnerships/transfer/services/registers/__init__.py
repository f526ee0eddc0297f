"""Importing, previewing and reviewing published registers."""

from partnerships.transfer.services.registers.importing import Outcome, import_register, last_line
from partnerships.transfer.services.registers.previewing import (
    UnableToApply,
    apply_preview,
    discard_preview,
    preview_register,
)
from partnerships.transfer.services.registers.reviewing import UnableToAnswer, answer_doubt

__all__ = [
    "Outcome",
    "UnableToAnswer",
    "UnableToApply",
    "answer_doubt",
    "apply_preview",
    "discard_preview",
    "import_register",
    "last_line",
    "preview_register",
]
