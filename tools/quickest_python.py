"""Prints the path of the quickest Python 3.11 of this machine, with which CI runs everything.

Builds of one version differ. Without the compiler's optimisations, Python needs half as much processor time again.
`.ci/run` calls this with any Python 3, so it imports only the standard library.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

#: The version that the whole suite is run with (docs/test-matrix.md).
VERSION = "3.11"
#: Where systems and their administrators put it, besides the path.
FOLDERS = ("/usr/bin", "/usr/local/bin")

#: A program that fails in a Python of another version, and in one that could not create `.venv`. In all others, it
#: prints processor seconds.
PROBE = f"""
import ensurepip, sys, time, venv

assert "%d.%d" % sys.version_info[:2] == "{VERSION}"


class Thing:
    def __init__(self, number):
        self.number = number

    def named(self, **more):
        return "%d-%s" % (self.number, more)


def work():
    began = time.process_time()
    found = {{}}
    for number in range(20_000):
        thing = Thing(number)
        found[number % 97] = thing.named(size=2).split("-"), [one for one in (1, 2, 3)], getattr(thing, "none", 0)
    return time.process_time() - began


print(min(work() for _ in range(5)))
"""
#: Another Python must be this much quicker than the usual one to be chosen, because measuring is never exact.
CLEARLY = 0.93
ROUNDS = 4


def seconds(python: str) -> float | None:
    """Return the processor seconds of the probe, or None for a Python that is missing, does not fit or fails."""
    try:
        result = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False, timeout=60)
        return float(result.stdout) if result.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def quickest(usual: str, others: Iterable[str]) -> str:
    """Return the usual Python, or another that is clearly quicker or that fits where the usual one does not."""
    best_seconds: dict[str, float] = {}
    # They are measured alternately, so that other work of the machine slows all of them equally.
    for python in [usual, *others] * ROUNDS:
        if (probe_seconds := seconds(python)) is not None:
            best_seconds[python] = min(probe_seconds, best_seconds.get(python, probe_seconds))
    best = min(best_seconds, key=lambda python: best_seconds[python], default=usual)
    if usual in best_seconds and best_seconds[best] > CLEARLY * best_seconds[usual]:
        return usual
    return best


if __name__ == "__main__":
    named = f"python{VERSION}"
    places = [shutil.which(named), *(str(Path(folder, named)) for folder in FOLDERS)]
    others = [place for place in dict.fromkeys(places) if place]
    sys.stdout.write(f"{quickest(sys.argv[1], others)}\n")
