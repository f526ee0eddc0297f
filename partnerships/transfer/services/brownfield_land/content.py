"""The content of a council's plan, made from the rows of its register of brownfield land."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from partnerships.open_data.values import PLANNING_STATUSES
from partnerships.organisations.models import Organisation
from partnerships.plans.content import name_and_address
from partnerships.transfer.reading.brownfield_land import Site

#: The planning status of a permitted site, for kinds of permission that are not full permission.
_STATUS_BY_PERMISSION = {
    "outline planning permission": "outline",
    "permission in principle": "permission_in_principle",
}


def keyed_sites(sites: Sequence[Site], before: Mapping[str, Any] | None) -> dict[str, Site]:
    """Return the file's sites by their keys in the plan.

    `before` is the content as the previous file has it. A site that was in that file keeps its key. A new site gets a
    key made from its reference.
    """
    key_by_reference = {site["reference"]: site["key"] for site in before["sites"]} if before else {}
    used_keys = set(key_by_reference.values())
    site_by_key: dict[str, Site] = {}
    for site in sites:
        key = key_by_reference.get(site.reference) or _new_key(site.reference, used_keys)
        used_keys.add(key)
        site_by_key[key] = site
    return site_by_key


def _new_key(reference: str, used_keys: Collection[str]) -> str:
    """Return a key made from the reference, with a number if another site has it already."""
    slug = re.sub(r"[^a-z0-9]+", "-", reference.casefold()).strip("-")[:80] or "site"
    key = slug
    number = 1
    while key in used_keys:
        number += 1
        key = f"{slug}-{number}"
    return key


def content_of_sites(
    council: Organisation,
    file_site_by_key: Mapping[str, Site],
    before: Mapping[str, Any] | None,
    kept_references: frozenset[str],
    newest: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the content of the plan with the sites of the file.

    `before` is the content as the previous file has it, and `newest` is the newest version. Sites of `before` come
    first, in the same order. A site that is no longer in the file is removed, unless its owners marked it as
    confidential, or its reference is in `kept_references` because its row could not be used. If `kept_references`
    contains "", every site of `before` is kept.
    """
    published_names = {site["key"]: name_and_address(site) for site in newest["sites"]} if newest else {}
    site_by_key = {key: _site(key, site, council) for key, site in file_site_by_key.items()}
    sites = []
    for site in before["sites"] if before else ():
        is_kept = site["confidential"] or "" in kept_references or site["reference"] in kept_references
        if site["key"] in site_by_key or is_kept:
            sites.append(_updated_site(site, site_by_key.pop(site["key"], {}), published_names))
    about = {
        **(before["about"] if before else {}),
        "title": title_of(council),
        "summary": (
            f"Brownfield land that {council.name} has published as suitable for homes. The homes of a site are the "
            "least number that the register gives."
        ),
    }
    return {**(before or {}), "about": about, "sites": [*sites, *site_by_key.values()]}


def _updated_site(
    site: Mapping[str, Any], new_values: Mapping[str, Any], published_names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the site with the values of its row in the file.

    A council may upload a file that it downloaded from us. Our download has the name and the address in one column, so
    a name equal to both together is not a new name.
    """
    updated = {**site, **new_values}
    if new_values and new_values["name"] == published_names.get(site["key"]):
        updated["name"] = site["name"]
    return updated


def title_of(council: Organisation) -> str:
    """Return the title of the plan with a council's register."""
    return f"Brownfield land register of {council.name}"[:200]


def _site(key: str, site: Site, council: Organisation) -> dict[str, Any]:
    """Return a row of the register as a site of a plan."""
    lng, lat = site.point or (None, None)
    status = PLANNING_STATUSES.get(site.status, "")
    if status == "permission":
        status = _STATUS_BY_PERMISSION.get(site.permission, status)
    return {
        "key": key,
        "reference": site.reference,
        "name": site.name,
        "planning_authority": council.name,
        "lng": None if lng is None else str(lng),
        "lat": None if lat is None else str(lat),
        "landowner": site.ownership,
        "planning_status": status,
        "homes": [{"tenure": "unknown", "count": site.homes}] if site.homes else [],
    }
