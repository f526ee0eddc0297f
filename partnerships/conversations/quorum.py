"""The quorum of a meeting: whether enough parties are present, as numbers and as text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quorum:
    """The number of parties present, and the number that the terms require."""

    present: int
    #: None if the terms set no quorum.
    needed: int | None

    @property
    def is_met(self) -> bool:
        """Return whether enough parties are present; True if the terms set no quorum."""
        return self.needed is None or self.present >= self.needed

    @property
    def expected_words(self) -> str:
        """Return what the answers to the invitation predict, as a sentence; "" without a quorum."""
        if self.needed is None:
            return ""
        if self.is_met:
            return "Going by the answers so far, enough parties will be there."
        return f"Going by the answers so far, {self.present} of the {self.needed} parties needed will be there."

    @property
    def words(self) -> str:
        """Return the quorum as text, such as `Quorate: 3 parties present, 2 needed`."""
        count = f"{self.present} {'party' if self.present == 1 else 'parties'} present"
        if self.needed is None:
            return f"{count}, but the terms set no quorum"
        return f"{'Quorate' if self.is_met else 'Not quorate'}: {count}, {self.needed} needed"


def count_quorum(*, counted_ids: Collection[int], present_ids: Collection[int], needed: int | None) -> Quorum:
    """Return the quorum, from the ids of the organisations that people come from (`present_ids`).

    `counted_ids` are the organisations that can make a quorum, which are the parties except observers. A party is
    counted once, even if several of its people come.
    """
    return Quorum(len(set(counted_ids) & set(present_ids)), needed)
