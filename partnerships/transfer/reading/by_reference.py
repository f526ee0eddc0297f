"""Find rows by their references, which are unique only within one authority."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


def authority_key(name_with_prefix: str) -> str:
    """Return the key of an authority without its prefix, which has changed over time."""
    return name_with_prefix.rpartition(":")[2].casefold()


class ByReference(Generic[Item]):
    """Items by the references and the authorities of their rows, both as written in the file."""

    def __init__(self, rows: Iterable[tuple[str, str, Item]]) -> None:
        self._items: dict[str, list[tuple[str, Item]]] = {}
        for reference, authority, item in rows:
            self._items.setdefault(reference, []).append((authority_key(authority), item))

    def find(self, reference: str, authority: str) -> list[Item]:
        """Return the items with a reference.

        If several authorities use the reference, only this authority's items, or all if it has none.
        """
        items = self._items.get(reference, [])
        items_of_authority = [item for key, item in items if key == authority_key(authority)]
        if len(items) > 1 and items_of_authority:
            return items_of_authority
        return [item for _, item in items]
