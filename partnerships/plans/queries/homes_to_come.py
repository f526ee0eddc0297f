"""Homes in plans by area, year and tenure, as people can read them today.

These are the homes that `pipeline.homes_pipeline` counts as `now`. Counting only these homes is faster.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.combinations import Combinations
from partnerships.plans.queries.packed import packed_lines
from partnerships.plans.queries.reading import plan_parameters

if TYPE_CHECKING:
    import numpy as np
else:
    np = late("numpy")


@dataclass(frozen=True, slots=True)
class PlannedHomesNow:
    """The number of homes of one tenure that are due to be completed in one year in an area.

    `done` is how many of them have been completed.
    """

    area_code: str
    year: str
    tenure: str
    homes: int
    done: int

    @property
    def to_come(self) -> int:
        """Return the number of homes that have not been completed."""
        return self.homes - self.done


def planned_homes_now(reader: Reader, areas: Sequence[str], *, now: dt.datetime) -> list[PlannedHomesNow]:
    """Return the homes in plans that the reader can read now, in these areas (GSS codes) or, if empty, in all areas."""
    # Read the lines before the combinations. Lines that are read later may contain combinations added in between.
    batches = packed_lines(reader, plan_parameters(areas=areas), earlier=None, now=now)
    combinations = Combinations.among(areas=list(areas))
    homes_by_index = np.zeros(combinations.size, dtype=np.int64)
    for batch in batches:
        lines = combinations.countable_lines(batch)
        homes_now = lines.count * lines.is_now
        homes_by_index += np.bincount(lines.combination, homes_now, combinations.size).astype(np.int64)

    homes_by_key: Counter[tuple[str, str, str]] = Counter()
    done_homes_by_key: Counter[tuple[str, str, str]] = Counter()
    for index in np.flatnonzero(homes_by_index).tolist():
        values = combinations.values_at(index)
        key = values["area_code"], values["year"], values["tenure"]
        homes_by_key[key] += int(homes_by_index[index])
        if combinations.is_done[index]:
            done_homes_by_key[key] += int(homes_by_index[index])
    return [
        PlannedHomesNow(
            area_code=area_code, year=year, tenure=tenure, homes=count, done=done_homes_by_key[area_code, year, tenure]
        )
        for (area_code, year, tenure), count in homes_by_key.items()
    ]
