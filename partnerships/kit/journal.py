"""A journal outside the database of what a restore must not undo.

Append-only, one line of JSON each: erasures, refusals, suppressions, ended access, reversals of these, and one for
each email that a server accepted. The files are in JOURNAL_ROOT, one a month, and a restore never overwrites them.
People are identified by number, addresses by a keyed hash; the key is JOURNAL_KEY (by default made from SECRET_KEY),
which is not in the database. `manage.py after_restore` reads it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import structlog
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)


def address_hash(address: str) -> str:
    """The keyed hash of an address, the same in upper and lower case."""
    return hmac.digest(_key(settings.JOURNAL_KEY), address.strip().lower().encode(), hashlib.sha256).hex()[:40]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"common ground: journal", hashlib.sha256)


def note(what: str, *, now: dt.datetime, **facts: Any) -> None:
    """Write a line after the commit.

    Facts are numbers, codes and hashes: no names, no addresses.
    """
    transaction.on_commit(lambda: write(what, now=now, **facts))


def write(what: str, *, now: dt.datetime, **facts: Any) -> None:
    """Write a line at once."""
    text = json.dumps({"at": now.isoformat(), "what": what, **facts}, separators=(",", ":")) + "\n"
    # One write to a file opened for appending, so that lines of several processes do not mix.
    try:
        file = _file(str(settings.JOURNAL_ROOT), f"{now.astimezone(dt.UTC):%Y-%m}", os.getpid())
        os.write(file, text.encode("ascii"))
    except OSError as error:
        # A full disk must not undo the change. Operators see in the log that the line is missing.
        log.error("journal_not_written", what=what, kind=type(error).__name__)


@lru_cache(maxsize=4)
def _file(root: str, month: str, process: int) -> int:
    """The open file of a month, for each process its own."""
    Path(root).mkdir(parents=True, exist_ok=True)
    return os.open(Path(root, f"{month}.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def lines(*, since: dt.datetime) -> Iterator[dict[str, Any]]:
    """The lines from a moment on, oldest first, without incomplete ones."""
    for path in sorted(Path(settings.JOURNAL_ROOT).glob("*.jsonl")):
        if path.stem < f"{since.astimezone(dt.UTC):%Y-%m}":
            continue
        for raw in path.read_text(encoding="ascii").splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if dt.datetime.fromisoformat(line["at"]) >= since:
                yield line


# ---- After a restore


def last_about(subject: str, lines: Sequence[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """The last line about each subject (the fact of that name).

    A line with `undone` reverses the act: an account was reopened, a party came back.
    """
    return {line[subject]: line for line in lines}


def not_undone(subject: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last line about each subject, unless it reverses the act."""
    return [line for line in last_about(subject, lines).values() if not line.get("undone")]


#: Applies lines of one kind that the restored database lacks; returns how many. May run twice.
Redo: TypeAlias = Callable[[Sequence[dict[str, Any]], dt.datetime], int]

_redo: dict[str, tuple[str, Redo]] = {}


def register_redo(what: str, words: str, redo: Redo) -> None:
    """Register how lines of a kind are applied; `words` is for the output."""
    _redo[what] = words, redo


def replay(*, since: dt.datetime, now: dt.datetime) -> dict[str, int]:
    """Apply lines from a moment on, by kind; the number applied by each."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines(since=since):
        found.setdefault(line["what"], []).append(line)
    return {words: redo(found.get(what, []), now) for what, (words, redo) in _redo.items()}
