"""Published rows of brownfield land, from the sites of public registers."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from partnerships.open_data.models import ENTERED_POSITION, Record
from partnerships.open_data.queries.plans import PublicPlan, public_plans
from partnerships.open_data.queries.rows import PublishedRow
from partnerships.open_data.standards import BROWNFIELD_LAND
from partnerships.open_data.values import Cells, own_reference, site_values, with_changed_values
from partnerships.organisations.models import Organisation


def site_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each site that is or was in the organisation's public registers.

    Sites that were removed or made confidential in Common Ground have no row.
    """
    plan_by_pk = {public_plan.plan.pk: public_plan for public_plan in public_plans(organisation, "brownfield_land")}
    hidden_references = {pk: public_plan.hidden_sites for pk, public_plan in plan_by_pk.items()}
    sites = {(pk, site["key"]): site for pk, public_plan in plan_by_pk.items() for site in public_plan.content["sites"]}
    rows = []
    records = Record.objects.filter(dataset=BROWNFIELD_LAND.code, plan__in=plan_by_pk)
    for record in records.order_by("position", "pk"):
        pk = record.plan_id or 0
        # A site that had left the register before the import has no key, and is not in the plan.
        has_left_register = not record.key
        if has_left_register:
            reference = " ".join(record.cells["SiteReference"].split())
            if reference not in hidden_references[pk]:
                order = (record.position, pk, "")
                rows.append(PublishedRow(order=order, cells=record.cells, changed_at=record.read_at))
        elif (pk, record.key) in sites:
            rows.append(_site_row(plan_by_pk[pk], sites.pop((pk, record.key)), record))
    rows += [_site_row(plan_by_pk[pk], site, None) for (pk, _), site in sites.items()]
    return rows


def _site_row(public_plan: PublicPlan, site: dict[str, Any], record: Record | None) -> PublishedRow:
    """Return the saved row of a site with later changes, or a new row if none is saved."""
    values = site_values(site)
    if record is None:
        cells: Cells = {
            **values,
            "SiteReference": values["SiteReference"] or own_reference(public_plan.plan.pk, site["key"]),
            "SiteplanURL": settings.SITE_ORIGIN + public_plan.plan.get_absolute_url(),
            "NetDwellingsRangeTo": values["NetDwellingsRangeFrom"],
            "FirstAddedDate": public_plan.changed_on,
            "LastUpdatedDate": public_plan.changed_on,
        }
    else:
        cells, has_changed = with_changed_values(record.cells, record.values, values)
        if has_changed:
            cells["LastUpdatedDate"] = public_plan.changed_on
            maximum, minimum = cells.get("NetDwellingsRangeTo", ""), values["NetDwellingsRangeFrom"]
            if maximum.isdecimal() and minimum.isdecimal() and int(maximum) < int(minimum):
                cells["NetDwellingsRangeTo"] = minimum
    order = (record.position if record else ENTERED_POSITION, public_plan.plan.pk, site["key"])
    return PublishedRow(order=order, cells=cells, changed_at=public_plan.changed_at(record))
