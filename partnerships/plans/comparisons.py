"""Comparisons of two contents, for pages, print, CSV and emails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from partnerships.kit.text import Fragment, excerpt, word_differences
from partnerships.plans.changes import (
    Change,
    HomesTotals,
    Names,
    changes,
    homes_totals,
    names_in,
    summary,
    words_changed,
)
from partnerships.plans.content import COLLECTION_BY_CODE, Content, line_in_words, line_of

#: Words of unchanged text shown on each side of a change in prose.
AROUND = 25


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change in a table: was and now, or word-level differences."""

    field: str
    was: str
    now: str
    fragments: tuple[Fragment, ...]
    extra: str
    kind: str

    @property
    def nothing_before(self) -> str:
        """The words for no value before."""
        return "Not there" if self.kind == "added" else "Not given"

    @property
    def nothing_now(self) -> str:
        """The words for no value now."""
        return "No longer there" if self.kind == "removed" else "No longer given"


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """The changes of one item; `kind` is added, removed, moved or changed."""

    what: str
    label: str
    anchor: str
    kind: str
    rows: tuple[ChangeRow, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two contents compared, in words and figures."""

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
        """Whether any number of homes differs."""
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
    """Compare `b` with `a`.

    `touched` says who changed each piece, by name ("sites/north-quay"); `areas` names GSS codes.
    """
    areas = areas or {}
    found, names = changes(a, b, areas), names_in(a, b, areas=areas)
    by_what: dict[str, list[Change]] = {}
    for change in found:
        by_what.setdefault(change.what, []).append(change)
    parts = []
    for heading, whats in _PARTS:
        mine = [change for change in found if change.what in whats] if any(what in by_what for what in whats) else []
        if mine:
            parts.append((heading, tuple(_items(mine, touched or {}, names))))
    return Comparison(found, summary(found), tuple(parts), homes_totals(a, b, areas))


def _items(found: Iterable[Change], touched: Mapping[str, str], names: Names) -> Iterable[ChangedItem]:
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
            rows=tuple(_row(change, names) for change in mine),
            by=touched.get(anchor, ""),
        )


def _row(change: Change, names: Names) -> ChangeRow:
    fragments: tuple[Fragment, ...] = ()
    if change.is_text and change.was and change.now:
        fragments = excerpt(word_differences(change.was_words, change.now_words), AROUND)
    whole = change.kind in ("added", "removed") and change.what != "homes"
    if whole:
        words = _whole(change, names)
        was, now = ("", words) if change.kind == "added" else (words, "")
    else:
        was, now = change.was_words, change.now_words
    return ChangeRow(
        field=f"{change.what_label} {change.kind}" if whole else change.field_label,
        was=was,
        now=now,
        fragments=fragments,
        extra=change.difference_words
        or change.slippage_words
        or (words_changed(change.was_words, change.now_words) if fragments else ""),
        kind=change.kind,
    )


#: Left out of the words for a whole item: they mean nothing to people.
_LEFT_OUT = frozenset({"content_type", "sha256", "lat", "lng"})


def _whole(change: Change, names: Names) -> str:
    """A whole item in words, so that readers need not open a version."""
    item = change.now if change.kind == "added" else change.was
    collection = COLLECTION_BY_CODE[change.anchor.partition("/")[0]]
    words = [change.sentence().partition(": ")[2]]
    if change.what == "site":
        words += [
            f"{count:,} {line}"
            for line, count in ((line_in_words(line_of(home)), home["count"]) for home in item["homes"])
        ]
    given = [field for field in collection.fields if item[field.code] != field.default]
    words += [
        f"{field.label[0].lower()}{field.label[1:]}: {names.in_words(field, item[field.code])}"
        for field in given
        if field.shape != "text" and field.code != collection.title and field.code not in _LEFT_OUT
    ]
    prose = "\n".join(item[field.code] for field in given if field.shape == "text")
    return "; ".join(words) + (f".\n{prose}" if prose else "")


HEADINGS = ("Part", "Item", "Key", "Change", "Field", "Was", "Now", "Difference", "By")


def csv_rows(
    compared: Comparison, *, was: str, now: str, notes: Iterable[tuple[str, str]] = (), warning: str = ""
) -> Iterable[tuple[str, ...]]:
    """A comparison as rows of a spreadsheet, headings first.

    `was` and `now` name the two sides; `notes` are the versions between and their notes; `warning` says that one side
    is a draft.
    """
    yield HEADINGS
    yield ("Comparison", "", "", "", "", was, now, "", "")
    if warning:
        yield ("Draft", "", "", "", "", "", warning, "", "")
    for label, note in notes:
        yield ("Why", label, "", "", "", "", note, "", "")
    yield ("Summary", "", "", "", "", "", compared.summary, "", "")
    if compared.homes_changed:
        for heading, totals in (("", (compared.totals.total,)), *compared.totals.tables):
            for total in totals:
                figures = (f"{total.was}", f"{total.now}", total.difference_words)
                yield ("Homes: was and now", total.label, "", "", heading, *figures, "")
    for heading, items in compared.parts:
        for item in items:
            key = item.anchor.partition("/")[2]
            for row in item.rows:
                sides = (row.was or row.nothing_before, row.now or row.nothing_now)
                yield (heading, item.label, key, row.kind, row.field, *sides, row.extra, item.by)
