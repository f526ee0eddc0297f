"""Describe the fields and collections of a kind of document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

Content: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Any]
Choices: TypeAlias = Mapping[str, str]
Line: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document or of its items, such as the forecast completion of a site."""

    code: str
    label: str
    # The shapes are line, text (Markdown), date, flag, choice, scale, number, money (pounds), percent, days, year,
    # latitude, longitude, and item (a key of `collection`). A field of any other shape needs its own `read`.
    shape: str = "line"
    choices: Choices = field(default_factory=dict)
    default: Any = ""
    required: bool = False
    restricted: bool = False  # hidden from readers outside
    max_length: int = 500  # characters of a line or a text
    collection: str = ""  # the code of the collection to which an "item" field refers
    read: Callable[[Any], Any] | None = None  # returns the normalised value; raises ValueError
    hint: str = ""  # help for the person who fills in the field; for a flag, the text beside its box
    substantive: bool = False  # homes, dates, money or parties: a version that changes it is not minor


@dataclass(frozen=True, slots=True)
class Counts:
    """How an item counts something in lines, such as the homes of a site by tenure and bedrooms.

    An item has a list of lines, each with its `count`. A `Line` is what identifies one: ("social_rent", 2).
    """

    code: str  # the field of the item that contains the lines
    label: str
    singular: str  # "home"
    plural: str
    line_of: Callable[[Item], Line]  # the combination that identifies a line
    line_item: Callable[[Line, int], Item]
    order: Callable[[Line], Any]  # sort key
    words: Callable[[Line], str]
    normalise: Callable[[Any, str], list[Item]]  # raises InvalidContent
    substantive: bool = False  # a version that changes a count is not minor
    #: Return the period of a line in words, such as its year, and the line without its period. With both functions, a
    #: comparison shows counts that change only their period as moved.
    period_of: Callable[[Line], str] | None = None
    without_period: Callable[[Line], Line] | None = None

    def by_line(self, item: Item) -> dict[Line, int]:
        """Return the counts of an item by line."""
        return {self.line_of(line): line["count"] for line in item[self.code]}

    def items(self, counts: Mapping[Line, int]) -> list[Item]:
        """Return the lines with a count above 0, in order."""
        return [self.line_item(line, counts[line]) for line in sorted(counts, key=self.order) if counts[line]]

    def total(self, item: Item) -> int:
        """Return the sum of an item's counts."""
        return sum(line["count"] for line in item[self.code])


def _no_details(_item: Item) -> str:
    return ""


@dataclass(frozen=True, eq=False)
class Collection:
    """A list in a document, such as the sites of a plan, with the fields of its items."""

    code: str
    singular: str  # the name of one item within a sentence: "site"
    label: str  # the same at its start: "Site"
    title_field: str  # the code of the field that names an item
    fields: tuple[Field, ...]
    hidden_by: str = ""  # the flag that hides a whole item from readers outside
    counts: Counts | None = None
    details: Callable[[Item], str] = _no_details  # the detail that lists show beside the title of an item
    #: Change the content from which an item was removed, given this content and the content with the item.
    after_removal: Callable[[Content, Content], Content] | None = None
    irregular_plural: str = ""  # the label for several items, if it is not the label with an s

    @property
    def plural_label(self) -> str:
        """Return the label for several items: "Sites"."""
        return self.irregular_plural or f"{self.label}s"

    @property
    def singular_with_article(self) -> str:
        """Return the name of one item with its article: "an outcome"."""
        return f"{'an' if self.singular[0] in 'aeiou' else 'a'} {self.singular}"

    def is_substantive(self, item: Item) -> bool:
        """Return whether a version that adds or removes the item is not minor."""
        if self.counts and self.counts.substantive and self.counts.total(item):
            return True
        return any(field.substantive and item[field.code] != field.default for field in self.fields)

    def hides(self, item: Item) -> bool:
        """Return whether the item is hidden from readers outside."""
        return bool(self.hidden_by and item[self.hidden_by])

    @cached_property
    def field_by_code(self) -> dict[str, Field]:
        """Return the fields by their codes."""
        return {field.code: field for field in self.fields}


def _texts(fields: tuple[Field, ...]) -> tuple[str, ...]:
    return tuple(field.code for field in fields if field.shape == "text")


@dataclass(frozen=True, eq=False)
class Schema:
    """A kind of document, such as plans, with its fields and its collections in the order of reading."""

    singular: str  # "plan"
    about: tuple[Field, ...]
    collections: tuple[Collection, ...]
    about_heading: str = ""  # the heading of the fields about the whole, if it is not "About this plan"

    @property
    def label(self) -> str:
        """Return the name of the document for the start of a sentence."""
        return self.singular.capitalize()

    @property
    def about_label(self) -> str:
        """Return the heading of the fields about the whole document: "About this plan"."""
        return self.about_heading or f"About this {self.singular}"

    @cached_property
    def about_by_code(self) -> dict[str, Field]:
        """Return the fields about the whole document by their codes."""
        return {field.code: field for field in self.about}

    @cached_property
    def collection_by_code(self) -> dict[str, Collection]:
        """Return the collections by their codes."""
        return {collection.code: collection for collection in self.collections}

    @cached_property
    def text_fields(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """Return the codes of the Markdown fields of the document itself, and those of each collection."""
        by_collection = {collection.code: _texts(collection.fields) for collection in self.collections}
        return _texts(self.about), {code: fields for code, fields in by_collection.items() if fields}

    @cached_property
    def collection_of(self) -> dict[str, Collection]:
        """Return the collections by the name of one item ("site") and by the code of its counts ("homes")."""
        by_singular = {collection.singular: collection for collection in self.collections}
        return by_singular | {
            collection.counts.code: collection for collection in self.collections if collection.counts
        }
