"""A row of a published file, which the queries of all standards return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of a published file, or the reason why a record has no row."""

    #: Rows are sorted by position in the imported file, then by the record's primary key and by its key.
    order: tuple[int, int, str]
    #: The texts of the row, by field.
    cells: Mapping[str, str]
    changed_at: dt.datetime | None
    #: Why the row is not in the file, as a sentence, or "" if the row is in the file.
    left_out: str = ""
