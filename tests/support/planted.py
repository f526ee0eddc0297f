"""The words that were planted in a test world, and the personas that may read each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.access import WHO
from tests.world import World

OWN = ("viewer", "editor", "lead")


DRAFTERS = ("editor", "lead")


PARTNERS = (*OWN, "partner")


#: Administrators see the titles of records, not their content.
REGISTERS = ("administrator",)


#: A part of every name and word of the world. Tests always use this mark. Several worlds in one database need others.
MARK = "4e7d2b"


@dataclass
class Planted:
    """The world, its planted words, and the personas that may read each."""

    world: World
    mark: str
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    #: For each persona, addresses of pages without links to them.
    addresses: dict[str, list[str]] = field(default_factory=dict)
    emails: list[Any] = field(default_factory=list)
    #: For each email address that no persona reads, the words that emails to it may contain.
    in_emails: dict[str, list[str]] = field(default_factory=dict)

    def word(self, name: str, *readers: str) -> str:
        """Return a new word that only these personas may read."""
        # The last character ensures that no word is the beginning of another.
        word = f"zq{self.mark}{name.replace(' ', '')}z"
        self.readers[word] = frozenset(readers)
        return word

    def foreign(self, persona: str) -> list[str]:
        """Return every word that this persona must never see."""
        return sorted(word for word, readers in self.readers.items() if persona not in readers)

    @property
    def people(self) -> dict[str, Any]:
        """Return the person of each persona."""
        return {persona: getattr(self.world, name) for persona, name in WHO.items()} | {"stakeholder": self.world.sol}
