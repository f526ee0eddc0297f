"""One change between two contents, and its sentence, such as “Site North Quay, status: was planned, now started”."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from partnerships.documents.comparing.wording import (
    cut,
    item_in_words,
    more_or_fewer,
    value_in_words,
    words_changed,
)
from partnerships.documents.schema import Collection, Field, Line, Schema
from partnerships.documents.slippage import Slippage, slippage

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]
#: The most characters of a text that a sentence quotes.
SHORT = 90


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contents."""

    schema: Schema = dataclasses.field(repr=False, compare=False)
    kind: Kind
    #: What has changed: "about", an item by its name ("site"), or the counts of an item by their code ("homes").
    what: str
    #: The key and the title of the item; "" for "about".
    key: str
    label: str
    #: The code of the field or of the counts; "" for whole items and moves.
    field: str = ""
    #: The old and the new value of a field or a count; the whole item; or the place of a moved item.
    was: Any = None
    now: Any = None
    #: The counted line that changed, such as the homes for Social Rent. For a move, the line to which counts moved.
    line: Line | None = None
    #: The place of an added, moved or removed item in its list.
    place: int | None = None
    #: The names of values that are codes or places, which readers would not understand.
    was_name: str = ""
    now_name: str = ""
    #: The counted line from which counts moved.
    from_line: Line | None = None
    #: How many of a counted line's difference moved from other periods; negative if they moved to other periods.
    net_moved: int = 0

    @property
    def anchor(self) -> str:
        """Return the name of the piece that changed: "sites/north-quay", or "about"."""
        return "about" if self.what == "about" else f"{self.collection.code}/{self.key}"

    @property
    def collection(self) -> Collection:
        """Return the collection of the item. Changes of "about" have no collection, so this raises `KeyError`."""
        return self.schema.collection_of[self.what]

    @property
    def is_count(self) -> bool:
        """Return whether the change is in a counted line, such as the homes of a site for Social Rent."""
        return self.line is not None

    @property
    def spec(self) -> Field | None:
        """Return the field that changed; None for whole items and counted lines."""
        if self.what == "about":
            return self.schema.about_by_code[self.field]
        return None if self.is_count or not self.field else self.collection.field_by_code[self.field]

    @property
    def what_label(self) -> str:
        """Return the name of the changed part for the start of a sentence or a row: "Site", "Homes", "Plan"."""
        if self.what == "about":
            return self.schema.label
        collection = self.collection
        return collection.counts.label if self.line is not None and collection.counts else collection.label

    @property
    def field_label(self) -> str:
        """Return the field in words: "Forecast completion", "Homes, Social Rent", "Order", or the kind of item."""
        if self.is_count:
            return f"{self.what_label}, {self.line_words}"
        if self.kind == "moved":
            return "Order"
        return self.spec.label if self.spec else self.what_label

    @property
    def line_words(self) -> str:
        """Return a counted line in words: "Social Rent, 2 bedrooms, 2027-28"; "" for other changes.

        If counts moved from one period to another, the words leave out the period.
        """
        counts = None if self.line is None else self.collection.counts
        if self.line is None or counts is None:
            return ""
        if self.has_moved and counts.without_period:
            return counts.words(counts.without_period(self.line))
        return counts.words(self.line)

    @property
    def has_moved(self) -> bool:
        """Return whether counts moved from one period to another."""
        return self.from_line is not None

    @property
    def is_substantive(self) -> bool:
        """Return whether the change is of homes, dates, money or parties.

        A version with such a change is not minor.
        """
        if self.kind == "moved" and not self.is_count:
            return False
        if self.is_count:
            return self.collection.counts is not None and self.collection.counts.substantive
        if self.spec is not None:
            return self.spec.substantive
        return self.collection.is_substantive(self.now if self.kind == "added" else self.was)

    @property
    def is_text(self) -> bool:
        """Return whether both values are prose, which pages compare word by word."""
        spec = self.spec
        return self.kind == "changed" and spec is not None and (spec.shape == "text" or spec.code == "text")

    @property
    def difference(self) -> int | None:
        """Return how many more a counted line has now, without moves between periods; None for other changes.

        For example, if 10 homes were added and 3 moved here from another year, the difference is 10.
        """
        return int(self.now) - int(self.was) - self.net_moved if self.is_count else None

    @property
    def difference_words(self) -> str:
        """Return the difference of a counted line: "20 fewer", "1 more, besides 3 moved", "20 moved"; else ""."""
        if self.has_moved:
            return f"{self.now:,} moved"
        if self.difference is None:
            return ""
        moved = f", besides {abs(self.net_moved):,} moved" if self.net_moved else ""
        return f"{more_or_fewer(self.difference)}{moved}"

    @property
    def slippage(self) -> Slippage | None:
        """Return how far a date moved; None if a date is missing, and for other changes."""
        if self.kind == "changed" and self.spec is not None and self.spec.shape == "date":
            return slippage(self.was, self.now)
        return None

    @property
    def slippage_words(self) -> str:
        """Return how far a date moved in words: "14 days later", "2 quarters earlier"; "" for other changes."""
        return self.slippage.words() if self.slippage else ""

    @property
    def was_words(self) -> str:
        """Return the old value in words; "" for a new item."""
        if self.has_moved:
            return self._period(self.from_line)
        if self.kind == "added" and not self.is_count:
            return ""
        return self.was_name or self._in_words(self.was)

    @property
    def now_words(self) -> str:
        """Return the new value in words; "" for a removed item."""
        if self.has_moved:
            return self._period(self.line)
        if self.kind == "removed" and not self.is_count:
            return ""
        return self.now_name or self._in_words(self.now)

    def _period(self, line: Line | None) -> str:
        """Return the period of a counted line in words; "" if there is none."""
        counts = self.collection.counts
        return counts.period_of(line) if line is not None and counts is not None and counts.period_of else ""

    def _in_words(self, value: Any) -> str:
        """Return the old or new value in words."""
        if self.is_count:
            return f"{value:,}"
        if self.kind == "moved":
            return f"place {value + 1}"
        if self.spec is not None:
            return value_in_words(self.spec, value)
        return item_in_words(self.collection, value)

    def sentence(self) -> str:
        """Return the whole change as a sentence without a full stop."""
        label = cut(self.label, SHORT)
        if self.has_moved:
            return f"{self.field_label} at {label}: {self.now:,} moved from {self.was_words} to {self.now_words}"
        if self.is_count:
            values = f"was {self.was_words}, now {self.now_words}"
            return f"{self.field_label} at {label}: {values} ({self.difference_words})"
        if self.kind in ("added", "removed"):
            details = self.collection.details(self.now if self.kind == "added" else self.was)
            details_in_brackets = f" ({details})" if details else ""
            return f"{self.what_label} {self.kind}: {label}{details_in_brackets}"
        subject = self.what_label if self.what == "about" else f"{self.what_label} {label}"
        if self.kind == "moved":
            return f"{subject}: moved from {self.was_words} to {self.now_words}"
        return f"{subject}, {self._field_in_words()}"

    def _field_in_words(self) -> str:
        """Return the change of a field, such as "status: was not given, now started"."""
        field_name = self.field_label[0].lower() + self.field_label[1:]
        old_words, new_words = self.was_words, self.now_words
        if self.is_text and max(len(old_words), len(new_words)) > SHORT:
            verb = "changed"
            if not new_words:
                verb = "removed"
            elif not old_words:
                verb = "written"
            return f"{field_name}: {verb} ({words_changed(old_words, new_words)})"
        slippage_in_brackets = f" ({self.slippage_words})" if self.slippage_words else ""
        return f"{field_name}: was {old_words or 'not given'}, now {new_words or 'not given'}{slippage_in_brackets}"
