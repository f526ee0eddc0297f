"""Update the rows for lists and reports from a plan's newest version.

Writes only differences.
"""

from __future__ import annotations

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import Area
from partnerships.plans.content import Content, Item, homes_count
from partnerships.plans.models import Homes, Milestone, Plan, Site

BATCH = 2_000
MILESTONE_FIELDS = ("name", "site_key", "owner", "status", "baseline", "forecast", "actual", "restricted")
#: The fields of a site's row that come from its item.
SITE_FIELDS = [
    field.attname.removesuffix("_id")
    for field in Site._meta.concrete_fields
    if not field.primary_key and field.name not in ("plan", "key")
]


def project(plan: Plan, was: Content, now: Content) -> None:
    """Write the sites, homes and milestones of `now` as rows.

    The present rows are those of `was`.
    """
    _sites(plan, _by_key(was, "sites"), _by_key(now, "sites"))
    shown_before, shown = _shown(was), _shown(now)
    before = {key: _milestone(plan, item, shown_before) for key, item in _by_key(was, "milestones").items()}
    after = {key: _milestone(plan, item, shown) for key, item in _by_key(now, "milestones").items()}
    changed = {key for key, row in after.items() if key not in before or _values(row) != _values(before[key])}
    Milestone.objects.filter(plan=plan, key__in=set(before) - set(after)).delete()
    Milestone.objects.bulk_create(
        [after[key] for key in sorted(changed)],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["plan", "key"],
        update_fields=[*MILESTONE_FIELDS, "due_from", "due_by"],
    )


def _by_key(content: Content, code: str) -> dict[str, Item]:
    return {item["key"]: item for item in content[code]}


def _shown(content: Content) -> set[str]:
    """The keys of sites whose milestones readers outside may see.

    "" is the whole plan.
    """
    return {"", *(site["key"] for site in content["sites"] if not site["confidential"])}


def _values(row: Milestone) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in MILESTONE_FIELDS)


def _milestone(plan: Plan, item: Item, shown: set[str]) -> Milestone:
    due = item["forecast"] or item["baseline"]
    forecast = PartialDate.parse(due) if due else None
    return Milestone(
        plan=plan,
        key=item["key"],
        name=item["name"],
        site_key=item["site"],
        owner=item["owner"],
        status="achieved" if item["actual"] and item["status"] != "cancelled" else item["status"],
        baseline=item["baseline"],
        forecast=item["forecast"],
        actual=item["actual"],
        due_from=forecast.earliest if forecast else None,
        due_by=forecast.latest if forecast else None,
        restricted=item["restricted"] or item["site"] not in shown,
    )


def _sites(plan: Plan, was: dict[str, Item], now: dict[str, Item]) -> None:
    changed = [item for key, item in now.items() if was.get(key) != item]
    Site.objects.filter(plan=plan, key__in=[key for key in was if key not in now]).delete()
    areas = dict(Area.objects.filter(code__in={item["area"] for item in changed}).values_list("code", "pk"))
    # A site keeps its row and id, because open forms refer to them.
    rows = Site.objects.bulk_create(
        [
            Site(
                plan=plan,
                key=item["key"],
                reference=item["reference"],
                name=item["name"],
                area_id=areas.get(item["area"]),
                planning_authority=item["planning_authority"],
                confidential=item["confidential"],
                homes=homes_count(item),
                planning_status=item["planning_status"],
                confidence=item["confidence"],
                forecast_completion=item["forecast_completion"],
                actual_completion=item["actual_completion"],
                latitude=item["lat"],
                longitude=item["lng"],
            )
            for item in changed
        ],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["plan", "key"],
        update_fields=SITE_FIELDS,
    )
    recounted = [
        (row, item)
        for row, item in zip(rows, changed, strict=True)
        if item["key"] not in was or was[item["key"]]["homes"] != item["homes"]
    ]
    stale = [row.pk for row, item in recounted if item["key"] in was]
    Homes.objects.filter(site__in=stale).delete()
    Homes.objects.bulk_create(
        [Homes(site=row, **homes) for row, item in recounted for homes in item["homes"]], batch_size=BATCH
    )
