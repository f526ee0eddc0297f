"""Where settings come from, and that a missing secret stops the start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from housing.environment import acts_as_owner, load, read_file


def environ_after(tmp_path: Path, *, embedded: str, **given: str) -> dict[str, str]:
    (tmp_path / "embedded.env").write_text(embedded)
    environ = dict(given)
    load(environ, base_dir=tmp_path, var_dir=tmp_path)
    return environ


def test_what_runs_embedded_fills_what_is_unset(tmp_path: Path) -> None:
    environ = environ_after(tmp_path, embedded="REDIS_URL=redis://embedded\nSECRET_KEY='kept'\n", SECRET_KEY="mine")

    assert environ == {"REDIS_URL": "redis://embedded", "SECRET_KEY": "mine"}


def test_a_database_of_ones_own_never_meets_the_embedded_owner(tmp_path: Path) -> None:
    environ = environ_after(
        tmp_path,
        embedded="DATABASE_URL=postgres://a\nDATABASE_OWNER_URL=postgres://b\n",
        DATABASE_URL="postgres://mine",
    )

    assert environ == {"DATABASE_URL": "postgres://mine"}


def test_comments_and_blank_lines_in_the_file_are_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# SECRET_KEY=no\n\nexport PORT=8001\nnonsense\n")

    assert read_file(tmp_path / ".env") == {"PORT": "8001"}


@pytest.mark.parametrize(
    ("words", "owner"),
    [(["manage.py", "migrate"], True), (["manage.py", "load_network"], False), (["manage.py"], False)],
)
def test_only_commands_that_change_tables_act_as_their_owner(words: list[str], owner: bool) -> None:
    assert acts_as_owner(words) is owner


def settings_with(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import housing.settings"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "COMMON_GROUND_VAR": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_secret_stops_the_start_and_says_what_to_do(tmp_path: Path) -> None:
    done = settings_with(tmp_path)

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_a_missing_secret_is_no_matter_while_debugging(tmp_path: Path) -> None:
    done = settings_with(tmp_path, DEBUG="1")

    assert done.returncode == 0, done.stderr


def test_an_origin_that_is_none_stops_the_start(tmp_path: Path) -> None:
    done = settings_with(tmp_path, DEBUG="1", SITE_ORIGIN="ground.example/here")

    assert "SITE_ORIGIN must look like" in done.stderr
