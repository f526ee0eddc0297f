"""Reading the mailbox: bounces, requests to stop, replies and forwarded emails."""

from __future__ import annotations

import datetime as dt
import hashlib
import mailbox
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction

from partnerships.digests.emails.links import BadLink, Purpose
from partnerships.digests.emails.links import read as read_link
from partnerships.digests.services.stopping_from_email import stop_email
from partnerships.kit.operators import alert_operators
from partnerships.kit.time_limits import MAX_PARSING_SECONDS, time_limit
from partnerships.outbox.bounces import is_new, note_bounce
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.reports import read_report

log = structlog.get_logger(__name__)

#: How many emails one run of the job reads at most. It begins no other after this many seconds, well before the time
#: limit of jobs (`housing/celery.py`), so that the limit only ends an email that takes too long by itself.
MAX_READ, MAX_SECONDS = 500, 120
#: How long a run keeps others from reading if it is killed.
_LEASE, _LEASE_SECONDS = "digests.mailbox", 600
#: How often a worker may be killed while it reads an email, until that email is set aside, and how long that counts.
MAX_TRIES, _TRIES_KEPT = 2, 86_400


class UnableToReadMailbox(Exception):
    """There is no mailbox at the path."""


def read_mailbox(*, path: str, now: dt.datetime) -> Counter[str]:
    """Act on every email at a path; return how many of each sort.

    The path is a Maildir, a folder of .eml files, an mbox file, one email, or - for standard input. The new emails of a
    Maildir are moved when they are read, as the job does. An email that was read before does nothing again. Raises
    `UnableToReadMailbox`, also while another process reads a Maildir.
    """
    if (Path(path) / "cur").is_dir():
        counts = _read_maildir(Path(path), now, limited=False)
        if counts is None:
            raise UnableToReadMailbox("Another process is reading a mailbox. Try again in a few minutes.")
        return counts
    return Counter(_act_or_report(name, raw, now) for name, raw in _emails_at(path))


def read_new_mail(*, now: dt.datetime) -> Counter[str]:
    """Act on the new emails in the Maildir `EMAIL_MAILBOX_PATH`, as the job does.

    See `_read_maildir`. Raises `UnableToReadMailbox`.
    """
    if not settings.EMAIL_MAILBOX_PATH:
        return Counter()
    return _read_maildir(Path(settings.EMAIL_MAILBOX_PATH), now, limited=True) or Counter()


def _read_maildir(box: Path, now: dt.datetime, *, limited: bool) -> Counter[str] | None:
    """Act on the new emails in a Maildir.

    None while another process reads one. With `limited`, at most `MAX_READ` in about `MAX_SECONDS`: the next run reads
    the others. Emails that were read move from `new` to `cur`, as mail programs move them. One that cannot be read is
    flagged there, and operators are told.
    """
    counts: Counter[str] = Counter()
    if not cache.add(_LEASE, 1, timeout=_LEASE_SECONDS):
        return None
    try:
        if not (box / "new").is_dir() or not (box / "cur").is_dir():
            raise UnableToReadMailbox(f"There is no Maildir at {box}.")
        began = time.monotonic()
        new = sorted(file for file in (box / "new").iterdir() if file.is_file())
        for file in new[:MAX_READ] if limited else new:
            if limited and time.monotonic() - began > MAX_SECONDS:
                break
            cache.touch(_LEASE, _LEASE_SECONDS)
            outcome = _act_or_flag(file, now)
            file.rename(box / "cur" / f"{file.name}:2,{'F' if outcome == 'failed' else 'S'}")
            counts[outcome] += 1
    finally:
        cache.delete(_LEASE)
    return counts


def _act_or_flag(file: Path, now: dt.datetime) -> str:
    """What an email was; "failed" if it cannot be read at all.

    A worker that was killed while it read says nothing about the email; two do.
    """
    tries = tries_of(file.name)
    begun = cache.get(tries, 0) + 1
    cache.set(tries, begun, timeout=_TRIES_KEPT)  # `incr` would keep it for five minutes only, less than the lease
    if begun > MAX_TRIES:
        _report_failure(file.name, "the worker that read it was killed")
        return "failed"
    try:
        outcome = _act_or_report(file.name, file.read_bytes(), now)
    except PermissionError as error:
        _report_failure(file.name, type(error).__name__)
        outcome = "failed"
    finally:
        cache.delete(tries)
    return outcome


def tries_of(name: str) -> str:
    """The key under which the cache counts how often reading this file has begun."""
    return f"{_LEASE}.{hashlib.sha256(name.encode()).hexdigest()}"


def _act_or_report(name: str, raw: bytes, now: dt.datetime) -> str:
    """What an email was.

    "failed" if it cannot be read, or not in `MAX_PARSING_SECONDS`. A database or a disk that is away says nothing about
    the email: the next run tries again.
    """
    try:
        return _act_on(raw, now)
    except Exception as error:  # one bad email must not hold up the others
        if isinstance(error, (OperationalError, InterfaceError, OSError)):
            raise
        _report_failure(name, type(error).__name__)
        return "failed"


def _report_failure(name: str, why: str) -> None:
    log.warning("email_not_read", file=name, kind=why)
    alert_operators(
        "An email in the mailbox could not be read",
        f"It is flagged in the mailbox: {name} ({why}). The others were read.",
        quiet=dt.timedelta(days=1),
    )


def _emails_at(path: str) -> Iterator[tuple[str, bytes]]:
    """Each email with a name for it."""
    if path == "-":
        yield "standard input", sys.stdin.buffer.read()
        return
    place = Path(path)
    if place.is_dir():
        yield from ((file.name, file.read_bytes()) for file in sorted(place.glob("*.eml")))
        return
    if not place.is_file():
        raise UnableToReadMailbox(f"There is no mailbox at {path}.")
    raw = place.read_bytes()
    if raw.startswith(b"From "):
        mbox = mailbox.mbox(path, create=False)
        for place_in_it, key in enumerate(sorted(mbox.keys()), start=1):
            yield f"{place.name}, number {place_in_it}", mbox.get_bytes(key)
        return
    yield place.name, raw


@transaction.atomic
def _act_on(raw: bytes, now: dt.datetime) -> str:
    """Act on one email and say what it was.

    Nothing happens if it was read before.
    """
    with time_limit(MAX_PARSING_SECONDS):
        report = read_report(raw)
    if report is None:
        return next((outcome for hooks in registered_hooks() if (outcome := hooks.received(raw=raw, now=now))), "other")
    if not is_new(report.event_id, now=now):
        return "known"
    if report.kind == "stop":
        try:
            link = read_link(Purpose.STOP, report.stop_token, now=now)
        except BadLink:
            return "other"
        stop_email(person=link.person, delivery=link.number, reason="Stopped by the person, by email.", now=now)
        return "stopped"
    bounce = note_bounce(
        kind=report.kind,
        address=report.address,
        text=report.text,
        message_id=report.message_id,
        now=now,
    )
    return "bounces" if bounce is not None else "other"
