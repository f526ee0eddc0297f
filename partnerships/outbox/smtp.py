"""Sends emails over one SMTP connection, with the standard library's client.

Each step has its own time limit:

* EMAIL_TIMEOUT limits the connection, and each reply from its first line to its last.
* EMAIL_BODY_TIMEOUT limits the body, as long as bytes are being sent. If none are sent for EMAIL_STALL_TIMEOUT,
  sending ends (RFC 5321, 4.5.3.2.5).
* EMAIL_DATA_TIMEOUT limits the answer to the end of DATA. RFC 5321, 4.5.3.2.6 requires 10 minutes. A server that is
  slow here may be delivering the email, and giving up early would send it twice.

MAIL, RCPT and DATA are sent together if the server allows this (RFC 2920).
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
from partnerships.outbox.answers import Answer, Outcome, Outgoing, refusal_answer, reply_text

#: How many seconds pass between calls of `while_waiting`, during the body and while its answer is awaited.
WAIT_STEP = 1.0
#: How many bytes are written to the connection at a time. TLS makes one record of them, so a write can be tried again.
_CHUNK = 16_384
#: How many seconds pass between a failed connection and the next attempt. Until then, emails are deferred.
_RECONNECT_AFTER = 1.0

#: A function to call while a server is slow. Its arguments are the key of the present email, and whether the server may
#: have the whole email.
WhileWaiting = Callable[[int, bool], None]


class Sender(Protocol):
    """The interface of senders, which are our SMTP client and Django's mail backends."""

    def send(self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = ...) -> Iterator[Answer]:
        """Send each email and yield its answer at once. An error of the network is an answer too, and is not raised.

        An email is taken from `messages` only when it can be sent immediately.
        """

    def close(self) -> None:
        """End the connection."""


def do_nothing_while_waiting(key: int, may_have_arrived: bool) -> None:
    """Do nothing while a server is slow, which is the default."""


class SmtpSender:
    """Sends over one SMTP connection, which is opened when it is needed, and reopened after it was lost."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._failure = ""
        self._failed_at = 0.0

    def close(self) -> None:
        """Send QUIT and close the connection, if there is one."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except OSError:
                smtp.close()

    def send(
        self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = do_nothing_while_waiting
    ) -> Iterator[Answer]:
        """Send each email and yield its answer.

        If the connection is lost, the answer is to send the email again later. The email is in doubt if the server may
        have received all of it. The next email opens a new connection.

        The connection is opened before an email is taken from `messages`. A server that is slow to accept connections
        then does not use up the email's lease.
        """
        remaining_messages = iter(messages)
        while True:
            smtp = self._connection()
            message = next(remaining_messages, None)
            if message is None:
                return
            if smtp is None:
                yield Answer(message.key, Outcome.LATER, self._failure, reached=False)
            else:
                yield self._send(smtp, message, while_waiting)

    def _send(self, smtp: smtplib.SMTP, message: Outgoing, while_waiting: WhileWaiting) -> Answer:
        """Send one email, and return its answer.

        If the connection is lost before the end of the body, the server must not deliver the email (RFC 5321, 4.1.1.4).
        After that, the email is in doubt.
        """
        is_in_doubt = False
        try:
            envelope_refusal = _send_envelope(smtp, message)
            if envelope_refusal is not None:
                smtp.rset()
                return envelope_refusal
            body = _BodySender(smtp, message, while_waiting)
            body.send_all_but_the_end()
            is_in_doubt = True  # from here on, the server may have the whole email
            body.send_end()
            _wait_for_the_end(smtp, message.key, while_waiting)
            code, text = smtp.getreply()
            if code != 250 and code < 400:
                raise smtplib.SMTPServerDisconnected(reply_text(code, text))
        except OSError as error:  # smtplib's own errors are OSErrors
            self._drop()
            error_text = f"The connection to the mail server was lost: {error or 'closed'}"[:500]
            return Answer(message.key, Outcome.LATER, error_text, in_doubt=is_in_doubt)
        except BaseException:
            self._drop()  # without QUIT, whose answer could be mistaken for the answer about the email
            raise
        if code == 250:
            return Answer(message.key, Outcome.ACCEPTED)
        if code == 421:
            self._drop()
        return refusal_answer(message.key, code, text, at_recipient=False)

    def _connection(self) -> smtplib.SMTP | None:
        """Return the connection, which is opened if needed.

        Returns None if opening it fails, and stores the reason in `_failure`.
        """
        if self._smtp is None and time.monotonic() - self._failed_at >= _RECONNECT_AFTER:
            try:
                self._smtp = _connect()
            except OSError as error:
                self._failure = f"No connection to the mail server: {error}"[:500]
                self._failed_at = time.monotonic()
        return self._smtp

    def _drop(self) -> None:
        """Close the connection without QUIT."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


class _ReplyReader(socket.SocketIO):
    """Reads replies from a connection. All reads of one reply have the same deadline."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection, "rb")
        self._connection = connection
        self.deadline = 0.0
        #: How many reads the present reply has taken.
        self.reads = 0

    def readinto(self, buffer: Any) -> int | None:
        """Read the bytes that have arrived, waiting for them until the deadline."""
        if self.reads:  # the first read may take the whole time, which is already the timeout of the connection
            self._connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
        self.reads += 1
        return super().readinto(buffer)


