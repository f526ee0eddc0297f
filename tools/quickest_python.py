"""Prints the Python that CI runs everything with: the quickest 3.11 of this machine.

Builds of one version differ: without the compiler's optimisations Python needs half as much processor time again.
`.ci/run` calls this with any Python 3; it imports only the standard library.
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

#: Fails in a Python of another version, or in one that could not create `.venv`; else prints processor seconds.
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
#: Another must be this much quicker than the usual one to be taken: measuring is never exact.
CLEARLY = 0.93
ROUNDS = 4


def seconds(python: str) -> float | None:
    """Return the processor seconds of the probe; None for a Python that is missing, does not fit or fails."""
    try:
        result = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False, timeout=60)
        return float(result.stdout) if result.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def quickest(usual: str, others: Iterable[str]) -> str:
    """Return the usual Python, or another that is clearly quicker or that fits where the usual one does not."""
    measured: dict[str, float] = {}
    for one in [usual, *others] * ROUNDS:  # in turn: what else the machine does slows each alike
        if (took := seconds(one)) is not None:
            measured[one] = min(took, measured.get(one, took))
    best = min(measured, key=lambda one: measured[one], default=usual)
    if usual in measured and measured[best] > CLEARLY * measured[usual]:
        return usual
    return best


if __name__ == "__main__":
    named = f"python{VERSION}"
    places = [shutil.which(named), *(str(Path(folder, named)) for folder in FOLDERS)]
    others = [place for place in dict.fromkeys(places) if place]
    sys.stdout.write(f"{quickest(sys.argv[1], others)}\n")
