"""Parts that rooms above add to a record's page: they register at start-up, and the page asks each for its part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Reader = TypeVar("Reader")
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Section:
    """A template to include on the page, and what it shows: already limited to what the reader may see."""

    template: str
    context: dict[str, Any]


class Sections(Generic[Reader, Record]):
    """The parts of one kind of page, in the order of their names."""

    def __init__(self) -> None:
        self._builders: dict[str, Callable[[Reader, Record], Section | None]] = {}

    def register(self, name: str, build: Callable[[Reader, Record], Section | None]) -> None:
        """Add a part to every such page: from the reader and the record to a section, or None where there is
        nothing to show."""
        self._builders[name] = build

    def of(self, reader: Reader, record: Record) -> list[Section]:
        """The parts that have something to show to this reader."""
        built = (self._builders[name](reader, record) for name in sorted(self._builders))
        return [section for section in built if section is not None]
