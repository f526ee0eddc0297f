"""Published rows of plans and timetables, from the newest versions that everybody may read."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone

from partnerships.open_data.models import ENTERED_POSITION, Record
from partnerships.open_data.queries.rows import PublishedRow
from partnerships.open_data.standards import PLAN, TIMETABLE, event_of
from partnerships.open_data.values import Cells, milestone_values, own_reference, plan_values, with_changed_values
from partnerships.organisations.models import Identifier, Organisation, Scheme
from partnerships.plans.content import Content, content_for_outside
from partnerships.plans.models import FINAL_STATUSES, Plan, Version

#: The fields with the codes of a plan's authorities. Minerals and waste plans use the second field.
_AUTHORITIES, _MINERALS_AUTHORITIES = "local-planning-authorities", "minerals-and-waste-planning-authorities"


@dataclass(frozen=True, slots=True)
class PublicPlan:
    """A plan and its newest public version."""

    plan: Plan
    version: Version
    #: The content without confidential sites and other restricted parts.
    content: Content

    @property
    def hidden_sites(self) -> frozenset[str]:
        """Return the references of the plan's confidential sites."""
        return frozenset(site["reference"] for site in self.version.content["sites"] if site["confidential"])

    @property
    def changed_on(self) -> str:
        """Return the date on which the version became public, in ISO format."""
        return timezone.localdate(self._public_since).isoformat()

    @property
    def _public_since(self) -> dt.datetime:
        """Return when the version became public. After an embargo, this is the end of the embargo."""
        return self.version.embargo_until or self.version.published_at

    def changed_at(self, record: Record | None) -> dt.datetime:
        """Return when a row last changed. This is the later of its import and the publication of the version."""
        return max(self._public_since, record.read_at) if record else self._public_since


def public_plans(organisation: Organisation, kind: str) -> list[PublicPlan]:
    """Return the organisation's public plans of a kind, except those that are over."""
    plans = Plan.objects.public().owned_by(organisation).filter(kind=kind).exclude(status__in=FINAL_STATUSES)
    versions = (
        Version.objects.visible_to(AnonymousUser())
        .filter(plan__in=plans)
        .defer("prose")
        .select_related("plan")
        .prefetch_related("plan__owners")
        .order_by("plan", "-number")
        .distinct("plan")
    )
    return [PublicPlan(version.plan, version, content_for_outside(version.content)) for version in versions]


def records_of(plans: Sequence[PublicPlan], dataset: str) -> dict[int, dict[str, Record]]:
    """Return the saved rows of these plans, by plan id and then by key."""
    records_by_plan: dict[int, dict[str, Record]] = defaultdict(dict)
    records = Record.objects.filter(dataset=dataset, plan__in=[plan.plan for plan in plans])
    for record in records.order_by("position"):
        records_by_plan[record.plan_id or 0][record.key] = record
    return records_by_plan


def plan_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each public local plan of the organisation."""
    plans = public_plans(organisation, "local_plan")
    records = records_of(plans, PLAN.code)
    area_codes = _area_codes(plans)
    return [_plan_row(plan, records[plan.plan.pk].get(""), area_codes[plan.plan.pk]) for plan in plans]


def _plan_row(public_plan: PublicPlan, record: Record | None, area_codes: str) -> PublishedRow:
    """Return the saved row of a plan with later changes, or a new row if none is saved."""
    plan = public_plan.plan
    cells = _cells(public_plan, record, plan_values(public_plan.content))
    default_cells = {
        "reference": reference_of(plan),
        "datasets": "local-plan",
        "documentation-url": settings.SITE_ORIGIN + plan.get_absolute_url(),
        "document-url": settings.SITE_ORIGIN + reverse("plans:pdf", args=[plan.pk, public_plan.version.number]),
    }
    for field, value in default_cells.items():
        if field not in cells or (record is None and not cells[field]):
            cells[field] = value
    if _AUTHORITIES not in cells and _MINERALS_AUTHORITIES not in cells:
        is_minerals_plan = cells["datasets"].startswith(("minerals", "waste"))
        cells[_MINERALS_AUTHORITIES if is_minerals_plan else _AUTHORITIES] = area_codes
    order = (record.position if record else ENTERED_POSITION, plan.pk, "")
    return PublishedRow(order=order, cells=cells, changed_at=public_plan.changed_at(record))


def _cells(public_plan: PublicPlan, record: Record | None, current_values: Cells) -> Cells:
    """Return the cells of a saved row with later changes. Without a saved row, return the current values.

    A saved row gets a new entry date only when another value changes.
    """
    if record is None:
        return {**current_values, "entry-date": public_plan.changed_on}
    cells, has_changed = with_changed_values(record.cells, record.values, current_values)
    if has_changed:
        cells["entry-date"] = public_plan.changed_on
    return cells


def reference_of(plan: Plan) -> str:
    """Return the plan's reference in its imported file. A plan that was not imported has a reference of our own."""
    return plan.external_reference.partition("#")[0] or own_reference(plan.pk)


