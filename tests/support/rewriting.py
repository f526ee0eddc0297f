"""Test modules that pytest rewrites for its assertions, each once for all processes of a run.

In a fresh copy every process would rewrite all of them at the same time, which takes each eight seconds.
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
    """Rewrite this process's share of the modules that were not rewritten yet, where pytest looks for them."""
    worker_input = getattr(config, "workerinput", None)
    if worker_input is None:
        return
    turn = int(worker_input["workerid"].removeprefix("gw"))
    for module in sorted(TESTS.rglob("test_*.py"))[turn :: worker_input["workercount"]]:
        rewritten = get_cache_dir(module) / f"{module.stem}{PYC_TAIL}"
        if not rewritten.exists() and try_makedirs(rewritten.parent):
            source_hash, code = _rewrite_test(module, config)
            _write_pyc(config.stash[assertstate_key], code, source_hash, rewritten)
