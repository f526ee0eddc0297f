"""`make nightly`: run the checks that take too long for CI. The last line of the output names those that failed.

* every upgrade under load, with the crawl of the suite on the migrated data, on the embedded PostgreSQL and on each
  of Debian's versions below /usr/lib/postgresql
* recovery to a moment
* the alert rules, if promtool is installed
* as root, failover and several hosts

    make nightly                        everything, an hour or two
    make nightly ARGS="PostgreSQL"      only steps with this word in their name
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.upgrades import say
from housing.environment import BASE_DIR

#: The folder in which Debian has a folder of programs for each version of PostgreSQL.
DEBIANS = Path("/usr/lib/postgresql")
#: The oldest version that is supported.
OLDEST = 15


def steps() -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Yield the name of each step, its module with options, and additions to the environment."""
    upgrade = ["benchmarks.upgrades", "--crawl"]
    yield "upgrades on the embedded PostgreSQL", upgrade, {}
    for programs in sorted(DEBIANS.glob("*/bin")):
        if (programs / "initdb").exists() and int(programs.parent.name) >= OLDEST:
            version = programs.parent.name
            yield f"upgrades on Debian's PostgreSQL {version}", upgrade, {"POSTGRES_PROGRAMS": str(programs)}
    yield "recovery", ["benchmarks.recovery"], {}
    if shutil.which("promtool"):
        yield "alerts", ["benchmarks.alerts"], {}
    if os.geteuid() == 0:
        yield "failover", ["benchmarks.failover"], {}
        yield "several hosts", ["benchmarks.hosts"], {}


def main(chosen: list[str]) -> int:
    """Run every step, or those with one of these words in their name, and return how many failed."""
    failed = []
    for name, words, environ in steps():
        if chosen and not any(word in name for word in chosen):
            continue
        say(f"== {name}")
        began = time.monotonic()
        result = subprocess.run([sys.executable, "-m", *words], cwd=BASE_DIR, env=os.environ | environ, check=False)
        say(f"== {name}: {'FAILED' if result.returncode else 'passed'} in {time.monotonic() - began:.0f} s")
        if result.returncode:
            failed.append(name)
    say(f"Failed: {', '.join(failed)}" if failed else "Everything passed.")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
