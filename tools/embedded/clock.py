"""Show another time to the processes of the tests and their database, with libfaketime.

This is for tests that fail on a Sunday night, at the end of a year, or in the hour of a summer's night when UTC still
has the day before.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

from tools.embedded.processes import UnableToStart

#: Where Debian's package libfaketime puts it, on each kind of processor.
PLACES = ("/usr/lib", "*/faketime/libfaketimeMT.so.1")
#: Variables that the services of the tests get too.
NAMES = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")


def showing(moment: str) -> dict[str, str]:
    """Return variables for processes whose clocks start at a given time in London.

    Raises `UnableToStart` if libfaketime is missing, or if the text is not a time.
    """
    folder, name = PLACES
    library = os.environ.get("LIBFAKETIME") or next(map(str, Path(folder).glob(name)), "")
    if not library:
        raise UnableToStart("TESTS_AT needs libfaketime (on Debian: apt-get install libfaketime).")
    try:
        moment_in_london = dt.datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Europe/London"))
    except ValueError:
        raise UnableToStart(f"TESTS_AT is “{moment}”. Write it like “2028-02-29 23:30”.") from None
    ahead = round((moment_in_london - dt.datetime.now(dt.UTC)).total_seconds())
    return dict(zip(NAMES, (library, f"{ahead:+d}", "1"), strict=True))


def shown() -> dict[str, str]:
    """Return those variables as this process has them, for a service that inherits few others."""
    return {name: os.environ[name] for name in NAMES if name in os.environ}
