"""Measure how long a CORE export of 50,000 lettings takes, both filtering the upload and counting in the worker.

The command is `make bench-lettings ARGS="--lettings 50000"`. It needs no database, because the worker only writes ten
rows afterwards. The limit is 60 s for both together.
"""

from __future__ import annotations

import argparse
import resource
import time

from partnerships.nominations.lettings.counting import count_lettings
from partnerships.nominations.lettings.filtering import LettingsFilter, unpacked_rows
from tests.nominations.test_lettings import place_in, scope_of
from tests.support.core_files import core_chunks, expected, invent

YEAR = 2024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lettings", type=int, default=50_000)
    options = parser.parse_args()
    folder = place_in(YEAR)
    lettings = invent(folder, options.lettings, year=YEAR)
    size, filtering, kept = 0, 0.0, LettingsFilter()
    for chunk in core_chunks(lettings, year=YEAR, other="12"):
        size += len(chunk)
        began = time.perf_counter()
        kept.feed(chunk)
        filtering += time.perf_counter() - began
    packed = kept.finish()
    began = time.perf_counter()
    counted = count_lettings(unpacked_rows(packed, kept.columns), scope_of(folder))
    counting = time.perf_counter() - began
    lines, outcomes = expected(lettings)
    assert {outcome: counted.number(outcome) for outcome in counted.rows} == outcomes
    assert sum(line.lettings for line in counted.lines.values()) == sum(one.lettings for one in lines.values())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{options.lettings:,} lettings in {size / 1e6:.0f} MB: filtered in {filtering:.1f} s, "
        f"kept {len(packed) / 1e6:.1f} MB, counted in {counting:.1f} s; {memory} MB resident with the invented lettings"
    )


if __name__ == "__main__":
    main()
