"""A journal outside the database of what a restore must not undo.

Append-only, one line of JSON each: erasures, refusals, suppressions, access that ended or became less, reversals of
these, and one for each email that a server accepted. The files are in JOURNAL_ROOT, one a month, and a restore never
overwrites them. People and records are identified by number and by a keyed hash; the key is JOURNAL_KEY (by default
made from SECRET_KEY), which is not in the database. `manage.py after_restore` reads it.

No line is lost and none tells of an act that was rolled back. `note` keeps the line in the database, in the transaction
of the act, and moves it to the file after the commit. If the process is killed in between, or the disk is full, the
line stays in the database and the clock moves it later (`write_waiting`). Written to the file before the commit, a line
could tell of an act that was rolled back, and a restore would end access that never ended; written only after it, a
kill would lose the line.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Min

from partnerships.kit.models import WaitingLine

log = structlog.get_logger(__name__)

#: The clock leaves lines alone for this long: the process that made them moves them at once.
_OWN_TIME = dt.timedelta(seconds=30)


def address_hash(address: str) -> str:
    """The keyed hash of an address, the same in upper and lower case."""
    return _address_hash(settings.JOURNAL_KEY, address.strip().lower())


@lru_cache(maxsize=1024)  # a sender asks twice about each address of a batch
def _address_hash(key: str, address: str) -> str:
    return hmac.digest(_key(key), address.encode(), hashlib.sha256).hex()[:40]


def identity(*parts: object) -> str:
    """A keyed hash of what never changes about a record.

    A restore gives numbers again, so a line holds this beside the number. Times count in UTC.
    """
    words = [part.astimezone(dt.UTC).isoformat() if isinstance(part, dt.datetime) else str(part) for part in parts]
    return hmac.digest(_key(settings.JOURNAL_KEY), "\x1f".join(words).encode(), hashlib.sha256).hex()[:24]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"common ground: journal", hashlib.sha256)


def note(what: str, *, now: dt.datetime, **facts: Any) -> None:
    """Keep a line with the transaction; it reaches the file after the commit.

    Facts are numbers, codes and hashes: no names, no addresses.
    """
    note_all(what, [facts], now=now)


def note_all(what: str, facts: Iterable[dict[str, Any]], *, now: dt.datetime) -> None:
    """Like `note`, for many lines of one kind."""
    batch = _batch()
    batch.lines += WaitingLine.objects.bulk_create(WaitingLine(at=now, text=_text(what, now, fact)) for fact in facts)
    # Robust: an error after the commit must not make the caller say that nothing was done.
    transaction.on_commit(batch.move, robust=True)


class _Batch:
    """The lines of one transaction: they are written together."""

    def __init__(self) -> None:
        self.lines: list[WaitingLine] = []

    def move(self) -> None:
        """Move all that were committed.

        Called for each line, but the first call takes all.
        """
        lines, self.lines = self.lines, []
        if len(lines) > 1:  # a savepoint may have been rolled back
            kept = set(WaitingLine.objects.filter(pk__in=[line.pk for line in lines]).values_list("pk", flat=True))
            lines = [line for line in lines if line.pk in kept]
        if lines:
            _move(lines)


def _batch() -> _Batch:
    """The batch of the present transaction, new for its first line."""
    for registered in reversed(connection.run_on_commit):
        if isinstance(open_batch := getattr(registered[1], "__self__", None), _Batch):
            return open_batch
    return _Batch()


def write(what: str, *, now: dt.datetime, **facts: Any) -> None:
    """Write a line to the file at once."""
    write_all(what, [facts], now=now)


def write_all(what: str, facts: Iterable[dict[str, Any]], *, now: dt.datetime) -> None:
    """Write lines of one kind to the file at once.

    If the file does not take them, they wait in the database, like those of `note`.
    """
    texts = [_text(what, now, fact) for fact in facts]
    if not texts or _append(texts, now):
        return
    try:
        WaitingLine.objects.bulk_create([WaitingLine(at=now, text=text) for text in texts])
    except DatabaseError as error:
        # The disk of the database may be full too; what the line tells of has happened.
        log.error("journal_line_lost", kind=type(error).__name__)


def write_waiting(*, now: dt.datetime) -> int:
    """Move lines to the file that their process left behind; returns how many.

    Safe to run twice: a line that is written twice says the same twice.
    """
    moved = 0
    for line in WaitingLine.objects.filter(at__lte=now - _OWN_TIME).order_by("pk"):
        if not _move([line]):
            break
        moved += 1
    return moved


def oldest_waiting() -> dt.datetime | None:
    """When the oldest line was made that is not in its file; None without."""
    oldest: dt.datetime | None = WaitingLine.objects.aggregate(at=Min("at"))["at"]
    return oldest


def _move(lines: Sequence[WaitingLine]) -> bool:
    """Write committed lines to the files of their months, then delete them; whether they are there."""
    months: dict[str, list[WaitingLine]] = {}
    for line in lines:
        months.setdefault(_month(line.at), []).append(line)
    for month in months.values():
        if not _append([line.text for line in month], month[0].at, is_durable=True):
            return False
    WaitingLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
    return True


def _month(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m}"


#: Made once: a line is written for each email.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def _text(what: str, now: dt.datetime, facts: dict[str, Any]) -> str:
    return _encode({"at": now.isoformat(), "what": what, **facts})


def _append(texts: Sequence[str], at: dt.datetime, *, is_durable: bool = False) -> bool:
    """Append lines to the file of a month; False if that fails.

    With `is_durable`, only once it is on the disk.
    """
    # One write to a file opened for appending, so that lines of several processes do not mix. It begins with a line
    # break: a nearly full disk may have taken only the beginning of the line before, from any process.
    data = "\n".join(["", *texts, ""]).encode("ascii")
    try:
        file = _file(str(settings.JOURNAL_ROOT), _month(at), os.getpid())
        written = os.write(file, data)
        if written < len(data):
            log.error("journal_not_written", kind="short write")
            return False
        if is_durable:
            os.fsync(file)
    except OSError as error:
        # A full disk must not undo the change.
        log.error("journal_not_written", kind=type(error).__name__)
        return False
    return True


@lru_cache(maxsize=4)
def _file(root: str, month: str, process: int) -> int:
    """The open file of a month, for each process its own."""
    Path(root).mkdir(parents=True, exist_ok=True)
    return os.open(Path(root, f"{month}.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def has_files() -> bool:
    """Whether the journal has a file that is not empty."""
    return any(path.stat().st_size for path in Path(settings.JOURNAL_ROOT).glob("*.jsonl"))


def lines(*, since: dt.datetime) -> Iterator[dict[str, Any]]:
    """The lines from a moment on, as the files have them.

    Without empty and incomplete ones. A line may stand after later ones.
    """
    for path in sorted(Path(settings.JOURNAL_ROOT).glob("*.jsonl")):
        if path.stem < _month(since):
            continue
        with path.open(encoding="ascii") as file:  # may be larger than the memory
            for raw in file:
                try:
                    line = json.loads(raw)
                except ValueError:
                    continue
                if moment(line) >= since:
                    yield line


def moment(line: dict[str, Any]) -> dt.datetime:
    """When the act of a line happened."""
    return dt.datetime.fromisoformat(line["at"])


# ---- After a restore


@dataclass(slots=True)
class Redone:
    """What applying lines of one kind did.

    `left` says in words, without names, what could not be applied or what an operator must look at. `failed`: an error
    stopped it, and nothing of this kind was applied.
    """

    done: int = 0
    left: list[str] = field(default_factory=list)
    failed: bool = False

    def add(self, other: Redone) -> None:
        """Count what applying more lines did."""
        self.done += other.done
        self.left += other.left
        self.failed = self.failed or other.failed


def last_about(subject: str, lines: Sequence[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """The last line about each subject (the fact of that name).

    A line with `undone` reverses the act: an account was reopened, a party came back.
    """
    return {line[subject]: line for line in lines}


def not_undone(subject: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last line about each subject, unless it reverses the act."""
    return [line for line in last_about(subject, lines).values() if not line.get("undone")]


