"""The journal loses no line, and has no line of a change that was rolled back."""

from __future__ import annotations

import datetime as dt
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.journal import RedoResult
from partnerships.kit.models import WaitingLine

pytestmark = pytest.mark.django_db(transaction=True)

LATER = dt.timedelta(minutes=5)


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    """Return the journal's folder, which only this test uses."""
    settings.JOURNAL_ROOT = tmp_path
    return tmp_path


def kinds_in_files() -> list[str]:
    """Return the kinds of the lines in the journal's files."""
    return [line["what"] for line in journal.lines(since=timezone.now() - dt.timedelta(hours=1))]


def test_line_is_in_the_file_after_the_commit() -> None:
    with transaction.atomic():
        journal.note("ended", now=timezone.now(), thing=1)
        assert kinds_in_files() == []

    assert kinds_in_files() == ["ended"]
    assert not WaitingLine.objects.exists()


def test_act_that_is_rolled_back_leaves_no_line() -> None:
    with transaction.atomic():
        journal.note("ended", now=timezone.now(), thing=1)
        transaction.set_rollback(True)

    journal.write_waiting(now=timezone.now() + LATER)

    assert kinds_in_files() == []


#: A program that is killed after its commit, before it can write the line.
KILLED = """
import os, signal
import django
django.setup()
from django.db import transaction
from django.utils import timezone
from partnerships.kit import journal
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    journal.note("ended", now=timezone.now(), thing=1)
"""


def run_with_journal(script: str, root: Path) -> int:
    """Run a script on the tests' database and journal, and return its exit code."""
    database = connection.settings_dict
    user_and_host = (
        f"{database['USER']}:{database['PASSWORD']}@{database['HOST'].replace('/', '%2F')}:{database['PORT']}"
    )
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "housing.settings",
        "DATABASE_URL": f"postgres://{user_and_host}/{database['NAME']}",
        "JOURNAL_ROOT": str(root),
        "DEBUG": "1",
    }
    result = subprocess.run(
        [sys.executable, "-c", script], env=environ, check=False, cwd=django_settings.BASE_DIR, capture_output=True
    )
    return result.returncode


def test_line_of_a_process_killed_after_its_commit_is_written_later(root: Path) -> None:
    assert run_with_journal(KILLED, root) == -signal.SIGKILL
    assert kinds_in_files() == []

    written = [journal.write_waiting(now=timezone.now() + LATER) for _ in range(2)]

    assert written == [1, 0]
    assert kinds_in_files() == ["ended"]


#: A program that can write only half a line, because the kernel limits the size of the files that it may write.
NEARLY_FULL = """
import resource
from pathlib import Path
import django
django.setup()
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from partnerships.kit import journal
journal.write("first", now=timezone.now())
[file] = Path(settings.JOURNAL_ROOT).glob("*.jsonl")
most = file.stat().st_size + 20
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
{act}
assert file.stat().st_size == most
"""
NOTED = """
with transaction.atomic():
    journal.note("torn", now=timezone.now(), thing=1)
"""
WRITTEN = 'journal.write("torn", now=timezone.now(), thing=1)'


@pytest.mark.parametrize("act", [NOTED, WRITTEN], ids=["noted", "written at once"])
def test_line_that_a_full_disk_cut_in_half_is_written_later(root: Path, act: str) -> None:
    assert run_with_journal(NEARLY_FULL.format(act=act), root) == 0
    assert kinds_in_files() == ["first"]

    with transaction.atomic():
        journal.note("next", now=timezone.now(), thing=1)
    journal.write_waiting(now=timezone.now() + LATER)

    assert kinds_in_files() == ["first", "next", "torn"]
    assert not WaitingLine.objects.exists()


def test_line_that_did_not_fit_on_the_disk_is_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "write", no_space)
        with transaction.atomic():
            journal.note("ended", now=timezone.now(), thing=1)
        journal.write_waiting(now=timezone.now() + LATER)
    assert kinds_in_files() == []
    assert journal.oldest_waiting() is not None

    journal.write_waiting(now=timezone.now() + LATER)

    assert kinds_in_files() == ["ended"]
    assert journal.oldest_waiting() is None


def no_space(*_: Any) -> int:
    """Fail as `os.write` does on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_line_written_late_does_not_count_as_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    journal.write("seen", now=now, thing=1, undone=True)
    journal.write("seen", now=now - dt.timedelta(minutes=1), thing=1)
    lines_applied: list[Any] = []

    def keep(lines: Sequence[dict[str, Any]], _: dt.datetime) -> RedoResult:
        lines_applied.extend(lines)
        return RedoResult()

    monkeypatch.setattr(journal, "_kinds", {})
    journal.register_redo("seen", "seen", keep)

    journal.replay(since=now - LATER, now=now)

    assert [line.get("undone", False) for line in lines_applied] == [False, True]


def test_kind_that_cannot_be_applied_leaves_the_others_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()

    def fail(_: Sequence[dict[str, Any]], at: dt.datetime) -> RedoResult:
        WaitingLine.objects.create(at=at, text="half done")
        raise ValueError("paula@council.example")

    def apply(lines: Sequence[dict[str, Any]], _: dt.datetime) -> RedoResult:
        return RedoResult(len(lines))

    journal.write("broken", now=now, thing=1)
    journal.write("whole", now=now, thing=1)
    monkeypatch.setattr(journal, "_kinds", {})
    journal.register_redo("broken", "broken", fail)
    journal.register_redo("whole", "whole", apply)

    outcome = journal.replay(since=now - LATER, now=now)

    assert outcome["whole"].count == 1
    assert outcome["broken"].has_failed
    assert outcome["broken"].problems == ["not applied (ValueError, see the log): 1 line"]
    assert not WaitingLine.objects.exists()


def test_lines_of_one_transaction_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)

    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        journal.note("first", now=timezone.now(), thing=1)
        with transaction.atomic():
            journal.note("rolled back", now=timezone.now(), thing=1)
            transaction.set_rollback(True)
        with transaction.atomic():
            journal.note("second", now=timezone.now(), thing=1)

    assert kinds_in_files() == ["first", "second"]
    assert len(synced) == 1
    assert len([query for query in queries.captured_queries if query["sql"].startswith("DELETE")]) == 1
    assert not WaitingLine.objects.exists()


def test_lines_of_one_transaction_are_in_the_files_of_their_months(root: Path) -> None:
    now = timezone.now()

    with transaction.atomic():
        journal.note("long ago", now=now - dt.timedelta(days=40), thing=1)
        journal.note("ended", now=now, thing=1)

    assert kinds_in_files() == ["ended"]
    assert len(list(root.glob("*.jsonl"))) == 2


def test_lines_of_two_transactions_do_not_wait_for_each_other() -> None:
    for what in ("first", "second"):
        with transaction.atomic():
            journal.note(what, now=timezone.now(), thing=1)
        assert kinds_in_files()[-1] == what


def test_error_after_the_commit_does_not_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> bool:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as broken, transaction.atomic():
        journal.note("ended", now=timezone.now(), thing=1)
        broken.setattr(journal, "_move", fail)

    journal.write_waiting(now=timezone.now() + LATER)

    assert kinds_in_files() == ["ended"]
