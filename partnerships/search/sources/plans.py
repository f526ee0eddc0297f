"""Index rows of plans and of their outcomes, sections, sites, milestones, risks and documents.

The newest version is indexed. While it is under embargo, the newest open version is indexed too, because everybody but
the owners reads the open version. A plan that is not published has a row with its title only, and `drafts` indexes its
draft. Former parties and owners may read only an old version, so they find the plan by its title at that time
(`queries.former_records`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Collected
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import Item
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Area
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, Collection, Content, content_for_outside
from partnerships.plans.models import Plan, Version
from partnerships.plans.models.routes import draft_routes, inside_routes, published_routes
from partnerships.search.entries import EntryRow, joined_lines, parts_of_text
from partnerships.search.sources.source import (
    AFTER_EVERY_EMBARGO,
    KindNames,
    MatchingEntry,
    RightsCheck,
    Source,
    readers_by_routes,
)
from partnerships.search.sources.texts import texts_of_files

#: The kind of entry for the items of each collection of a plan.
_KINDS = {
    "outcomes": "section",
    "sections": "section",
    "sites": "site",
    "milestones": "milestone",
    "risks": "risk",
    "documents": "document",
}
#: Fields without words to index, because they are codes or numbers. Notes of a site have a separate row, because only
#: readers inside may find them.
_NOT_WORDS = frozenset(
    {"key", "site", "area", "lat", "lng", "planning_status", "confidence", "status", "notes", "content_type", "size"}
    | {"sha256", "likelihood", "impact", "restricted", "confidential", "homes", "forecast_start", "actual_start"}
    | {"forecast_completion", "actual_completion", "baseline", "forecast", "actual"}
)


def _plan_rows(ids: Collected[int]) -> Iterable[EntryRow]:
    """Yield the rows of the newest version of each plan and, if it is another version, of the newest open one."""
    readers = readers_by_routes(Plan, (*published_routes(AFTER_EVERY_EMBARGO), *draft_routes(AFTER_EVERY_EMBARGO)), ids)
    inside_readers = readers_by_routes(Plan, inside_routes(AFTER_EVERY_EMBARGO), ids)

    is_shown = Q(number=F("plan__current_number")) | Q(number=F("plan__open_number"))
    shown_versions = list(Version.objects.filter(is_shown, plan__in=ids).order_by("number").defer("prose", "figures"))
    versions_by_plan: defaultdict[int, list[Version]] = defaultdict(list)
    for version in shown_versions:
        versions_by_plan[version.plan_id].append(version)

    contents = [version.content for version in shown_versions]
    names = Names(
        area_by_code=areas_of(contents),
        text_by_sha256=texts_of_files(item["sha256"] for content in contents for item in content["documents"]),
    )

    for plan in Plan.objects.filter(pk__in=ids).prefetch_related("owners").order_by("pk"):
        owner_ids = [owner.organisation_id for owner in plan.owners.all()]
        plan_columns: dict[str, Any] = {
            "object_id": plan.pk,
            "partnership_id": plan.partnership_id,
            "organisation_id": min(owner_ids, default=None),
            "day": timezone.localdate(plan.last_published_at or plan.created_at),
            "readers": readers[plan.pk],
        }
        if not versions_by_plan[plan.pk]:
            yield _row_of_plan(plan, plan.title, {}, plan_columns)
        for version in versions_by_plan[plan.pk]:
            version_columns = plan_columns | {"number": version.number, "opens_at": version.embargo_until}
            # Both versions have the same parts, and rows with the same part would replace each other.
            part_prefix = "" if version.number == plan.current_number else "open/"
            yield _row_of_plan(plan, version.title, version.content["about"], version_columns, part_prefix)
            for row in _rows_of_items(plan, version.content, names, version_columns, part_prefix):
                yield replace(row, readers=inside_readers[plan.pk]) if row.hidden else row


def _row_of_plan(plan: Plan, title: str, about: Item, common: dict[str, Any], part_prefix: str = "") -> EntryRow:
    """Return the row of the plan itself, with its title, summary, source and years."""
    return EntryRow(
        **common,
        part=part_prefix,
        kind="plan",
        title=title,
        text=joined_lines(about.get("summary"), about.get("source"), plan.period),
        references=(plan.external_reference,),
        path=plan.get_absolute_url(),
    )


def _rows_of_items(
    plan: Plan, content: Content, names: Names, common: dict[str, Any], part_prefix: str
) -> Iterator[EntryRow]:
    """Yield the rows of the sites, milestones, documents and so on, hidden if outsiders may not read the item."""
    content_for_outsiders = content_for_outside(content)
    names = names.with_sites_of(content)
    for collection in COLLECTIONS:
        keys_for_outsiders = {item["key"] for item in content_for_outsiders[collection.code]}
        for item in content[collection.code]:
            if collection.code == "documents":
                path = reverse("plans:document", args=[plan.pk, item["key"]])
            else:
                path = f"{plan.get_absolute_url()}#{collection.code}-{item['key']}"
            item_columns = common | {"hidden": item["key"] not in keys_for_outsiders, "path": path}
            text = text_of_item(collection, item, names)
            yield from rows_of_item(collection, item, text, item_columns, part_prefix)
            # Notes are always hidden, because outsiders may never read them, even those of a site that they see.
            if item.get("notes"):
                yield EntryRow(
                    **common,
                    part=f"{part_prefix}notes/{item['key']}",
                    kind="site",
                    title=str(item[collection.title_field]),
                    text=str(item["notes"]),
                    hidden=True,
                    path=path,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of areas and sites, and the texts of files, for the codes and keys in the items of a plan."""

    area_by_code: Mapping[str, str]
    text_by_sha256: Mapping[str, str]
    site_by_key: Mapping[str, str] = field(default_factory=dict)

    def with_sites_of(self, content: Content) -> Names:
        """Return the names together with those of the sites in this content.

        The keys of sites are unique only within a plan.
        """
        return replace(self, site_by_key={site["key"]: site["name"] for site in content["sites"]})


