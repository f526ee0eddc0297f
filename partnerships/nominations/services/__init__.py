"""Changes of nominations agreements and their returns."""

from partnerships.nominations.services.lettings import FilteredFile, count_waiting, store_lettings
from partnerships.nominations.services.returns import (
    FiguresChanged,
    Supplement,
    UnableToDecide,
    UnableToReport,
    complete_return,
    decide_lines,
    reopen_return,
    saved_supplements,
    send_return,
    start_return,
)

__all__ = [
    "FiguresChanged",
    "FilteredFile",
    "Supplement",
    "UnableToDecide",
    "UnableToReport",
    "complete_return",
    "count_waiting",
    "decide_lines",
    "reopen_return",
    "saved_supplements",
    "send_return",
    "start_return",
    "store_lettings",
]
