"""Compare two contents, with the differences in words, for pages, print, CSV and emails."""

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

#: How many unchanged words are shown before and after a change in a long text.
AROUND = 25
#: A heading, and the values of `Change.what` of the changes below it, such as ("Sites", ("site", "homes")).
Part: TypeAlias = tuple[str, tuple[str, ...]]
NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change in a table, with both values in words, or with the differences word by word."""

    field: str
    was: str
    now: str
    #: The differences word by word, for a long text.
    fragments: tuple[Fragment, ...]
    #: By how much the value changed: "20 fewer", "2 quarters later" or "12 words added".
    difference: str
    kind: str

    @property
    def nothing_before(self) -> str:
        """Return the text to show if there was no value before."""
        return "Not there" if self.kind == "added" else "Not given"

    @property
    def nothing_now(self) -> str:
        """Return the text to show if there is no value now."""
        return "No longer there" if self.kind == "removed" else "No longer given"


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """The changes of one item. Its kind is added, removed, moved or changed."""

    what: str
    label: str
    anchor: str
    kind: str
    rows: tuple[ChangeRow, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between two contents, in words."""

    changes: tuple[Change, ...]
    summary: str
    parts: tuple[tuple[str, tuple[ChangedItem, ...]], ...]

    @property
    def is_empty(self) -> bool:
        """Return whether nothing changed for this reader."""
        return not self.changes


def parts_of(schema: Schema) -> tuple[Part, ...]:
    """Return a part for the document itself, and one for each collection, in the order of reading."""
    parts: list[Part] = [(_about_heading(schema), ("about",))]
    for collection in schema.collections:
        whats = (collection.singular, collection.counts.code) if collection.counts else (collection.singular,)
        parts.append((collection.plural_label, whats))
    return tuple(parts)


def _about_heading(schema: Schema) -> str:
    """Return the heading of the fields about the whole document."""
    return schema.about_heading or f"About the {schema.singular}"


def compare(
    schema: Schema,
    before: Content,
    after: Content,
    *,
    changed_by: Mapping[str, str] = NOBODY,
    registers: Registers = NO_REGISTERS,
    parts: Sequence[Part] | None = None,
    left_out: frozenset[str] = frozenset(),
) -> Comparison:
    """Return the differences between two contents, grouped by part of the document.

    `changed_by` is the name of the person who changed each piece, by piece ("sites/north-quay"). `registers` are the
    names of codes, such as those of areas. `parts` replaces the parts of the schema. Fields in `left_out` are not
    shown where a whole item was added or removed.
    """
    all_changes = changes(schema, before, after, registers)
    writer = _RowWriter(Names(schema, before, after, registers=registers), left_out, DiffTime())
    grouped_items = []
    for heading, whats in parts if parts is not None else parts_of(schema):
        part_changes = [change for change in all_changes if change.what in whats]
        if part_changes:
            grouped_items.append((heading, tuple(_changed_items(part_changes, changed_by, writer))))
    return Comparison(changes=all_changes, summary=summary(all_changes), parts=tuple(grouped_items))


def _changed_items(
    part_changes: Iterable[Change], changed_by: Mapping[str, str], writer: _RowWriter
) -> Iterable[ChangedItem]:
    """Yield the changed items with all their rows, in the order of their first changes."""
    changes_by_anchor: dict[str, list[Change]] = {}
    for change in part_changes:
        changes_by_anchor.setdefault(change.anchor, []).append(change)
    for anchor, item_changes in changes_by_anchor.items():
        first_change = item_changes[0]
        # An item that was added or moved, and changed too, is marked as added or moved.
        kinds = [change.kind for change in item_changes if not change.is_count and change.kind != "changed"]
        yield ChangedItem(
            what=first_change.schema.label if first_change.what == "about" else first_change.collection.label,
            label=first_change.label or _about_heading(first_change.schema),
            anchor=anchor,
            kind=kinds[0] if kinds else "changed",
            rows=tuple(writer.row(change) for change in item_changes),
            by=changed_by.get(anchor, ""),
        )


@dataclass(frozen=True, slots=True)
class _RowWriter:
    """Makes the rows of one comparison."""

    names: Names
    left_out: frozenset[str]
    #: The limit of time for comparing all texts word by word.
    time: DiffTime

    def row(self, change: Change) -> ChangeRow:
        """Return the row of a change. The row of a long text shows only the changed parts."""
        if change.kind in ("added", "removed") and not change.is_count:
            item_in_words = self._item_with_fields(change)
            return ChangeRow(
                field=f"{change.what_label} {change.kind}",
                was="" if change.kind == "added" else item_in_words,
                now=item_in_words if change.kind == "added" else "",
                fragments=(),
                difference=change.difference_words or change.slippage_words,
                kind=change.kind,
            )
        fragments: tuple[Fragment, ...] = ()
        text_difference = ""
        if change.is_text and change.was and change.now:
            fragments = excerpt(word_differences(change.was_words, change.now_words, self.time), AROUND)
            text_difference = words_changed(change.was_words, change.now_words) if fragments else ""
        return ChangeRow(
            field=change.field_label,
            was=change.was_words,
            now=change.now_words,
            fragments=fragments,
            difference=change.difference_words or change.slippage_words or text_difference,
            kind=change.kind,
        )

    def _item_with_fields(self, change: Change) -> str:
        """Return an added or removed item in words, with all its fields."""
        item = change.now if change.kind == "added" else change.was
        collection = change.collection
        # The part of "Site added: North Quay (120 homes)" that describes the item.
        descriptions = [change.sentence().partition(": ")[2]]
        counts = collection.counts
        if counts:
            descriptions += [f"{count:,} {counts.words(line)}" for line, count in counts.by_line(item).items()]

        filled_fields = [field for field in collection.fields if item[field.code] != field.default]
        descriptions += [
            f"{field.label[0].lower()}{field.label[1:]}: {self.names.in_words(field, item[field.code])}"
            for field in filled_fields
            if field.shape != "text" and field.code != collection.title_field and field.code not in self.left_out
        ]

        texts = [item[field.code] for field in filled_fields if field.shape == "text"]
        sentence = "; ".join(descriptions)
        return "\n".join([f"{sentence}.", *texts]) if texts else sentence
