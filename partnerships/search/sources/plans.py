"""Search finds plans and what is in them.

That is outcomes, sections, sites, milestones, risks and documents.

The newest version is indexed and, while that is under embargo, also the newest open one, which all but owners read.
Those who may read a plan only as it was find it by its title (`queries.past`). A plan that is not published is found by
its title; `drafts` finds what drafts say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Collected
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import Item
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Area
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, Collection, Content, outside
from partnerships.plans.models import Plan, Version
from partnerships.plans.models.routes import draft_routes, inside_routes, published_routes
from partnerships.search.entries import Row, divided, joined
from partnerships.search.sources.source import ONE_DAY, Check, KindNames, MatchingEntry, Source, readers_by_routes
from partnerships.search.sources.texts import texts_of_files

#: The collections of a plan, by the kind of entry that each item makes.
_KINDS = {
    "outcomes": "section",
    "sections": "section",
    "sites": "site",
    "milestones": "milestone",
    "risks": "risk",
    "documents": "document",
}
#: Fields that hold codes and numbers; the reader of a site's notes is inside.
_NOT_WORDS = frozenset(
    {"key", "site", "area", "lat", "lng", "planning_status", "confidence", "status", "notes", "content_type", "size"}
    | {"sha256", "likelihood", "impact", "restricted", "confidential", "homes", "forecast_start", "actual_start"}
    | {"forecast_completion", "actual_completion", "baseline", "forecast", "actual"}
)


def _plans(ids: Collected[int]) -> Iterable[Row]:
    """The newest version, and the newest that everybody may read, with their parts."""
    readers = readers_by_routes(Plan, (*published_routes(ONE_DAY), *draft_routes(ONE_DAY)), ids)
    inside = readers_by_routes(Plan, inside_routes(ONE_DAY), ids)
    shown = Q(number=F("plan__current_number")) | Q(number=F("plan__open_number"))
    versions: defaultdict[int, list[Version]] = defaultdict(list)
    for version in Version.objects.filter(shown, plan__in=ids).order_by("number").defer("prose", "figures"):
        versions[version.plan_id].append(version)
    contents = [version.content for some in versions.values() for version in some]
    areas = areas_of(contents)
    files = texts_of_files(item["sha256"] for content in contents for item in content["documents"])
    for plan in Plan.objects.filter(pk__in=ids).prefetch_related("owners").order_by("pk"):
        owner_ids = [owner.organisation_id for owner in plan.owners.all()]
        common: dict[str, Any] = {
            "object_id": plan.pk,
            "partnership_id": plan.partnership_id,
            "organisation_id": min(owner_ids, default=None),
            "day": timezone.localdate(plan.last_published_at or plan.created_at),
            "readers": readers[plan.pk],
        }
        if not versions[plan.pk]:
            yield _whole(plan, plan.title, {}, common)
        for version in versions[plan.pk]:
            of_version = common | {"number": version.number, "opens_at": version.embargo_until}
            # The parts of an older version must not take the place of the newest ones.
            under = "" if version.number == plan.current_number else "open/"
            yield _whole(plan, version.title, version.content["about"], of_version, under)
            for row in _parts(plan, version.content, areas, files, of_version, under):
                yield replace(row, readers=inside[plan.pk]) if row.hidden else row


def _whole(plan: Plan, title: str, about: Item, common: dict[str, Any], under: str = "") -> Row:
    return Row(
        **common,
        part=under,
        kind="plan",
        title=title,
        text=joined(about.get("summary"), about.get("source"), plan.period),
        references=(plan.external_reference,),
        path=plan.get_absolute_url(),
    )


def _parts(
    plan: Plan, content: Content, areas: dict[str, str], files: dict[str, str], common: dict[str, Any], under: str
) -> Iterator[Row]:
    """Sites, milestones, documents and so on.

    What outsiders may not read is marked hidden.
    """
    open_to_all = outside(content)
    sites = {site["key"]: site["name"] for site in content["sites"]}
    for collection in COLLECTIONS:
        shown = {item["key"] for item in open_to_all[collection.code]}
        for item in content[collection.code]:
            if collection.code == "documents":
                path = reverse("plans:document", args=[plan.pk, item["key"]])
            else:
                path = f"{plan.get_absolute_url()}#{collection.code}-{item['key']}"
            of_item = common | {"hidden": item["key"] not in shown, "path": path}
            yield from rows_of_item(
                collection, item, text_of_item(collection, item, areas, sites, files), of_item, under
            )
            if item.get("notes"):
                yield Row(
                    **common,
                    part=f"{under}notes/{item['key']}",
                    kind="site",
                    title=str(item[collection.title]),
                    text=str(item["notes"]),
                    hidden=True,
                    path=path,
                )


def text_of_item(
    collection: Collection, item: Item, areas: dict[str, str], sites: dict[str, str], files: dict[str, str]
) -> str:
    """The words of an item, with the names of its area and site, and the text of its file."""
    return joined(
        *_words(item, collection.title),
        areas.get(str(item.get("area") or "")),
        sites.get(item.get("site", "")),
        files.get(item.get("sha256", "")),
    )


def rows_of_item(
    collection: Collection, item: Item, text: str, common: dict[str, Any], under: str = ""
) -> Iterator[Row]:
    """The entries of an item, several of a long text.

    `under` is put before their parts.
    """
    for place, part in enumerate(list(divided(text)) or [""]):
        yield Row(
            **{"title": str(item[collection.title]), **common},
            part=f"{under}{collection.code}/{item['key']}" + (f"/{place}" if place else ""),
            kind=_KINDS[collection.code],
            text=part,
            references=tuple(str(item.get(name) or "") for name in ("reference", "planning_reference")),
            postcode=str(item.get("postcode") or ""),
        )


def _words(item: Item, title: str) -> Iterator[str]:
    for name, value in item.items():
        if name != title and name not in _NOT_WORDS and isinstance(value, str):
            yield value


def areas_of(contents: Iterable[Content]) -> dict[str, str]:
    """Names of the areas of these plans' sites, by code."""
    codes = {str(site["area"]) for content in contents for site in content["sites"] if site.get("area")}
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))


