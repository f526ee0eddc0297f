"""Turn the pieces of a plan into rows for pages and print."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from partnerships.documents import slippage
from partnerships.kit.dates import PartialDate
from partnerships.kit.prose import StoredHtml
from partnerships.plans.changes import date_in_words
from partnerships.plans.content import (
    COLLECTION_BY_CODE,
    CONFIDENCE,
    MILESTONE_STATUSES,
    PLANNING_STATUSES,
    SETTLED,
    Collection,
    Content,
    Item,
    homes_count,
    line_in_words,
    line_of,
    milestone_status,
)
from partnerships.plans.models import DUE_SOON

#: Sites on one page of a plan's table.
SITES_A_PAGE = 50
#: The fields that the table of sites shows below the name of a site.
_WHERE = ("reference", "address", "postcode", "planning_authority")
#: A risk with at least the first score is high, and with at least the second score medium.
_HIGH_SCORE, _MEDIUM_SCORE = 15, 8


@dataclass(frozen=True, slots=True)
class PageLookups:
    """The names of areas by GSS code, and the numbers of comments by piece, such as "sites/north-quay"."""

    area_names: Mapping[str, str] = field(default_factory=dict)
    comment_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site in a table.

    `where` is the site's reference, address, postcode and authority, and `details` are the other fields with
    labels.
    """

    key: str
    name: str
    where: str
    homes: int
    lines: tuple[str, ...]
    planning: str
    start: str
    completion: str
    confidential: bool
    details: tuple[tuple[str, str], ...]
    notes: str
    comment_count: int


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A milestone in a table. `slipped` is how far it moved from its baseline: "2 quarters later"."""

    key: str
    name: str
    site: str
    owner: str
    baseline: str
    forecast: str
    actual: str
    status: str
    status_code: str
    slipped: str
    is_overdue: bool
    is_due_soon: bool
    due: dt.date | None
    note: str
    restricted: bool
    comment_count: int


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A risk in a table. `score` is likelihood × impact, from 1 to 25."""

    key: str
    title: str
    likelihood: int
    impact: int
    score: int
    level: str
    owner: str
    mitigation: str
    restricted: bool
    comment_count: int


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section of text, with its HTML."""

    key: str
    title: str
    html: str
    restricted: bool
    comment_count: int


def _html(prose: StoredHtml, code: str, item: Item, field: str) -> str:
    """Return the HTML of a field, or "" if the reader may not see its text."""
    # `prose` has the HTML of all texts, but `item` has only those that the reader may see.
    return prose.get(f"{code}/{item['key']}/{field}") if item[field] else ""


def sections(content: Content, prose: StoredHtml, lookups: PageLookups) -> list[SectionRow]:
    """Return the rows of the sections, in order."""
    return [
        SectionRow(
            key=item["key"],
            title=item["title"],
            html=_html(prose, "sections", item, "body"),
            restricted=item["restricted"],
            comment_count=lookups.comment_counts.get(f"sections/{item['key']}", 0),
        )
        for item in content["sections"]
    ]


def sites(content: Content, prose: StoredHtml, lookups: PageLookups) -> list[SiteRow]:
    """Return the rows of all sites, in order."""
    return [_site_row(item, prose, lookups) for item in content["sites"]]


@dataclass(frozen=True, slots=True)
class SitePage:
    """One page of the sites of a plan in which people searched for the words in `find`.

    `number` is the number of the page, from 1. `matching_homes` is 0 if `find` is empty.
    """

    rows: tuple[SiteRow, ...]
    number: int
    matching_count: int
    matching_homes: int
    #: The number of all sites of the plan.
    total_count: int
    find: str

    @property
    def pages(self) -> int:
        """Return the number of pages, at least one."""
        return max(1, math.ceil(self.matching_count / SITES_A_PAGE))

    @property
    def first(self) -> int:
        """Return the number of the first row among the matching sites, from 1."""
        return (self.number - 1) * SITES_A_PAGE + 1

    @property
    def last(self) -> int:
        """Return the number of the last row among the matching sites."""
        return self.first + len(self.rows) - 1

    @property
    def previous(self) -> int:
        """Return the number of the previous page; 0 on the first page."""
        return self.number - 1

    @property
    def next(self) -> int:
        """Return the number of the next page; 0 on the last page."""
        return self.number + 1 if self.number < self.pages else 0

    @property
    def is_whole(self) -> bool:
        """Return whether the page shows all sites of the plan."""
        return len(self.rows) == self.total_count


def site_page(
    content: Content, prose: StoredHtml, lookups: PageLookups, *, find: str = "", number: int = 1, containing: str = ""
) -> SitePage:
    """Return one page of the sites.

    `find` contains words that must all be in a site's name, reference, address, postcode or authority. `number` is
    the number of the page. If it is too high, the last page is returned. If `containing` is the key of a site, the page
    with this site is returned instead.
    """
    words = find.casefold().split()
    matching_sites = [site for site in content["sites"] if _matches(site, words)]
    if containing:
        keys = [site["key"] for site in matching_sites]
        index = keys.index(containing) if containing in keys else 0
        number = index // SITES_A_PAGE + 1
    last_number = math.ceil(len(matching_sites) / SITES_A_PAGE)
    number = max(1, min(number, last_number))
    start = (number - 1) * SITES_A_PAGE
    sites_on_page = matching_sites[start : start + SITES_A_PAGE]
    return SitePage(
        rows=tuple(_site_row(site, prose, lookups) for site in sites_on_page),
        number=number,
        matching_count=len(matching_sites),
        matching_homes=sum(map(homes_count, matching_sites)) if words else 0,
        total_count=len(content["sites"]),
        find=" ".join(find.split()),
    )


def _matches(site: Item, words: Iterable[str]) -> bool:
    """Return whether the site's name and place contain all of the words."""
    text = " ".join(site[code] for code in ("name", *_WHERE)).casefold()
    return all(word in text for word in words)


