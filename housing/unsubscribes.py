"""Save one-click unsubscribes (RFC 8058) that arrive during maintenance, and act on them afterwards.

A mail program sends its request only once, so it must not get a 503.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from partnerships.digests.emails.links import BadLink, Purpose, read
from partnerships.digests.services import stop_email
from partnerships.people.retention import count_successes

log = structlog.get_logger(__name__)

#: The maximum size of the file, about 20,000 requests. Later requests get the page for 503.
MAX_BYTES = 1024 * 1024
_TOKEN = re.compile(r"[\da-f]{1,16}(\.[\da-f]{1,16}){2}\.[\w-]{22}", re.ASCII)
_REASON = "Stopped by the person's mail program, during maintenance."


def token_in(request: HttpRequest) -> str:
    """Return the token of a one-click unsubscribe, or "" for any other request.

    Only the token's form is checked now; the token itself is checked when it is used. The body of other requests is not
    read, because Django would write an upload to a temporary file.
    """
    if request.method != "POST":
        return ""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return ""
    token = str(match.kwargs.get("token", ""))
    if match.view_name != "digests:stop" or not _TOKEN.fullmatch(token):
        return ""
    return token if request.POST.get("List-Unsubscribe") == "One-Click" else ""


def keep(token: str) -> bool:
    """Save a token on this machine, and return whether that worked.

    It does not if maintenance has just ended, too many tokens are saved already, or the disk is full.
    """
    try:
        with _locked_file() as file:
            # `maintenance off` removes MAINTENANCE_FILE before it locks this file, so it will find this token.
            if not Path(settings.MAINTENANCE_FILE).exists() or file.seek(0, os.SEEK_END) > MAX_BYTES:
                return False
            # The line begins with a line break, because a full disk may have cut the previous line short.
            line = f"\n{token}\n".encode("ascii")
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, "Cut short")
            os.fsync(file.fileno())
    except OSError as error:
        log.error("unsubscribe_not_kept", kind=type(error).__name__)
        return False
    return True


def waiting() -> int:
    """Return the number of tokens saved on this machine."""
    path = _path()
    return len(path.read_bytes().split()) if path.exists() else 0


def act_on_kept(*, now: dt.datetime) -> int:
    """Stop the emails of the saved requests, and return how many requests had a valid token.

    Each token is overwritten with spaces once it is done. So a process that dies loses no token, and does at most one
    twice. A token that fails remains in the file, and the others are still done. The first error is raised at the end.
    """
    if not _path().exists():
        return 0
    connection.ensure_connection()  # fail now, instead of waiting for the database once for each token
    results: list[bool] = []
    with _locked_file() as file:

        def act(token: re.Match[bytes]) -> None:
            results.append(_stop(token[0].decode("ascii", "replace"), now=now))
            file.seek(token.start())
            file.write(b" " * len(token[0]))

        count_successes(re.finditer(rb"\S+", file.read()), act)
        file.truncate(0)
    return sum(results)


def _stop(token: str, *, now: dt.datetime) -> bool:
    """Stop the emails of this token. Returns False if the token is invalid or the person has left."""
    try:
        link = read(Purpose.STOP, token, now=now)
    except BadLink:
        return False
    stop_email(person=link.person, delivery_id=link.record_id, reason=_REASON, now=now)
    return True


def _path() -> Path:
    return Path(f"{settings.MAINTENANCE_FILE}.unsubscribes")


@contextmanager
def _locked_file() -> Iterator[FileIO]:
    """Open the file and lock it. Only the application's user may read it, because tokens are secrets."""
    descriptor = os.open(_path(), os.O_RDWR | os.O_CREAT, 0o600)
    with FileIO(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
