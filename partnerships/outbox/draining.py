"""Sends due emails: claim, send over a kept connection, settle.

An email is claimed under a lease, composed and committed before it is sent. The lease is renewed while a server is
slow; emails of a killed sender return to the queue when their lease ends.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from email.utils import parseaddr

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from partnerships.outbox import backends
from partnerships.outbox.answers import Outgoing
from partnerships.outbox.claiming import claim, claimable
from partnerships.outbox.doubts import Doubts
from partnerships.outbox.leases import Claim, Claimed, note_copy, note_wait, recheck, release, renew
from partnerships.outbox.settling import Settler
from partnerships.outbox.smtp import Sender
from partnerships.outbox.throttle import domain_of

log = structlog.get_logger(__name__)

#: Emails claimed at a time: few at first, so that the first leave soon; more while the server is fast, to share the
#: cost of a transaction; few again when it is slow.
FIRST_BATCH, BATCH = 125, 250
_QUICK, _MIN_BATCH = 1.0, 25
#: After this many seconds a batch is released, so that faster senders may take it.
_MAX_BATCH_SECONDS = 20.0
#: Seconds that an email may wait in a batch before it is checked again and its lease renewed.
_CHECK_EVERY = 2.0
#: Seconds after which a server counts as slow: the rest of the batch is released.
SLOW = 2.0


@dataclass(slots=True)
class Tally:
    """The counts of one drain, and whether nothing was left when it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    is_all: bool = False

    @property
    def total(self) -> int:
        """The number of emails settled."""
        return self.counts.total()


class Progress:
    """How a drain gets on. Another thread may watch it, and end it."""

    def __init__(self, doubts: Doubts | None = None) -> None:
        self.doubts = doubts or Doubts()
        #: Claimed emails not yet passed to the sender, the next one last.
        self.left: list[Claimed] = []
        #: Whether no further email is sent after the present one.
        self.is_last = False
        #: When the present email was passed to the sender; None between emails.
        self.sent_at: float | None = None
        #: The recipient's domain of the present email.
        self.domain = ""
        self.lock = threading.Lock()

    def waits(self) -> float:
        """Seconds that the present email has taken; 0 between emails."""
        return 0.0 if (sent_at := self.sent_at) is None else time.monotonic() - sent_at

    def release_rest(self) -> None:
        """Return the emails not yet passed to the sender to the queue."""
        with self.lock:
            release(self.left)
            self.left = []

    def leave(self) -> None:
        """End the drain after the present email."""
        self.is_last = True
        self.release_rest()


