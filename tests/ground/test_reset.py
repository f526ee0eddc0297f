"""`make reset` does not disturb other commands of the same copy."""

from __future__ import annotations

import fcntl
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import run
from tools.embedded.processes import UnableToStart
from tools.supervisor import SIGNALS


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Provide the var/ of a copy, with a file in it."""
    var_folder = tmp_path / "var"
    (var_folder / "media").mkdir(parents=True)
    monkeypatch.setattr(run, "VAR_DIR", var_folder)
    monkeypatch.setattr(run, "TEST_VAR", var_folder / "test")
    monkeypatch.setattr(run, "fallback_folder", lambda _: tmp_path / "nowhere")
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield var_folder
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_reset_deletes_everything(var: Path) -> None:
    assert run.reset() == 0

    assert not var.exists()


def test_reset_is_refused_in_plain_words_while_tests_run(var: Path) -> None:
    (var / "test" / "run").mkdir(parents=True)
    with (var / "test" / "run" / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(UnableToStart, match="Tests or a benchmark of this copy are running"):
            run.reset()

    assert (var / "media").exists()


def test_reset_is_refused_if_tests_start_in_the_meantime(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise OSError(39, "Directory not empty", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)

    with pytest.raises(UnableToStart, match="is in use"):
        run.reset()