#: How much of a plan its readers see, from least to most.
_OUTSIDE, _INSIDE, _OWNER = 1, 2, 3


def _readable_versions(user: User, ids: list[int]) -> QuerySet[Plan, tuple[int, int, int]]:
    """The plans that the person may read today: plan id, version number (0 for a draft) and level of access.

    A plan has several rows if several routes lead to it. During an embargo all but owners read the open version.
    """
    now = timezone.now()
    is_free = Q(embargoed_until=None) | Q(embargoed_until__lte=now)
    is_embargoed = Q(embargoed_until__gt=now)
    plans = Plan.objects.filter(among("pk", ids)).order_by()
    inside, present = plans.inside_for(user), plans.present_for(user)
    routes = (
        (plans.owned_for(user), "current_number", _OWNER),
        (inside.filter(is_free), "current_number", _INSIDE),
        (inside.filter(is_embargoed), "open_number", _INSIDE),
        (present.filter(is_free), "current_number", _OUTSIDE),
        (present.filter(is_embargoed), "open_number", _OUTSIDE),
        (plans.draft_visible_to(user).filter(current_number=0), "current_number", _OWNER),
    )
    first, *others = (
        readable.values_list("pk", version_field).annotate(access=Value(access))
        for readable, version_field, access in routes
    )
    return first.union(*others, all=True)


def _allowed_ids(entries: Sequence[MatchingEntry], rows: Collected[tuple[int, int, int]]) -> set[int]:
    """Ids of the entries from the version that the person reads; hidden parts only for readers inside."""
    version_and_access: dict[int, tuple[int, int]] = {}
    for plan_id, version_number, access in rows:
        # Owners are parties too: take the newest version, and the most access to it.
        version_and_access[plan_id] = max((version_number, access), version_and_access.get(plan_id, (0, 0)))

    allowed_ids = set()
    for entry in entries:
        if entry.object_id not in version_and_access:
            continue
        version_number, access = version_and_access[entry.object_id]
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
    read=_plans,
    check=Check(rights_query=_readable_versions, allowed_ids=_allowed_ids),
    follows={
        "plans_plan.id": ("pk",),
        "plans_planowner.plan_id": ("pk",),
        "plans_share.plan_id": ("pk",),
        "plans_pastpartnership.plan_id": ("pk",),
        "agreements_party.partnership_id": ("partnership", "past_partnerships__partnership"),
    },
)
