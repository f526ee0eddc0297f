"""Sends many messages over one SMTP connection.

Each command has a timeout. Commands are pipelined if the server offers it (RFC 2920). Connecting, MAIL, RCPT and DATA
have EMAIL_TIMEOUT each. The answer to the end of DATA may take EMAIL_DATA_TIMEOUT (RFC 5321, 4.5.3.2.6 asks for 10
minutes): a server that is slow there may be delivering the message, and giving up early would send it twice.
"""

from __future__ import annotations

import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Protocol

from django.conf import settings
from django.core.mail.utils import DNS_NAME

from partnerships.kit.mail_tls import tls_context
from partnerships.outbox.answers import Answer, Outcome, Outgoing, refusal, reply_text

#: Longer lines and replies do not come from an SMTP server.
_MAX_LINE, _MAX_REPLY = 4096, 64 * 1024
#: Seconds between calls to the caller while the answer to the end of DATA is awaited.
WAIT_STEP = 1.0

#: Called while a server is slow, with the key of the present message. Returns whether the caller has released the other
#: messages, so that no further one may be sent over this connection.
WhileWaiting = Callable[[int], bool]


class Unreachable(Exception):
    """The mail server cannot be reached, or the connection was lost."""


class _InDoubt(Exception):
    """The connection was lost when the server may have had the whole message."""


class Sender(Protocol):
    """A sender of messages."""

    def send(self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = ...) -> Iterator[Answer]:
        """Send each message and yield its answer at once.

        Never raises because of the network.
        """

    def close(self) -> None:
        """End the connection."""


def keep_waiting(key: int) -> bool:
    """Wait on, and keep the other messages."""
    return False


