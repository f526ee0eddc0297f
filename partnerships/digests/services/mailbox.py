"""Reads the mailbox of incoming emails: bounces, requests to stop, replies and forwarded emails."""

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
from partnerships.outbox.bounces import mark_report_processed, note_bounce
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.reports import read_report

log = structlog.get_logger(__name__)

#: The most emails that one run of the job reads, and the number of seconds after which it begins no other email. This
#: is well below the time limit of jobs (`housing/celery.py`), so only an email that takes too long by itself reaches
#: that.
MAX_READ, MAX_SECONDS = 500, 120
#: The key in the cache that lets only one process read the mailbox. If the process is killed, the key expires.
_LOCK, _LOCK_SECONDS = "digests.mailbox", 600
#: How often a worker may be killed while it reads the same email. After that, the email is set aside.
MAX_TRIES = 2
#: The number of seconds for which these attempts are counted.
_TRIES_KEPT = 86_400


class UnableToReadMailbox(Exception):
    """The path has no mailbox, or another process is reading it."""


def read_mailbox(*, path: str, now: dt.datetime) -> Counter[str]:
    """Act on every email at a path, and return how many there were of each sort.

    The path is a Maildir, a folder of .eml files, an mbox file, one email, or "-" for standard input. The new emails of
    a Maildir are moved after reading, as by the job. An email that was read before has no effect. Raises
    `UnableToReadMailbox`, also while another process reads a Maildir.
    """
    if (Path(path) / "cur").is_dir():
        count_by_outcome = _read_maildir(Path(path), now, limited=False)
        if count_by_outcome is None:
            raise UnableToReadMailbox("Another process is reading a mailbox. Try again in a few minutes.")
        return count_by_outcome
    return Counter(_act_or_report(name, raw, now) for name, raw in _emails_at(path))


def read_new_mail(*, now: dt.datetime) -> Counter[str]:
    """Act on the new emails in the Maildir EMAIL_MAILBOX_PATH, for the job, and return how many of each sort.

    Nothing is read while another process reads it. Raises `UnableToReadMailbox`.
    """
    if not settings.EMAIL_MAILBOX_PATH:
        return Counter()
    return _read_maildir(Path(settings.EMAIL_MAILBOX_PATH), now, limited=True) or Counter()


def _read_maildir(maildir: Path, now: dt.datetime, *, limited: bool) -> Counter[str] | None:
    """Act on the new emails in a Maildir, and return how many of each sort; None while another process reads it.

    With `limited`, at most `MAX_READ` emails are read, in about `MAX_SECONDS`; the next run reads the others. Emails
    are moved from `new` to `cur`, as email apps move them. An email that cannot be read gets a flag there, and
    administrators are alerted.
    """
    if not cache.add(_LOCK, 1, timeout=_LOCK_SECONDS):
        return None
    count_by_outcome: Counter[str] = Counter()
    try:
        if not (maildir / "new").is_dir() or not (maildir / "cur").is_dir():
            raise UnableToReadMailbox(f"There is no Maildir at {maildir}.")
        started_at = time.monotonic()
        files = sorted(file for file in (maildir / "new").iterdir() if file.is_file())
        for file in files[:MAX_READ] if limited else files:
            if limited and time.monotonic() - started_at > MAX_SECONDS:
                break
            cache.touch(_LOCK, _LOCK_SECONDS)
            outcome = _act_or_flag(file, now)
            flag = "F" if outcome == "failed" else "S"  # flagged, or seen
            file.rename(maildir / "cur" / f"{file.name}:2,{flag}")
            count_by_outcome[outcome] += 1
    finally:
        cache.delete(_LOCK)
    return count_by_outcome


def _act_or_flag(file: Path, now: dt.datetime) -> str:
    """Act on the email in a file, and return its sort, or "failed" if it cannot be read.

    If one worker is killed while it reads an email, that may be by chance. If two are killed, the email is the cause.
    """
    key = tries_of(file.name)
    tries = cache.get(key, 0) + 1
    cache.set(key, tries, timeout=_TRIES_KEPT)  # with `incr` the key would expire after five minutes, before the lock
    if tries > MAX_TRIES:
        _report_failure(file.name, "the worker that read it was killed")
        return "failed"
    try:
        return _act_or_report(file.name, file.read_bytes(), now)
    except PermissionError as error:
        _report_failure(file.name, type(error).__name__)
        return "failed"
    finally:
        cache.delete(key)


def tries_of(name: str) -> str:
    """Return the cache key under which the attempts to read this file are counted."""
    return f"{_LOCK}.{hashlib.sha256(name.encode()).hexdigest()}"


def _act_or_report(name: str, raw: bytes, now: dt.datetime) -> str:
    """Act on an email, and return its sort, or "failed" if it cannot be read within `MAX_PARSING_SECONDS`.

    A failure of the database or the disk is not the email's fault, so the exception is raised and the next run tries
    again.
    """
    try:
        return _act_on(raw, now)
    except (OperationalError, InterfaceError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - one bad email must not delay the others
        _report_failure(name, type(error).__name__)
        return "failed"


def _report_failure(name: str, why: str) -> None:
    """Alert administrators to an email that could not be read."""
    log.warning("email_not_read", file=name, kind=why)
    alert_operators(
        "An email in the mailbox could not be read",
        f"We have flagged the email {name} in the mailbox and will not try it again (error: {why}). Please open it and "
        "act on it yourself. We carry on with the other emails.",
        quiet=dt.timedelta(days=1),
    )


def _emails_at(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield the emails at a path, each with a name for reports. Raises `UnableToReadMailbox`."""
    if path == "-":
        yield "standard input", sys.stdin.buffer.read()
        return
    source = Path(path)
    if source.is_dir():
        yield from ((file.name, file.read_bytes()) for file in sorted(source.glob("*.eml")))
        return
    if not source.is_file():
        raise UnableToReadMailbox(f"There is no mailbox at {path}. Check the path.")
    raw = source.read_bytes()
    if not raw.startswith(b"From "):
        yield source.name, raw
        return
    mbox = mailbox.mbox(path, create=False)
    for number, key in enumerate(sorted(mbox.keys()), start=1):
        yield f"{source.name}, number {number}", mbox.get_bytes(key)


@transaction.atomic
def _act_on(raw: bytes, now: dt.datetime) -> str:
    """Act on one email, unless it was read before, and return its sort."""
    with time_limit(MAX_PARSING_SECONDS):
        report = read_report(raw)
    if report is None:
        outcomes = (hooks.received(raw=raw, now=now) for hooks in registered_hooks())
        return next(filter(None, outcomes), "other")
    if not mark_report_processed(report.event_id, now=now):
        return "known"
    if report.kind == "stop":
        return _stop_by_token(report.stop_token, now)
    bounce = note_bounce(
        kind=report.kind,
        address=report.address,
        text=report.text,
        message_id=report.message_id,
        now=now,
    )
    return "bounces" if bounce is not None else "other"


def _stop_by_token(stop_token: str, now: dt.datetime) -> str:
    """Stop what an email app asked to stop for its user, and return the sort of email."""
    try:
        link = read_link(Purpose.STOP, stop_token, now=now)
    except BadLink:
        return "other"
    stop_email(person=link.person, delivery_id=link.record_id, reason="Stopped by the person, by email.", now=now)
    return "stopped"
