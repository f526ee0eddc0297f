"""One thing that changed between two contents of a plan, as a frozen value that can say itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from partnerships.plans.changes.wording import (
    cut,
    item_details,
    item_in_words,
    line_in_words,
    more_or_fewer,
    value_in_words,
    words_changed,
)
from partnerships.plans.content import ABOUT_BY_CODE, COLLECTION_BY_CODE, COLLECTIONS, Field, Line
from partnerships.plans.slippage import Slippage, slippage

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]
SHORT = 90  # prose up to this length is quoted in a sentence

_COLLECTION_OF = {collection.one: collection for collection in COLLECTIONS} | {"homes": COLLECTION_BY_CODE["sites"]}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contents; the module's docstring describes each part."""

    kind: Kind
    what: str
    key: str
    label: str
    field: str = ""
    was: Any = None
    now: Any = None
    line: Line | None = None
    place: int | None = None
    was_name: str = ""
    now_name: str = ""

    @property
    def anchor(self) -> str:
        """Name the piece of the plan that this is about: "sites/north-quay", or "about"."""
        return "about" if self.what == "about" else f"{_COLLECTION_OF[self.what].code}/{self.key}"

    @property
    def spec(self) -> Field | None:
        """Describe the field that changed; None for whole items and homes."""
        if self.what == "about":
            return ABOUT_BY_CODE[self.field]
        return None if self.what == "homes" or not self.field else _COLLECTION_OF[self.what].field_by_code[self.field]

    @property
    def what_label(self) -> str:
        """Name the kind of thing, to begin a sentence or a row: "Site"."""
        if self.what in ("about", "homes"):
            return {"about": "Plan", "homes": "Homes"}[self.what]
        return _COLLECTION_OF[self.what].label

    @property
    def field_label(self) -> str:
        """Name the field in words: "Forecast completion", "Homes, Social Rent", "Order", or the kind of thing."""
        if self.line is not None:
            return f"Homes, {self.line_words}"
        if self.kind == "moved":
            return "Order"
        return self.spec.label if self.spec else self.what_label

    @property
    def line_words(self) -> str:
        """Say which homes: "Social Rent, 2 bedrooms, older people, 2027-28"; "" when it is not about homes."""
        return line_in_words(self.line) if self.line else ""

    @property
    def is_text(self) -> bool:
        """Say whether both sides are prose, worth a word-level difference."""
        spec = self.spec
        return self.kind == "changed" and spec is not None and (spec.shape == "text" or spec.code == "text")

    @property
    def difference(self) -> int | None:
        """Give now - was for homes, None for everything else."""
        if self.what == "homes":
            return int(self.now) - int(self.was)
        return None

    @property
    def difference_words(self) -> str:
        """Say the difference of homes: "20 fewer", "1 more"; "" for everything else."""
        return "" if self.difference is None else more_or_fewer(self.difference)

    @property
    def slippage(self) -> Slippage | None:
        """Measure how far a date moved; None for anything else and where a date was or is missing."""
        if self.kind == "changed" and self.spec is not None and self.spec.shape == "date":
            return slippage(self.was, self.now)
        return None

    @property
    def slippage_words(self) -> str:
        """Say how far a date moved: "14 days later", "2 quarters earlier"; "" for anything else."""
        return self.slippage.words() if self.slippage else ""

    @property
    def was_words(self) -> str:
        """Say the old value for people; "" where the item is new."""
        return self.was_name or self._words(self.was) if self.kind != "added" or self.what == "homes" else ""

    @property
    def now_words(self) -> str:
        """Say the new value for people; "" where the item is gone."""
        return self.now_name or self._words(self.now) if self.kind != "removed" or self.what == "homes" else ""

    def _words(self, value: Any) -> str:
        if self.what == "homes":
            return f"{value:,}"
        if self.kind == "moved":
            return f"place {value + 1}"
        if self.spec is not None:
            return value_in_words(self.spec, value)
        return item_in_words(_COLLECTION_OF[self.what], value)

    def sentence(self) -> str:
        """Say the whole change as one plain sentence without a full stop."""
        label = cut(self.label, SHORT)
        if self.what == "homes":
            return (
                f"Homes, {self.line_words} at {label}: was {self.was_words}, "
                f"now {self.now_words} ({self.difference_words})"
            )
        if self.kind in ("added", "removed"):
            item = self.now if self.kind == "added" else self.was
            details = item_details(_COLLECTION_OF[self.what], item)
            return f"{self.what_label} {self.kind}: {label}{f' ({details})' if details else ''}"
        subject = self.what_label if self.what == "about" else f"{self.what_label} {label}"
        if self.kind == "moved":
            return f"{subject}: moved from {self.was_words} to {self.now_words}"
        field = self.field_label[0].lower() + self.field_label[1:]
        was, now = self.was_words, self.now_words
        if self.is_text and max(len(was), len(now)) > SHORT:
            verb = "removed" if not now else "written" if not was else "changed"
            return f"{subject}, {field}: {verb} ({words_changed(was, now)})"
        tail = f" ({self.slippage_words})" if self.slippage_words else ""
        return f"{subject}, {field}: was {was or 'not given'}, now {now or 'not given'}{tail}"
