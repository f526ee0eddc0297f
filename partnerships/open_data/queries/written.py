"""One row of a file, as it is written today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A row: its place in the file, its texts, and when it last changed.

    `left_out` says why it is not in the file, in words; "" if it is.
    """

    order: tuple[int, int, str]
    cells: Mapping[str, str]
    changed_at: dt.datetime | None
    left_out: str = ""
