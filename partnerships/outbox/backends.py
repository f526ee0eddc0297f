"""The sender chosen by the EMAIL settings.

Either our SMTP client, or any Django mail backend (a provider through anymail).
"""

from __future__ import annotations

import email
import email.policy
import smtplib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillWaiting
from email.message import EmailMessage, Message
from threading import Thread
from typing import cast

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from partnerships.outbox.answers import Answer, Outcome, Outgoing, refusal
from partnerships.outbox.smtp import WAIT_STEP, Sender, SmtpSender, WhileWaiting, keep_waiting

_SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_OWN_HEADERS = frozenset({"from", "to", "subject", "content-type", "content-transfer-encoding", "mime-version"})


def connect() -> Sender:
    """The sender chosen by the EMAIL settings."""
    return SmtpSender() if settings.EMAIL_BACKEND == _SMTP_BACKEND else BackendSender()


class BackendSender:
    """Sends through any Django mail backend over one connection.

    The backend runs in a thread of its own, so that a slow provider does not let a lease run out. A client's own limits
    are for each read: from a provider that sends a byte now and then, the answer is awaited up to EMAIL_DATA_TIMEOUT.
    """

    def __init__(self) -> None:
        self._connection = get_connection()

    def close(self) -> None:
        """Close the backend's connection."""
        self._connection.close()

    def send(self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = keep_waiting) -> Iterator[Answer]:
        """Send each message and yield its answer.

        Backends refuse with exceptions of their own.
        """
        for message in messages:
            under_way = self._begin(message)
            give_up = time.monotonic() + settings.EMAIL_DATA_TIMEOUT + settings.EMAIL_TIMEOUT
            while True:
                try:
                    answer = under_way.result(timeout=WAIT_STEP)
                    break
                except StillWaiting:
                    if time.monotonic() > give_up:
                        self._connection = get_connection()  # the other is left to the thread that waits
                        said = "The provider did not answer in time."
                        answer = Answer(message.key, Outcome.LATER, said, in_doubt=True)
                        break
                    while_waiting(message.key, True)
            yield answer

    def _begin(self, message: Outgoing) -> Future[Answer]:
        """Send one email in a thread, which does not keep the process from ending."""
        under_way: Future[Answer] = Future()
        begun = self._connection

        def run() -> None:
            try:
                under_way.set_result(_hand_over(begun, message))
            except BaseException as error:  # noqa: BLE001 - raised where the answer is awaited
                under_way.set_exception(error)

        Thread(target=run, name="mail-backend", daemon=True).start()
        return under_way


def _hand_over(connection: BaseEmailBackend, message: Outgoing) -> Answer:
    """Send one email with Django's backend.

    Its errors become an answer for the ledger.
    """
    django_message = as_django(message)
    try:
        connection.open()
        accepted = connection.send_messages([django_message])
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        return refusal(message.key, code, words, at_recipient=True)
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        return refusal(message.key, error.smtp_code, words, at_recipient=False)
    except Exception as error:  # noqa: BLE001 - a provider's client raises what it likes; the ledger keeps its words
        return _of_provider(message.key, error)
    status = getattr(django_message, "anymail_status", None)
    provider_id = str(getattr(status, "message_id", "") or "")
    if accepted:
        return Answer(message.key, Outcome.ACCEPTED, "", provider_id)
    return Answer(message.key, Outcome.LATER, "The mail backend did not accept it.")


def _of_provider(key: int, error: Exception) -> Answer:
    """The outcome of a provider's exception.

    Refused recipients and most 4xx responses are final, others are retried. A provider that rejects our key or cannot
    be reached has said nothing about the message. After a 5xx response it may have accepted the message.
    """
    error_text = f"{type(error).__name__}: {error}"[:500]
    if type(error).__name__ == "AnymailRecipientsRefused":
        return Answer(key, Outcome.NO_SUCH_ADDRESS, error_text)
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500:
        if status in (401, 403, 408, 429):
            return Answer(key, Outcome.LATER, error_text, reached=status in (408, 429))
        return Answer(key, Outcome.REFUSED, error_text)
    if _never_connected(error):
        return Answer(key, Outcome.LATER, error_text, reached=False)
    return Answer(key, Outcome.LATER, error_text, in_doubt=True)


#: What says that no connection was made, so that the provider cannot have the message. Classes of urllib3 by name.
_NO_CONNECTION = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
_NO_CONNECTION_NAMES = frozenset({"ConnectTimeoutError", "NameResolutionError", "NewConnectionError"})


def _never_connected(error: BaseException) -> bool:
    """Whether an exception, or one that it was raised for, says that no connection was made."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, _NO_CONNECTION) or type(one).__name__ in _NO_CONNECTION_NAMES:
            return True
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return False


def as_django(message: Outgoing) -> EmailMultiAlternatives:
    """The message as a Django email: subject, text, HTML, calendar and headers."""
    parsed = email.message_from_bytes(message.data, policy=email.policy.default)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    mail = EmailMultiAlternatives(
        subject=str(parsed["Subject"] or ""),
        body=_words(text),
        from_email=str(parsed["From"]),
        to=[str(parsed["To"] or message.recipient)],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers={name: str(value) for name, value in parsed.items() if name.lower() not in {*_OWN_HEADERS, "reply-to"}},
    )
    if html is not None:
        mail.attach_alternative(_words(html), "text/html")
    for part in parsed.walk():
        if part.get_content_type() == "text/calendar":
            mail.attach_alternative(_words(part), f"text/calendar; method={part.get_param('method')}")
        elif part.get_content_disposition() == "attachment":
            mail.attach(part.get_filename(), part.get_payload(decode=True), part.get_content_type())
    return mail


def _words(part: Message | None) -> str:
    return str(cast(EmailMessage, part).get_content()).replace("\r\n", "\n") if part is not None else ""
