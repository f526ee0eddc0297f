"""Update the rows for lists and reports from a plan's newest version.

Writes only differences.
"""

from __future__ import annotations

from dataclasses import asdict

from partnerships.kit.database import rows_of
from partnerships.organisations.models import Area
from partnerships.plans.content import Content, Item, homes_count, pipeline_kind, pipeline_lines
from partnerships.plans.models import Document, Homes, Milestone, Plan, PlannedHomes, Site, Version, milestones_in

BATCH = 2_000
MILESTONE_FIELDS = ("name", "site_key", "owner", "status", "baseline", "forecast", "actual", "restricted")
#: The fields of a site's row that come from its item.
SITE_FIELDS = [
    field.attname.removesuffix("_id")
    for field in Site._meta.concrete_fields
    if not field.primary_key and field.name not in ("plan", "key")
]


def project(plan: Plan, was: Content, now: Content, version: Version) -> None:
    """Write the sites, homes, milestones and documents of `now`, which is the content of `version`, as rows.

    The present rows are those of `was`.
    """
    record_planned_homes(was, now, version)
    _sites(plan, _by_key(was, "sites"), _by_key(now, "sites"))
    _documents(plan, _by_key(was, "documents"), _by_key(now, "documents"))
    before, after = milestones_in(plan, was), milestones_in(plan, now)
    changed = {key for key, row in after.items() if key not in before or _values(row) != _values(before[key])}
    Milestone.objects.filter(plan=plan, key__in=set(before) - set(after)).delete()
    Milestone.objects.bulk_create(
        [after[key] for key in sorted(changed)],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["plan", "key"],
        update_fields=[*MILESTONE_FIELDS, "due_from", "due_by"],
    )


def record_planned_homes(was: Content, now: Content, version: Version) -> None:
    """End the rows of homes that `version` no longer has as they were, and add those that it has."""
    before = {site["key"]: pipeline_lines(site, pipeline_kind(was)) for site in was["sites"]}
    after = {site["key"]: pipeline_lines(site, pipeline_kind(now)) for site in now["sites"]}
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if not changed:
        return
    opens = version.embargo_until or version.published_at
    rows_of(_PACKS_ONCE, ["on"])
    PlannedHomes.objects.filter(plan=version.plan_id, site_key__in=changed, until_number=None).update(
        until_number=version.number, published_until=version.published_at, open_until=opens
    )
    begun = {"from_number": version.number, "published_from": version.published_at, "open_from": opens}
    PlannedHomes.objects.bulk_create(
        [
            PlannedHomes(plan_id=version.plan_id, **asdict(line), **begun)
            for key in changed
            for line in after.get(key, ())
        ],
        batch_size=BATCH,
    )
    rows_of("SELECT plans_pack_homes(%s)", [[version.plan_id]])
    rows_of(_PACKS_ONCE, [""])


#: Whether lines of homes are packed by the statements that write them; until the end of the transaction.
_PACKS_ONCE = "SELECT set_config('common_ground.packs_homes', %s, true)"


def _by_key(content: Content, code: str) -> dict[str, Item]:
    return {item["key"]: item for item in content[code]}


def _documents(plan: Plan, was: dict[str, Item], now: dict[str, Item]) -> None:
    gone = [key for key in was if key not in now]
    if gone:
        Document.objects.filter(plan=plan, key__in=gone).update(in_newest=False)
    if not now:
        return
    # By what the rows say, not by what was: a server of the release before published versions and left them empty.
    changed = []
    for row in Document.objects.filter(plan=plan, key__in=now):
        document_state = (row.title, row.restricted, row.in_newest)
        row.title, row.restricted, row.in_newest = now[row.key]["title"], now[row.key]["restricted"], True
        if document_state != (row.title, row.restricted, row.in_newest):
            changed.append(row)
    Document.objects.bulk_update(changed, ["title", "restricted", "in_newest"])


def _values(row: Milestone) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in MILESTONE_FIELDS)


def _sites(plan: Plan, was: dict[str, Item], now: dict[str, Item]) -> None:
    """Write changed sites and their lines of homes into rows, and delete removed ones."""
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
                address=item["address"],
                postcode=item["postcode"],
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
