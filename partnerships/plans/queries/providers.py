"""The providers of homes in reports.

The provider is the lead of a site or, if the plan names none, the owners of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from partnerships.kit.database import as_array, rows_of
from partnerships.kit.late import late
from partnerships.plans.queries.packed import SEVERAL, PackedLines

if TYPE_CHECKING:
    import numpy as np

    from partnerships.plans.queries.packed import IntArray
else:
    np = late("numpy")

_PROVIDERS_NAMED = "SELECT id FROM plans_homesprovider WHERE position(lower(%(name)s) IN lower(name)) > 0"


def providers_named(name: str) -> IntArray:
    """Return the ids of the leads of sites that have this text in their name."""
    return np.array([pk for (pk,) in rows_of(_PROVIDERS_NAMED, {"name": name})], dtype=np.int64)


#: A provider's key is 4 * id + one of these numbers, which say whose id it is. The id belongs to the site's lead, to
#: the only owner of the plan, or to the plan itself if it has several owners.
_LEAD, _OWNER, _OWNERS_OF_PLAN = 1, 2, 3


def provider_keys(lines: PackedLines) -> IntArray:
    """Return the key of the provider of each line."""
    owners = lines.plans["owner"].astype(np.int64)
    plans = lines.plans["id"].astype(np.int64)
    owner_keys = np.where(owners == SEVERAL, 4 * plans + _OWNERS_OF_PLAN, 4 * owners + _OWNER)
    keys: IntArray = np.where(lines.provider > 0, 4 * lines.provider + _LEAD, owner_keys[lines.plan])
    return keys


_PROVIDER_NAMES = f"""
SELECT 4 * id::bigint + {_LEAD}, name
FROM plans_homesprovider
WHERE id = ANY(%(leads)s)

UNION ALL

SELECT 4 * id + {_OWNER}, name
FROM organisations_organisation
WHERE id = ANY(%(owners)s)

UNION ALL

SELECT 4 * plan_id + {_OWNERS_OF_PLAN}, string_agg(body.name, ' and ' ORDER BY body.name, owner.id)
FROM plans_planowner owner
JOIN organisations_organisation body ON body.id = owner.organisation_id
WHERE owner.ended_at IS NULL
    AND plan_id = ANY(%(plans)s)
GROUP BY plan_id
"""  # noqa: S608 - constants


def provider_names(keys: Sequence[int]) -> dict[int, str]:
    """Return the names of these providers by key. Several owners are joined, as in "Fen Homes and Marsh Homes"."""
    if not keys:
        return {}
    parameters = {
        "leads": as_array([key // 4 for key in keys if key % 4 == _LEAD]),
        "owners": as_array([key // 4 for key in keys if key % 4 == _OWNER]),
        "plans": as_array([key // 4 for key in keys if key % 4 == _OWNERS_OF_PLAN]),
    }
    return dict(rows_of(_PROVIDER_NAMES, parameters))
