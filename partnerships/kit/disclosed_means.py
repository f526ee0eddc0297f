"""Which means of scores by group can be published, so that no small group's size follows from them.

A mean of fewer answers than the floor (five, or more) is never shown. Beside the mean of all, what is hidden could be
worked out: a reader knows how many of each group were asked, that a shown mean has as many answers as the floor, and
that scores lie between their lowest and their highest. So the means that are shown leave every small group at least
four possible sizes, and the hidden groups together have as many answers as the floor. No count is shown, only that
there were enough.

Every set of means is tried, which few groups allow. Among the safe ones the one with most means is taken.
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
#: Means are rounded to tenths: the true one is at most this far away.
_ROUNDING = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and highest score, and where means are cut off.

    A mean near either end would say of everybody what they answered, so a mean beyond a bound is shown as the bound.
    """

    lowest: int = 1
    highest: int = 5
    floor: Decimal = Decimal("1.5")
    ceiling: Decimal = Decimal("4.5")

    def shown(self, scores: Sequence[int]) -> Decimal:
        """The mean of these scores as it is shown."""
        mean = (Decimal(sum(scores)) / len(scores)).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return min(max(mean, self.floor), self.ceiling)

    def bounds(self, shown: Decimal) -> tuple[Fraction, Fraction]:
        """Between what and what the true mean lies."""
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
    """The means that are published, by group; `ALL` for all groups together.

    `scores` has the answers of each group, `asked` the number of people of each group who were asked. A group may have
    more answers than that, because people say who they answer for; a reader does not know this, and calculates with
    `asked`. Raises `ValueError` for more than `MAX_GROUPS` groups.
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
    """Every set of these groups, the best first: with the most groups, then with `ALL`, then with the most people."""
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
    """Whether these means leave every small group enough possible sizes, and hide no fewer people than the floor."""
    scale = scale or Scale()
    if ALL not in means:
        return True
    hidden = [group for group in asked if group not in means]
    if hidden and sum(sizes[group] for group in hidden) < floor:
        return False
    return all(
        _can_differ(group, means, asked, scale, floor)
        for group in hidden
        if sizes[group] < floor and asked[group] > SLACK
    )


def _can_differ(small: str, means: Mapping[str, Decimal], asked: Mapping[str, int], scale: Scale, floor: int) -> bool:
    """Whether sizes of a small group that are more than `SLACK` apart are possible, as far as a reader can tell."""
    possible = range(min(floor - 1, asked[small]) + 1)
    sizes = [size for size in possible if _fits(small, size, means, asked, scale, floor)]
    return bool(sizes) and sizes[-1] - sizes[0] > SLACK


def _fits(
    small: str, size: int, means: Mapping[str, Decimal], asked: Mapping[str, int], scale: Scale, floor: int
) -> bool:
    """Whether this size of a small group is possible with all that is shown.

    The differences between each score and the mean of all add up to zero, apart from rounding. What each group adds to
    this sum lies between a minimum and a maximum, and may be anything between them.
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
