"""One-click unsubscribes (RFC 8058) that arrive during maintenance: kept in a file, and done when it ends.

Mail programs send one request and do not come back, so they must not get a 503.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from partnerships.digests.emails.links import BadLink, Purpose, read
from partnerships.digests.services import stop_email

log = structlog.get_logger(__name__)

#: Bytes of the file, about 20,000 requests: what comes above that is told to come back.
MAX_BYTES = 1024 * 1024
_TOKEN = re.compile(r"[\da-f]{1,16}(\.[\da-f]{1,16}){2}\.[\w-]{22}", re.ASCII)
_REASON = "Stopped by the person's mail program, during maintenance."


def token_in(request: HttpRequest) -> str:
    """The token of a one-click unsubscribe; "" for any other request. It is checked when it is used."""
    if request.method != "POST" or request.POST.get("List-Unsubscribe") != "One-Click":
        return ""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return ""
    token = str(match.kwargs.get("token", ""))
    return token if match.view_name == "digests:stop" and _TOKEN.fullmatch(token) else ""


def keep(token: str) -> bool:
    """Keep a token on this machine; False if too many are kept already, or the disk does not take it."""
    try:
        with _kept() as file:
            if file.seek(0, os.SEEK_END) > MAX_BYTES:
                return False
            file.write(f"{token}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        log.error("unsubscribe_not_kept", kind=type(error).__name__)
        return False
    return True


def waiting() -> int:
    """How many are kept on this machine."""
    path = _path()
    return len(path.read_text(encoding="ascii").split()) if path.exists() else 0


def act_on_kept(*, now: dt.datetime) -> int:
    """Stop what the kept requests asked to stop; returns how many of them did.

    What was done is removed one by one, so that after an error nothing is lost: a stop may be done twice.
    """
    if not _path().exists():
        return 0
    stopped = 0
    with _kept() as file:
        file.seek(0)
        left = file.read().split()
        while left:
            try:
                link = read(Purpose.STOP, left[0], now=now)
            except BadLink:
                pass  # not a link of ours, or one of somebody who has left
            else:
                stop_email(person=link.person, delivery=link.number, reason=_REASON, now=now)
                stopped += 1
            left = left[1:]
            file.seek(0)
            file.truncate()
            file.write("".join(f"{one}\n" for one in left))
            file.flush()
    return stopped


def _path() -> Path:
    return Path(f"{settings.MAINTENANCE_FILE}.unsubscribes")


@contextmanager
def _kept() -> Iterator[IO[str]]:
    """The file, which only this application may read, and only this process now: a token lets its holder act."""
    number = os.open(_path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(number, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
