"""Turn plans, sites and contributions into values for the fields of a standard's file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from partnerships.plans.content import name_and_address

#: The texts of a row, by field.
Cells = dict[str, str]
#: Keys of the values that are saved when a contribution's row is imported. They are whether the contribution had ended,
#: the id of its last progress report, and the total delivered by then.
OVER, LAST_REPORT, REPORTED = "over", "last-report", "reported"
#: The key of a plan's outcome with its required homes.
REQUIRED_HOMES = "required-housing"
#: The planning status of a site in Common Ground, by the word of the standard.
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
    """Return a reference for a record that has none in a file."""
    return "-".join(["common-ground", *map(str, keys)])


def plan_values(content: Mapping[str, Any]) -> Cells:
    """Return the values of a plan's row, from the content of the plan."""
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


def _number(text: str) -> str:
    """Return the number in `12,400` or `12,400 homes` as `12400`, or "" for other texts."""
    match = re.fullmatch(r"([\d,]+)( homes)?", text.strip())
    return match[1].replace(",", "") if match else ""


def milestone_values(milestone: Mapping[str, Any]) -> Cells:
    """Return the values of an event's row, from a milestone."""
    planned = milestone["forecast"] or milestone["baseline"] or milestone["actual"]
    return {"event-date": planned, "actual-date": milestone["actual"], "notes": milestone["note"]}


def site_values(site: Mapping[str, Any]) -> Cells:
    """Return the values of a site's row, from a site of a plan."""
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


def organisation_values(organisation_id: int) -> Cells:
    """Return the id of a row's organisation, as a saved value.

    If the record later passes to a successor, the ids differ, and the published file names the successor instead.
    """
    return {"organisation": str(organisation_id)}


def figure_values(quantity: Decimal | None, unit: str) -> Cells:
    """Return a figure as `amount` if it is in pounds, or as `units` if it is in homes, such as `2500` or `2500.50`."""
    text = "" if quantity is None else f"{quantity:.2f}".removesuffix(".00")
    return {"amount": text if unit == "pounds" else "", "units": text if unit == "homes" else ""}


def with_changed_values(
    cells: Mapping[str, str], saved_values: Mapping[str, str], current_values: Mapping[str, str]
) -> tuple[Cells, bool]:
    """Return the cells of a saved row with the values that have changed since the import, and whether any has.

    Other cells keep the text of the file. For example, `2,500` is not rewritten as `2500`.
    """
    changed_cells = {field: value for field, value in current_values.items() if value != saved_values.get(field, "")}
    return {**cells, **changed_cells}, bool(changed_cells)
