"""Returns the sender that the EMAIL settings choose.

This is our SMTP client, or a Django mail backend such as anymail's backends for providers.
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

from partnerships.outbox.answers import Answer, Outcome, Outgoing, refusal_answer
from partnerships.outbox.smtp import WAIT_STEP, Sender, SmtpSender, WhileWaiting, do_nothing_while_waiting

_SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_OWN_HEADERS = frozenset({"from", "to", "subject", "content-type", "content-transfer-encoding", "mime-version"})


def connect() -> Sender:
    """Return a new sender, as chosen by the EMAIL settings."""
    if settings.EMAIL_BACKEND == _SMTP_BACKEND:
        return SmtpSender()
    return BackendSender()


class BackendSender:
    """Sends through any Django mail backend, over one connection.

    The backend runs in a separate thread, so that the lease of an email does not run out while a provider is slow. A
    provider's client limits the time of each read, which does not help if the provider sends a byte now and then. So
    the answer is awaited for EMAIL_DATA_TIMEOUT and EMAIL_TIMEOUT together.
    """

    def __init__(self) -> None:
        self._connection = get_connection()

    def close(self) -> None:
        """Close the backend's connection."""
        self._connection.close()

    def send(
        self, messages: Iterable[Outgoing], while_waiting: WhileWaiting = do_nothing_while_waiting
    ) -> Iterator[Answer]:
        """Send each message and yield its answer."""
        for message in messages:
            yield self._wait_for(self._start_sending(message), message, while_waiting)

    def _start_sending(self, message: Outgoing) -> Future[Answer]:
        """Send one email in a thread that does not prevent the process from ending."""
        future: Future[Answer] = Future()
        connection = self._connection

        def run() -> None:
            try:
                future.set_result(_send_with_backend(connection, message))
            except BaseException as error:  # noqa: BLE001 - raised where the answer is awaited
                future.set_exception(error)

        Thread(target=run, name="mail-backend", daemon=True).start()
        return future

    def _wait_for(self, future: Future[Answer], message: Outgoing, while_waiting: WhileWaiting) -> Answer:
        """Wait for the answer, and call `while_waiting` after each `WAIT_STEP`."""
        deadline = time.monotonic() + settings.EMAIL_DATA_TIMEOUT + settings.EMAIL_TIMEOUT
        while True:
            try:
                return future.result(timeout=WAIT_STEP)
            except StillWaiting:
                if time.monotonic() > deadline:
                    # The old connection is still in use by the thread that waits.
                    self._connection = get_connection()
                    text = "The provider did not answer in time."
                    return Answer(message.key, Outcome.LATER, text, in_doubt=True)
                while_waiting(message.key, True)


def _send_with_backend(connection: BaseEmailBackend, message: Outgoing) -> Answer:
    """Send one email with a Django backend, and return an answer even if the backend raises an error."""
    django_message = to_django_message(message)
    try:
        connection.open()
        accepted_count = connection.send_messages([django_message])
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))  # each message has one recipient
        return refusal_answer(message.key, code, text, at_recipient=True)
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        return refusal_answer(message.key, error.smtp_code, text, at_recipient=False)
    except Exception as error:  # noqa: BLE001 - a provider's client may raise anything; the ledger shows its text
        return _answer_of_provider(message.key, error)
    status = getattr(django_message, "anymail_status", None)
    provider_id = str(getattr(status, "message_id", "") or "")
    if accepted_count:
        return Answer(message.key, Outcome.ACCEPTED, "", provider_id)
    return Answer(message.key, Outcome.LATER, "The mail backend did not accept the email.")


def _answer_of_provider(key: int, error: Exception) -> Answer:
    """Return the answer that an exception of a provider's client means.

    Refused recipients and most 4xx responses are final. After all other errors, the email is tried again later. If a
    provider rejects our key or no connection is made, it does not have the message. After a 5xx response, the provider
    may have accepted it.
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


#: Exceptions which mean that no connection was made, so the provider cannot have the message.
_NO_CONNECTION = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
#: Names of exceptions of urllib3 with the same meaning. They are names, so that urllib3 need not be imported.
_NO_CONNECTION_NAMES = frozenset({"ConnectTimeoutError", "NameResolutionError", "NewConnectionError"})


def _never_connected(error: BaseException) -> bool:
    """Return True if an exception, or one of its causes, means that no connection was made."""
    to_examine: list[object] = [error]
    examined_ids: set[int] = set()
    while to_examine:
        candidate = to_examine.pop()
        if not isinstance(candidate, BaseException) or id(candidate) in examined_ids:
            continue
        examined_ids.add(id(candidate))
        if isinstance(candidate, _NO_CONNECTION) or type(candidate).__name__ in _NO_CONNECTION_NAMES:
            return True
        # Clients wrap the first error in several ways.
        to_examine += [
            candidate.__cause__,
            candidate.__context__,
            getattr(candidate, "reason", None),
            *candidate.args,
        ]
    return False


def to_django_message(message: Outgoing) -> EmailMultiAlternatives:
    """Return the message as a Django email, with its text, HTML, calendar, attachments and headers."""
    parsed_message = email.message_from_bytes(message.data, policy=email.policy.default)
    text, html = parsed_message.get_body(("plain",)), parsed_message.get_body(("html",))
    mail = EmailMultiAlternatives(
        subject=str(parsed_message["Subject"] or ""),
        body=_text_of(text),
        from_email=str(parsed_message["From"]),
        to=[str(parsed_message["To"] or message.recipient)],
        reply_to=[str(parsed_message["Reply-To"])] if parsed_message["Reply-To"] else None,
        headers={
            name: str(value)
            for name, value in parsed_message.items()
            if name.lower() not in {*_OWN_HEADERS, "reply-to"}
        },
    )
    if html is not None:
        mail.attach_alternative(_text_of(html), "text/html")
    for part in parsed_message.walk():
        if part.get_content_type() == "text/calendar":
            mail.attach_alternative(_text_of(part), f"text/calendar; method={part.get_param('method')}")
        elif part.get_content_disposition() == "attachment":
            mail.attach(part.get_filename(), part.get_payload(decode=True), part.get_content_type())
    return mail


def _text_of(part: Message | None) -> str:
    """Return the text of a part of a message with Unix line ends, or "" without a part."""
    if part is None:
        return ""
    return str(cast(EmailMessage, part).get_content()).replace("\r\n", "\n")
