"""The commands behind `make run`, `make test`, `make reset` and the benchmarks.

`python -m tools.run serve` | `with COMMAND …` | `tests [PYTEST ARGUMENTS]` | `test-database` | `reset`
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from housing.environment import BASE_DIR, VAR_DIR
from tools.embedded import clock
from tools.embedded.postgres import fallback_folder
from tools.embedded.processes import UnableToStart
from tools.serving import serve
from tools.supervisor import Stop, Supervisor
from tools.terminal import say

TEST_VAR = VAR_DIR / "test"


def run() -> int:
    """Serve until a signal asks to stop: `make run`."""
    with Supervisor(var=VAR_DIR) as supervisor:
        try:
            supervisor.read_env_file(BASE_DIR / ".env")
            serve(supervisor)
        except Stop:
            say("Stopping")
    say("Stopped.")
    return 0


def run_with_services(command: list[str], *, var: Path, durable: bool, extra: dict[str, str]) -> int:
    """Run a command as the owner of a database of its own, with a broker.

    Returns its exit code.
    """
    with Supervisor(var=var, durable=durable) as supervisor:
        try:
            supervisor.start_services()
            environ = supervisor.environ | extra
            if "DATABASE_OWNER_URL" in supervisor.exported:
                environ["DATABASE_URL"] = supervisor.exported["DATABASE_OWNER_URL"]
                # Empty, so that the test database's workers do not use the address of another database.
                environ["DATABASE_WORKER_URL"] = ""
            process = subprocess.Popen(command, cwd=BASE_DIR, env=environ)
            try:
                return process.wait()
            except Stop:
                process.terminate()
                process.wait()
                return 130
        except Stop:
            return 130


def run_tests(arguments: list[str]) -> int:
    """Run pytest with its own services: `make test`.

    Without arguments, the whole suite is run in several processes.
    """
    # There are two processes per core, because tests spend a third of their time waiting for a browser or a server.
    # A process that has run its tests takes over tests of others, so that no process is idle at the end.
    spread = ["-n", str(min(2 * (os.cpu_count() or 1), 6)), "--dist", "worksteal", "--durations", "40"]
    return _run_for_tests(["-m", "pytest", *(arguments or spread)])


def _run_for_tests(arguments: list[str]) -> int:
    """Run Python with the services of the tests.

    If TESTS_AT is set, for example to "2028-02-29 23:30", all clocks show this time.
    """
    if moment := os.environ.pop("TESTS_AT", ""):
        os.environ.update(clock.showing(moment))
    return run_with_services(
        [sys.executable, *arguments],
        var=TEST_VAR,
        durable=False,
        extra={"DEBUG": "1", "COMMON_GROUND_VAR": str(TEST_VAR)},
    )


def reset() -> int:
    """Delete the database, the mail, the files and everything else in var/: `make reset`.

    Raises `UnableToStart` while the copy or its tests run.
    """
    if VAR_DIR.exists():
        with Supervisor(var=VAR_DIR):
            try:
                with Supervisor(var=TEST_VAR):
                    say(f"Deleting {VAR_DIR}")
            except UnableToStart:
                raise UnableToStart("Tests or a benchmark of this copy are running. Let them end first.") from None
        try:
            shutil.rmtree(VAR_DIR)
        except OSError as error:  # tests that have just started write into it
            raise UnableToStart(
                f"{error.filename} is in use. Let tests and other commands of this copy end, then reset again."
            ) from error
    for var in (VAR_DIR, TEST_VAR):
        shutil.rmtree(fallback_folder(var), ignore_errors=True)
    return 0


def main(arguments: list[str]) -> int:
    """Run the command that the first argument names."""
    match arguments:
        case ["serve"]:
            return run()
        case ["tests", *rest]:
            return run_tests(rest)
        case ["test-database"]:
            return _run_for_tests(["-m", "tests.support.database"])
        case ["with", *command] if command:
            # The database is durable, because without fsync, commits would cost a benchmark too little.
            return run_with_services(command, var=TEST_VAR, durable=True, extra={"DEBUG": "1"})
        case ["reset"]:
            return reset()
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UnableToStart as error:
        sys.exit(f"Common Ground: {error}")
    except Stop:
        sys.exit(130)
