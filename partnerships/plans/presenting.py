"""Rows in words for pages and print, so that templates need no logic."""

from __future__ import annotations

import datetime as dt
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
    Line,
    homes_count,
    line_in_words,
    line_of,
    milestone_status,
)
from partnerships.plans.models import SOON

#: Sites on one page of a plan's table.
SITES_A_PAGE = 50
#: What stands below a site's name.
_WHERE = ("reference", "address", "postcode", "planning_authority")


@dataclass(frozen=True, slots=True)
class Lookups:
    """Names of areas by GSS code, and the number of comments by piece."""

    areas: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site in a table.

    `where` is its reference, address, postcode and authority, `details` its other fields with labels.
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
    comments: int


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A milestone in a table; `slipped` compares it with its baseline."""

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
    comments: int


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A risk with its score, likelihood × impact, from 1 to 25."""

    key: str
    title: str
    likelihood: int
    impact: int
    score: int
    level: str
    owner: str
    mitigation: str
    restricted: bool
    comments: int


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section with its HTML."""

    key: str
    title: str
    html: str
    restricted: bool
    comments: int


def _html(prose: StoredHtml, code: str, item: Item, field: str) -> str:
    """The HTML of one field if the reader's content has the field.

    Versions store the HTML for all classes.
    """
    return prose.get(f"{code}/{item['key']}/{field}") if item[field] else ""


def sections(content: Content, prose: StoredHtml, lookups: Lookups) -> list[SectionRow]:
    """The sections in order."""
    return [
        SectionRow(
            key=item["key"],
            title=item["title"],
            html=_html(prose, "sections", item, "body"),
            restricted=item["restricted"],
            comments=lookups.comments.get(f"sections/{item['key']}", 0),
        )
        for item in content["sections"]
    ]


def sites(content: Content, prose: StoredHtml, lookups: Lookups) -> list[SiteRow]:
    """The sites in order."""
    return [_site(item, prose, lookups) for item in content["sites"]]


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page of a plan's sites.

    `count` of `all` sites match the words in `find`.
    """

    rows: tuple[SiteRow, ...]
    number: int
    count: int
    homes: int
    all: int
    find: str

    @property
    def pages(self) -> int:
        """The number of pages, at least one."""
        return max(1, -(-self.count // SITES_A_PAGE))

    @property
    def first(self) -> int:
        """The number of the first row among the matches, from 1."""
        return (self.number - 1) * SITES_A_PAGE + 1

    @property
    def last(self) -> int:
        """The number of the last row among the matches."""
        return self.first + len(self.rows) - 1

    @property
    def previous(self) -> int:
        """The number of the page before; 0 if none."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The number of the page after; 0 if none."""
        return self.number + 1 if self.number < self.pages else 0

    @property
    def is_whole(self) -> bool:
        """Whether the page shows all sites of the plan."""
        return len(self.rows) == self.all


def site_page(
    content: Content, prose: StoredHtml, lookups: Lookups, *, find: str = "", number: int = 1, holding: str = ""
) -> SitePage:
    """One page of the sites.

    With `find`, of those whose name, reference, address, postcode and authority have all its words. `holding` is the
    key of a site: its page is returned. A `number` beyond the last page gives the last page.
    """
    words = find.casefold().split()
    sites: list[Item] = content["sites"]
    if words:
        sites = [site for site in sites if _is_named(site, words)]
    if holding:
        place = next((place for place, site in enumerate(sites) if site["key"] == holding), 0)
        number = place // SITES_A_PAGE + 1
    number = max(1, min(number, -(-len(sites) // SITES_A_PAGE)))
    start = (number - 1) * SITES_A_PAGE
    return SitePage(
        rows=tuple(_site(item, prose, lookups) for item in sites[start : start + SITES_A_PAGE]),
        number=number,
        count=len(sites),
        homes=sum(map(homes_count, sites)) if words else 0,
        all=len(content["sites"]),
        find=" ".join(find.split()),
    )


def _is_named(site: Item, words: Iterable[str]) -> bool:
    names = " ".join(site[code] for code in ("name", *_WHERE)).casefold()
    return all(word in names for word in words)


def _site(item: Item, prose: StoredHtml, lookups: Lookups) -> SiteRow:
    """A site as the page shows it; details without a value are left out."""
    details = (
        ("Confidence", CONFIDENCE.get(item["confidence"], "")),
        ("Landowner", item["landowner"]),
        ("Lead", item["lead"]),
        ("Planning reference", item["planning_reference"]),
        ("Grant programme", item["grant_programme"]),
        ("Area", lookups.areas.get(item["area"], item["area"])),
        ("Position", f"{item['lat']}, {item['lng']}" if item["lat"] is not None and item["lng"] is not None else ""),
    )
    return SiteRow(
        key=item["key"],
        name=item["name"],
        where=", ".join(item[code] for code in _WHERE if item[code]),
        homes=homes_count(item),
        lines=tuple(f"{line['count']:,} {line_in_words(line_of(line))}" for line in item["homes"]),
        planning=PLANNING_STATUSES.get(item["planning_status"], ""),
        start=date_shown(item["actual_start"], item["forecast_start"]),
        completion=date_shown(item["actual_completion"], item["forecast_completion"]),
        confidential=item["confidential"],
        details=tuple((label, value) for label, value in details if value),
        notes=_html(prose, "sites", item, "notes"),
        comments=lookups.comments.get(f"sites/{item['key']}", 0),
    )


def date_shown(actual: str, forecast: str) -> str:
    """The actual date, or the forecast marked as such."""
    if actual:
        return date_in_words(actual)
    return f"{date_in_words(forecast)} (forecast)" if forecast else ""


def milestones(content: Content, prose: StoredHtml, today: dt.date, lookups: Lookups) -> list[MilestoneRow]:
    """The milestones in order."""
    names = {site["key"]: site["name"] for site in content["sites"]}
    return [_milestone(item, prose, names, today, lookups) for item in content["milestones"]]


def _milestone(
    item: Item, prose: StoredHtml, names: Mapping[str, str], today: dt.date, lookups: Lookups
) -> MilestoneRow:
    """A milestone as the page shows it, with its slippage, and overdue or due soon today."""
    expected = item["actual"] or item["forecast"]
    slipped = slippage(item["baseline"], expected)
    status = milestone_status(item)
    due = item["forecast"] or item["baseline"]
    last_day = PartialDate.parse(due).latest if due and status not in SETTLED else None
    overdue = last_day is not None and last_day < today
    return MilestoneRow(
        key=item["key"],
        name=item["name"],
        site=names.get(item["site"], ""),
        owner=item["owner"],
        baseline=date_in_words(item["baseline"]),
        forecast=date_in_words(item["forecast"]),
        actual=date_in_words(item["actual"]),
        status="Overdue" if overdue else MILESTONE_STATUSES[status],
        status_code="overdue" if overdue else status,
        slipped=slipped.words() if slipped else "",
        is_overdue=overdue,
        is_due_soon=last_day is not None and today <= last_day <= today + SOON,
        due=last_day,
        note=_html(prose, "milestones", item, "note"),
        restricted=item["restricted"],
        comments=lookups.comments.get(f"milestones/{item['key']}", 0),
    )


def risks(content: Content, prose: StoredHtml, lookups: Lookups) -> list[RiskRow]:
    """The risks, the highest score first."""
    rows = [_risk(item, prose, lookups) for item in content["risks"]]
    return sorted(rows, key=lambda row: (-row.score, row.title, row.key))


def _risk(item: Item, prose: StoredHtml, lookups: Lookups) -> RiskRow:
    score = item["likelihood"] * item["impact"]
    return RiskRow(
        key=item["key"],
        title=item["title"],
        likelihood=item["likelihood"],
        impact=item["impact"],
        score=score,
        level="high" if score >= 15 else "medium" if score >= 8 else "low",
        owner=item["owner"],
        mitigation=_html(prose, "risks", item, "mitigation"),
        restricted=item["restricted"],
        comments=lookups.comments.get(f"risks/{item['key']}", 0),
    )


def item_detail(collection: Collection, item: Item) -> str:
    """The most important thing about an item beside its title."""
    return size_in_words(item["size"]) if collection.code == "documents" else collection.details(item)


def line_words(line: Line) -> str:
    """A combination of homes in words."""
    return line_in_words(line)


def size_in_words(size: int) -> str:
    """Bytes for people: "420 KB", "1.4 MB"."""
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024))} KB"


def place_on_page(anchor: str) -> str:
    """The query and fragment that lead to a piece on its plan's page.

    A site may be on a later page.
    """
    code, _slash, key = anchor.partition("/")
    if not key:
        return ""
    return f"?site={key}#sites-{key}" if code == "sites" else f"#{code}-{key}"


def anchor_label(anchor: str) -> str:
    """The kind of piece: "section", "site"; "plan" for the whole."""
    code = anchor.partition("/")[0]
    return COLLECTION_BY_CODE[code].one if code in COLLECTION_BY_CODE else "plan"
