"""Pauses a sender while most answers of the mail server or provider leave emails in doubt.

An email in doubt is sent at most three times. Without a pause, a minute of errors could use up the attempts of every
due email.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic

import structlog

from partnerships.kit.operators import alert_operators
from partnerships.outbox.answers import Answer

log = structlog.get_logger(__name__)

#: A pause begins if most of the last ten answers, and at least five, leave doubts about several domains. If only one
#: domain does not answer, emails to others need not wait. After a pause, another doubt begins the next pause at once.
_LAST_ANSWERS, _MIN_DOUBTS = 10, 5
#: Seconds of the first pause. Each further pause without a clear answer is twice as long, up to the longest.
FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 300.0


def is_in_future(moment: float) -> bool:
    """Return True if this moment of the monotonic clock, such as the end of a pause, is still to come."""
    return monotonic() < moment


class Doubts:
    """The last answers that one process got, and the pause that they caused.

    All threads of the process share it, including threads that still wait for a slow answer.
    """

    def __init__(self) -> None:
        #: The domain of each of the last emails that was left in doubt, or "" for an email with a clear answer.
        self._doubted_domains: deque[str] = deque(maxlen=_LAST_ANSWERS)
        #: Seconds of the present or last pause, or 0 if a clear answer has arrived since.
        self._pause = 0.0
        #: When the pause ends, by a clock that all processes of a machine share. It is 0 before the first pause.
        self.until = 0.0
        self._lock = Lock()

    def count(self, answer: Answer, *, domain: str) -> None:
        """Count one answer about an email to this domain. It may begin a pause, or show that the problem is solved."""
        with self._lock:
            is_first_pause = not self._pause
            begins_pause = self._add(answer, domain)
        if begins_pause and is_first_pause:
            alert_operators(
                "Most emails may or may not have arrived",
                "The mail server or provider breaks off or answers with errors after we have given it an email. We "
                f"have stopped sending and will try again in a few minutes. Its last answer: {answer.text}",
            )

    def is_paused(self) -> bool:
        """Return True if nothing may be sent now."""
        return is_in_future(self.until)

    def _add(self, answer: Answer, domain: str) -> bool:
        """Add one answer to the last answers, and return whether it begins a pause."""
        self._doubted_domains.append(domain if answer.in_doubt else "")
        if not answer.in_doubt:
            if answer.reached:
                self._pause = 0.0
            return False
        doubtful_domains = [domain for domain in self._doubted_domains if domain]
        are_many = len(doubtful_domains) >= _MIN_DOUBTS
        are_most = 2 * len(doubtful_domains) > len(self._doubted_domains)
        are_of_several_domains = len(set(doubtful_domains)) > 1
        if not self._pause and not (are_many and are_most and are_of_several_domains):
            return False
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) if self._pause else FIRST_PAUSE
        self.until = monotonic() + self._pause
        self._doubted_domains.clear()
        log.error("most_answers_leave_doubts", pause=self._pause)
        return True
