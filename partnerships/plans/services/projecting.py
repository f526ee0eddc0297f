"""Write the content of a new version into tables, so that lists and reports can query it.

Only the rows that differ from the previous version are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from partnerships.kit.database import rows_of
from partnerships.organisations.models import Area
from partnerships.plans.content import Content, Item, homes_count, pipeline_kind, pipeline_lines
from partnerships.plans.models import Document, Homes, Milestone, Plan, PlannedHomes, Site, Version, milestones_in

#: The number of rows written in one statement.
BATCH = 2_000
MILESTONE_FIELDS = ("name", "site_key", "owner", "status", "baseline", "forecast", "actual", "restricted")
#: The fields of a site that publishing a version updates, which are all except its plan and its key.
SITE_FIELDS = [
    field.attname.removesuffix("_id")
    for field in Site._meta.concrete_fields
    if not field.primary_key and field.name not in ("plan", "key")
]


def write_rows_of_version(plan: Plan, before: Content, after: Content, version: Version) -> None:
    """Write the sites, homes, milestones and documents of a version into their tables.

    `before` is the content that the tables contain, and `after` is the content of the version.
    """
    record_planned_homes(before, after, version)
    _write_sites(plan, _items_by_key(before, "sites"), _items_by_key(after, "sites"))
    _write_documents(plan, _items_by_key(before, "documents"), _items_by_key(after, "documents"))
    _write_milestones(plan, milestones_in(plan, before), milestones_in(plan, after))


def record_planned_homes(before: Content, after: Content, version: Version) -> None:
    """End the rows of the homes that a version changes or removes, and add rows for its changed and new homes.

    Homes of a site are compared as a whole. If one line of a site changes, all rows of the site are replaced.
    """
    lines_before = {site["key"]: pipeline_lines(site, pipeline_kind(before)) for site in before["sites"]}
    lines_after = {site["key"]: pipeline_lines(site, pipeline_kind(after)) for site in after["sites"]}
    site_keys = {**lines_before, **lines_after}
    changed_keys = [key for key in site_keys if lines_before.get(key) != lines_after.get(key)]
    if not changed_keys:
        return

    opens_at = version.embargo_until or version.published_at
    new_rows = [
        PlannedHomes(
            plan_id=version.plan_id,
            **asdict(line),
            from_number=version.number,
            published_from=version.published_at,
            open_from=opens_at,
        )
        for key in changed_keys
        for line in lines_after.get(key, ())
    ]
    present_rows = PlannedHomes.objects.filter(plan=version.plan_id, site_key__in=changed_keys, until_number=None)
    with _homes_packed_once(version.plan_id):
        present_rows.update(until_number=version.number, published_until=version.published_at, open_until=opens_at)
        PlannedHomes.objects.bulk_create(new_rows, batch_size=BATCH)


@contextmanager
def _homes_packed_once(plan_id: int) -> Iterator[None]:
    """Pack the homes of a plan once, at the end of the block, and not after each statement.

    The setting switches off the trigger that packs after each statement. It ends with the transaction, so an error
    needs no clean-up.
    """
    set_packing = "SELECT set_config('common_ground.packs_homes', %s, true)"
    rows_of(set_packing, ["on"])
    yield
    rows_of("SELECT plans_pack_homes(%s)", [[plan_id]])
    rows_of(set_packing, [""])


def _items_by_key(content: Content, code: str) -> dict[str, Item]:
    """Return the items of a list of the content by key, for example its "sites"."""
    return {item["key"]: item for item in content[code]}


def _write_milestones(plan: Plan, before: dict[str, Milestone], after: dict[str, Milestone]) -> None:
    """Write the changed milestones, and delete the removed milestones."""
    removed_keys = before.keys() - after.keys()
    Milestone.objects.filter(plan=plan, key__in=removed_keys).delete()

    changed_keys = {
        key
        for key, milestone in after.items()
        if key not in before or _milestone_values(milestone) != _milestone_values(before[key])
    }
    Milestone.objects.bulk_create(
        [after[key] for key in sorted(changed_keys)],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["plan", "key"],
        update_fields=[*MILESTONE_FIELDS, "due_from", "due_by"],
    )


def _milestone_values(milestone: Milestone) -> tuple[object, ...]:
    """Return the values that decide whether a milestone has changed."""
    return tuple(getattr(milestone, name) for name in MILESTONE_FIELDS)


def _write_documents(plan: Plan, before: dict[str, Item], after: dict[str, Item]) -> None:
    """Copy the titles and restrictions to the documents, and set whether the newest version lists each document."""
    removed_keys = [key for key in before if key not in after]
    if removed_keys:
        Document.objects.filter(plan=plan, key__in=removed_keys).update(in_newest=False)
    if not after:
        return

    # Compare with the table and not with `before`, because servers of an earlier release left these columns empty.
    changed_documents = []
    for document in Document.objects.filter(plan=plan, key__in=after):
        title, is_restricted = after[document.key]["title"], after[document.key]["restricted"]
        if (document.title, document.restricted, document.in_newest) != (title, is_restricted, True):
            document.title = title
            document.restricted = is_restricted
            document.in_newest = True
            changed_documents.append(document)
    Document.objects.bulk_update(changed_documents, ["title", "restricted", "in_newest"])


def _write_sites(plan: Plan, before: dict[str, Item], after: dict[str, Item]) -> None:
    """Write the changed sites and their homes, and delete the removed sites."""
    removed_keys = [key for key in before if key not in after]
    Site.objects.filter(plan=plan, key__in=removed_keys).delete()

    changed_items = [item for key, item in after.items() if before.get(key) != item]
    area_codes = {item["area"] for item in changed_items}
    area_pk_by_code = dict(Area.objects.filter(code__in=area_codes).values_list("code", "pk"))
    # Existing rows are updated and keep their ids, because forms that people have open contain the ids.
    sites = Site.objects.bulk_create(
        [_unsaved_site(plan, item, area_pk_by_code.get(item["area"])) for item in changed_items],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["plan", "key"],
        update_fields=SITE_FIELDS,
    )
    _write_homes(sites, before, after)


def _unsaved_site(plan: Plan, item: Item, area_pk: int | None) -> Site:
    """Return a site of the content as an unsaved `Site`."""
    return Site(
        plan=plan,
        key=item["key"],
        reference=item["reference"],
        name=item["name"],
        area_id=area_pk,
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


def _write_homes(sites: Sequence[Site], before: dict[str, Item], after: dict[str, Item]) -> None:
    """Replace the lines of homes of the sites if their homes have changed."""
    sites_with_changed_homes = [
        site for site in sites if site.key not in before or before[site.key]["homes"] != after[site.key]["homes"]
    ]
    # A new site has no lines yet.
    old_site_pks = [site.pk for site in sites_with_changed_homes if site.key in before]
    Homes.objects.filter(site__in=old_site_pks).delete()
    Homes.objects.bulk_create(
        [Homes(site=site, **line) for site in sites_with_changed_homes for line in after[site.key]["homes"]],
        batch_size=BATCH,
    )
