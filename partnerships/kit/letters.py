"""Single letters to one person (invitations, alerts): rendered from templates/emails, sent at once, never raising."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import connections
from django.template.loader import render_to_string
from django.urls import reverse

log = structlog.get_logger(__name__)


def link(name: str, **kwargs: object) -> str:
    """The full address of a page, from the one configured origin."""
    return f"{settings.SITE_ORIGIN}{reverse(name, kwargs=kwargs)}"


def told_by_letter(names: Sequence[str]) -> str:
    """` Ben West got a letter.`, ` Ben West and Wendy March got a letter.`, or nothing where nobody did."""
    return f" {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} got a letter." if names else ""


def send_letter(*, to: str, template: str, context: Mapping[str, Any], reply_to: str = "") -> bool:
    """Send `templates/emails/{template}.{subject.txt,txt,html}` to one address; whether the server took it.

    Call after commit. A letter that cannot be sent is logged without its content: the page that asked for it
    offers to send it again.
    """
    words = {**context, "site_name": settings.SITE_NAME, "site_origin": settings.SITE_ORIGIN}
    subject = " ".join(render_to_string(f"emails/{template}.subject.txt", words).split())
    letter = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"emails/{template}.txt", words).strip() + "\n",
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers={"Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(render_to_string(f"emails/{template}.html", words), "text/html")
    return _send(letter, template)


def _send(letter: EmailMessage, template: str) -> bool:
    try:
        letter.send()
    except (OSError, SMTPException, ValueError) as error:
        log.warning("letter_not_sent", template=template, kind=type(error).__name__)
        return False
    return True


#: One thread: letters about accounts are few, and a mail server that hangs must not pile up connections.
_background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="letters")


def in_background(work: Callable[[], object]) -> None:
    """Do something about letters without making the page wait, which would tell whether there was anything to do."""
    if settings.LETTERS_IN_BACKGROUND:
        _background.submit(copy_context().run, _work, work)
    else:
        work()


def _work(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - nobody waits for it: without a word in the log it would be lost unseen
        log.warning("background_failed", kind=type(error).__name__)
    finally:
        connections.close_all()


def send_in_background(letter: EmailMessage) -> None:
    """Send a letter without making the page wait."""
    in_background(partial(_send, letter, "account"))
