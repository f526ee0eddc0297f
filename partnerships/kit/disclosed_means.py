"""Which means of scores by group can be published without revealing the size of a small group.

A mean of fewer answers than the floor (five, or more) is never shown. But a reader could work out a hidden mean from
the mean of all groups. The reader knows how many people of each group were asked, and the lowest and highest possible
score. The reader also knows that a shown mean has at least as many answers as the floor.

So means are only shown if every small group still has at least four possible sizes. The hidden groups together must
also have at least as many answers as the floor. No count is shown, only that there were enough answers.

With few groups, every set of means can be tried. Of the safe sets, the one with the most means is published.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from partnerships.kit.disclosure import MIN_FLOOR, SLACK, is_dominated

#: The mean of all groups together.
ALL = ""
#: More groups would make too many sets to try.
MAX_GROUPS = 8
#: Means are rounded to tenths, so a true mean is at most this far from the shown mean.
_ROUNDING = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and highest score, and the bounds of shown means.

    A mean near the lowest or highest score would reveal what everybody answered, so a mean beyond a bound is shown as
    the bound.
    """

    lowest: int = 1
    highest: int = 5
    floor: Decimal = Decimal("1.5")
    ceiling: Decimal = Decimal("4.5")

    def shown(self, scores: Sequence[int]) -> Decimal:
        """Return the mean of these scores, rounded to tenths and limited to the bounds, such as 3.4."""
        mean = (Decimal(sum(scores)) / len(scores)).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return min(max(mean, self.floor), self.ceiling)

    def bounds(self, shown: Decimal) -> tuple[Fraction, Fraction]:
        """Return the lowest and the highest true mean that is shown as this mean."""
        low = Fraction(self.lowest) if shown == self.floor else Fraction(shown) - _ROUNDING
        high = Fraction(self.highest) if shown == self.ceiling else Fraction(shown) + _ROUNDING
        return low, high


def means_of(
    scores: Mapping[str, Sequence[int]],
    *,
    asked: Mapping[str, int],
    scale: Scale | None = None,
    floor: int = MIN_FLOOR,
) -> dict[str, Decimal]:
    """Return the means that can be published, by group. `ALL` is the mean of all groups together.

    `scores` has the answers of each group, and `asked` the number of people of each group who were asked. A group may
    have more answers than people asked, because people choose the group that they answer for. A reader does not know
    this, so the protection is computed with `asked`. Raises `ValueError` for more than `MAX_GROUPS` groups, and for
    answers of a group that was not asked.
    """
    scale = scale or Scale()
    sizes = {group: len(scores.get(group, ())) for group in asked}
    if len(asked) > MAX_GROUPS:
        raise ValueError("There are too many groups.")
    if scores.keys() - asked.keys():
        raise ValueError("There are answers from a group that was not asked.")
    all_scores = [score for group_scores in scores.values() for score in group_scores]
    means = {
        group: scale.shown(group_scores)
        for group, group_scores in {**scores, ALL: all_scores}.items()
        if not is_dominated(group_scores, floor=floor)
    }
    shown_groups = next(
        groups
        for groups in _sets_of_groups(means, sizes)
        if is_safe({group: means[group] for group in groups}, sizes, asked, scale, floor)
    )
    return {group: means[group] for group in shown_groups}


def _sets_of_groups(groups: Collection[str], sizes: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Return every set of these groups, the best first.

    A set with more groups is better. Of sets of the same size, one with `ALL` is better, and then one with more people.
    """
    sets = itertools.chain.from_iterable(
        itertools.combinations(sorted(groups), size) for size in range(len(groups), -1, -1)
    )
    return sorted(
        sets, key=lambda chosen: (-len(chosen), ALL not in chosen, -sum(sizes.get(group, 0) for group in chosen))
    )


def is_safe(
    means: Mapping[str, Decimal],
    sizes: Mapping[str, int],
    asked: Mapping[str, int],
    scale: Scale | None = None,
    floor: int = MIN_FLOOR,
) -> bool:
    """Return whether these means leave each small group enough possible sizes.

    The hidden groups together must also have at least as many answers as the floor.
    """
    scale = scale or Scale()
    if ALL not in means:
        return True
    hidden_groups = [group for group in asked if group not in means]
    if hidden_groups and sum(sizes[group] for group in hidden_groups) < floor:
        return False
    return all(
        _can_differ(group, means, asked, scale, floor)
        for group in hidden_groups
        if sizes[group] < floor and asked[group] > SLACK
    )


def _can_differ(small: str, means: Mapping[str, Decimal], asked: Mapping[str, int], scale: Scale, floor: int) -> bool:
    """Return whether the sizes of a small group that a reader thinks possible are more than `SLACK` apart."""
    candidate_sizes = range(min(floor - 1, asked[small]) + 1)
    possible_sizes = [size for size in candidate_sizes if _fits(small, size, means, asked, scale, floor)]
    return bool(possible_sizes) and possible_sizes[-1] - possible_sizes[0] > SLACK


def _fits(
    small: str, size: int, means: Mapping[str, Decimal], asked: Mapping[str, int], scale: Scale, floor: int
) -> bool:
    """Return whether this size of a small group is possible with everything that is shown.

    The differences between each score and the mean of all add up to zero, apart from rounding. Each group adds an
    amount between a minimum and a maximum. So the size is possible if zero is between the sums of both.
    """
    total_low, total_high = scale.bounds(means[ALL])
    minimum = maximum = Fraction(0)
    for group, asked_count in asked.items():
        if group in means:
            counts, (low, high) = (floor, asked_count), scale.bounds(means[group])
        else:
            counts, (low, high) = (0, asked_count), (Fraction(scale.lowest), Fraction(scale.highest))
        if group == small:
            counts = (size, size)
        minimum += min(count * (low - total_high) for count in counts)
        maximum += max(count * (high - total_low) for count in counts)
    return minimum <= 0 <= maximum
