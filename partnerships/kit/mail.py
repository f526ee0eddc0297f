"""Sending many ready messages over one kept connection, and saying of each what the server answered.

`connect()` gives what fits Django's EMAIL settings: SMTP, with commands pipelined where the server offers it (RFC
2920), or any other Django backend (a provider through anymail, the console, the tests' outbox), to which the message
is handed in parts.

Every message gets exactly one `Answer`. A message whose end was sent but whose answer never came may have been taken:
it is answered as "later" and in doubt, and the caller sends the very same again under the same Message-ID.
"""

from __future__ import annotations

import email
import email.policy
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from enum import Enum
from typing import NamedTuple, Protocol, cast

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.utils import DNS_NAME

_SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_PLAIN = re.compile(r"[!-~]+@[!-~]+")
#: A longer line, or reply, is no SMTP server's.
_LONGEST_LINE, _LONGEST_REPLY = 4096, 64 * 1024


class Outcome(Enum):
    """What became of a message: taken, refused for good, to be tried later, or no such address."""

    TAKEN = "taken"
    REFUSED = "refused"
    NO_SUCH_ADDRESS = "no such address"
    LATER = "later"


class Outgoing(NamedTuple):
    """A ready message: `data` is the whole of it with CRLF line ends; `key` is the caller's own. `has_no_dots` promises
    that none of its lines begins with a dot, so that none has to be doubled (RFC 5321, 4.5.2)."""

    key: int
    sender: str
    recipient: str
    data: bytes
    has_no_dots: bool = False


@dataclass(slots=True)
class Answer:
    """What became of the message with this key, and in the server's own words why.

    Of one to be tried later: `in_doubt` says that a server may have taken it, `reached` is off where no server let us
    in, so that nothing was said of the message at all.
    """

    key: int
    outcome: Outcome
    text: str = ""
    provider_id: str = ""
    in_doubt: bool = False
    reached: bool = True


class Unreachable(Exception):
    """No connection to the mail server, or it was lost; the text says why."""


class _Doubtful(Exception):
    """The connection was lost when the server may have had the whole message."""


class Post(Protocol):
    """Something that sends."""

    def send(self, messages: Iterable[Outgoing]) -> Iterator[Answer]:
        """Send each message and yield its answer as soon as it is known; never raises for the network's sake."""

    def close(self) -> None:
        """Say goodbye."""


def connect() -> Post:
    """Whatever sends by the EMAIL settings."""
    return SmtpPost() if settings.EMAIL_BACKEND == _SMTP_BACKEND else BackendPost()


def _says(code: int, text: bytes) -> str:
    return f"{code} {' '.join(text.decode('utf-8', 'replace').split())}"[:500]


#: Enhanced codes that speak of the mailbox itself (RFC 3463, RFC 7505): none of that name, none such place, not an
#: address, moved, takes no mail, closed. 5.1.7 and 5.1.8 speak of the sender, 5.1.0 and 5.0.0 of nothing in particular.
NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
#: Replies that ask who we are (RFC 4954, RFC 3207): the settings of this instance are wrong, not the address.
_ASKS_WHO_WE_ARE = frozenset({530, 534, 535, 538})
_ADDRESS = re.compile(r"\S+@\S+")
_RELAYING = re.compile(r"\brelay|authenticat|\bauth\b|log ?in\b|starttls|credential", re.IGNORECASE)
_ABOUT_US = re.compile(
    r"\bsender\b|client host|\byour (ip|host|server|domain|network)\b|block(ed)? ?(list|using)"
    r"|blacklist|\b(dns|r)bl\b|spamhaus|reputation|\bspf\b|\bdkim\b|\bdmarc\b|send as|send on behalf",
    re.IGNORECASE,
)
_POLICY = re.compile(r"polic(y|ies)|spam|denied|not (permitted|allowed|authori[sz]ed)|prohibited|banned", re.IGNORECASE)


def enhanced_code(text: str) -> str:
    """The enhanced code (RFC 3463) in a server's words, such as `5.1.1`; empty when it gives none."""
    found = _ENHANCED.search(text)
    return found[1] if found else ""


