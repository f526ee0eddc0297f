"""`make run` starts the services and loads the data that the environment and .env ask for."""

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
from tools.preparing import demo_accounts
from tools.supervisor import Supervisor

with Supervisor(var=Path(sys.argv[1]), durable=False) as supervisor:
    supervisor.read_env_file(Path(sys.argv[1]) / ".env")
    supervisor.start_services()
    result = {"demonstration": supervisor.is_demonstration, "env": (supervisor.var / "embedded.env").read_text()}
print(json.dumps(result | {"accounts": demo_accounts()}))
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def var() -> Iterator[Path]:
    """Provide a data folder that any account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cg-run-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run_services(var: Path, **preset: str) -> dict[str, Any]:
    """Start the database and the broker, and return what START prints."""
    own_settings = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL", "DEMONSTRATION", "DEBUG"}
    environ = {key: value for key, value in os.environ.items() if key not in own_settings}
    process = subprocess.run(
        [sys.executable, "-c", START, str(var)],
        cwd=settings.BASE_DIR,
        env=environ | {"COMMON_GROUND_VAR": str(var)} | preset,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    (var / "copied.env").write_text(result["env"])
    return result


def test_a_role_added_later_gets_a_password(var: Path) -> None:
    first_run = run_services(var)
    secrets = json.loads((var / "secrets.json").read_text())
    del secrets["common_ground_worker"]
    (var / "secrets.json").write_text(json.dumps(secrets))

    second_run = run_services(var)

    assert "DATABASE_WORKER_URL=postgres://common_ground_worker:" in second_run["env"]
    assert json.loads((var / "secrets.json").read_text()).items() > secrets.items()
    assert first_run["env"] != second_run["env"]


def test_demonstration_can_be_switched_off_in_the_environment(var: Path) -> None:
    result = run_services(var, DEMONSTRATION="0")

    assert not result["demonstration"]
    assert read_file(var / "copied.env")["DEMONSTRATION"] == "0"


def test_demonstration_can_be_switched_off_in_the_settings_file(var: Path) -> None:
    (var / ".env").write_text("DEMONSTRATION=0\n")

    result = run_services(var)

    assert not result["demonstration"]
    assert read_file(var / "copied.env")["DEMONSTRATION"] == "0"


def test_the_demonstration_is_on_by_default(var: Path) -> None:
    result = run_services(var)

    assert result["demonstration"]
    assert len(result["accounts"]) > 5
    assert read_file(var / "copied.env")["DEMONSTRATION"] == "1"
