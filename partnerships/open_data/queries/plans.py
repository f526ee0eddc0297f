"""The rows of plans and timetables: newest versions that everybody may read."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone

from partnerships.open_data.models import LAST, Record
from partnerships.open_data.queries.written import Written
from partnerships.open_data.standards import PLAN, TIMETABLE, event_of
from partnerships.open_data.values import Cells, milestone_values, own_reference, plan_values, updated
from partnerships.organisations.models import Identifier, Organisation, Scheme
from partnerships.plans.content import Content, outside
from partnerships.plans.models import OVER, Plan, Version

#: Fields of a plan with the codes of its authorities; a file has the one that its kinds of plan need.
_AUTHORITIES, _MINERALS_AUTHORITIES = "local-planning-authorities", "minerals-and-waste-planning-authorities"


@dataclass(frozen=True, slots=True)
class Public:
    """A plan with the newest version that everybody may read, as everybody reads it."""

    plan: Plan
    version: Version
    content: Content

    @property
    def hidden_sites(self) -> frozenset[str]:
        """The references of its confidential sites."""
        return frozenset(site["reference"] for site in self.version.content["sites"] if site["confidential"])

    @property
    def changed_on(self) -> str:
        """The day of the version."""
        return timezone.localdate(self.version.embargo_until or self.version.published_at).isoformat()

    def later(self, record: Record | None) -> dt.datetime:
        """When everybody could read the version first or a row was read, the later of the two."""
        published = self.version.embargo_until or self.version.published_at
        return max(published, record.read_at) if record else published


def public_plans(organisation: Organisation, kind: str) -> list[Public]:
    """The organisation's plans of a kind that everybody may read and that are not over."""
    plans = Plan.objects.public().owned_by(organisation).filter(kind=kind).exclude(status__in=OVER)
    versions = (
        Version.objects.visible_to(AnonymousUser())
        .filter(plan__in=plans)
        .defer("prose")
        .select_related("plan")
        .prefetch_related("plan__owners")
        .order_by("plan", "-number")
        .distinct("plan")
    )
    return [Public(version.plan, version, outside(version.content)) for version in versions]


def records_of(plans: Sequence[Public], dataset: str) -> dict[int, dict[str, Record]]:
    """The rows that were read of these plans, by plan and key."""
    records_by_plan: dict[int, dict[str, Record]] = defaultdict(dict)
    records = Record.objects.filter(dataset=dataset, plan__in=[public.plan for public in plans])
    for record in records.order_by("position"):
        records_by_plan[record.plan_id or 0][record.key] = record
    return records_by_plan


def plan_rows(organisation: Organisation) -> list[Written]:
    """A row for each public local plan of the organisation."""
    plans = public_plans(organisation, "local_plan")
    records = records_of(plans, PLAN.code)
    areas = _areas_of(plans)
    return [_plan_row(public, records[public.plan.pk].get(""), areas[public.plan.pk]) for public in plans]


def _plan_row(public: Public, record: Record | None, areas: str) -> Written:
    """The row of a plan: what was read of the council's file, with what changed here since."""
    plan = public.plan
    cells = _cells(public, record, plan_values(public.content))
    made_here = {
        "reference": reference_of(plan),
        "datasets": "local-plan",
        "documentation-url": settings.SITE_ORIGIN + plan.get_absolute_url(),
        "document-url": settings.SITE_ORIGIN + reverse("plans:pdf", args=[plan.pk, public.version.number]),
    }
    for field, value in made_here.items():
        if field not in cells or (record is None and not cells[field]):
            cells[field] = value
    if _AUTHORITIES not in cells and _MINERALS_AUTHORITIES not in cells:
        is_of_minerals = cells["datasets"].startswith(("minerals", "waste"))
        cells[_MINERALS_AUTHORITIES if is_of_minerals else _AUTHORITIES] = areas
    place = (record.position if record else LAST, plan.pk, "")
    return Written(place, cells, public.later(record))


def _cells(public: Public, record: Record | None, now: Cells) -> Cells:
    """The cells that were read, with what changed here since.

    Without a record, what the plan says now. The date of entry is that of the row until something changes here.
    """
    if record is None:
        return {**now, "entry-date": public.changed_on}
    cells, changed = updated(record.cells, record.values, now)
    if changed:
        cells["entry-date"] = public.changed_on
    return cells


def reference_of(plan: Plan) -> str:
    """The plan's reference: that of the file it came from, else one of our own."""
    return plan.external_reference.partition("#")[0] or own_reference(plan.pk)


def _areas_of(plans: Sequence[Public]) -> dict[int, str]:
    """The codes of the planning areas of each plan's owners, else of their districts, with semicolons between."""
    everybody = {owner.organisation_id for public in plans for owner in public.plan.owners.all()}
    codes: dict[int, dict[str, str]] = defaultdict(dict)
    schemes = [Scheme.GSS, Scheme.PLANNING_AREA]
    for row in Identifier.objects.filter(organisation__in=everybody, scheme__in=schemes, valid_to=None).order_by("pk"):
        codes[row.organisation_id][row.scheme] = row.value

    def code_of(owner: int) -> str:
        return codes[owner].get(Scheme.PLANNING_AREA) or codes[owner].get(Scheme.GSS, "")

    areas = {}
    for public in plans:
        owners = [owner.organisation_id for owner in public.plan.owners.all()]
        areas[public.plan.pk] = ";".join(filter(None, map(code_of, owners)))
    return areas


def timetable_rows(organisation: Organisation) -> list[Written]:
    """A row for each event of the organisation's public local plans."""
    plans = public_plans(organisation, "local_plan")
    records = records_of(plans, TIMETABLE.code)
    references = {pk: known[""].cells for pk, known in records_of(plans, PLAN.code).items() if "" in known}
    rows = []
    for public in plans:
        reference = references.get(public.plan.pk, {}).get("reference") or reference_of(public.plan)
        rows += [
            _event_row(public, milestone, records[public.plan.pk].get(milestone["key"]), reference)
            for milestone in public.content["milestones"]
        ]
    return rows


def _event_row(public: Public, milestone: dict[str, str], record: Record | None, reference: str) -> Written:
    """The row of a milestone, or why the standard has no place for it."""
    now = milestone_values(milestone)
    place = (record.position if record else LAST, public.plan.pk, milestone["key"])
    event = event_of(milestone["key"], milestone["name"])
    called = f"{milestone['name']} ({public.plan.title})"
    if milestone["status"] == "cancelled":
        return Written(place, {}, None, f"{called}: cancelled.")
    if not event:
        return Written(place, {}, None, f"{called}: the standard has no such event.")
    if not now["event-date"]:
        return Written(place, {}, None, f"{called}: it has no date.")
    cells = _cells(public, record, now)
    cells.setdefault("reference", f"{reference}-{milestone['key']}")
    cells["plan"], cells["plan-event"] = reference, event
    return Written(place, cells, public.later(record))
