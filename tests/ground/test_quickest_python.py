"""CI uses the quickest Python that could create `.venv`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import quickest_python
from tools.quickest_python import quickest, seconds


def python_that(folder: Path, name: str, command: str) -> str:
    """Return the path of a program that runs this shell command, and is used instead of a Python."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    return str(program)


def test_the_quickest_is_chosen_and_those_that_fail_are_skipped(tmp_path: Path) -> None:
    usual = python_that(tmp_path, "usual", "echo 0.050")
    quick = python_that(tmp_path, "quick", "echo 0.030")
    hardly_quicker = python_that(tmp_path, "hardly", "echo 0.049")
    without_venv = python_that(tmp_path, "bare", "echo 0.010; exit 1")
    silent = python_that(tmp_path, "silent", "true")
    missing = str(tmp_path / "missing")

    assert quickest(usual, [without_venv, quick, silent, missing]) == quick
    assert quickest(usual, [hardly_quicker]) == usual
    assert quickest(usual, [without_venv, silent, missing]) == usual
    assert quickest(without_venv, [hardly_quicker]) == hardly_quicker
    assert quickest(missing, [silent]) == missing


def test_only_a_python_of_the_tested_version_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    own_version = "{}.{}".format(*sys.version_info)
    monkeypatch.setattr(
        quickest_python, "PROBE", quickest_python.PROBE.replace(f'"{quickest_python.VERSION}"', f'"{own_version}"')
    )
    assert seconds(sys.executable) is not None

    monkeypatch.setattr(quickest_python, "PROBE", quickest_python.PROBE.replace(f'"{own_version}"', '"2.7"'))
    assert seconds(sys.executable) is None