def classify(code: int, text: str, *, at_recipient: bool) -> Outcome:
    """Read a server's refusal: by its enhanced code (RFC 3463) where it gives one, else by where it was given.

    There is no such address only where the code speaks of the mailbox, or where a plain 550, 551 or 553 answers RCPT
    without a word of policy. A server that does not let this instance in (relaying, signing in, the sender, a block
    list) says nothing about an address: what it refuses is tried later, when somebody has put that right.
    """
    words = _ADDRESS.sub(" ", text)  # an address may say anything
    if code < 500 or code in _ASKS_WHO_WE_ARE or _RELAYING.search(words):
        return Outcome.LATER
    enhanced = enhanced_code(words)
    if enhanced in NO_MAILBOX:
        return Outcome.NO_SUCH_ADDRESS
    if enhanced in ("5.1.7", "5.1.8") or _ABOUT_US.search(words):
        return Outcome.LATER
    if enhanced:
        return Outcome.REFUSED
    plain = at_recipient and code in (550, 551, 553) and not _POLICY.search(words)
    return Outcome.NO_SUCH_ADDRESS if plain else Outcome.REFUSED


def is_about_us(text: str) -> bool:
    """Whether a server's words speak of this instance, not of the address: it does not relay, or lists us."""
    words = _ADDRESS.sub(" ", text)
    return bool(_RELAYING.search(words) or _ABOUT_US.search(words))


def tls_context() -> ssl.SSLContext:
    """How the mail server must prove who it is: by a certificate for its name that an authority vouches for (the
    system's, or those of EMAIL_CA_FILE), unless EMAIL_TLS_VERIFY is off."""
    context = ssl.create_default_context(cafile=settings.EMAIL_CA_FILE or None)
    if not settings.EMAIL_TLS_VERIFY:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class SmtpPost:
    """One kept SMTP connection; opened when first needed, opened again once when it was lost."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._pipelining = False
        self._reason = ""

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except (OSError, smtplib.SMTPException):
                smtp.close()

    def send(self, messages: Iterable[Outgoing]) -> Iterator[Answer]:
        """Send each message and yield its answer.

        With pipelining the end of one message and the envelope of the next go out together, so that one round trip a
        message is left. When the connection is lost, the message under way is to be tried later (or is in doubt, where
        the server may have had all of it), and the next opens a new connection.
        """
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
        """Send over the open connection until it is lost or nothing waits; returns the first message not yet tried."""
        current: Outgoing | None = message
        following: Outgoing | None = None  # its envelope may be under way already
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
                    answer = _final(current.key, code, text)
                    done, current, following = answer, following, None
                    yield done
                    continue
                yield answer
                current = next(waiting, None)
                if current is not None:
                    self._write(_envelope(current))
        except (OSError, smtplib.SMTPException, Unreachable, _Doubtful) as error:
            self._drop()
            if current is not None:
                said = f"The connection to the mail server was lost: {error or 'closed'}"[:500]
                yield Answer(current.key, Outcome.LATER, said, in_doubt=isinstance(error, _Doubtful))
            return following or next(waiting, None)
        return None

    def _finish(self, message: Outgoing, more: bytes = b"") -> tuple[int, bytes]:
        """Send the message itself (and whatever follows it) and read what the server says to its end."""
        try:
            self._write(*_body(message), more)
            return self._read()
        except (OSError, smtplib.SMTPException, Unreachable) as error:
            raise _Doubtful(str(error) or "closed") from error

    def _read_envelope(self, message: Outgoing) -> Answer | None:
        """Read the three answers to MAIL, RCPT and DATA; None when the body may follow."""
        sender, recipient, data = self._read(), self._read(), self._read()
        if data[0] == 354:
            if sender[0] == 250 and recipient[0] in (250, 251):
                return None
            # A server that says "go ahead" to nobody gets an empty message, which it must refuse (RFC 2920, 3.1).
            self._write(b".\r\n")
            self._read()
        for (code, text), at_recipient in ((sender, False), (recipient, True), (data, False)):
            if code >= 400:
                if code == 421:
                    self._drop()
                elif data[0] != 354:
                    self._write(b"RSET\r\n")
                    self._read()
                answer = _refusal(message.key, code, text, at_recipient=at_recipient)
                if code == 421:
                    raise Unreachable(answer.text)
                return answer
        raise Unreachable(f"The mail server answered out of turn: {_says(*data)}")

    def _send_plainly(self, message: Outgoing) -> Answer:
        """One message by the plain dialogue: each command waits for its answer."""
        for command, at_recipient in ((_mail(message), False), (_rcpt(message), True), (b"DATA\r\n", False)):
            self._write(command)
            code, text = self._read()
            if code == 421:
                raise Unreachable(_says(code, text))
            if code >= 400:
                self._write(b"RSET\r\n")
                self._read()
                return _refusal(message.key, code, text, at_recipient=at_recipient)
        code, text = self._finish(message)
        return _final(message.key, code, text)

    def _open(self) -> None:
        if self._smtp is not None:
            return
        host, port, timeout = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT or 10
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
        """One reply: its code, and its words in one piece however many lines it has."""
        smtp = self._smtp
        if smtp is None or smtp.file is None:
            raise Unreachable("The connection was closed.")
        line = smtp.file.readline(_LONGEST_LINE)
        if line[3:4] == b" " and line[:3].isdigit():
            return int(line[:3]), line[4:]
        words = b""
        while line[3:4] == b"-" and len(words) < _LONGEST_REPLY:
            words += line[4:]
            line = smtp.file.readline(_LONGEST_LINE)
        if not line:
            raise Unreachable("the server hung up")
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
    """The message as it goes after DATA, dots doubled (RFC 5321, 4.5.2), and what ends it."""
    data = message.data
    if not message.has_no_dots:
        data = data.replace(b"\r\n.", b"\r\n..")
        if data.startswith(b"."):
            data = b"." + data
    return data, b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"


def _final(key: int, code: int, text: bytes) -> Answer:
    return Answer(key, Outcome.TAKEN) if code == 250 else _refusal(key, code, text, at_recipient=False)


def _refusal(key: int, code: int, text: bytes, *, at_recipient: bool) -> Answer:
    said = _says(code, text)
    return Answer(key, classify(code, said, at_recipient=at_recipient), said)


def can_be_addressed(address: str) -> bool:
    """Whether SMTP without extensions can carry the address: ASCII, one @, nothing that would break a command."""
    return bool(_PLAIN.fullmatch(address)) and "<" not in address and ">" not in address


class BackendPost:
    """Any Django mail backend: each message is read again and handed over in parts, one connection for all."""

    def __init__(self) -> None:
        self._connection = get_connection()

    def close(self) -> None:
        """Close the backend's connection."""
        self._connection.close()

    def send(self, messages: Iterable[Outgoing]) -> Iterator[Answer]:
        """Hand each message to the backend and yield its answer; providers refuse with an exception of their own."""
        for message in messages:
            letter = as_django(message)
            try:
                self._connection.open()
                taken = self._connection.send_messages([letter])
            except smtplib.SMTPRecipientsRefused as error:
                code, words = next(iter(error.recipients.values()))
                yield _refusal(message.key, code, words, at_recipient=True)
                continue
            except smtplib.SMTPResponseException as error:
                words = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
                yield _refusal(message.key, error.smtp_code, words, at_recipient=False)
                continue
            except Exception as error:  # noqa: BLE001 - a provider's client raises what it likes; the ledger keeps its words
                yield _of_provider(message.key, error)
                continue
            status = getattr(letter, "anymail_status", None)
            provider_id = str(getattr(status, "message_id", "") or "")
            if taken:
                yield Answer(message.key, Outcome.TAKEN, "", provider_id)
            else:
                yield Answer(message.key, Outcome.LATER, "The mail backend did not take it.")