class _SmtpClient(smtplib.SMTP):
    """The standard library's client, with one deadline for all lines of a reply.

    The library's own timeout is for each read, so a server that sends a byte now and then could block a sender for
    ever.
    """

    def getreply(self) -> tuple[int, bytes]:
        """Read the next reply."""
        connection: Any = self.sock
        if self.file is None:  # the connection is new, or TLS has just begun
            self._replies = _ReplyReader(connection)
            self.file = io.BufferedReader(self._replies)
        self._replies.deadline = time.monotonic() + self.timeout
        self._replies.reads = 0
        reply = super().getreply()
        if self._replies.reads > 1:
            connection.settimeout(self.timeout)
        return reply


class _SmtpClientOverTLS(_SmtpClient, smtplib.SMTP_SSL):
    """The same client, with TLS from the first byte."""


def _connect() -> smtplib.SMTP:
    """Open a connection, with TLS and a sign-in if the settings require them."""
    host, port, timeout = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT
    local_hostname = DNS_NAME.get_fqdn()
    smtp: smtplib.SMTP
    if settings.EMAIL_USE_SSL:
        smtp = _SmtpClientOverTLS(host, port, local_hostname=local_hostname, timeout=timeout, context=tls_context())
    else:
        smtp = _SmtpClient(host, port, local_hostname=local_hostname, timeout=timeout)

    try:
        smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            smtp.starttls(context=tls_context())
            smtp.ehlo()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        connection: Any = smtp.sock
        # Without this, the last packet of an email may wait for the server's delayed acknowledgement.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Without this, the operating system buffers megabytes, and on a slow line it may accept no more for minutes.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _CHUNK)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _send_envelope(smtp: smtplib.SMTP, message: Outgoing) -> Answer | None:
    """Send MAIL, RCPT and DATA. Returns the first refusal, or None if the body may follow.

    Raises `SMTPServerDisconnected` if the server ends the connection or sends an unexpected answer.
    """
    # smtplib's own methods `mail` and `rcpt` parse the address, which takes as long as sending the commands.
    commands = (
        (f"MAIL FROM:<{message.sender}>", (250,)),
        (f"RCPT TO:<{message.recipient}>", (250, 251)),
        ("DATA", (354,)),
    )
    is_pipelined = smtp.has_extn("pipelining")
    if is_pipelined:
        smtp.send("".join([f"{command}\r\n" for command, _ in commands]))
    first_refusal: Answer | None = None
    has_recipient = True
    for index, (command, expected_codes) in enumerate(commands):
        code, text = smtp.getreply() if is_pipelined else smtp.docmd(command)
        if code in expected_codes:
            continue
        if code == 421 or code < 400:
            raise smtplib.SMTPServerDisconnected(reply_text(code, text))
        is_recipient = index == 1
        if is_recipient:
            has_recipient = False
        if first_refusal is None:
            first_refusal = refusal_answer(message.key, code, text, at_recipient=is_recipient)
        if not is_pipelined:
            return first_refusal
    if first_refusal is not None and code == 354:  # despite the refusal, the server now waits for a body
        if has_recipient:
            raise smtplib.SMTPServerDisconnected(first_refusal.text)
        smtp.docmd(".")  # an empty body, which the server delivers to nobody (RFC 2920, 3.1)
    return first_refusal


