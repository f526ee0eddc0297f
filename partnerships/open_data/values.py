"""What a plan says of the fields of a standard's file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from partnerships.plans.content import name_and_address

#: Field and text, as a file has them.
Cells = dict[str, str]
#: Of a contribution when its row was read: whether it had ended, its last report (id), and the total delivered by then.
OVER, LAST_REPORT, REPORTED = "over", "last-report", "reported"
#: The key of the outcome that has a plan's required homes.
REQUIRED_HOMES = "required-housing"
#: The planning status of a site, by the word of the standard.
PLANNING_STATUSES = {"permissioned": "permission", "pending decision": "submitted", "not permissioned": "none"}
#: The word of the standard and the kind of permission, by the planning status of a site.
_PERMISSIONS = {
    "permission": ("permissioned", "full planning permission"),
    "outline": ("permissioned", "outline planning permission"),
    "permission_in_principle": ("permissioned", "permission in principle"),
    "submitted": ("pending decision", ""),
    "appeal": ("pending decision", ""),
}


def own_reference(*keys: object) -> str:
    """The reference of a record that has none in the file that it came from."""
    return "-".join(["common-ground", *map(str, keys)])


def plan_values(content: Mapping[str, Any]) -> Cells:
    """The fields of a plan's row that its content has."""
    about = content["about"]
    homes = next((outcome["measure"] for outcome in content["outcomes"] if outcome["key"] == REQUIRED_HOMES), "")
    return {
        "name": about["title"],
        "description": about["summary"],
        "period-start-date": about["period_start"],
        "period-end-date": about["period_end"],
        "documentation-url": about["source"],
        "required-housing": _number(homes),
    }


def _number(words: str) -> str:
    """`12,400` or `12,400 homes` as 12400; "" for anything else."""
    match = re.fullmatch(r"([\d,]+)( homes)?", words.strip())
    return match[1].replace(",", "") if match else ""


def milestone_values(milestone: Mapping[str, Any]) -> Cells:
    """The fields of an event's row that a milestone has."""
    planned = milestone["forecast"] or milestone["baseline"] or milestone["actual"]
    return {"event-date": planned, "actual-date": milestone["actual"], "notes": milestone["note"]}


def site_values(site: Mapping[str, Any]) -> Cells:
    """The fields of a site's row that a site of a plan has."""
    status, permission = _PERMISSIONS.get(site["planning_status"], ("not permissioned", ""))
    homes = sum(line["count"] for line in site["homes"])
    return {
        "SiteReference": site["reference"],
        "SiteNameAddress": name_and_address(site),
        "GeoX": "" if site["lng"] is None else str(site["lng"]),
        "GeoY": "" if site["lat"] is None else str(site["lat"]),
        "OwnershipStatus": site["landowner"],
        "PlanningStatus": status if site["planning_status"] else "",
        "PermissionType": permission,
        "NetDwellingsRangeFrom": str(homes) if homes else "",
    }


def organisation_values(organisation: int) -> Cells:
    """Whose row it is, so that a row that passed to a successor names the successor."""
    return {"organisation": str(organisation)}


def figure_values(quantity: Decimal | None, unit: str) -> Cells:
    """The fields of a figure: `amount` for pounds, `units` for homes.

    Without a point if it is whole.
    """
    words = "" if quantity is None else f"{quantity:.2f}".removesuffix(".00")
    return {"amount": words if unit == "pounds" else "", "units": words if unit == "homes" else ""}


def updated(cells: Mapping[str, str], then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Cells, bool]:
    """The cells of a row that was read, with what has changed since.

    `then` is what the row said when it was read, `now` what is so today, by field. A value that is the same keeps the
    text of the file: `2,500` stays `2,500`. Returns whether anything changed.
    """
    changed = {field: value for field, value in now.items() if value != then.get(field, "")}
    return {**cells, **changed}, bool(changed)