def _of_provider(key: int, error: Exception) -> Answer:
    """Whether to try again after a provider's exception: refused recipients and 4xx requests are final, the rest is
    not. A provider that does not know our key, or that cannot be reached, has said nothing of the message."""
    said = f"{type(error).__name__}: {error}"[:500]
    if type(error).__name__ == "AnymailRecipientsRefused":
        return Answer(key, Outcome.NO_SUCH_ADDRESS, said)
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500:
        if status in (401, 403, 408, 429):
            return Answer(key, Outcome.LATER, said, reached=status in (408, 429))
        return Answer(key, Outcome.REFUSED, said)
    if isinstance(error, (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)):
        return Answer(key, Outcome.LATER, said, reached=False)
    return Answer(key, Outcome.LATER, said, in_doubt=True)


_OWN_HEADERS = frozenset({"from", "to", "subject", "content-type", "content-transfer-encoding", "mime-version"})


def as_django(message: Outgoing) -> EmailMultiAlternatives:
    """The same message as Django's mail backends want it: subject, text, HTML and headers."""
    parsed = email.message_from_bytes(message.data, policy=email.policy.default)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    letter = EmailMultiAlternatives(
        subject=str(parsed["Subject"] or ""),
        body=_words(text),
        from_email=str(parsed["From"]),
        to=[str(parsed["To"] or message.recipient)],
        headers={name: str(value) for name, value in parsed.items() if name.lower() not in _OWN_HEADERS},
    )
    if html is not None:
        letter.attach_alternative(_words(html), "text/html")
    return letter


def _words(part: Message | None) -> str:
    return str(cast(EmailMessage, part).get_content()).replace("\r\n", "\n") if part is not None else ""
