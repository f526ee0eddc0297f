"""Sends emails over one kept SMTP connection, with the standard library's client.

Connecting may take EMAIL_TIMEOUT, and so may each reply from its first line to its last. The email itself is sent for
as long as bytes move, up to EMAIL_BODY_TIMEOUT; EMAIL_STALL_TIMEOUT without any ends it (RFC 5321, 4.5.3.2.5). The
answer to the end of DATA may take EMAIL_DATA_TIMEOUT (RFC 5321, 4.5.3.2.6 asks for 10 minutes): a server that is slow
there may be delivering the email, and giving up early would send it twice. MAIL, RCPT and DATA go together if the
server offers it (RFC 2920).
"""

from __future__ import annotations

import errno
import io
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from django.conf import settings
from django.core.mail.utils import DNS_NAME

from partnerships.kit.mail_tls import tls_context
from partnerships.outbox.answers import Answer, Outcome, Outgoing, refusal, reply_text

#: Seconds between calls to the caller while an email is sent, and while the answer to its end is awaited.
WAIT_STEP = 1.0
#: Bytes of an email given to the connection at a time. TLS makes one record of them, so a write can be tried again.
_CHUNK = 16_384
#: After a failed connection, emails are deferred for this many seconds before the next try to connect.
_RECONNECT_AFTER = 1.0

#: Called while a server is slow, with the key of the present email, and whether the server may have all of it.
WhileWaiting = Callable[[int, bool], None]


class Sender(Protocol):
    """A sender of emails."""

    def send(self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = ...) -> Iterator[Answer]:
        """Send each email and yield its answer at once.

        Takes an email from `messages` only when it can be sent now. Never raises because of the network.
        """

    def close(self) -> None:
        """End the connection."""


def keep_waiting(key: int, may_have_arrived: bool) -> None:
    """Do nothing while a server is slow."""


class SmtpSender:
    """One SMTP connection, opened when needed and after it was lost."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._failure = ""
        self._failed_at = 0.0

    def close(self) -> None:
        """Send QUIT, if there is a connection that waits for no answer."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except OSError:
                smtp.close()

    def send(self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = keep_waiting) -> Iterator[Answer]:
        """Send each email and yield its answer.

        If the connection is lost, the present email is retried later (or is in doubt, if the server may have had all of
        it), and the next one opens a new connection. A connection is open before an email is taken from `messages`: a
        server that is slow to let us in must not use up the time for which the caller has it.
        """
        waiting = iter(messages)
        while True:
            smtp = self._connection()
            message = next(waiting, None)
            if message is None:
                return
            if smtp is None:
                yield Answer(message.key, Outcome.LATER, self._failure, reached=False)
            else:
                yield self._send(smtp, message, while_waiting)

    def _send(self, smtp: smtplib.SMTP, message: Outgoing, while_waiting: WhileWaiting) -> Answer:
        """Send one email.

        Once the end of the body is on its way, a lost connection leaves the outcome in doubt. Before that the server
        cannot have all of it, and must not deliver it (RFC 5321, 4.1.1.4).
        """
        is_in_doubt = False
        try:
            refused = _envelope(smtp, message)
            if refused is not None:
                smtp.rset()
                return refused
            sending = _Sending(smtp, message, while_waiting)
            sending.all_but_the_end()
            is_in_doubt = True  # from here on the server may have all of it
            sending.end()
            _wait_for_the_end(smtp, message.key, while_waiting)
            code, text = smtp.getreply()
            if code != 250 and code < 400:
                raise smtplib.SMTPServerDisconnected(reply_text(code, text))
        except OSError as error:  # smtplib's own errors are OSErrors
            self._drop()
            error_text = f"The connection to the mail server was lost: {error or 'closed'}"[:500]
            return Answer(message.key, Outcome.LATER, error_text, in_doubt=is_in_doubt)
        except BaseException:
            self._drop()  # no QUIT: its answer would be that to the email
            raise
        if code == 250:
            return Answer(message.key, Outcome.ACCEPTED)
        if code == 421:
            self._drop()
        return refusal(message.key, code, text, at_recipient=False)

    def _connection(self) -> smtplib.SMTP | None:
        """The connection; None if there is none for the reason in `_failure`."""
        if self._smtp is None and time.monotonic() - self._failed_at >= _RECONNECT_AFTER:
            try:
                self._smtp = _connect()
            except OSError as error:
                self._failure, self._failed_at = f"No connection to the mail server: {error}"[:500], time.monotonic()
        return self._smtp

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


class _Replies(socket.SocketIO):
    """Reads a connection; all reads of a reply share one deadline."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(connected, "rb")
        self._connected = connected
        self.deadline = 0.0
        #: Reads of the present reply.
        self.reads = 0

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, before the deadline."""
        if self.reads:  # the first has the whole time, which is the timeout of the connection
            self._connected.settimeout(max(self.deadline - time.monotonic(), 0.001))
        self.reads += 1
        return super().readinto(buffer)


class _Client(smtplib.SMTP):
    """The standard client, with one deadline for all lines of a reply.

    Its own timeout is for each read: a server that sends a byte now and then would hold a sender for ever.
    """

    def getreply(self) -> tuple[int, bytes]:
        """The next reply."""
        connected: Any = self.sock
        if self.file is None:  # new, or TLS has just begun
            self._replies = _Replies(connected)
            self.file = io.BufferedReader(self._replies)
        self._replies.deadline, self._replies.reads = time.monotonic() + self.timeout, 0
        reply = super().getreply()
        if self._replies.reads > 1:
            connected.settimeout(self.timeout)
        return reply


