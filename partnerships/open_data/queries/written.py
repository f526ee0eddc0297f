"""A row of a published file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of a published file, or the reason why a record has no row."""

    #: Rows are sorted by this: the position in the file that was read, the primary key of the record, and its key.
    order: tuple[int, int, str]
    #: The texts of the row, by field.
    cells: Mapping[str, str]
    changed_at: dt.datetime | None
    #: Why the row is not in the file, in words; "" if it is.
    left_out: str = ""
