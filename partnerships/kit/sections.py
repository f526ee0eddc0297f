"""Sections that upper rooms add to a record's page, set at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Reader = TypeVar("Reader")
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Section:
    """A template and its context, limited to what the reader may see."""

    template: str
    context: dict[str, Any]


class Sections(Generic[Reader, Record]):
    """The sections of one kind of page, sorted by name."""

    def __init__(self) -> None:
        self._builders: dict[str, Callable[[Reader, Record], Section | None]] = {}

    def register(self, name: str, build: Callable[[Reader, Record], Section | None]) -> None:
        """Add a section: a function from reader and record to it, or to None."""
        self._builders[name] = build

    def of(self, reader: Reader, record: Record) -> list[Section]:
        """The sections with something to show to this reader."""
        built = (self._builders[name](reader, record) for name in sorted(self._builders))
        return [section for section in built if section is not None]
