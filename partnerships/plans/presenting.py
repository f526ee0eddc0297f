"""Plans and comparisons as pages, papers and letters show them: rows and groups in words, nothing left to templates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from partnerships.kit.prose import to_html
from partnerships.kit.text import Fragment, excerpt, word_differences
from partnerships.plans.changes import (
    Change,
    HomesTotals,
    changes,
    homes_totals,
    item_details,
    line_in_words,
    summary,
)
from partnerships.plans.content import (
    COLLECTION_BY_CODE,
    CONFIDENCE,
    MILESTONE_STATUSES,
    PLANNING_STATUSES,
    Collection,
    Content,
    Item,
    Line,
    homes_count,
    line_of,
)
from partnerships.plans.partial_dates import in_words, last_day, slippage

#: Words of unchanged text shown on either side of a change in prose.
AROUND = 25


# ---- A plan


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site as a table shows it; `details` are the rest of its fields with their labels."""

    key: str
    name: str
    reference: str
    authority: str
    homes: int
    lines: tuple[tuple[str, int], ...]
    planning: str
    planning_code: str
    start: str
    completion: str
    is_complete: bool
    confidence: str
    confidential: bool
    details: tuple[tuple[str, str], ...]
    notes: str


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A milestone as a table shows it; `slipped` compares it with its baseline."""

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
    note: str
    restricted: bool


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


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section with its HTML."""

    key: str
    title: str
    html: str
    restricted: bool


def _html(prose: Mapping[str, str], code: str, item: Item, field: str) -> str:
    """The HTML of one field, as far as the reader's content has it: a version keeps the prose of every class."""
    return prose.get(f"{code}/{item['key']}/{field}", "") if item[field] else ""


def sections(content: Content, prose: Mapping[str, str]) -> list[SectionRow]:
    """The sections in order."""
    return [
        SectionRow(item["key"], item["title"], _html(prose, "sections", item, "body"), item["restricted"])
        for item in content["sections"]
    ]


def sites(content: Content, prose: Mapping[str, str]) -> list[SiteRow]:
    """The sites in order."""
    return [_site(item, prose) for item in content["sites"]]


def _site(item: Item, prose: Mapping[str, str]) -> SiteRow:
    details = (
        ("Landowner", item["landowner"]),
        ("Lead", item["lead"]),
        ("Planning reference", item["planning_reference"]),
        ("Grant programme", item["grant_programme"]),
        ("Area", item["area"]),
        ("Position", f"{item['lat']}, {item['lng']}" if item["lat"] is not None and item["lng"] is not None else ""),
    )
    return SiteRow(
        key=item["key"],
        name=item["name"],
        reference=item["reference"],
        authority=item["planning_authority"],
        homes=homes_count(item),
        lines=tuple((line_in_words(line_of(line)), line["count"]) for line in item["homes"]),
        planning=PLANNING_STATUSES.get(item["planning_status"], ""),
        planning_code=item["planning_status"],
        start=_date(item["actual_start"], item["forecast_start"]),
        completion=_date(item["actual_completion"], item["forecast_completion"]),
        is_complete=bool(item["actual_completion"]),
        confidence=CONFIDENCE.get(item["confidence"], ""),
        confidential=item["confidential"],
        details=tuple((label, value) for label, value in details if value),
        notes=_html(prose, "sites", item, "notes"),
    )


def _date(actual: str, forecast: str) -> str:
    """The actual date, or the forecast said to be one."""
    if actual:
        return in_words(actual)
    return f"{in_words(forecast)} (forecast)" if forecast else ""


def milestones(content: Content, prose: Mapping[str, str], today: dt.date) -> list[MilestoneRow]:
    """The milestones in order."""
    names = {site["key"]: site["name"] for site in content["sites"]}
    return [_milestone(item, prose, names, today) for item in content["milestones"]]


def _milestone(item: Item, prose: Mapping[str, str], names: Mapping[str, str], today: dt.date) -> MilestoneRow:
    expected = item["actual"] or item["forecast"]
    slipped = slippage(item["baseline"], expected)
    settled = bool(item["actual"]) or item["status"] in ("achieved", "cancelled")
    due = item["forecast"] or item["baseline"]
    overdue = bool(due) and not settled and last_day(due) < today
    code = "achieved" if item["actual"] and item["status"] != "cancelled" else item["status"]
    return MilestoneRow(
        key=item["key"],
        name=item["name"],
        site=names.get(item["site"], ""),
        owner=item["owner"],
        baseline=in_words(item["baseline"]),
        forecast=in_words(item["forecast"]),
        actual=in_words(item["actual"]),
        status="Overdue" if overdue else MILESTONE_STATUSES[code],
        status_code="overdue" if overdue else code,
        slipped=slipped.words() if slipped else "",
        is_overdue=overdue,
        note=_html(prose, "milestones", item, "note"),
        restricted=item["restricted"],
    )


def risks(content: Content, prose: Mapping[str, str]) -> list[RiskRow]:
    """The risks, the highest score first."""
    rows = [_risk(item, prose) for item in content["risks"]]
    return sorted(rows, key=lambda row: (-row.score, row.title, row.key))


def _risk(item: Item, prose: Mapping[str, str]) -> RiskRow:
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
    )


