"""The rows of brownfield land: sites of public registers."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from partnerships.open_data.models import LAST, Record
from partnerships.open_data.queries.plans import Public, public_plans
from partnerships.open_data.queries.written import Written
from partnerships.open_data.standards import BROWNFIELD_LAND
from partnerships.open_data.values import Cells, own_reference, site_values, updated
from partnerships.organisations.models import Organisation


def site_rows(organisation: Organisation) -> list[Written]:
    """A row for each site of the organisation's public registers, and for each that left them.

    A row whose site somebody removed or made confidential here is left out, also once the site has left the register.
    """
    plans = {public.plan.pk: public for public in public_plans(organisation, "brownfield_land")}
    hidden = {pk: plan.hidden_sites for pk, plan in plans.items()}
    sites = {(pk, site["key"]): site for pk, plan in plans.items() for site in plan.content["sites"]}
    rows = []
    for record in Record.objects.filter(dataset=BROWNFIELD_LAND.code, plan__in=plans).order_by("position", "pk"):
        pk = record.plan_id or 0
        if not record.key:  # it had left the register when it was read
            if " ".join(record.cells["SiteReference"].split()) not in hidden[pk]:
                rows.append(Written((record.position, pk, ""), record.cells, record.read_at))
        elif (site := sites.pop((pk, record.key), None)) is not None:
            rows.append(_row(plans[pk], site, record))
    rows += [_row(plans[pk], site, None) for (pk, _), site in sites.items()]
    return rows


def _row(public: Public, site: dict[str, Any], record: Record | None) -> Written:
    """The row of a site: what was read of the register, with what changed here since."""
    now = site_values(site)
    if record is None:
        cells: Cells = {
            **now,
            "SiteReference": now["SiteReference"] or own_reference(public.plan.pk, site["key"]),
            "SiteplanURL": settings.SITE_ORIGIN + public.plan.get_absolute_url(),
            "NetDwellingsRangeTo": now["NetDwellingsRangeFrom"],
            "FirstAddedDate": public.changed_on,
            "LastUpdatedDate": public.changed_on,
        }
    else:
        cells, changed = updated(record.cells, record.values, now)
        if changed:
            cells["LastUpdatedDate"] = public.changed_on
            most, least = cells.get("NetDwellingsRangeTo", ""), now["NetDwellingsRangeFrom"]
            if most.isdecimal() and least.isdecimal() and int(most) < int(least):
                cells["NetDwellingsRangeTo"] = least
    place = (record.position if record else LAST, public.plan.pk, site["key"])
    return Written(place, cells, public.later(record))
