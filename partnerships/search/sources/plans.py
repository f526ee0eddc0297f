"""Search finds plans and what is in them: outcomes, sections, sites, milestones, risks and documents.

Only the newest version is indexed, so only its readers find it. Those who may read an older one, or a plan as it was,
find it by its title (`queries.past`). Drafts are found by the title of the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import Item
from partnerships.organisations.holdings import among
from partnerships.organisations.models import Area
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.content import COLLECTIONS, Content, outside
from partnerships.plans.models import Plan, Version
from partnerships.plans.models.routes import draft_routes, published_routes
from partnerships.search.entries import Row, divided, joined
from partnerships.search.sources.source import ONE_DAY, Found, Source, readers_by_routes
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


def _plans(ids: Collection[int]) -> Iterable[Row]:
    readers = readers_by_routes(Plan, (*published_routes(ONE_DAY), *draft_routes(ONE_DAY)), ids)
    newest = Version.objects.filter(plan__in=ids, number=F("plan__current_number")).only("plan_id", "content")
    contents = {version.plan_id: version.content for version in newest}
    areas = _areas(contents.values())
    files = texts_of_files(item["sha256"] for content in contents.values() for item in content["documents"])
    for plan in Plan.objects.filter(pk__in=ids).prefetch_related("owners").order_by("pk"):
        owner = next(iter(sorted(one.organisation_id for one in plan.owners.all())), None)
        content = contents.get(plan.pk)
        day = plan.last_published_at or plan.created_at
        common: dict[str, Any] = {
            "object_id": plan.pk,
            "partnership_id": plan.partnership_id,
            "organisation_id": owner,
            "day": timezone.localdate(day),
            "number": plan.current_number,
            "readers": readers[plan.pk],
        }
        about = content["about"] if content else {}
        yield Row(
            **common,
            kind="plan",
            title=plan.title,
            text=joined(about.get("summary"), about.get("source"), plan.period),
            references=(plan.external_reference,),
            path=plan.get_absolute_url(),
        )
        if content:
            yield from _parts(plan, content, areas, files, common)


def _parts(
    plan: Plan, content: Content, areas: dict[str, str], files: dict[str, str], common: dict[str, Any]
) -> Iterator[Row]:
    open_to_all = outside(content)
    sites = {site["key"]: site["name"] for site in content["sites"]}
    for collection in COLLECTIONS:
        shown = {item["key"] for item in open_to_all[collection.code]}
        for item in content[collection.code]:
            text = joined(
                *_words(item, collection.title), areas.get(str(item.get("area") or "")), sites.get(item.get("site", ""))
            )
            if collection.code == "documents":
                text = joined(text, files.get(item["sha256"]))
                path = reverse("plans:document", args=[plan.pk, item["key"]])
            else:
                path = f"{plan.get_absolute_url()}#{collection.code}-{item['key']}"
            for place, part in enumerate(list(divided(text)) or [""]):
                yield Row(
                    **common,
                    part=f"{collection.code}/{item['key']}" + (f"/{place}" if place else ""),
                    kind=_KINDS[collection.code],
                    title=str(item[collection.title]),
                    text=part,
                    references=tuple(str(item.get(name) or "") for name in ("reference", "planning_reference")),
                    hidden=item["key"] not in shown,
                    path=path,
                )
            if item.get("notes"):
                yield Row(
                    **common,
                    part=f"notes/{item['key']}",
                    kind="site",
                    title=str(item[collection.title]),
                    text=str(item["notes"]),
                    hidden=True,
                    path=path,
                )


def _words(item: Item, title: str) -> Iterator[str]:
    for name, value in item.items():
        if name != title and name not in _NOT_WORDS and isinstance(value, str):
            yield value


def _areas(contents: Iterable[Content]) -> dict[str, str]:
    """Names of the areas of these plans' sites, by code."""
    codes = {str(site["area"]) for content in contents for site in content["sites"] if site.get("area")}
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))


#: Who reads the newest version of a plan, widest last.
_OWNER, _INSIDE, _OUTSIDE = 3, 2, 1


def _read_by(user: User, ids: list[int]) -> QuerySet[Plan, tuple[int, int, int]]:
    """Plans whose newest version or draft the person may read, its number and how."""
    free = Q(embargoed_until=None) | Q(embargoed_until__lte=timezone.now())
    these = Plan.objects.filter(among("pk", ids)).order_by()
    ways = (
        (these.owned_for(user), _OWNER),
        (these.inside_for(user).filter(free), _INSIDE),
        (these.present_for(user).filter(free), _OUTSIDE),
        (these.draft_visible_to(user).filter(current_number=0), _OWNER),
    )
    first, *others = (found.values_list("pk", "current_number").annotate(way=Value(way)) for found, way in ways)
    return first.union(*others, all=True)


def _may_read(user: User, found: Sequence[Found]) -> set[int]:
    """Hidden parts for readers inside; all of it only while it is of the newest version."""
    ways: dict[tuple[int, int], int] = {}
    for pk, number, way in rows_for(_read_by, user, sorted({one.object_id for one in found})):
        ways[pk, number] = max(way, ways.get((pk, number), 0))
    return {
        one.id for one in found if ways.get((one.object_id, one.number), 0) >= (_INSIDE if one.hidden else _OUTSIDE)
    }


PLANS = Source(
    "plan",
    Plan,
    {
        "plan": ("Plan", "Plans"),
        "section": ("Section of a plan", "Sections of plans"),
        "site": ("Site", "Sites"),
        "milestone": ("Milestone", "Milestones"),
        "risk": ("Risk", "Risks"),
        "document": ("Document", "Documents"),
    },
    _plans,
    _may_read,
    {
        "plans_plan.id": ("pk",),
        "plans_planowner.plan_id": ("pk",),
        "plans_share.plan_id": ("pk",),
        "plans_pastpartnership.plan_id": ("pk",),
        "agreements_party.partnership_id": ("partnership", "past_partnerships__partnership"),
    },
)