class _ClientOverTLS(_Client, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


def _connect() -> smtplib.SMTP:
    """A connection that is ready for an email."""
    host, port, timeout = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT
    own_name = DNS_NAME.get_fqdn()
    smtp: smtplib.SMTP
    if settings.EMAIL_USE_SSL:
        smtp = _ClientOverTLS(host, port, local_hostname=own_name, timeout=timeout, context=tls_context())
    else:
        smtp = _Client(host, port, local_hostname=own_name, timeout=timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            smtp.starttls(context=tls_context())
            smtp.ehlo()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        # Otherwise the last packet of an email may wait for the server's delayed acknowledgement.
        connected: Any = smtp.sock
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Otherwise megabytes wait in the system, and on a slow line minutes may pass until it takes any more.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _CHUNK)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _envelope(smtp: smtplib.SMTP, message: Outgoing) -> Answer | None:
    """Send MAIL, RCPT and DATA.

    None if the body may follow, else the first refusal.

    Raises `SMTPServerDisconnected` if the server ends the connection or answers out of turn.
    """
    # smtplib's own `mail` and `rcpt` parse the address, which takes as long as sending it.
    commands = (
        (f"MAIL FROM:<{message.sender}>", (250,)),
        (f"RCPT TO:<{message.recipient}>", (250, 251)),
        ("DATA", (354,)),
    )
    are_together = smtp.has_extn("pipelining")
    if are_together:
        smtp.send("".join([f"{command}\r\n" for command, _ in commands]))
    refused: Answer | None = None
    has_recipient = True
    for place, (command, good) in enumerate(commands):
        code, text = smtp.getreply() if are_together else smtp.docmd(command)
        if code in good:
            continue
        if code == 421 or code < 400:
            raise smtplib.SMTPServerDisconnected(reply_text(code, text))
        refused = refused or refusal(message.key, code, text, at_recipient=place == 1)
        has_recipient = has_recipient and place != 1
        if not are_together:
            return refused
    if refused is not None and code == 354:  # the server waits for an email all the same
        if has_recipient:
            raise smtplib.SMTPServerDisconnected(refused.text)
        smtp.docmd(".")  # an empty one, which reaches nobody (RFC 2920, 3.1)
    return refused


def _body(message: Outgoing) -> bytes:
    """The body after DATA with doubled dots (RFC 5321, 4.5.2), and its end."""
    data = message.data
    if not message.has_no_dots:
        data = data.replace(b"\r\n.", b"\r\n..")
        if data.startswith(b"."):
            data = b"." + data
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


class _Sending:
    """Sends the body of one email for as long as bytes move."""

    def __init__(self, smtp: smtplib.SMTP, message: Outgoing, while_waiting: WhileWaiting) -> None:
        self._smtp, self._key, self._while_waiting = smtp, message.key, while_waiting
        self._body = memoryview(_body(message))
        self._last = max(len(self._body) - _CHUNK, 0)
        self._give_up = time.monotonic() + settings.EMAIL_BODY_TIMEOUT

    def all_but_the_end(self) -> None:
        """Send all but the last chunk."""
        self._send(self._body[: self._last], may_have_arrived=False)

    def end(self) -> None:
        """Send the last chunk."""
        self._send(self._body[self._last :], may_have_arrived=True)

    def _send(self, data: memoryview, *, may_have_arrived: bool) -> None:
        """Send some of the body, and call the caller each `WAIT_STEP`.

        Raises `TimeoutError` when nothing has moved for EMAIL_STALL_TIMEOUT, or when the email takes too long.
        """
        connected: Any = self._smtp.sock
        connected.settimeout(WAIT_STEP)
        moved_at = called_at = time.monotonic()
        sent = 0
        while sent < len(data):
            try:
                sent += connected.send(data[sent : sent + _CHUNK])
                moved_at = now = time.monotonic()
            except TimeoutError as error:
                if error.errno == errno.ETIMEDOUT:  # the system has given the connection up
                    raise
                now = time.monotonic()
            if now - moved_at >= settings.EMAIL_STALL_TIMEOUT:
                raise TimeoutError("the server takes no more of the email")
            if now >= self._give_up and sent < len(data):
                raise TimeoutError("the email took too long to send")
            if now - called_at >= WAIT_STEP:
                self._while_waiting(self._key, may_have_arrived)
                called_at = time.monotonic()
        connected.settimeout(self._smtp.timeout)


def _wait_for_the_end(smtp: smtplib.SMTP, key: int, while_waiting: WhileWaiting) -> None:
    """Wait for the answer to the end of DATA, up to EMAIL_DATA_TIMEOUT."""
    give_up = time.monotonic() + settings.EMAIL_DATA_TIMEOUT
    connected: Any = smtp.sock
    while not (isinstance(connected, ssl.SSLSocket) and connected.pending()):
        # Looks once more after the deadline: the caller may have waited for its database meanwhile.
        left = max(give_up - time.monotonic(), 0.0)
        if select.select([connected], [], [], min(left, WAIT_STEP))[0]:
            return
        if not left:
            raise TimeoutError("no answer to the end of DATA")
        while_waiting(key, True)