def _area_codes(plans: Sequence[PublicPlan]) -> dict[int, str]:
    """Return the codes of the owners' planning areas by plan id, such as `E60000019;E60000281`.

    For an owner without a planning area, the code of its district is used.
    """
    owner_ids = {owner.organisation_id for public_plan in plans for owner in public_plan.plan.owners.all()}
    identifiers = Identifier.objects.filter(
        organisation__in=owner_ids, scheme__in=[Scheme.GSS, Scheme.PLANNING_AREA], valid_to=None
    )
    code_by_scheme: dict[int, dict[str, str]] = defaultdict(dict)
    for identifier in identifiers.order_by("pk"):
        code_by_scheme[identifier.organisation_id][identifier.scheme] = identifier.value

    def code_of(owner_id: int) -> str:
        codes = code_by_scheme[owner_id]
        return codes.get(Scheme.PLANNING_AREA) or codes.get(Scheme.GSS, "")

    area_codes = {}
    for public_plan in plans:
        codes = [code_of(owner.organisation_id) for owner in public_plan.plan.owners.all()]
        area_codes[public_plan.plan.pk] = ";".join(code for code in codes if code)
    return area_codes


def timetable_rows(organisation: Organisation) -> list[PublishedRow]:
    """Return a row for each event of the organisation's public local plans."""
    plans = public_plans(organisation, "local_plan")
    records = records_of(plans, TIMETABLE.code)
    plan_records = records_of(plans, PLAN.code)
    rows = []
    for public_plan in plans:
        plan_record = plan_records[public_plan.plan.pk].get("")
        reference = (plan_record.cells.get("reference") if plan_record else "") or reference_of(public_plan.plan)
        rows += [
            _event_row(public_plan, milestone, records[public_plan.plan.pk].get(milestone["key"]), reference)
            for milestone in public_plan.content["milestones"]
        ]
    return rows


def _event_row(
    public_plan: PublicPlan, milestone: dict[str, str], record: Record | None, reference: str
) -> PublishedRow:
    """Return the row of a milestone, or the reason why it is left out."""
    order = (record.position if record else ENTERED_POSITION, public_plan.plan.pk, milestone["key"])
    values = milestone_values(milestone)
    event = event_of(milestone["key"], milestone["name"])
    reason = _why_left_out(milestone, event=event, event_date=values["event-date"])
    if reason:
        left_out = f"{milestone['name']} ({public_plan.plan.title}): {reason}"
        return PublishedRow(order=order, cells={}, changed_at=None, left_out=left_out)

    cells = _cells(public_plan, record, values)
    cells.setdefault("reference", f"{reference}-{milestone['key']}")
    cells["plan"] = reference
    cells["plan-event"] = event
    return PublishedRow(order=order, cells=cells, changed_at=public_plan.changed_at(record))


def _why_left_out(milestone: dict[str, str], *, event: str, event_date: str) -> str:
    """Return why the file leaves out a milestone, or "" for a milestone in the file."""
    if milestone["status"] == "cancelled":
        return "the milestone is cancelled."
    if not event:
        return "the standard has no such event."
    return "" if event_date else "the milestone has no date."
