"""Two contents of a plan held against each other, as pages, papers, spreadsheets and letters show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from partnerships.kit.text import Fragment, excerpt, word_differences
from partnerships.plans.changes import Change, HomesTotals, changes, homes_totals, line_in_words, summary
from partnerships.plans.content import Content, line_of
from partnerships.plans.presenting import date_shown

#: Words of unchanged text shown on either side of a change in prose.
AROUND = 25


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


def comparison(
    a: Content, b: Content, touched: Mapping[str, str] | None = None, areas: Mapping[str, str] | None = None
) -> Comparison:
    """Hold `b` against `a`.

    `touched` says by whom a piece was changed, by its name ("sites/north-quay"); `areas` names GSS codes.
    """
    found = changes(a, b)
    by_what: dict[str, list[Change]] = {}
    for change in found:
        by_what.setdefault(change.what, []).append(change)
    parts = []
    for heading, whats in _PARTS:
        mine = [change for change in found if change.what in whats] if any(what in by_what for what in whats) else []
        if mine:
            parts.append((heading, tuple(_items(mine, touched or {}))))
    return Comparison(found, summary(found), tuple(parts), homes_totals(a, b, areas or {}))


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
        completion = date_shown(item["actual_completion"], item["forecast_completion"])
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
