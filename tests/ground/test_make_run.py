"""What `make run` starts and loads, by what the environment and .env say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from housing.environment import read_file

START = """
import json, sys
from pathlib import Path
from housing.run import Supervisor

with Supervisor(var=Path(sys.argv[1]), careful=False) as supervisor:
    supervisor.read_env_file(Path(sys.argv[1]) / ".env")
    supervisor.start_services()
    said = {"loads": supervisor.is_demonstration, "accounts": supervisor.accounts()}
    said["kept"] = (supervisor.var / "embedded.env").read_text()
print(json.dumps(said))
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder for the parts' state, which any account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cg-run-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def started(var: Path, **given: str) -> dict[str, Any]:
    """What the supervisor says after it started the database and the broker."""
    ours = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL", "DEMONSTRATION", "DEBUG"}
    environ = {key: value for key, value in os.environ.items() if key not in ours}
    done = subprocess.run(
        [sys.executable, "-c", START, str(var)],
        cwd=settings.BASE_DIR,
        env=environ | {"COMMON_GROUND_VAR": str(var)} | given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    (var / "kept.env").write_text(said["kept"])
    return said


def test_a_copy_from_before_a_role_was_added_gets_its_password(var: Path) -> None:
    first = started(var)
    kept = json.loads((var / "secrets.json").read_text())
    del kept["common_ground_worker"]
    (var / "secrets.json").write_text(json.dumps(kept))

    again = started(var)

    assert "DATABASE_WORKER_URL=postgres://common_ground_worker:" in again["kept"]
    assert json.loads((var / "secrets.json").read_text()).items() > kept.items()
    assert first["kept"] != again["kept"]


@pytest.mark.parametrize("how", ["environment", "file"])
def test_demonstration_0_loads_no_demonstration(var: Path, how: str) -> None:
    if how == "file":
        (var / ".env").write_text("DEMONSTRATION=0\n")

    said = started(var, **({"DEMONSTRATION": "0"} if how == "environment" else {}))

    assert not said["loads"]
    assert said["accounts"] == []
    assert read_file(var / "kept.env")["DEMONSTRATION"] == "0"


def test_the_demonstration_is_loaded_unless_told_otherwise(var: Path) -> None:
    said = started(var)

    assert said["loads"]
    assert len(said["accounts"]) > 5
    assert read_file(var / "kept.env")["DEMONSTRATION"] == "1"
