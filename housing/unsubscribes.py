"""One-click unsubscribes (RFC 8058) that arrive during maintenance.

They are kept in a file, and done when it ends. Mail programs send one request and do not come back, so they must not
get a 503.
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
from partnerships.people.retention import for_each

log = structlog.get_logger(__name__)

#: Bytes of the file, about 20,000 requests: what comes above that is told to come back.
MAX_BYTES = 1024 * 1024
_TOKEN = re.compile(r"[\da-f]{1,16}(\.[\da-f]{1,16}){2}\.[\w-]{22}", re.ASCII)
_REASON = "Stopped by the person's mail program, during maintenance."


def token_in(request: HttpRequest) -> str:
    """The token of a one-click unsubscribe.

    "" for any other request, whose body is not read.

    It is checked when it is used. Reading any upload here would write it to a temporary file.
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
    """Keep a token on this machine.

    False if maintenance has ended meanwhile, too many are kept already, or the disk does not take it.
    """
    try:
        with _kept() as file:
            # `maintenance off` removes that file before it waits for this one: it will see what is kept now.
            if not Path(settings.MAINTENANCE_FILE).exists() or file.seek(0, os.SEEK_END) > MAX_BYTES:
                return False
            line = f"\n{token}\n".encode("ascii")  # set off from one that a full disk cut short
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, "Cut short")
            os.fsync(file.fileno())
    except OSError as error:
        log.error("unsubscribe_not_kept", kind=type(error).__name__)
        return False
    return True


def waiting() -> int:
    """How many are kept on this machine."""
    path = _path()
    return len(path.read_bytes().split()) if path.exists() else 0


def act_on_kept(*, now: dt.datetime) -> int:
    """Stop what the kept requests asked to stop; returns how many of them did.

    Each is blanked out when it is done, so that a process that dies loses none: it may do one twice. One that fails
    does not hold up the others, and stays; the first failure is raised at the end.
    """
    if not _path().exists():
        return 0
    connection.ensure_connection()  # or each of them would wait for a database that is away
    stopped: list[bool] = []
    with _kept() as file:

        def act(kept: re.Match[bytes]) -> None:
            stopped.append(_stop(kept[0].decode("ascii", "replace"), now=now))
            file.seek(kept.start())
            file.write(b" " * len(kept[0]))

        for_each(re.finditer(rb"\S+", file.read()), act)
        file.truncate(0)
    return sum(stopped)


def _stop(token: str, *, now: dt.datetime) -> bool:
    """Stop what the email with this link was about.

    False if the link is invalid, or its person has left.
    """
    try:
        link = read(Purpose.STOP, token, now=now)
    except BadLink:
        return False
    stop_email(person=link.person, delivery=link.number, reason=_REASON, now=now)
    return True


def _path() -> Path:
    return Path(f"{settings.MAINTENANCE_FILE}.unsubscribes")


@contextmanager
def _kept() -> Iterator[FileIO]:
    """The file, which only this application may read, and only this process now: a token lets its holder act."""
    number = os.open(_path(), os.O_RDWR | os.O_CREAT, 0o600)
    with FileIO(number, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
