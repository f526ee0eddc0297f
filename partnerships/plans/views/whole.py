"""The template context of a whole plan, with the parts that the reader may see."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.http import urlencode

from partnerships.documents.comparisons import NOBODY
from partnerships.kit.maps import OUTLINES_FILE, Map, Place, place_map
from partnerships.kit.prose import StoredHtml
from partnerships.plans import presenting
from partnerships.plans.changes import homes_totals
from partnerships.plans.comparisons import Comparison, compare_plan_contents
from partnerships.plans.content import Content
from partnerships.plans.models import ReadingClass
from partnerships.plans.queries import area_names, content_for_reader


def compare_contents(before: Content, after: Content, changed_by: Mapping[str, str] = NOBODY) -> Comparison:
    """Return the differences between two contents that one reading class may see, with the names of areas.

    `changed_by` is the name of the person who last changed each piece, by piece ("sites/north-quay").
    """
    return compare_plan_contents(before, after, changed_by=changed_by, areas=area_names(before, after))


def reading_context(
    reader: ReadingClass,
    content: Content,
    prose: StoredHtml,
    query: QueryDict | None = None,
    comment_counts: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the context of a page with a whole plan.

    On screen, `query` chooses one page of the sites. In print, without `query`, the context has all sites.
    `comment_counts` is the number of comments by piece, such as "sites/north-quay".
    """
    readable = content_for_reader(content, reader)
    areas = area_names(readable)
    lookups = presenting.PageLookups(area_names=areas, comment_counts=comment_counts)
    milestones = presenting.milestones(readable, prose, timezone.localdate(), lookups)
    if query is None:
        sites_context: dict[str, Any] = {"sites": presenting.sites(readable, prose, lookups)}
    else:
        sites_context = _site_page_context(readable, prose, lookups, query)
    return {
        **sites_context,
        "about": readable["about"],
        "about_html": prose.get("about/summary"),
        "outcomes": [
            {**outcome, "comment_count": comment_counts.get(f"outcomes/{outcome['key']}", 0)}
            for outcome in readable["outcomes"]
        ],
        "sections": presenting.sections(readable, prose, lookups),
        "milestones": milestones,
        "near": [row for row in milestones if row.is_overdue or row.is_due_soon],
        "risks": presenting.risks(readable, prose, lookups),
        "documents": [
            {**document, "words": presenting.size_in_words(document["size"])} for document in readable["documents"]
        ],
        "totals": homes_totals(readable, readable, areas),
        "map": _map(readable),
        "is_inside": reader == ReadingClass.INSIDE,
    }


def _map(content: Content) -> Map | None:
    """Return a map of the sites that have a position, or None if there are fewer than two."""
    places = [
        Place(site["name"], float(site["lng"]), float(site["lat"]))
        for site in content["sites"]
        if site["lat"] is not None and site["lng"] is not None
    ]
    if len(places) < 2:
        return None
    return place_map(f"Map of {len(places):,} sites", places, outlines_url=static(OUTLINES_FILE))


def _site_page_context(
    content: Content, prose: StoredHtml, lookups: presenting.PageLookups, query: QueryDict
) -> dict[str, Any]:
    """Return one page of the table of sites, and the links to the previous and next page.

    For example, `?sites=2` is the second page, `?site=north-quay` the page with this site, and `?find=quay` a search.
    """
    number_text = query.get("sites", "")
    is_number = number_text.isascii() and number_text.isdecimal() and len(number_text) < 6
    page = presenting.site_page(
        content,
        prose,
        lookups,
        find=query.get("find", "")[:100],
        number=int(number_text) if is_number else 1,
        containing=query.get("site", ""),
    )
    return {
        "sites": page.rows,
        "site_page": page,
        "previous_sites": _site_page_link(page, page.previous),
        "next_sites": _site_page_link(page, page.next),
    }


def _site_page_link(page: presenting.SitePage, number: int) -> str:
    """Return the link to another page of the table; "" if there is none."""
    if not number:
        return ""
    filters: dict[str, str | int] = {"find": page.find} if page.find else {}
    return f"?{urlencode({**filters, 'sites': number})}#sites"
