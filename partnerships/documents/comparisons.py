"""Comparisons of two contents in words, for pages, print, CSV and emails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from partnerships.documents.comparing.change import Change
from partnerships.documents.comparing.finding import changes
from partnerships.documents.comparing.naming import NO_REGISTERS, Names, Registers
from partnerships.documents.comparing.summary import summary
from partnerships.documents.comparing.wording import words_changed
from partnerships.documents.schema import Content, Schema
from partnerships.kit.text import DiffTime, Fragment, excerpt, word_differences

#: Words of unchanged text shown on each side of a change in prose.
AROUND = 25
#: A heading, and what the changes below it are about ("about", "site", "homes").
Part: TypeAlias = tuple[str, tuple[str, ...]]
NOBODY: Mapping[str, str] = MappingProxyType({})


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
    """Two contents compared, in words."""

    found: tuple[Change, ...]
    summary: str
    parts: tuple[tuple[str, tuple[ChangedItem, ...]], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed for this reader."""
        return not self.found


def parts_of(schema: Schema) -> tuple[Part, ...]:
    """The headings of a comparison: about the whole, then each collection."""
    collections = tuple(
        (collection.many, (collection.one, *((collection.counts.code,) if collection.counts else ())))
        for collection in schema.collections
    )
    return (schema.about_heading or f"About the {schema.one}", ("about",)), *collections


def compare(
    schema: Schema,
    a: Content,
    b: Content,
    *,
    touched: Mapping[str, str] = NOBODY,
    registers: Registers = NO_REGISTERS,
    parts: Sequence[Part] | None = None,
    left_out: frozenset[str] = frozenset(),
) -> Comparison:
    """Compare `b` with `a`.

    `touched` says who changed each piece, by name ("sites/north-quay"). `registers` names codes (see `Registers`).
    `parts` are the headings, by default `parts_of(schema)`. Fields in `left_out` are not named in the words for a whole
    item.
    """
    all_changes, names = changes(schema, a, b, registers), Names(schema, a, b, registers=registers)
    whats, time = {change.what for change in all_changes}, DiffTime()
    grouped = []
    for heading, belonging in parts if parts is not None else parts_of(schema):
        if whats & set(belonging):
            mine = [change for change in all_changes if change.what in belonging]
            grouped.append((heading, tuple(_items(mine, touched, names, left_out, time))))
    return Comparison(all_changes, summary(all_changes), tuple(grouped))


def _items(
    found: Iterable[Change], touched: Mapping[str, str], names: Names, left_out: frozenset[str], time: DiffTime
) -> Iterable[ChangedItem]:
    """The changed items, each with all its rows, in the order in which they were found."""
    by_anchor: dict[str, list[Change]] = {}
    for change in found:
        by_anchor.setdefault(change.anchor, []).append(change)
    for anchor, mine in by_anchor.items():
        first = mine[0]
        whole = next((change.kind for change in mine if not change.is_count and change.kind != "changed"), "changed")
        yield ChangedItem(
            what=first.schema.label if first.what == "about" else first.collection.label,
            label=first.label or first.schema.about_heading or f"About the {first.schema.one}",
            anchor=anchor,
            kind=whole,
            rows=tuple(_row(change, names, left_out, time) for change in mine),
            by=touched.get(anchor, ""),
        )


def _row(change: Change, names: Names, left_out: frozenset[str], time: DiffTime) -> ChangeRow:
    """One row with was and now.

    Long texts are shortened to what changed in them.
    """
    fragments: tuple[Fragment, ...] = ()
    if change.is_text and change.was and change.now:
        fragments = excerpt(word_differences(change.was_words, change.now_words, time), AROUND)
    whole = change.kind in ("added", "removed") and not change.is_count
    if whole:
        words = _whole(change, names, left_out)
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


def _whole(change: Change, names: Names, left_out: frozenset[str]) -> str:
    """A whole item in words, so that readers need not open a version."""
    item = change.now if change.kind == "added" else change.was
    collection = change.collection
    words = [change.sentence().partition(": ")[2]]
    counts = collection.counts
    if counts:
        words += [f"{count:,} {counts.words(line)}" for line, count in counts.by_line(item).items()]
    given = [field for field in collection.fields if item[field.code] != field.default]
    words += [
        f"{field.label[0].lower()}{field.label[1:]}: {names.in_words(field, item[field.code])}"
        for field in given
        if field.shape != "text" and field.code != collection.title and field.code not in left_out
    ]
    prose = "\n".join(item[field.code] for field in given if field.shape == "text")
    return "; ".join(words) + (f".\n{prose}" if prose else "")
