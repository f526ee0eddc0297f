"""Reading the mailbox: bounces, requests to stop, replies and forwarded emails."""

from __future__ import annotations

import datetime as dt
import mailbox
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction

from partnerships.digests.emails.links import BadLink, Purpose
from partnerships.digests.emails.links import read as read_link
from partnerships.digests.services.stopping_from_email import stop_email
from partnerships.kit.operators import alert_operators
from partnerships.outbox.bounces import is_new, note_bounce
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.reports import read_report

log = structlog.get_logger(__name__)

#: How many emails one run of the job reads at most. It begins no other after this many seconds, well before the time
#: limit of jobs (`housing/celery.py`), so that the limit only ends an email that takes too long by itself.
MAX_READ, MAX_SECONDS = 500, 120
#: How long a run keeps others from reading if it is killed.
_LEASE, _LEASE_SECONDS = "digests.mailbox", 600


class UnableToReadMailbox(Exception):
    """There is no mailbox at the path."""


def read_mailbox(*, path: str, now: dt.datetime) -> Counter[str]:
    """Act on every email at a path; return how many of each sort.

    The path is a Maildir, a folder of .eml files, an mbox file, one email, or - for standard input. An email that was
    read before does nothing again. Raises `UnableToReadMailbox`.
    """
    return Counter(_act_on(raw, now) for raw in _emails_at(path))


def read_new_mail(*, now: dt.datetime) -> Counter[str]:
    """Act on the new emails in the Maildir `EMAIL_MAILBOX_PATH`, as the job does.

    One process reads at a time. Emails that were read move from `new` to `cur`, as mail programs move them. One that
    always fails is flagged there, and operators are told. Raises `UnableToReadMailbox`.
    """
    counts: Counter[str] = Counter()
    if not settings.EMAIL_MAILBOX_PATH or not cache.add(_LEASE, 1, timeout=_LEASE_SECONDS):
        return counts
    try:
        box = Path(settings.EMAIL_MAILBOX_PATH)
        if not (box / "new").is_dir() or not (box / "cur").is_dir():
            raise UnableToReadMailbox(f"There is no Maildir at {box}.")
        began = time.monotonic()
        for file in islice(sorted(one for one in (box / "new").iterdir() if one.is_file()), MAX_READ):
            if time.monotonic() - began > MAX_SECONDS:
                break
            said = _act_or_flag(file, now)
            file.rename(box / "cur" / f"{file.name}:2,{'F' if said == 'failed' else 'S'}")
            counts[said] += 1
    finally:
        cache.delete(_LEASE)
    return counts


def _act_or_flag(file: Path, now: dt.datetime) -> str:
    """What an email was; "failed" if it cannot be read at all.

    A database or a disk that is away says nothing about the email: the next run tries again. A missing right to read
    the file does.
    """
    try:
        return _act_on(file.read_bytes(), now)
    except Exception as error:  # one bad email must not hold up the others
        if isinstance(error, (OperationalError, InterfaceError, OSError)) and not isinstance(error, PermissionError):
            raise
        log.warning("email_not_read", file=file.name, kind=type(error).__name__)
        alert_operators(
            "An email in the mailbox could not be read",
            f"It is flagged in EMAIL_MAILBOX_PATH: {file.name} ({type(error).__name__}). The others were read.",
            quiet=dt.timedelta(days=1),
        )
        return "failed"


def _emails_at(path: str) -> Iterator[bytes]:
    if path == "-":
        yield sys.stdin.buffer.read()
        return
    place = Path(path)
    if place.is_dir() and not (place / "cur").is_dir():
        yield from (file.read_bytes() for file in sorted(place.glob("*.eml")))
        return
    if place.is_dir():
        box = mailbox.Maildir(path, create=False)
        yield from (box.get_bytes(key) for key in sorted(box.keys()))
        return
    if not place.is_file():
        raise UnableToReadMailbox(f"There is no mailbox at {path}.")
    raw = place.read_bytes()
    if raw.startswith(b"From "):
        mbox = mailbox.mbox(path, create=False)
        yield from (mbox.get_bytes(key) for key in sorted(mbox.keys()))
        return
    yield raw


@transaction.atomic
def _act_on(raw: bytes, now: dt.datetime) -> str:
    """Act on one email and say what it was; a known one does nothing again."""
    report = read_report(raw)
    if report is None:
        return next((said for hooks in registered_hooks() if (said := hooks.received(raw=raw, now=now))), "other")
    if not is_new(report.event_id, now=now):
        return "known"
    if report.kind == "stop":
        try:
            link = read_link(Purpose.STOP, report.stop_token, now=now)
        except BadLink:
            return "other"
        stop_email(person=link.person, delivery=link.number, reason="Stopped by the person, by mail.", now=now)
        return "stopped"
    bounce = note_bounce(
        kind=report.kind,
        address=report.address,
        text=report.text,
        message_id=report.message_id,
        now=now,
    )
    return "bounces" if bounce is not None else "other"
