"""Finding rows by references, which are unique within an authority only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Found = TypeVar("Found")


def authority_key(written: str) -> str:
    """The key of an authority without its prefix, which changed over time."""
    return written.rpartition(":")[2].casefold()


class ByReference(Generic[Found]):
    """What rows stand for, by their references and authorities as written."""

    def __init__(self, rows: Iterable[tuple[str, str, Found]]) -> None:
        self._rows: dict[str, list[tuple[str, Found]]] = {}
        for reference, authority, row in rows:
            self._rows.setdefault(reference, []).append((authority_key(authority), row))

    def find(self, reference: str, authority: str) -> list[Found]:
        """What has the reference: of several, those of the authority if there are any."""
        alike = self._rows.get(reference, [])
        own = [found for key, found in alike if key == authority_key(authority)]
        return own if len(alike) > 1 and own else [found for _, found in alike]
