"""Homes in plans as they are read today, by area, year and tenure: less than the pipeline tells, and read faster."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.combinations import Combinations
from partnerships.plans.queries.packed import lines_of
from partnerships.plans.queries.reading import parameters_of

if TYPE_CHECKING:
    import numpy as np
else:
    np = late("numpy")


@dataclass(frozen=True, slots=True)
class PlannedNow:
    """Homes of one tenure that complete in one year in an area, and how many of them have completed."""

    area_code: str
    year: str
    tenure: str
    homes: int
    done: int

    @property
    def to_come(self) -> int:
        """Homes that have not completed."""
        return self.homes - self.done


def homes_now(reader: Reader, areas: Sequence[str], *, now: dt.datetime) -> list[PlannedNow]:
    """The homes that `pipeline_of` counts as those of `now`, in these areas (GSS codes), or in all."""
    packed = lines_of(reader, parameters_of(areas=areas), then=None, now=now)
    combinations = Combinations.among(areas=list(areas))
    homes = np.zeros(combinations.size, dtype=np.int64)
    for packed_lines in packed:
        lines = combinations.counted(packed_lines)
        homes += np.bincount(lines.combination, lines.count * lines.is_now, combinations.size).astype(np.int64)
    sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for number in np.flatnonzero(homes).tolist():
        part = combinations.named(number)
        total = sums[part["area_code"], part["year"], part["tenure"]]
        total[0] += int(homes[number])
        total[1] += int(homes[number]) * bool(combinations.is_done[number])
    return [PlannedNow(*names, *total) for names, total in sums.items()]