def drain(
    *,
    seconds: float,
    lanes: str = "all",
    connect: Callable[[], Sender] = backends.connect,
    batch: int = BATCH,
    people: Collection[int] | None = None,
    avoid: Collection[str] = (),
    progress: Progress | None = None,
) -> Tally:
    """Send due emails of these lanes (and people) until none are left.

    Emails to the domains `avoid` wait for a while. Stops when time is up, after finishing its batch, or when most
    answers leave emails in doubt. While EMAILS_HELD, only account emails leave.
    """
    tally = Tally()
    progress = progress or Progress()
    if settings.EMAILS_HELD:
        lanes = "account"
    until = time.monotonic() + seconds
    envelope_sender = parseaddr(settings.EMAIL_MAILBOX)[1]  # bounces are read from this mailbox
    sender = connect()
    settler = Settler()
    size = min(FIRST_BATCH, batch)
    try:
        while (began := time.monotonic()) < until and not progress.is_last:
            limit = size if people is not None else _share(size, lanes)
            claimed = claim(now=timezone.now(), limit=limit, lanes=lanes, people=people, avoid=avoid)
            _Round(claimed, sender, envelope_sender, settler, progress).send()
            examined = claimed.examined
            del claimed  # free its memory before the next batch is composed
            is_quick = time.monotonic() - began < _QUICK
            size = min(2 * size, batch) if is_quick else max(size // 2, min(FIRST_BATCH, batch))
            settler.settle()
            if not examined:
                tally.is_all = True
                break
    finally:
        settler.settle()
        tally.counts += settler.counts
        sender.close()
    return tally


def _share(size: int, lanes: str) -> int:
    """At most `size`; near the end, at most one sender's share.

    So all processes finish at about the same time.
    """
    processes: int = settings.WORKER_CONCURRENCY
    return min(size, max(-(-claimable(size * processes, lanes) // processes), _MIN_BATCH))


class _Round:
    """Sends one batch.

    While a server is slow, the lease of the present email is renewed and the others are released, so that one slow
    answer does not delay them.
    """

    def __init__(
        self, claimed: Claim, sender: Sender, envelope_sender: str, settler: Settler, progress: Progress
    ) -> None:
        self._claim = claimed
        self._sender = sender
        self._envelope_sender = envelope_sender
        self._settler = settler
        self._progress = progress
        self._by_key = {claimed_email.pk: claimed_email for claimed_email in claimed.emails}
        self._noted: set[int] = set()
        self._checked_at = 0.0

    def send(self) -> None:
        """Send the batch; release what does not fit into the time."""
        if not self._by_key:
            return
        self._checked_at = time.monotonic()
        back = recheck(self._claim, self._claim.emails, now=timezone.now(), is_new=True)
        self._progress.left = [
            claimed_email for claimed_email in reversed(self._claim.emails) if claimed_email.pk not in back
        ]
        for answer in self._sender.send(self._messages(), self._while_waiting):
            self._progress.sent_at = None
            self._settler.put(answer, self._by_key[answer.key].facts, noted=answer.key in self._noted)
            self._progress.doubts.count(answer, domain=self._progress.domain)
            if self._progress.doubts.is_paused():
                self._progress.leave()
        self._progress.release_rest()

    def _messages(self) -> Iterator[Outgoing]:
        """The emails, each taken when the sender is ready for its envelope.

        Its lease then lasts for all commands up to the end of DATA (`lease` in housing/declarations/checks.py).
        """
        began = time.monotonic()
        while time.monotonic() - began < _MAX_BATCH_SECONDS and (one := self._next()) is not None:
            if one.in_doubt:
                note_copy(one)
                self._noted.add(one.pk)
            yield Outgoing(
                key=one.pk,
                sender=self._envelope_sender,
                recipient=one.address,
                data=one.data,
                has_no_dots=one.has_no_dots,
            )

    def _next(self) -> Claimed | None:
        """The next email that is ours and may leave; None if there is none."""
        progress = self._progress
        with progress.lock:
            now = time.monotonic()
            if now - self._checked_at > _CHECK_EVERY:
                self._checked_at = now
                back = recheck(self._claim, progress.left, now=timezone.now())
                progress.left = [email for email in progress.left if email.pk not in back]
            if progress.is_last or not progress.left:
                return None
            one = progress.left.pop()
            progress.domain, progress.sent_at = domain_of(one.address), time.monotonic()
            return one

    def _while_waiting(self, key: int, may_have_arrived: bool) -> None:
        """Called each second while the server is slow with this email."""
        try:
            self._keep(self._by_key[key], may_have_arrived=may_have_arrived)
        except (OperationalError, InterfaceError) as error:
            # The answer must still be read: the email may have arrived. The next second tries again.
            log.warning("lease_not_renewed", email=key, kind=type(error).__name__)
            connection.close()

    def _keep(self, email: Claimed, *, may_have_arrived: bool) -> None:
        """Renew the lease of the present email.

        If the server may have all of it, note after a while that it is in doubt.
        """
        self._settler.settle(is_patient=False)  # those before it: their leases are not renewed any more
        if self._progress.is_last or self._progress.waits() > SLOW:
            if may_have_arrived and email.pk not in self._noted:
                note_wait(email)
                self._noted.add(email.pk)
            self._progress.release_rest()
        renew([email])