def _site_row(item: Item, prose: StoredHtml, lookups: PageLookups) -> SiteRow:
    """Return a site as a row, without the details that have no value."""
    has_position = item["lat"] is not None and item["lng"] is not None
    details = (
        ("Confidence", CONFIDENCE.get(item["confidence"], "")),
        ("Landowner", item["landowner"]),
        ("Lead", item["lead"]),
        ("Planning reference", item["planning_reference"]),
        ("Grant programme", item["grant_programme"]),
        ("Area", lookups.area_names.get(item["area"], item["area"])),
        ("Position", f"{item['lat']}, {item['lng']}" if has_position else ""),
    )
    return SiteRow(
        key=item["key"],
        name=item["name"],
        where=", ".join(item[code] for code in _WHERE if item[code]),
        homes=homes_count(item),
        lines=tuple(f"{line['count']:,} {line_in_words(line_of(line))}" for line in item["homes"]),
        planning=PLANNING_STATUSES.get(item["planning_status"], ""),
        start=milestone_date_in_words(item["actual_start"], item["forecast_start"]),
        completion=milestone_date_in_words(item["actual_completion"], item["forecast_completion"]),
        confidential=item["confidential"],
        details=tuple((label, value) for label, value in details if value),
        notes=_html(prose, "sites", item, "notes"),
        comment_count=lookups.comment_counts.get(f"sites/{item['key']}", 0),
    )


def milestone_date_in_words(actual: str, forecast: str) -> str:
    """Return the actual date in words or, if there is none, the forecast with the word “forecast”."""
    if actual:
        return date_in_words(actual)
    return f"{date_in_words(forecast)} (forecast)" if forecast else ""


def milestones(content: Content, prose: StoredHtml, today: dt.date, lookups: PageLookups) -> list[MilestoneRow]:
    """Return the rows of the milestones, in order."""
    site_name_by_key = {site["key"]: site["name"] for site in content["sites"]}
    return [_milestone_row(item, prose, site_name_by_key, today, lookups) for item in content["milestones"]]


def _milestone_row(
    item: Item, prose: StoredHtml, site_name_by_key: Mapping[str, str], today: dt.date, lookups: PageLookups
) -> MilestoneRow:
    """Return a milestone as a row, with its slippage, and whether it is overdue or due soon on the day `today`."""
    slipped = slippage(item["baseline"], item["actual"] or item["forecast"])
    status = milestone_status(item)
    due_date = item["forecast"] or item["baseline"]
    last_day = PartialDate.parse(due_date).latest if due_date and status not in SETTLED else None
    is_overdue = last_day is not None and last_day < today
    return MilestoneRow(
        key=item["key"],
        name=item["name"],
        site=site_name_by_key.get(item["site"], ""),
        owner=item["owner"],
        baseline=date_in_words(item["baseline"]),
        forecast=date_in_words(item["forecast"]),
        actual=date_in_words(item["actual"]),
        status="Overdue" if is_overdue else MILESTONE_STATUSES[status],
        status_code="overdue" if is_overdue else status,
        slipped=slipped.words() if slipped else "",
        is_overdue=is_overdue,
        is_due_soon=last_day is not None and today <= last_day <= today + DUE_SOON,
        due=last_day,
        note=_html(prose, "milestones", item, "note"),
        restricted=item["restricted"],
        comment_count=lookups.comment_counts.get(f"milestones/{item['key']}", 0),
    )


def risks(content: Content, prose: StoredHtml, lookups: PageLookups) -> list[RiskRow]:
    """Return the rows of the risks, with the highest score first."""
    rows = [_risk_row(item, prose, lookups) for item in content["risks"]]
    return sorted(rows, key=lambda row: (-row.score, row.title, row.key))


def _risk_row(item: Item, prose: StoredHtml, lookups: PageLookups) -> RiskRow:
    """Return a risk as a row, with its score and level."""
    score = item["likelihood"] * item["impact"]
    return RiskRow(
        key=item["key"],
        title=item["title"],
        likelihood=item["likelihood"],
        impact=item["impact"],
        score=score,
        level=_risk_level(score),
        owner=item["owner"],
        mitigation=_html(prose, "risks", item, "mitigation"),
        restricted=item["restricted"],
        comment_count=lookups.comment_counts.get(f"risks/{item['key']}", 0),
    )


def _risk_level(score: int) -> str:
    """Return "high", "medium" or "low" for a score of likelihood × impact."""
    if score >= _HIGH_SCORE:
        return "high"
    return "medium" if score >= _MEDIUM_SCORE else "low"


def item_detail(collection: Collection, item: Item) -> str:
    """Return what lists show below the title of an item, such as the size of a document."""
    return size_in_words(item["size"]) if collection.code == "documents" else collection.details(item)


def size_in_words(size: int) -> str:
    """Return a number of bytes in words: "420 KB", "1.4 MB"."""
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024))} KB"


def link_to_piece(anchor: str) -> str:
    """Return the query and fragment that lead to a piece on its plan's page.

    A site needs the query, because it may be on a later page of the table of sites.
    """
    code, _slash, key = anchor.partition("/")
    if not key:
        return ""
    return f"?site={key}#sites-{key}" if code == "sites" else f"#{code}-{key}"


def anchor_label(anchor: str) -> str:
    """Return the kind of piece: "section", "site" and so on; "plan" for the whole plan."""
    code = anchor.partition("/")[0]
    return COLLECTION_BY_CODE[code].singular if code in COLLECTION_BY_CODE else "plan"