def text_of_item(collection: Collection, item: Item, names: Names) -> str:
    """Return the words of an item, with the names of its area and site, and the text of its file."""
    return joined_lines(
        *_words(item, collection.title_field),
        names.area_by_code.get(str(item.get("area") or "")),
        names.site_by_key.get(item.get("site", "")),
        names.text_by_sha256.get(item.get("sha256", "")),
    )


def rows_of_item(
    collection: Collection, item: Item, text: str, common: dict[str, Any], part_prefix: str = ""
) -> Iterator[EntryRow]:
    """Yield the rows of an item. A long text is divided into several rows."""
    for index, piece in enumerate(list(parts_of_text(text)) or [""]):
        yield EntryRow(
            **{"title": str(item[collection.title_field]), **common},
            part=f"{part_prefix}{collection.code}/{item['key']}" + (f"/{index}" if index else ""),
            kind=_KINDS[collection.code],
            text=piece,
            references=tuple(str(item.get(name) or "") for name in ("reference", "planning_reference")),
            postcode=str(item.get("postcode") or ""),
        )


def _words(item: Item, title_field: str) -> Iterator[str]:
    """Yield the texts of an item, except its title, which has a separate column."""
    for name, value in item.items():
        if name != title_field and name not in _NOT_WORDS and isinstance(value, str):
            yield value


def areas_of(contents: Iterable[Content]) -> dict[str, str]:
    """Return the names of the areas of these plans' sites, by code."""
    codes = {str(site["area"]) for content in contents for site in content["sites"] if site.get("area")}
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))


#: Levels of access to a plan, from the lowest to the highest.
_OUTSIDE, _INSIDE, _OWNER = 1, 2, 3


def _readable_versions(user: User, ids: list[int]) -> QuerySet[Plan, tuple[int, int, int]]:
    """Return the plans that the person may read today, as plan id, version number and level of access.

    A draft has the version number 0. A plan has several rows if the person may read it in several ways. During an
    embargo, only owners read the current version, and others read the open version.
    """
    now = timezone.now()
    is_free = Q(embargoed_until=None) | Q(embargoed_until__lte=now)
    is_embargoed = Q(embargoed_until__gt=now)
    plans = Plan.objects.filter(id_is_among("pk", ids)).order_by()
    inside, present = plans.fully_readable_by(user), plans.published_today_for(user)
    routes = (
        (plans.owned_by_organisations_of(user), "current_number", _OWNER),
        (inside.filter(is_free), "current_number", _INSIDE),
        (inside.filter(is_embargoed), "open_number", _INSIDE),
        (present.filter(is_free), "current_number", _OUTSIDE),
        (present.filter(is_embargoed), "open_number", _OUTSIDE),
        (plans.draft_visible_to(user).filter(current_number=0), "current_number", _OWNER),
    )
    first_query, *other_queries = (
        readable.values_list("pk", version_field).annotate(access=Value(access))
        for readable, version_field, access in routes
    )
    return first_query.union(*other_queries, all=True)


def _allowed_ids(entries: Sequence[MatchingEntry], rows: Collected[tuple[int, int, int]]) -> set[int]:
    """Return the ids of the entries from the version that the person may read. Outsiders get no hidden entries."""
    version_and_access_by_plan: dict[int, tuple[int, int]] = {}
    for plan_id, version_number, access in rows:
        # A plan may have several rows, as owners are parties too. Use the newest version and the highest access to it.
        version_and_access_by_plan[plan_id] = max(
            (version_number, access), version_and_access_by_plan.get(plan_id, (0, 0))
        )

    allowed_ids = set()
    for entry in entries:
        if entry.object_id not in version_and_access_by_plan:
            continue
        version_number, access = version_and_access_by_plan[entry.object_id]
        needed_access = _INSIDE if entry.hidden else _OUTSIDE
        if entry.number == version_number and access >= needed_access:
            allowed_ids.add(entry.id)
    return allowed_ids


PLANS = Source(
    code="plan",
    model=Plan,
    kinds={
        "plan": KindNames("Plan", "Plans"),
        "section": KindNames("Section of a plan", "Sections of plans"),
        "site": KindNames("Site", "Sites"),
        "milestone": KindNames("Milestone", "Milestones"),
        "risk": KindNames("Risk", "Risks"),
        "document": KindNames("Document", "Documents"),
    },
    read=_plan_rows,
    check=RightsCheck(rights_query=_readable_versions, allowed_ids=_allowed_ids),
    follows={
        "plans_plan.id": ("pk",),
        "plans_planowner.plan_id": ("pk",),
        "plans_share.plan_id": ("pk",),
        "plans_pastpartnership.plan_id": ("pk",),
        "agreements_party.partnership_id": ("partnership", "past_partnerships__partnership"),
    },
)
