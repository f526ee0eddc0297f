"""Sections that upper rooms add to the page of a record, registered at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Reader = TypeVar("Reader")
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Section:
    """A template and its context, which contains only what the reader may see."""

    template: str
    context: dict[str, Any]


class Sections(Generic[Reader, Record]):
    """The sections of one kind of page, sorted by their `order`, then by name."""

    def __init__(self) -> None:
        self._builders: dict[str, Callable[[Reader, Record], Section | None]] = {}
        self._order: dict[str, int] = {}

    def register(self, name: str, build: Callable[[Reader, Record], Section | None], *, order: int) -> None:
        """Add a section. `build` returns the section, or None to show nothing. The lowest `order` is first."""
        self._builders[name] = build
        self._order[name] = order

    def in_order(self) -> list[str]:
        """Return the names of all sections, in the order of the page."""
        return sorted(self._order, key=lambda name: (self._order[name], name))

    def of(self, reader: Reader, record: Record) -> list[Section]:
        """Return the sections that have something to show to this reader."""
        sections = (self._builders[name](reader, record) for name in self.in_order())
        return [section for section in sections if section is not None]