def draft_sections(content: Content) -> list[SectionRow]:
    """The sections of a draft with their text rendered now: drafts keep no HTML."""
    prose = {f"sections/{item['key']}/body": to_html(item["body"]) for item in content["sections"]}
    return sections(content, prose)


def item_detail(collection: Collection, item: Item) -> str:
    """What matters most about an item, beside its title."""
    return size_in_words(item["size"]) if collection.code == "documents" else item_details(collection, item)


def line_words(line: Line) -> str:
    """A combination of homes in words."""
    return line_in_words(line)


def size_in_words(size: int) -> str:
    """Bytes for people: "420 KB", "1.4 MB"."""
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024))} KB"


# ---- A comparison


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change as a table shows it: was and now, or the text with its word-level differences."""

    field: str
    was: str
    now: str
    fragments: tuple[Fragment, ...]
    extra: str
    kind: str


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """What changed about one item; `kind` is added, removed, moved or changed, for the whole of it."""

    what: str
    label: str
    anchor: str
    kind: str
    rows: tuple[ChangeRow, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two contents held against each other, in words and figures."""

    found: tuple[Change, ...]
    summary: str
    parts: tuple[tuple[str, tuple[ChangedItem, ...]], ...]
    totals: HomesTotals

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed for this reader."""
        return not self.found

    @property
    def homes_changed(self) -> bool:
        """Whether any figure of homes differs."""
        return any(row.difference for _heading, rows in self.totals.tables for row in rows)


_PARTS = (
    ("About the plan", ("about",)),
    ("Outcomes", ("outcome",)),
    ("Text", ("section",)),
    ("Sites and homes", ("site", "homes")),
    ("Milestones", ("milestone",)),
    ("Risks", ("risk",)),
    ("Documents", ("document",)),
)


def comparison(a: Content, b: Content, touched: Mapping[str, str] | None = None) -> Comparison:
    """Hold `b` against `a`; `touched` says by whom a piece was changed, by its name ("sites/north-quay")."""
    found = changes(a, b)
    by_what: dict[str, list[Change]] = {}
    for change in found:
        by_what.setdefault(change.what, []).append(change)
    parts = []
    for heading, whats in _PARTS:
        mine = [change for change in found if change.what in whats] if any(what in by_what for what in whats) else []
        if mine:
            parts.append((heading, tuple(_items(mine, touched or {}))))
    return Comparison(found, summary(found), tuple(parts), homes_totals(a, b))


def _items(found: Iterable[Change], touched: Mapping[str, str]) -> Iterable[ChangedItem]:
    by_anchor: dict[str, list[Change]] = {}
    for change in found:
        by_anchor.setdefault(change.anchor, []).append(change)
    for anchor, mine in by_anchor.items():
        first = mine[0]
        whole = next((change.kind for change in mine if change.what != "homes" and change.kind != "changed"), "changed")
        yield ChangedItem(
            what="Plan" if first.what == "about" else "Site" if first.what == "homes" else first.what_label,
            label=first.label or "About the plan",
            anchor=anchor,
            kind=whole,
            rows=tuple(_row(change) for change in mine),
            by=touched.get(anchor, ""),
        )


def _row(change: Change) -> ChangeRow:
    fragments: tuple[Fragment, ...] = ()
    if change.is_text and change.was and change.now:
        fragments = excerpt(word_differences(change.was_words, change.now_words), AROUND)
    whole = change.kind in ("added", "removed") and change.what != "homes"
    item = change.now if change.kind == "added" else change.was
    return ChangeRow(
        field=f"{change.what_label} {change.kind}" if whole else change.field_label,
        was=_whole(change, item) if whole and change.kind == "removed" else change.was_words if not whole else "",
        now=_whole(change, item) if whole and change.kind == "added" else change.now_words if not whole else "",
        fragments=fragments,
        extra=change.difference_words or change.slippage_words,
        kind=change.kind,
    )


def _whole(change: Change, item: dict[str, Any]) -> str:
    """A whole item in words, so that what was added or removed can be read without opening a version."""
    words = [change.sentence().partition(": ")[2]]
    if change.what == "site":
        words += [
            f"{count:,} {line}"
            for line, count in ((line_in_words(line_of(home)), home["count"]) for home in item["homes"])
        ]
        completion = _date(item["actual_completion"], item["forecast_completion"])
        words += [f"completion {completion}"] if completion else []
    body = item.get("body") or item.get("mitigation") or item.get("measure") or ""
    return "; ".join(words) + (f". {body}" if body else "")


def csv_rows(found: Iterable[Change]) -> Iterable[tuple[str, ...]]:
    """A comparison as rows of a spreadsheet, headings first."""
    yield ("What", "Item", "Key", "Change", "Field", "Was", "Now", "Difference")
    for change in found:
        yield (
            change.what_label,
            change.label,
            change.key,
            change.kind,
            change.field_label,
            change.was_words,
            change.now_words,
            str(change.difference) if change.difference is not None else change.slippage_words,
        )


def anchor_label(anchor: str) -> str:
    """What sort of piece an anchor names: "section", "site"; "plan" for the whole."""
    code = anchor.partition("/")[0]
    return COLLECTION_BY_CODE[code].one if code in COLLECTION_BY_CODE else "plan"
