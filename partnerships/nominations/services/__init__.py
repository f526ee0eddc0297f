"""Changes of nominations agreements and their returns."""

from partnerships.nominations.services.lettings import KeptLettings, count_waiting, take_lettings
from partnerships.nominations.services.returns import (
    FiguresChanged,
    Supplement,
    UnableToDecide,
    UnableToReport,
    complete_return,
    decide_lines,
    reopen_return,
    send_return,
    start_return,
    supplements_of,
)

__all__ = [
    "FiguresChanged",
    "KeptLettings",
    "Supplement",
    "UnableToDecide",
    "UnableToReport",
    "complete_return",
    "count_waiting",
    "decide_lines",
    "reopen_return",
    "send_return",
    "start_return",
    "supplements_of",
    "take_lettings",
]
