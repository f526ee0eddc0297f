"""Rewrite test modules for pytest's assertions, each module once for all processes of a run.

In a fresh copy, every process would otherwise rewrite all modules at the same time, which takes each process eight
seconds.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.assertion.rewrite import (
    PYC_TAIL,
    _rewrite_test,
    _write_pyc,
    assertstate_key,
    get_cache_dir,
    try_makedirs,
)

TESTS = Path(__file__).resolve().parent.parent


def rewrite_share(config: pytest.Config) -> None:
    """Rewrite this process's share of the modules that are not rewritten yet, into the files that pytest reads."""
    worker_input = getattr(config, "workerinput", None)
    if worker_input is None:
        return
    worker_index = int(worker_input["workerid"].removeprefix("gw"))
    for module in sorted(TESTS.rglob("test_*.py"))[worker_index :: worker_input["workercount"]]:
        rewritten_file = get_cache_dir(module) / f"{module.stem}{PYC_TAIL}"
        if not rewritten_file.exists() and try_makedirs(rewritten_file.parent):
            source_hash, code = _rewrite_test(module, config)
            _write_pyc(config.stash[assertstate_key], code, source_hash, rewritten_file)
