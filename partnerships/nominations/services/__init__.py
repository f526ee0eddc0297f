"""Changes of nominations agreements and their returns."""

from partnerships.nominations.services.lettings import KeptLettings, count_waiting, take_lettings
from partnerships.nominations.services.returns import (
    Supplement,
    UnableToDecide,
    UnableToReport,
    complete_return,
    decide_lines,
    send_return,
    start_return,
)

__all__ = [
    "KeptLettings",
    "Supplement",
    "UnableToDecide",
    "UnableToReport",
    "complete_return",
    "count_waiting",
    "decide_lines",
    "send_return",
    "start_return",
    "take_lettings",
]