Row = TypeVar("Row")


def ended_rows(
    rows: Iterable[Row],
    lines: Sequence[dict[str, Any]],
    *,
    same: Callable[[Row], str],
    began: Callable[[Row], dt.datetime],
) -> list[Row]:
    """Rows that ended by the last line about each, and did not begin again since."""
    last = last_about("same", lines)
    return [row for row in rows if (line := last.get(same(row))) and not line["undone"] and began(row) <= moment(line)]


def same_rows(
    subject: str,
    lines: Sequence[dict[str, Any]],
    rows: Iterable[Row],
    *,
    same: Callable[[Row], str],
    began: Callable[[Row], dt.datetime],
    redone: Redone,
) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Rows of the database with the last line about each.

    Numbers are given again after a restore. So a row counts only if it is the record of the line (`same`), and began
    before the line was written. Other rows are named in `redone`.
    """
    last = {(line[subject], line.get("same")): line for line in lines}
    for row in rows:
        number = row.pk  # type: ignore[attr-defined]  # rows of any model
        line = last.get((number, same(row)))
        if line is None:
            redone.left.append(f"{subject} {number}: not the one in the journal, its number has been used again")
        elif began(row) > moment(line):
            redone.left.append(f"{subject} {number}: began again after the line of {line['at']}")
        else:
            yield row, line


def redo_each(
    subject: str,
    lines: Sequence[dict[str, Any]],
    rows: Iterable[Row],
    *,
    same: Callable[[Row], str],
    began: Callable[[Row], dt.datetime],
    redo: Callable[[Row, dict[str, Any]], int],
    unable: type[Exception] | tuple[type[Exception], ...] = (),
) -> Redone:
    """Apply the last line about each row with `redo`, which returns how many things it did.

    A refusal (`unable`) is named, and does not keep the other lines from being applied.
    """
    redone = Redone()
    for row, line in same_rows(subject, lines, rows, same=same, began=began, redone=redone):
        try:
            redone.done += redo(row, line)
        except unable as error:
            redone.left.append(f"{subject} {row.pk}: {error}")  # type: ignore[attr-defined]  # rows of any model
    return redone


#: Applies lines of one kind that the restored database lacks. May run twice.
Redo: TypeAlias = Callable[[Sequence[dict[str, Any]], dt.datetime], Redone]

_redo: dict[str, tuple[str, Redo]] = {}
_early: set[str] = set()
_in_batches: set[str] = set()
#: Lines of one kind that are applied at once after a restore.
_BATCH = 5_000


def register_redo(what: str, words: str, redo: Redo, *, early: bool = False, in_batches: bool = False) -> None:
    """Register how lines of a kind are applied; `words` is for the output.

    Early ones come before all others: a plan loses an owner before the owner leaves its partnership. Those applied
    `in_batches` come as the files have them, because there may be millions.
    """
    _redo[what] = words, redo
    if early:
        _early.add(what)
    if in_batches:
        _in_batches.add(what)


def replay(*, since: dt.datetime, now: dt.datetime) -> dict[str, Redone]:
    """Apply lines from a moment on, oldest first; what came of each kind.

    Each kind has its own transaction: an error in one leaves the others applied.
    """
    lines_by_kind: dict[str, list[dict[str, Any]]] = {}
    in_batches = {what: Redone() for what in _in_batches}
    for line in lines(since=since):
        what = line["what"]
        some = lines_by_kind.setdefault(what, [])
        some.append(line)
        if what in in_batches and len(some) >= _BATCH:
            in_batches[what].add(_apply(what, lines_by_kind.pop(what), now))
    done: dict[str, Redone] = {}
    for what in sorted(_redo, key=lambda what: what not in _early):
        redone = in_batches.get(what, Redone())
        redone.add(_apply(what, sorted(lines_by_kind.get(what, []), key=moment), now))
        done[_redo[what][0]] = redone
    unknown = [
        f"{what}: {json.dumps(line)}" for what in sorted(lines_by_kind.keys() - _redo) for line in lines_by_kind[what]
    ]
    if unknown:
        done["lines of a kind that this release does not know"] = Redone(left=unknown)
    return done


def _apply(what: str, lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Apply the lines of one kind, or nothing of it if that fails."""
    try:
        with transaction.atomic():
            return _redo[what][1](lines, now)
    except Exception as error:
        # Only the error's name is printed: its words may hold an address.
        log.exception("journal_not_applied", what=what)
        return Redone(left=[f"not applied ({type(error).__name__}, see the log): {len(lines)} lines"], failed=True)
