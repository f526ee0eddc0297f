"""Lines of homes of the plans that a reader may read, unpacked into numpy arrays.

PostgreSQL sends the packed lines of all plans as a few long values, about 25 MB for half a million lines. Reading and
adding up as many rows would take ten times as long.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from partnerships.kit.database import binary_rows
from partnerships.kit.late import late
from partnerships.organisations.audience import Reader
from partnerships.plans.queries.reading import READS, rights_sql

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    IntArray: TypeAlias = NDArray[np.int64]
    BoolArray: TypeAlias = NDArray[np.bool_]
else:
    np = late("numpy")

#: The layout of a packed version (20 bytes). The database function `plans_pack_homes` writes versions and lines.
_VERSION = [("number", ">i4"), ("published", ">i8"), ("opened", ">i8")]
#: The layout of a packed line (32 bytes). A line applies from version `begins` until before version `ends` of its plan.
_LINE = [
    ("id", ">i8"),
    ("combination", ">i4"),
    ("provider", ">i4"),
    ("site", ">i4"),
    ("forecast", ">i4"),
    ("count", ">i4"),
    ("begins", ">i2"),
    ("ends", ">i2"),
]
#: The layout of a plan, as `_STATEMENT` returns it. `versions` and `lines` are the numbers of its versions and lines.
_PLAN = [
    ("id", ">i8"),
    ("owner", ">i8"),
    ("baseline", ">i4"),
    ("flags", ">i4"),
    ("versions", ">i4"),
    ("lines", ">i4"),
]
#: The flags of a plan. They say whether the reader is an owner, whether the reader reads the plan inside, whether the
#: plan is live now, and whether it was live earlier.
OWNER, INSIDE, _LIVE, _WAS_LIVE = 1, 2, 4, 8
#: The owner of a plan with several owners.
SEVERAL = -1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: A moment after all others, in microseconds.
_FOREVER = 2**62
#: Each row contains up to 8,192 plans, which are enough for numpy to be fast and few enough to fit into memory.
_STATEMENT = f"""{READS}
, owners AS MATERIALIZED (
    SELECT plan_id, CASE WHEN count(*) > 1 THEN {SEVERAL} ELSE min(organisation_id) END AS body
    FROM plans_planowner
    WHERE ended_at IS NULL
        AND plan_id IN (SELECT plan_id FROM reads)
    GROUP BY plan_id
)
SELECT
    string_agg(
        int8send(plan_id)
        || int8send(coalesce(body, 0))
        || int4send(baseline_number)
        || int4send(
            {OWNER} * is_owner::int
            + {INSIDE} * is_inside::int
            + {_LIVE} * is_live::int
            + {_WAS_LIVE} * was_live::int
        )
        || int4send(length(versions) / 20)
        || int4send(length(lines) / 32),
        ''::bytea
    ),
    string_agg(versions, ''::bytea),
    string_agg(lines, ''::bytea)
FROM reads
JOIN plans_packedhomes USING (plan_id)
LEFT JOIN owners USING (plan_id)
WHERE is_live OR was_live
GROUP BY plan_id / 8192
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class PackedLines:
    """Lines of homes of a batch of plans.

    Each array has one element for each line, except `plans`. Lines of a site follow each other.
    """

    #: One element for each plan, with the fields of `_PLAN`.
    plans: NDArray[Any]
    #: The index in `plans` of the plan to which the line belongs.
    plan: IntArray
    ids: IntArray
    combination: IntArray
    provider: IntArray
    site: IntArray
    #: For example 20290600 for June 2029, or 0 if no forecast is given.
    forecast: IntArray
    count: IntArray
    # Whether the line applies now, at the earlier moment and in the baseline.
    is_now: BoolArray
    is_earlier: BoolArray
    is_baseline: BoolArray

    def where(self, condition: BoolArray) -> PackedLines:
        """Return the lines that meet a condition."""
        return PackedLines(
            plans=self.plans,
            plan=self.plan[condition],
            ids=self.ids[condition],
            combination=self.combination[condition],
            provider=self.provider[condition],
            site=self.site[condition],
            forecast=self.forecast[condition],
            count=self.count[condition],
            is_now=self.is_now[condition],
            is_earlier=self.is_earlier[condition],
            is_baseline=self.is_baseline[condition],
        )

    def inside(self) -> BoolArray:
        """Return for each line whether the reader may read what is confidential in the line's plan."""
        is_inside: BoolArray = self.plans["flags"] & INSIDE > 0
        return is_inside[self.plan]


