"""The content of a plan, made from a council's brownfield land."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from partnerships.open_data.values import PLANNING_STATUSES
from partnerships.organisations.models import Organisation
from partnerships.plans.content import name_and_address
from partnerships.transfer.reading.brownfield_land import Site


def keyed_sites(sites: Sequence[Site], before: Mapping[str, Any] | None) -> dict[str, Site]:
    """The file's sites by their keys in the plan, found by reference."""
    known = {site["reference"]: site["key"] for site in before["sites"]} if before else {}
    taken = set(known.values())
    keyed: dict[str, Site] = {}
    for site in sites:
        key = known.get(site.reference)
        if key is None:
            bare = re.sub(r"[^a-z0-9]+", "-", site.reference.casefold()).strip("-")[:80] or "site"
            number, key = 1, bare
            while key in taken:
                number += 1
                key = f"{bare}-{number}"
        taken.add(key)
        keyed[key] = site
    return keyed


def content_of_sites(
    council: Organisation,
    keyed: Mapping[str, Site],
    before: Mapping[str, Any] | None,
    kept: frozenset[str],
    today: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the file says of the council's sites.

    Sites that the file no longer has are gone, except for those with the references in `kept`, whose rows were set
    aside, and confidential ones: the owners decided about them. Known sites keep their places. `today` is the newest
    version: a name in the file that is its name and address was written by us, and changes nothing.
    """
    written = {site["key"]: name_and_address(site) for site in today["sites"]} if today else {}
    old = list(before["sites"]) if before else []
    site_by_key = {key: _site(key, site, council) for key, site in keyed.items()}
    stay = [
        _updated(known, site_by_key.pop(known["key"], {}), written)
        for known in old
        if known["key"] in site_by_key or known["confidential"] or "" in kept or known["reference"] in kept
    ]
    about = {
        **(before["about"] if before else {}),
        "title": title_of(council),
        "summary": (
            f"Brownfield land that {council.name} has published as suitable for homes. The homes of a site are the "
            "least number that the register gives."
        ),
    }
    return {**(before or {}), "about": about, "sites": [*stay, *site_by_key.values()]}


def _updated(known: Mapping[str, Any], site: dict[str, Any], written: Mapping[str, str]) -> dict[str, Any]:
    """A known site with what the file says."""
    if site and site["name"] == written.get(known["key"]):
        site = {**site, "name": known["name"]}
    return {**known, **site}


def title_of(council: Organisation) -> str:
    """What the plan is called."""
    return f"Brownfield land register of {council.name}"[:200]


def _site(key: str, site: Site, council: Organisation) -> dict[str, Any]:
    """The site as plans hold it.

    The kind of permission says more than the status alone.
    """
    lng, lat = site.point or (None, None)
    status = PLANNING_STATUSES.get(site.status, "")
    if status == "permission":
        status = {"outline planning permission": "outline", "permission in principle": "permission_in_principle"}.get(
            site.permission, status
        )
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
