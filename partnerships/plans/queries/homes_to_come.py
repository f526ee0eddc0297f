"""Homes in plans as they are read today, by area, year and tenure: less than the pipeline tells, and read faster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.kit.database import add_up
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.pipeline import READ_NOW, READS, parameters_of, rights_of


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
    rights, given = rights_of(reader)
    values = {**given, **parameters_of(now=now), "areas": list(areas)}
    return [PlannedNow(*row) for row in add_up(_STATEMENT.format(**rights), values)]


_STATEMENT = f"""{READS}
SELECT area_code, year, tenure, sum(count)::bigint, coalesce(sum(count) FILTER (WHERE done_year <> ''), 0)::bigint
FROM plans_plannedhomes homes JOIN reads ON reads.plan_id = homes.plan_id
WHERE is_live AND {READ_NOW} AND (is_inside OR NOT confidential)
    AND (cardinality(%(areas)s::text[]) = 0 OR area_code = ANY(%(areas)s))
GROUP BY area_code, year, tenure
"""  # noqa: S608 - constants