def packed_lines(
    reader: Reader, values: Mapping[str, Any], *, earlier: dt.datetime | None, now: dt.datetime
) -> Iterable[PackedLines]:
    """Return the lines of the plans that the reader may read, one `PackedLines` for each batch of plans.

    `values` are from `reading.plan_parameters`. Lines at confidential sites are included for all readers, so leave them
    out with `Combinations.countable_lines`.
    """
    rights, rights_values = rights_sql(reader)
    # The query runs at once, not when the first batch is needed, because callers read the combinations afterwards.
    rows = binary_rows(_STATEMENT.format(**rights), {**rights_values, **values})
    earlier_microseconds = None if earlier is None else _microseconds(earlier)
    now_microseconds = _microseconds(now)
    return (
        _unpack_batch(plans, versions, lines, earlier=earlier_microseconds, now=now_microseconds)
        for plans, versions, lines in rows
    )


def _microseconds(moment: dt.datetime) -> int:
    """Return a moment as microseconds since 1970, as versions are packed."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def _unpack_batch(
    packed_plans: memoryview, packed_versions: memoryview, packed_lines: memoryview, *, earlier: int | None, now: int
) -> PackedLines:
    """Return the lines of a batch of plans as the reader reads them at these moments (microseconds)."""
    plans = np.frombuffer(packed_plans, np.dtype(_PLAN))
    versions = np.frombuffer(packed_versions, np.dtype(_VERSION))
    lines = np.frombuffer(packed_lines, np.dtype(_LINE))
    flags = plans["flags"].astype(np.int64)

    version_number = versions["number"].astype(np.int64)
    readable_from = _readable_from(plans, versions)

    # A line contains the indexes of its versions within its plan, but the arrays contain the versions of all plans.
    plan = np.repeat(np.arange(len(plans)), plans["lines"])
    first_version = np.cumsum(plans["versions"]) - plans["versions"]
    begins = first_version[plan] + lines["begins"]
    ends = first_version[plan] + lines["ends"]
    is_newest = lines["ends"] < 0
    since = readable_from[begins]
    until = np.where(is_newest, _FOREVER, readable_from[ends])

    is_live = (flags & _LIVE > 0)[plan]
    was_live = (flags & _WAS_LIVE > 0)[plan]
    is_readable = is_live & (since <= now)
    baseline = plans["baseline"].astype(np.int64)[plan]
    is_in_baseline = (version_number[begins] <= baseline) & (is_newest | (version_number[ends] > baseline))
    if earlier is None:
        is_earlier = np.zeros(len(lines), dtype=bool)
    else:
        is_earlier = was_live & (since <= earlier) & (until > earlier)
    return PackedLines(
        plans=plans,
        plan=plan,
        ids=lines["id"].astype(np.int64),
        combination=lines["combination"].astype(np.int64),
        provider=lines["provider"].astype(np.int64),
        site=lines["site"].astype(np.int64),
        forecast=lines["forecast"].astype(np.int64),
        count=lines["count"].astype(np.int64),
        is_now=is_readable & (until > now),
        is_earlier=is_earlier,
        is_baseline=is_readable & is_in_baseline,
    )


def _readable_from(plans: NDArray[Any], versions: NDArray[Any]) -> NDArray[Any]:
    """Return from which moment (microseconds) the reader can read each version.

    Owners read a version from its publication, everybody else from the end of its embargo.
    """
    plan_of_version = np.repeat(np.arange(len(plans)), plans["versions"])
    is_owner = plans["flags"][plan_of_version] & OWNER > 0
    return np.where(is_owner, versions["published"], versions["opened"])
