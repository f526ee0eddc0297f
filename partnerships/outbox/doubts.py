"""Pauses a process while most answers of the mail server or provider leave emails in doubt.

Each such answer costs the email one of its few copies, so a minute of errors must not reach everybody who is due.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic

import structlog

from partnerships.kit.operators import alert_operators
from partnerships.outbox.answers import Answer

log = structlog.get_logger(__name__)

#: Most of the last ten answers, at least five and about several domains, must leave doubts: one domain that hangs is no
#: reason to keep the others waiting. After a pause the first answer decides.
_LAST, _FEWEST = 10, 5
#: Seconds of the first pause; each one that follows without a clear answer is twice as long, up to the longest.
FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 300.0


def is_before(moment: float) -> bool:
    """Whether this end of a pause is still to come."""
    return monotonic() < moment


class Doubts:
    """What the last answers of one process were, and whether it pauses because of them.

    Its threads share it: those left behind count their answers too.
    """

    def __init__(self) -> None:
        #: The domain of each email left in doubt; "" for a clear answer.
        self._last: deque[str] = deque(maxlen=_LAST)
        self._pause = 0.0
        #: When the pause ends, on a clock that all processes of a machine share; 0 before the first one.
        self.until = 0.0
        self._lock = Lock()

    def count(self, answer: Answer, *, domain: str) -> None:
        """Count one answer, which may begin a pause or show that the trouble is over."""
        with self._lock:
            is_first = not self._pause
            is_new = self._begins_pause(answer, domain)
        if is_new and is_first:
            alert_operators(
                "Most emails may or may not have arrived",
                "The mail server or provider breaks off or answers with errors after it was given an email. Sending "
                f"pauses and is tried again after minutes. Its last answer: {answer.text}",
            )

    def is_paused(self) -> bool:
        """Whether nothing may be sent now."""
        return is_before(self.until)

    def _begins_pause(self, answer: Answer, domain: str) -> bool:
        """Count one answer; whether it begins a pause."""
        self._last.append(domain if answer.in_doubt else "")
        if not answer.in_doubt:
            self._pause = 0.0 if answer.reached else self._pause
            return False
        doubts = [domain for domain in self._last if domain]
        are_most = len(doubts) >= _FEWEST and 2 * len(doubts) > len(self._last) and len(set(doubts)) > 1
        if not self._pause and not are_most:
            return False
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) if self._pause else FIRST_PAUSE
        self.until = monotonic() + self._pause
        self._last.clear()
        log.error("most_answers_leave_doubts", pause=self._pause)
        return True
