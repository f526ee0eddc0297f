"""Keeping the rows that lists and reports read in step with a plan's newest version: only what differs is written."""

from __future__ import annotations

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import Area
from partnerships.plans.content import Content, Item, homes_count
from partnerships.plans.models import Homes, Milestone, Plan, Site

BATCH = 2_000


def project(plan: Plan, was: Content, now: Content) -> None:
    """Write the sites, homes and milestones of `now` as rows, given that the rows are those of `was`."""
    _sites(plan, _by_key(was, "sites"), _by_key(now, "sites"))
    hidden = _confidential(now)
    before = {key: _milestone(plan, item, _confidential(was)) for key, item in _by_key(was, "milestones").items()}
    after = {key: _milestone(plan, item, hidden) for key, item in _by_key(now, "milestones").items()}
    changed = {key for key, row in after.items() if key not in before or _values(row) != _values(before[key])}
    gone = set(before) - set(after)
    Milestone.objects.filter(plan=plan, key__in=changed | gone).delete()
    Milestone.objects.bulk_create([after[key] for key in sorted(changed)], batch_size=BATCH)


def _by_key(content: Content, code: str) -> dict[str, Item]:
    return {item["key"]: item for item in content[code]}


def _confidential(content: Content) -> set[str]:
    return {site["key"] for site in content["sites"] if site["confidential"]}


def _values(row: Milestone) -> tuple[object, ...]:
    return (row.name, row.site_key, row.owner, row.status, row.baseline, row.forecast, row.actual, row.restricted)


def _milestone(plan: Plan, item: Item, hidden: set[str]) -> Milestone:
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
        restricted=item["restricted"] or item["site"] in hidden,
    )


def _sites(plan: Plan, was: dict[str, Item], now: dict[str, Item]) -> None:
    changed = [item for key, item in now.items() if was.get(key) != item]
    stale = [item["key"] for item in changed if item["key"] in was] + [key for key in was if key not in now]
    Site.objects.filter(plan=plan, key__in=stale).delete()
    areas = dict(Area.objects.filter(code__in={item["area"] for item in changed}).values_list("code", "pk"))
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
    )
    Homes.objects.bulk_create(
        [Homes(site=row, **homes) for row, item in zip(rows, changed, strict=True) for homes in item["homes"]],
        batch_size=BATCH,
    )