def _body(message: Outgoing) -> bytes:
    """Return the bytes to send after DATA, which are the message with doubled dots and the end of the body.

    A dot at the beginning of a line is doubled, because a line with a single dot ends the body (RFC 5321, 4.5.2).
    """
    data = message.data
    if not message.has_no_dots:
        data = data.replace(b"\r\n.", b"\r\n..")
        if data.startswith(b"."):
            data = b"." + data
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


class _BodySender:
    """Sends the body of one email, as long as bytes are being sent."""

    def __init__(self, smtp: smtplib.SMTP, message: Outgoing, while_waiting: WhileWaiting) -> None:
        self._smtp = smtp
        self._key = message.key
        self._while_waiting = while_waiting
        self._body = memoryview(_body(message))
        self._last_chunk_start = max(len(self._body) - _CHUNK, 0)
        self._deadline = time.monotonic() + settings.EMAIL_BODY_TIMEOUT

    def send_all_but_the_end(self) -> None:
        """Send all but the last chunk."""
        self._send(self._body[: self._last_chunk_start], may_have_arrived=False)

    def send_end(self) -> None:
        """Send the last chunk, after which the server may have the whole email."""
        self._send(self._body[self._last_chunk_start :], may_have_arrived=True)

    def _send(self, data: memoryview, *, may_have_arrived: bool) -> None:
        """Send a part of the body, and call `while_waiting` every `WAIT_STEP`.

        Raises `TimeoutError` if nothing was sent for EMAIL_STALL_TIMEOUT, or if the email takes too long.
        """
        connection: Any = self._smtp.sock
        connection.settimeout(WAIT_STEP)
        moved_at = called_at = time.monotonic()
        sent_bytes = 0
        while sent_bytes < len(data):
            try:
                sent_bytes += connection.send(data[sent_bytes : sent_bytes + _CHUNK])
                moved_at = now = time.monotonic()
            except TimeoutError as error:
                if error.errno == errno.ETIMEDOUT:  # the operating system has given up the connection
                    raise
                now = time.monotonic()
            if now - moved_at >= settings.EMAIL_STALL_TIMEOUT:
                raise TimeoutError("the server stopped reading the email")
            if now >= self._deadline and sent_bytes < len(data):
                raise TimeoutError("the email took too long to send")
            if now - called_at >= WAIT_STEP:
                self._while_waiting(self._key, may_have_arrived)
                called_at = time.monotonic()
        connection.settimeout(self._smtp.timeout)


def _wait_for_the_end(smtp: smtplib.SMTP, key: int, while_waiting: WhileWaiting) -> None:
    """Wait for the answer to the end of DATA, up to EMAIL_DATA_TIMEOUT."""
    deadline = time.monotonic() + settings.EMAIL_DATA_TIMEOUT
    connection: Any = smtp.sock
    while not (isinstance(connection, ssl.SSLSocket) and connection.pending()):
        # After the deadline, look once more. The answer may have arrived while `while_waiting` waited for its database.
        seconds_left = max(deadline - time.monotonic(), 0.0)
        readable, _, _ = select.select([connection], [], [], min(seconds_left, WAIT_STEP))
        if readable:
            return
        if not seconds_left:
            raise TimeoutError("no answer to the end of DATA")
        while_waiting(key, True)
