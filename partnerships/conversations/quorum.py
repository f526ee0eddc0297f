"""Whether enough parties are at a meeting, as numbers and in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many parties are present, and how many the terms need.

    `needed` is None where the terms set no quorum.
    """

    present: int
    needed: int | None

    @property
    def is_met(self) -> bool:
        """Whether enough are present; also where none is needed."""
        return self.needed is None or self.present >= self.needed

    @property
    def expected_words(self) -> str:
        """`Going by the answers so far, 1 of the 2 parties needed will be there.`. Empty without a quorum."""
        if self.needed is None:
            return ""
        if self.is_met:
            return "Going by the answers so far, enough parties will be there."
        return f"Going by the answers so far, {self.present} of the {self.needed} parties needed will be there."

    @property
    def words(self) -> str:
        """`Quorate: 3 parties present, 2 needed`."""
        count = f"{self.present} {'party' if self.present == 1 else 'parties'} present"
        if self.needed is None:
            return f"{count}; the terms set no quorum"
        return f"{'Quorate' if self.is_met else 'Not quorate'}: {count}, {self.needed} needed"


def count_quorum(*, counted: Collection[int], present: Collection[int], needed: int | None) -> Quorum:
    """Count the quorum from ids of organisations.

    `counted` are the parties that count, which are the present ones without observers. A party with several people
    counts once.
    """
    return Quorum(len(set(counted) & set(present)), needed)
