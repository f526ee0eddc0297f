"""Homes of plans from packed lines: the plans that a reader reads, as numbers that numpy adds up.

PostgreSQL hands over the packed lines of all plans as a few long values, 25 MB for half a million lines. It would take
ten times as long to add up as many rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from partnerships.kit.database import binary_rows
from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.reading import READS, rights_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.int64]
    Truths: TypeAlias = NDArray[np.bool_]
else:
    np = late("numpy")

#: The layout of what `plans_pack_homes` writes, and of what `_STATEMENT` says of each plan.
_VERSION = [("number", ">i4"), ("published", ">i8"), ("opened", ">i8")]
_LINE = [
    *(("id", ">i8"), ("combination", ">i4"), ("provider", ">i4"), ("site", ">i4"), ("forecast", ">i4")),
    *(("count", ">i4"), ("begins", ">i2"), ("ends", ">i2")),
]
_PLAN = [
    *(("id", ">i8"), ("owner", ">i8"), ("baseline", ">i4"), ("flags", ">i4"), ("versions", ">i4"), ("lines", ">i4")),
]
#: How a plan is read.
OWNER, INSIDE, _LIVE, _WAS_LIVE = 1, 2, 4, 8
#: In the place of the owner: the plan has several.
SEVERAL = -1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FOREVER = 2**62
#: A row for some thousand plans, which are read together: enough for numpy, few enough for memory.
_STATEMENT = f"""{READS}
, owners AS MATERIALIZED (
    SELECT plan_id, CASE WHEN count(*) > 1 THEN {SEVERAL} ELSE min(organisation_id) END AS body FROM plans_planowner
    WHERE ended_at IS NULL AND plan_id IN (SELECT plan_id FROM reads) GROUP BY plan_id
)
SELECT string_agg(int8send(plan_id) || int8send(coalesce(body, 0)) || int4send(baseline_number) || int4send(
        {OWNER} * is_owner::int + {INSIDE} * is_inside::int + {_LIVE} * is_live::int + {_WAS_LIVE} * was_live::int
    ) || int4send(length(versions) / 20) || int4send(length(lines) / 32), ''::bytea),
    string_agg(versions, ''::bytea), string_agg(lines, ''::bytea)
FROM reads JOIN plans_packedhomes USING (plan_id) LEFT JOIN owners USING (plan_id)
WHERE is_live OR was_live
GROUP BY plan_id / 8192
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of homes of some plans, each with its plan's place among them, and what it is at the three moments.

    Lines of a site follow each other. `forecast` is 20290600 for June 2029, and 0 if it is not given.
    """

    plans: NDArray[Any]
    plan: Numbers
    ids: Numbers
    combination: Numbers
    provider: Numbers
    site: Numbers
    forecast: Numbers
    count: Numbers
    is_now: Truths
    is_then: Truths
    is_baseline: Truths

    def only(self, kept: Truths) -> Lines:
        """Some of the lines."""
        names = ("plan", "ids", "combination", "provider", "site", "forecast", "count")
        moments = ("is_now", "is_then", "is_baseline")
        return Lines(self.plans, *(getattr(self, name)[kept] for name in (*names, *moments)))

    def inside(self) -> Truths:
        """Of each line, whether the reader reads what is confidential in its plan."""
        is_inside: Truths = self.plans["flags"] & INSIDE > 0
        return is_inside[self.plan]


def lines_of(
    reader: Reader, values: Mapping[str, Any], *, then: dt.datetime | None, now: dt.datetime
) -> Iterable[Lines]:
    """The lines of the plans that the reader reads, some thousand plans at a time.

    `values` are those of `reading.parameters_of`. Lines at confidential sites are among them, for all readers.
    """
    rights, given = rights_of(reader)
    packed = binary_rows(_STATEMENT.format(**rights), {**given, **values})  # now: names of numbers are read after it
    return (_unpacked(*row, then=None if then is None else _moment(then), now=_moment(now)) for row in packed)


def _moment(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def _unpacked(*packed: memoryview, then: int | None, now: int) -> Lines:
    """The lines as they are read at these moments (microseconds): owners read from the publication on."""
    plans, versions, lines = (
        np.frombuffer(part, np.dtype(layout)) for part, layout in zip(packed, (_PLAN, _VERSION, _LINE), strict=True)
    )
    plan, version_plan = (np.repeat(np.arange(len(plans)), plans[name]) for name in ("lines", "versions"))
    first = np.cumsum(plans["versions"]) - plans["versions"]
    flags = plans["flags"].astype(np.int64)
    read_from = np.where((flags & OWNER > 0)[version_plan], versions["published"], versions["opened"])
    number = versions["number"].astype(np.int64)
    begins, ends = first[plan] + lines["begins"], first[plan] + lines["ends"]
    is_newest = lines["ends"] < 0
    since, until = read_from[begins], np.where(is_newest, _FOREVER, read_from[ends])
    is_live, was_live = (flags & _LIVE > 0)[plan], (flags & _WAS_LIVE > 0)[plan]
    baseline = plans["baseline"].astype(np.int64)[plan]
    has_opened = is_live & (since <= now)
    return Lines(
        plans=plans,
        plan=plan,
        ids=lines["id"].astype(np.int64),
        combination=lines["combination"].astype(np.int64),
        provider=lines["provider"].astype(np.int64),
        site=lines["site"].astype(np.int64),
        forecast=lines["forecast"].astype(np.int64),
        count=lines["count"].astype(np.int64),
        is_now=has_opened & (until > now),
        is_then=was_live & (since <= then) & (until > then) if then is not None else np.zeros(len(lines), dtype=bool),
        is_baseline=has_opened & (number[begins] <= baseline) & (is_newest | (number[ends] > baseline)),
    )