class SmtpSender:
    """One SMTP connection, opened when needed and after it was lost."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._pipelining = False
        self._reason = ""
        self._while_waiting: WhileWaiting = keep_waiting
        self._is_abandoned = False

    def close(self) -> None:
        """Send QUIT, if there is a connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except (OSError, smtplib.SMTPException):
                smtp.close()

    def send(self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = keep_waiting) -> Iterator[Answer]:
        """Send each message and yield its answer.

        With pipelining the end of one message and the envelope of the next are sent together: one round trip for each
        message. If the connection is lost, the present message is retried later (or is in doubt, if the server may have
        had all of it), and the next opens a new connection.
        """
        self._while_waiting, self._is_abandoned = while_waiting, False
        waiting = iter(messages)
        message = next(waiting, None)
        refused_at: float | None = None
        while message is not None:
            if refused_at is not None and time.monotonic() - refused_at < 1.0:
                yield Answer(message.key, Outcome.LATER, self._reason, reached=False)
                message = next(waiting, None)
                continue
            try:
                self._open()
            except Unreachable as error:
                refused_at, self._reason = time.monotonic(), str(error)
                continue
            refused_at = None
            message = yield from self._run(message, waiting)

    def _run(self, message: Outgoing, waiting: Iterator[Outgoing]) -> Generator[Answer, None, Outgoing | None]:
        """Send until the connection is lost or nothing waits.

        Returns the first message not yet tried.
        """
        current: Outgoing | None = message
        following: Outgoing | None = None  # its envelope may have been sent already
        try:
            if not self._pipelining:
                while current is not None:
                    yield self._send_plainly(current)
                    current = next(waiting, None)
                return None
            self._write(_envelope(message))
            while current is not None:
                answer = self._read_envelope(current)
                if answer is None:
                    following = next(waiting, None)
                    code, text = self._finish(current, _envelope(following) if following else b"")
                    done, current, following = _final(current.key, code, text), following, None
                    if self._is_abandoned:
                        # Its envelope was sent, but another sender has it now: only closing the connection cancels it.
                        current = None
                        self._drop()
                    yield done
                    continue
                yield answer
                current = next(waiting, None)
                if current is not None:
                    self._write(_envelope(current))
        except (OSError, smtplib.SMTPException, Unreachable, _InDoubt) as error:
            self._drop()
            if current is not None:
                said = f"The connection to the mail server was lost: {error or 'closed'}"[:500]
                yield Answer(current.key, Outcome.LATER, said, in_doubt=isinstance(error, _InDoubt))
            return next(waiting, None) if self._is_abandoned else following or next(waiting, None)
        return None

    def _finish(self, message: Outgoing, more: bytes = b"") -> tuple[int, bytes]:
        """Send the body and the next envelope, and read the answer to the body."""
        try:
            self._write(*_body(message), more)
            self._wait_for_the_end(message.key)
            return self._read()
        except (OSError, smtplib.SMTPException, Unreachable) as error:
            raise _InDoubt(str(error) or "closed") from error

    def _wait_for_the_end(self, key: int) -> None:
        """Wait for the answer to the end of DATA, up to EMAIL_DATA_TIMEOUT."""
        smtp = self._smtp
        if smtp is None or smtp.sock is None:
            raise Unreachable("The connection was closed.")
        give_up = time.monotonic() + settings.EMAIL_DATA_TIMEOUT
        while not (isinstance(smtp.sock, ssl.SSLSocket) and smtp.sock.pending()):
            left = give_up - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer to the end of DATA")
            if select.select([smtp.sock], [], [], min(left, WAIT_STEP))[0]:
                return
            self._is_abandoned = self._while_waiting(key) or self._is_abandoned

    def _read_envelope(self, message: Outgoing) -> Answer | None:
        """Read the answers to MAIL, RCPT and DATA; None if the body may follow."""
        sender, recipient, data = self._read(), self._read(), self._read()
        if data[0] == 354:
            if sender[0] == 250 and recipient[0] in (250, 251):
                return None
            # A server that accepts DATA without a recipient gets an empty message, which it must refuse (RFC 2920).
            self._write(b".\r\n")
            self._read()
        for (code, text), at_recipient in ((sender, False), (recipient, True), (data, False)):
            if code >= 400:
                if code == 421:
                    self._drop()
                elif data[0] != 354:
                    self._write(b"RSET\r\n")
                    self._read()
                answer = refusal(message.key, code, text, at_recipient=at_recipient)
                if code == 421:
                    raise Unreachable(answer.text)
                return answer
        raise Unreachable(f"The mail server answered out of turn: {reply_text(*data)}")

    def _send_plainly(self, message: Outgoing) -> Answer:
        """Send one message without pipelining: each command waits for its answer."""
        for command, at_recipient in ((_mail(message), False), (_rcpt(message), True), (b"DATA\r\n", False)):
            self._write(command)
            code, text = self._read()
            if code == 421:
                raise Unreachable(reply_text(code, text))
            if code >= 400:
                self._write(b"RSET\r\n")
                self._read()
                return refusal(message.key, code, text, at_recipient=at_recipient)
        code, text = self._finish(message)
        return _final(message.key, code, text)

    def _open(self) -> None:
        if self._smtp is not None:
            return
        host, port, timeout = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT
        own_name = DNS_NAME.get_fqdn()
        smtp: smtplib.SMTP
        try:
            if settings.EMAIL_USE_SSL:
                smtp = smtplib.SMTP_SSL(host, port, local_hostname=own_name, timeout=timeout, context=tls_context())
            else:
                smtp = smtplib.SMTP(host, port, local_hostname=own_name, timeout=timeout)
            try:
                smtp.ehlo_or_helo_if_needed()
                if settings.EMAIL_USE_TLS:
                    smtp.starttls(context=tls_context())
                    smtp.ehlo()
                if settings.EMAIL_HOST_USER:
                    smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
            except BaseException:
                smtp.close()
                raise
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"No connection to the mail server: {error}"[:500]) from error
        if smtp.sock is None or smtp.file is None:
            raise Unreachable("No connection to the mail server.")
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._smtp = smtp
        self._pipelining = smtp.has_extn("pipelining")

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _write(self, *parts: bytes) -> None:
        smtp = self._smtp
        if smtp is None or smtp.sock is None:
            raise Unreachable("The connection was closed.")
        if len(parts) == 1 or isinstance(smtp.sock, ssl.SSLSocket):
            smtp.sock.sendall(b"".join(parts))
            return
        sent = smtp.sock.sendmsg(parts)  # does not copy them
        if sent < sum(map(len, parts)):
            smtp.sock.sendall(memoryview(b"".join(parts))[sent:])

    def _read(self) -> tuple[int, bytes]:
        """One reply: its code, and its lines joined."""
        smtp = self._smtp
        if smtp is None or smtp.file is None:
            raise Unreachable("The connection was closed.")
        line = smtp.file.readline(_MAX_LINE)
        if line[3:4] == b" " and line[:3].isdigit():
            return int(line[:3]), line[4:]
        words = b""
        while line[3:4] == b"-" and len(words) < _MAX_REPLY:
            words += line[4:]
            line = smtp.file.readline(_MAX_LINE)
        if not line:
            raise Unreachable("the server closed the connection")
        if not line[:3].isdigit():
            raise Unreachable(f"the server said {line[:80]!r}")
        return int(line[:3]), words + line[4:]


def _mail(message: Outgoing) -> bytes:
    return b"MAIL FROM:<%b>\r\n" % message.sender.encode("ascii")


def _rcpt(message: Outgoing) -> bytes:
    return b"RCPT TO:<%b>\r\n" % message.recipient.encode("ascii")


def _envelope(message: Outgoing) -> bytes:
    return b"MAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\n" % (
        message.sender.encode("ascii"),
        message.recipient.encode("ascii"),
    )


def _body(message: Outgoing) -> tuple[bytes, bytes]:
    """The body after DATA with doubled dots (RFC 5321, 4.5.2), and its end."""
    data = message.data
    if not message.has_no_dots:
        data = data.replace(b"\r\n.", b"\r\n..")
        if data.startswith(b"."):
            data = b"." + data
    return data, b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"


def _final(key: int, code: int, text: bytes) -> Answer:
    return Answer(key, Outcome.ACCEPTED) if code == 250 else refusal(key, code, text, at_recipient=False)
