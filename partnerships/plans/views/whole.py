"""The template context of a whole plan, in its reader's class."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.http import urlencode

from partnerships.kit.maps import OUTLINES_FILE, Map, Place, place_map
from partnerships.kit.prose import StoredHtml
from partnerships.plans import presenting
from partnerships.plans.changes import homes_totals
from partnerships.plans.comparisons import Comparison, comparison
from partnerships.plans.content import Content
from partnerships.plans.models import ReadingClass
from partnerships.plans.queries import area_names, content_for


def compare_contents(was: Content, now: Content, touched: Mapping[str, str] | None = None) -> Comparison:
    """Compare two contents of one reading class, with the names of areas.

    `touched` says who changed each piece, by name ("sites/north-quay").
    """
    return comparison(was, now, touched, area_names(was, now))


def reading_context(
    reader: ReadingClass,
    content: Content,
    prose: StoredHtml,
    asked: QueryDict | None = None,
    comments: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Any]:
    """The context for a page of a whole plan.

    The requested page of sites, or all sites for print. `comments` is the number of comments by piece.
    """
    seen = content_for(content, reader)
    areas = area_names(seen)
    lookups = presenting.Lookups(areas, comments)
    milestones = presenting.milestones(seen, prose, timezone.localdate(), lookups)
    return {
        **(
            {"sites": presenting.sites(seen, prose, lookups)}
            if asked is None
            else _sites_asked_for(seen, prose, lookups, asked)
        ),
        "about": seen["about"],
        "about_html": prose.get("about/summary"),
        "outcomes": [
            {**outcome, "comments": comments.get(f"outcomes/{outcome['key']}", 0)} for outcome in seen["outcomes"]
        ],
        "sections": presenting.sections(seen, prose, lookups),
        "milestones": milestones,
        "near": [row for row in milestones if row.is_overdue or row.is_due_soon],
        "risks": presenting.risks(seen, prose, lookups),
        "documents": [
            {**document, "words": presenting.size_in_words(document["size"])} for document in seen["documents"]
        ],
        "totals": homes_totals(seen, seen, areas),
        "map": _map(seen),
        "is_inside": reader == ReadingClass.INSIDE,
    }


def _map(content: Content) -> Map | None:
    """The sites with a position. None for one alone, which adds nothing to the table."""
    places = [
        Place(site["name"], float(site["lng"]), float(site["lat"]))
        for site in content["sites"]
        if site["lat"] is not None and site["lng"] is not None
    ]
    if len(places) < 2:
        return None
    return place_map(f"Map of {len(places):,} sites", places, file=static(OUTLINES_FILE))


def _sites_asked_for(
    content: Content, prose: StoredHtml, lookups: presenting.Lookups, asked: QueryDict
) -> dict[str, Any]:
    """A page of the table of sites.

    By number, by a site on it, or filtered by words.
    """
    number = asked.get("sites", "")
    page = presenting.site_page(
        content,
        prose,
        lookups,
        find=asked.get("find", "")[:100],
        number=int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1,
        holding=asked.get("site", ""),
    )
    words: dict[str, str | int] = {"find": page.find} if page.find else {}
    return {
        "sites": page.rows,
        "site_page": page,
        "previous_sites": f"?{urlencode({**words, 'sites': page.previous})}#sites" if page.previous else "",
        "next_sites": f"?{urlencode({**words, 'sites': page.next})}#sites" if page.next else "",
    }
