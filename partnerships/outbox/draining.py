"""Claims due emails, sends them over one connection, and settles them.

An email is claimed under a lease, composed and committed before it is sent. The lease is renewed while a server is
slow. If a sender is killed, another sender may claim its emails when their lease ends.
"""

from __future__ import annotations

import math
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
from partnerships.outbox.claiming import claim_emails, count_claimable
from partnerships.outbox.doubts import Doubts
from partnerships.outbox.leases import (
    Claim,
    ClaimedEmail,
    count_copy,
    mark_in_doubt,
    recheck_claim,
    release_leases,
    renew_leases,
)
from partnerships.outbox.settling import Settler
from partnerships.outbox.smtp import Sender
from partnerships.outbox.throttle import domain_of

log = structlog.get_logger(__name__)

#: How many emails are claimed at a time. The first batch is small, so that the first emails are sent soon. Batches grow
#: while the server is fast, to share the cost of a transaction, and shrink when the server is slow.
FIRST_BATCH, BATCH, _MIN_BATCH = 125, 250, 25
#: A batch that takes fewer seconds than this is quick, so the next batch is larger.
QUICK_SECONDS = 1.0
#: After this many seconds, the other emails of a batch are released, so that faster senders may claim them.
_MAX_BATCH_SECONDS = 20.0
#: How many seconds an email may wait in a batch before it is checked again and its lease renewed.
_CHECK_EVERY = 2.0
#: If one email takes more seconds than this, the server is slow, and the other emails of the batch are released.
SLOW = 2.0


@dataclass(slots=True)
class DrainResult:
    """The counts of one drain, and whether no due email was left when it ended."""

    counts: Counter[str] = field(default_factory=Counter)
    is_queue_empty: bool = False

    @property
    def total(self) -> int:
        """Return the number of emails settled."""
        return self.counts.total()


class Progress:
    """The state of a drain, which another thread may watch and end."""

    def __init__(self, doubts: Doubts | None = None) -> None:
        self.doubts = doubts or Doubts()
        #: Claimed emails that are not yet passed to the sender. The last in the list is sent next.
        self.unsent: list[ClaimedEmail] = []
        #: True if no further email is sent after the present one.
        self.is_last = False
        #: When the present email was passed to the sender, or None between emails.
        self.sent_at: float | None = None
        #: The recipient's domain of the present email.
        self.domain = ""
        self.lock = threading.Lock()

    def seconds_waited(self) -> float:
        """Return how many seconds the present email has taken, or 0 between emails."""
        sent_at = self.sent_at  # read only once, because another thread may change it
        return 0.0 if sent_at is None else time.monotonic() - sent_at

    def release_unsent(self) -> None:
        """Release the emails that were not yet passed to the sender, so that they are queued again."""
        with self.lock:
            release_leases(self.unsent)
            self.unsent = []

    def stop_after_present_email(self) -> None:
        """End the drain after the present email."""
        self.is_last = True
        self.release_unsent()


