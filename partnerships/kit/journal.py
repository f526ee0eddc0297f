"""A journal, outside the database, of the changes that a restore of a backup must not undo.

It contains one line of JSON for each erasure, refusal and suppression, and for each access that ended or was reduced.
A reversal of these is a line too, and so is each email that a mail server accepted. JOURNAL_ROOT has one file for each
month. Lines are only appended to it, and a restore never overwrites it. `manage.py after_restore` applies the lines to
the restored database. They identify people and records by id, and by a hash with JOURNAL_KEY. This key is not in the
database. By default, it is made from SECRET_KEY.

`note` first stores a line in the database, within the transaction of the change, and moves it to the file after the
commit. If the process is killed in between, or the disk is full, a periodic task moves the line later
(`write_waiting`). This order matters. A line that is written to the file before the commit could report a change that
was rolled back, and a restore would then end access that never ended. A line that is only written after the commit
would be lost if the process is killed.
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

#: `write_waiting` skips younger lines, because the process that added them usually moves them at once.
_MIN_AGE = dt.timedelta(seconds=30)
#: The reason that histories give for a change that is made again after a restore.
MADE_AGAIN = "We restored an older backup, so we made this change again."


def address_hash(address: str) -> str:
    """Return the keyed hash of an email address, the same for upper and lower case."""
    return _address_hash(settings.JOURNAL_KEY, address.strip().lower())


@lru_cache(maxsize=1024)  # the sender of emails hashes each address of a batch twice
def _address_hash(key: str, address: str) -> str:
    return hmac.digest(_key(key), address.encode(), hashlib.sha256).hex()[:40]


def identity(*parts: object) -> str:
    """Return a keyed hash of those parts of a record that never change.

    A line contains the record's id and this hash, because another record may get the same id after a restore.
    """
    texts = [part.astimezone(dt.UTC).isoformat() if isinstance(part, dt.datetime) else str(part) for part in parts]
    return hmac.digest(_key(settings.JOURNAL_KEY), "\x1f".join(texts).encode(), hashlib.sha256).hex()[:24]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"common ground: journal", hashlib.sha256)


def note(line_kind: str, *, now: dt.datetime, **facts: Any) -> None:
    """Add a line of this kind within the current transaction. It is written to the file after the commit.

    Facts are ids, codes and hashes, never names or addresses.
    """
    note_all(line_kind, [facts], now=now)


def note_all(line_kind: str, facts: Iterable[dict[str, Any]], *, now: dt.datetime) -> None:
    """Add several lines of one kind within the current transaction. They are written to the file after the commit."""
    batch = _current_batch()
    batch.lines += WaitingLine.objects.bulk_create(
        WaitingLine(at=now, text=_text(line_kind, now, facts_of_line)) for facts_of_line in facts
    )
    # With `robust`, an error after the commit is only logged. The caller would otherwise report that nothing was saved.
    transaction.on_commit(batch.move, robust=True)


class _Batch:
    """The lines of one transaction, which are written to the file together."""

    def __init__(self) -> None:
        self.lines: list[WaitingLine] = []

    def move(self) -> None:
        """Move all committed lines to the file. The first call after a commit moves all, and others nothing."""
        lines, self.lines = self.lines, []
        if len(lines) > 1:  # some may not exist, because their savepoint was rolled back
            committed_ids = set(
                WaitingLine.objects.filter(pk__in=[line.pk for line in lines]).values_list("pk", flat=True)
            )
            lines = [line for line in lines if line.pk in committed_ids]
        if lines:
            _move(lines)


def _current_batch() -> _Batch:
    """Return the batch of the current transaction, or a new batch if the transaction has no line yet."""
    for _savepoint_ids, function, *_ in reversed(connection.run_on_commit):
        batch = getattr(function, "__self__", None)
        if isinstance(batch, _Batch):
            return batch
    return _Batch()


def write(line_kind: str, *, now: dt.datetime, **facts: Any) -> None:
    """Write a line to the file at once, for an act that no rollback can undo, such as a sent email."""
    write_all(line_kind, [facts], now=now)


def write_all(line_kind: str, facts: Iterable[dict[str, Any]], *, now: dt.datetime) -> None:
    """Write lines of one kind to the file at once. If that fails, store them in the database, to be written later."""
    texts = [_text(line_kind, now, facts_of_line) for facts_of_line in facts]
    if not texts or _append(texts, now):
        return
    try:
        WaitingLine.objects.bulk_create([WaitingLine(at=now, text=text) for text in texts])
    except DatabaseError as error:
        # The database's disk may be full too. The act has happened, so the caller must go on.
        log.error("journal_line_lost", kind=type(error).__name__)


def write_waiting(*, now: dt.datetime) -> int:
    """Move waiting lines from the database to the file, and return how many were moved.

    If two processes do this at once, a line may be written twice. Applying it twice has the same result.
    """
    moved_count = 0
    for line in WaitingLine.objects.filter(at__lte=now - _MIN_AGE).order_by("pk"):
        if not _move([line]):
            break
        moved_count += 1
    return moved_count


def oldest_waiting() -> dt.datetime | None:
    """Return the time of the oldest line that is not in the file yet, or None if all lines are in the file."""
    oldest: dt.datetime | None = WaitingLine.objects.aggregate(at=Min("at"))["at"]
    return oldest


def _move(lines: Sequence[WaitingLine]) -> bool:
    """Write committed lines to the files of their months, then delete them from the database.

    Returns False if a file could not be written. All lines then remain in the database.
    """
    lines_by_month: dict[str, list[WaitingLine]] = {}
    for line in lines:
        lines_by_month.setdefault(_month(line.at), []).append(line)
    for month_lines in lines_by_month.values():
        if not _append([line.text for line in month_lines], month_lines[0].at, is_durable=True):
            return False
    WaitingLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
    return True


def _month(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m}"


#: The encoder is created only once, because a line is written for each email.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def _text(line_kind: str, now: dt.datetime, facts: dict[str, Any]) -> str:
    return _encode({"at": now.isoformat(), "what": line_kind, **facts})


def _append(texts: Sequence[str], at: dt.datetime, *, is_durable: bool = False) -> bool:
    """Append lines to the file of a month, and return whether this worked.

    With `is_durable`, the lines are on the disk when the function returns.
    """
    # There is one write in append mode, so that lines of several processes do not mix. The data begin with a line
    # break, because a full disk may have cut the line before them short.
    data = "\n".join(["", *texts, ""]).encode("ascii")
    try:
        descriptor = _open_file(str(settings.JOURNAL_ROOT), _month(at), os.getpid())
        if os.write(descriptor, data) < len(data):
            log.error("journal_not_written", kind="short write")
            return False
        if is_durable:
            os.fsync(descriptor)
    except OSError as error:
        # A full disk must not undo the change that the lines report.
        log.error("journal_not_written", kind=type(error).__name__)
        return False
    return True


@lru_cache(maxsize=4)
def _open_file(root: str, month: str, process: int) -> int:
    """Return the descriptor of a month's file. Forked processes must not share it, so it is cached by process id."""
    Path(root).mkdir(parents=True, exist_ok=True)
    return os.open(Path(root, f"{month}.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def has_files() -> bool:
    """Return whether the journal has a file that is not empty."""
    return any(path.stat().st_size for path in Path(settings.JOURNAL_ROOT).glob("*.jsonl"))


def lines(*, since: dt.datetime) -> Iterator[dict[str, Any]]:
    """Yield the complete lines since a moment, file by file.

    A line that was stored in the database first comes after lines of later moments.
    """
    for path in sorted(Path(settings.JOURNAL_ROOT).glob("*.jsonl")):
        if path.stem < _month(since):
            continue
        with path.open(encoding="ascii") as file:  # read line by line, because the file may be larger than the memory
            for raw_line in file:
                try:
                    line = json.loads(raw_line)
                except ValueError:
                    continue
                if moment(line) >= since:
                    yield line


def moment(line: dict[str, Any]) -> dt.datetime:
    """Return when the change that a line reports was made."""
    return dt.datetime.fromisoformat(line["at"])


@dataclass(slots=True)
class RedoResult:
    """The result of applying lines of one kind."""

    #: How many changes were made.
    count: int = 0
    #: A sentence, without names, for each line that could not be applied or that an administrator must check.
    problems: list[str] = field(default_factory=list)
    #: Whether an error stopped the kind. Then no line of this kind was applied.
    has_failed: bool = False

    def add(self, other: RedoResult) -> None:
        """Add the result of applying more lines of the kind."""
        self.count += other.count
        self.problems += other.problems
        self.has_failed = self.has_failed or other.has_failed


def last_about(subject: str, lines: Sequence[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Return the last line about each subject, by the value of the fact called `subject`.

    A line with `undone` reverses the earlier lines. For example, a closed account was reopened.
    """
    return {line[subject]: line for line in lines}


def not_undone(subject: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last line about each subject, unless this line reverses the earlier lines."""
    return [line for line in last_about(subject, lines).values() if not line.get("undone")]


Row = TypeVar("Row")


def ended_rows(
    rows: Iterable[Row],
    lines: Sequence[dict[str, Any]],
    *,
    identity_of: Callable[[Row], str],
    began_at: Callable[[Row], dt.datetime],
) -> list[Row]:
    """Return the rows that ended according to the last line about each, and have not begun again since."""
    last_line_by_identity = last_about("same", lines)

    def has_ended(row: Row) -> bool:
        line = last_line_by_identity.get(identity_of(row))
        return line is not None and not line["undone"] and began_at(row) <= moment(line)

    return [row for row in rows if has_ended(row)]


def same_rows(
    subject: str,
    lines: Sequence[dict[str, Any]],
    rows: Iterable[Row],
    *,
    identity_of: Callable[[Row], str],
    began_at: Callable[[Row], dt.datetime],
    result: RedoResult,
) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Yield the rows of the database that the lines report, each with the last line about it.

    After a restore, an id may belong to another record. So a row must have the identity in its line, and must have
    begun before the line was written. Other rows are reported in `result.problems` instead.
    """
    last_line_by_id_and_identity = {(line[subject], line.get("same")): line for line in lines}
    for row in rows:
        pk = row.pk  # type: ignore[attr-defined]  # rows of any model
        line = last_line_by_id_and_identity.get((pk, identity_of(row)))
        if line is None:
            result.problems.append(f"{subject} {pk}: the journal means another record, whose id has been used again")
        elif began_at(row) > moment(line):
            result.problems.append(f"{subject} {pk}: began again after the line of {line['at']}")
        else:
            yield row, line


def redo_each(
    subject: str,
    lines: Sequence[dict[str, Any]],
    rows: Iterable[Row],
    *,
    identity_of: Callable[[Row], str],
    began_at: Callable[[Row], dt.datetime],
    redo: Callable[[Row, dict[str, Any]], int],
    unable: type[Exception] | tuple[type[Exception], ...] = (),
) -> RedoResult:
    """Apply the last line about each row with `redo`, which returns how many changes it made.

    If `redo` raises an `unable` exception, the line is reported, and the other lines are applied.
    """
    result = RedoResult()
    for row, line in same_rows(subject, lines, rows, identity_of=identity_of, began_at=began_at, result=result):
        try:
            result.count += redo(row, line)
        except unable as error:
            result.problems.append(f"{subject} {row.pk}: {error}")  # type: ignore[attr-defined]  # rows of any model
    return result


#: A function that applies lines of one kind to a restored database. The function may run twice for the same lines.
Redo: TypeAlias = Callable[[Sequence[dict[str, Any]], dt.datetime], RedoResult]


@dataclass(frozen=True, slots=True)
class _LineKind:
    """How lines of one kind are applied. The output of `manage.py after_restore` has the label of each kind."""

    label: str
    redo: Redo
    is_early: bool
    in_batches: bool


_kinds: dict[str, _LineKind] = {}
#: How many lines of one kind are applied in one transaction after a restore.
_BATCH_SIZE = 5_000


def register_redo(line_kind: str, label: str, redo: Redo, *, early: bool = False, in_batches: bool = False) -> None:
    """Register the function that applies lines of a kind, and the kind's label in the output of `after_restore`.

    Early kinds are applied before all others. For example, a plan must lose an owner before the owner leaves the
    partnership. Kinds with millions of lines are applied `in_batches`, in the order of the files.
    """
    _kinds[line_kind] = _LineKind(label=label, redo=redo, is_early=early, in_batches=in_batches)


def replay(*, since: dt.datetime, now: dt.datetime) -> dict[str, RedoResult]:
    """Apply the lines since a moment, oldest first, and return the result of each kind by its label.

    Each kind is applied in a separate transaction, so that an error in one kind does not undo the others.
    """
    lines_by_kind: dict[str, list[dict[str, Any]]] = {}
    results_of_batches = {line_kind: RedoResult() for line_kind, kind in _kinds.items() if kind.in_batches}
    for line in lines(since=since):
        line_kind = line["what"]
        lines_of_kind = lines_by_kind.setdefault(line_kind, [])
        lines_of_kind.append(line)
        if line_kind in results_of_batches and len(lines_of_kind) >= _BATCH_SIZE:
            results_of_batches[line_kind].add(_apply(line_kind, lines_by_kind.pop(line_kind), now))

    results: dict[str, RedoResult] = {}
    early_kinds_first = sorted(_kinds, key=lambda line_kind: not _kinds[line_kind].is_early)
    for line_kind in early_kinds_first:
        result = results_of_batches.get(line_kind, RedoResult())
        result.add(_apply(line_kind, sorted(lines_by_kind.get(line_kind, []), key=moment), now))
        results[_kinds[line_kind].label] = result

    unknown_kinds = sorted(lines_by_kind.keys() - _kinds.keys())
    unknown_lines = [
        f"{line_kind}: {json.dumps(line)}" for line_kind in unknown_kinds for line in lines_by_kind[line_kind]
    ]
    if unknown_lines:
        results["lines that this release cannot read"] = RedoResult(problems=unknown_lines)
    return results


def _apply(line_kind: str, lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Apply the lines of one kind in a transaction. If one line fails, none is applied."""
    try:
        with transaction.atomic():
            return _kinds[line_kind].redo(lines, now)
    except Exception as error:
        # Only the type of the error is printed, because its message may contain an email address.
        log.exception("journal_not_applied", what=line_kind)
        count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
        return RedoResult(problems=[f"not applied ({type(error).__name__}, see the log): {count}"], has_failed=True)
