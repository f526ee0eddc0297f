"""Progress lines of `make run`, `make test` and `make reset`."""

from __future__ import annotations

import os
import sys


def say(line: str) -> None:
    """Print one line of progress. A closed terminal is not an error."""
    try:
        print(f"  {line}", flush=True)  # noqa: T201 - this is a terminal program
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of the process