def drain(
    *,
    seconds: float,
    lanes: str = "all",
    connect: Callable[[], Sender] = backends.connect,
    batch: int = BATCH,
    person_ids: Collection[int] | None = None,
    avoided_domains: Collection[str] = (),
    progress: Progress | None = None,
) -> DrainResult:
    """Send due emails of these lanes until none are left.

    - `batch` is the maximum number of emails that are claimed at once.
    - With `person_ids`, only emails to these people are sent.
    - Emails to `avoided_domains` wait for a while.
    - Another thread may watch and end the drain through `progress`.

    The drain stops early when time is up, after finishing its batch, or when most answers leave emails in doubt. With
    EMAILS_HELD, only account emails are sent.
    """
    result = DrainResult()
    progress = progress or Progress()
    if settings.EMAILS_HELD:
        lanes = "account"
    deadline = time.monotonic() + seconds
    envelope_sender = parseaddr(settings.EMAIL_MAILBOX)[1]  # bounces are read from this mailbox
    sender = connect()
    settler = Settler()
    batch_size = min(FIRST_BATCH, batch)
    try:
        while (batch_started_at := time.monotonic()) < deadline and not progress.is_last:
            limit = batch_size if person_ids is not None else _share(batch_size, lanes)
            claim_of_batch = claim_emails(
                now=timezone.now(), limit=limit, lanes=lanes, people=person_ids, avoid=avoided_domains
            )
            _BatchSender(claim_of_batch, sender, envelope_sender, settler, progress).send()
            examined_count = claim_of_batch.examined
            del claim_of_batch  # free its memory before the next batch is composed
            settler.settle()

            is_quick = time.monotonic() - batch_started_at < QUICK_SECONDS
            if is_quick:
                batch_size = min(2 * batch_size, batch)
            else:
                batch_size = max(batch_size // 2, min(FIRST_BATCH, batch))
            if not examined_count:
                result.is_queue_empty = True
                break
    finally:
        settler.settle()
        result.counts += settler.counts
        sender.close()
    return result


def _share(batch_size: int, lanes: str) -> int:
    """Return the size of the next batch.

    Near the end of the queue, each process of the worker claims only its share of the remaining emails. All processes
    then finish at about the same time.
    """
    processes: int = settings.WORKER_CONCURRENCY
    share = math.ceil(count_claimable(batch_size * processes, lanes) / processes)
    return min(batch_size, max(share, _MIN_BATCH))


class _BatchSender:
    """Sends one batch.

    While the server is slow with one email, the lease of this email is renewed. The other emails are released, so that
    they do not have to wait for it.
    """

    def __init__(
        self, claimed: Claim, sender: Sender, envelope_sender: str, settler: Settler, progress: Progress
    ) -> None:
        self._claim = claimed
        self._sender = sender
        self._envelope_sender = envelope_sender
        self._settler = settler
        self._progress = progress
        self._email_by_key = {email.pk: email for email in claimed.emails}
        #: Ids of emails for which the database already includes this attempt in `doubts`.
        self._doubtful_ids: set[int] = set()
        self._checked_at = 0.0

    def send(self) -> None:
        """Send the batch, and release the emails that cannot be sent in time."""
        if not self._email_by_key:
            return
        self._checked_at = time.monotonic()
        not_to_send = recheck_claim(self._claim, self._claim.emails, now=timezone.now(), is_new=True)
        self._progress.unsent = [email for email in reversed(self._claim.emails) if email.pk not in not_to_send]
        for answer in self._sender.send(self._messages(), self._while_waiting):
            self._progress.sent_at = None
            self._settler.add(
                answer, self._email_by_key[answer.key].facts, is_doubt_counted=answer.key in self._doubtful_ids
            )
            self._progress.doubts.count(answer, domain=self._progress.domain)
            if self._progress.doubts.is_paused():
                self._progress.stop_after_present_email()
        self._progress.release_unsent()

    def _messages(self) -> Iterator[Outgoing]:
        """Yield the emails, each when the sender is ready for its envelope.

        The lease of an email then lasts for all commands up to the end of DATA (see `lease` in
        housing/declarations/checks.py).
        """
        started_at = time.monotonic()
        while time.monotonic() - started_at < _MAX_BATCH_SECONDS and (email := self._next_email()) is not None:
            if email.in_doubt:
                count_copy(email)
                self._doubtful_ids.add(email.pk)
            yield Outgoing(
                key=email.pk,
                sender=self._envelope_sender,
                recipient=email.address,
                data=email.data,
                has_no_dots=email.has_no_dots,
            )

    def _next_email(self) -> ClaimedEmail | None:
        """Return the next email that may be sent, or None. The emails are checked again every two seconds."""
        progress = self._progress
        with progress.lock:
            now = time.monotonic()
            if now - self._checked_at > _CHECK_EVERY:
                self._checked_at = now
                not_to_send = recheck_claim(self._claim, progress.unsent, now=timezone.now())
                progress.unsent = [email for email in progress.unsent if email.pk not in not_to_send]
            if progress.is_last or not progress.unsent:
                return None
            email = progress.unsent.pop()
            progress.domain = domain_of(email.address)
            progress.sent_at = time.monotonic()
            return email

    def _while_waiting(self, key: int, may_have_arrived: bool) -> None:
        """Renew the lease of this email. This is called each second while the server is slow with it."""
        try:
            self._renew_lease(self._email_by_key[key], may_have_arrived=may_have_arrived)
        except (OperationalError, InterfaceError) as error:
            # The answer must still be read, because the email may have arrived. The lease is renewed a second later.
            log.warning("lease_not_renewed", email=key, kind=type(error).__name__)
            connection.close()

    def _renew_lease(self, email: ClaimedEmail, *, may_have_arrived: bool) -> None:
        """Renew the lease of the present email, and settle or release the others.

        If the server may have the whole email, and has been slow for a while, the email is marked as in doubt.
        """
        # Settle the emails that were sent earlier, because their leases are not renewed any more.
        self._settler.settle(is_patient=False)
        if self._progress.is_last or self._progress.seconds_waited() > SLOW:
            if may_have_arrived and email.pk not in self._doubtful_ids:
                mark_in_doubt(email)
                self._doubtful_ids.add(email.pk)
            self._progress.release_unsent()
        renew_leases([email])
