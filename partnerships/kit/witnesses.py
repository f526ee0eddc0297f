"""Tables of counts that a reader cannot rule out, found with whole numbers alone.

Who sees some sums of a table can rule out tables with other sums. Two tables that are left, and in which
a masked count differs, are its witnesses: nobody can tell which of the two is the true one. The search is the simplex
method with whole numbers (Edmonds 1967, Bareiss 1968), so nothing is rounded. It may miss witnesses, because it only
looks at corners that are whole; those that it finds are certain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import TypeAlias

Table: TypeAlias = tuple[int, ...]
Row: TypeAlias = list[int]

#: Steps that looking for one table that fits may take for each of its entries.
_STEPS = 50
#: Marks a variable that may fall below zero: a way to move units.
_FREE = -1


@dataclass(slots=True)
class Effort:
    """How much may still be computed, in multiplications.

    It is the same on every machine.
    """

    left: int


@dataclass(slots=True)
class Tables:
    """The tables that agree with the true one in every shown sum.

    `moves` are the ways to change a table without changing a shown sum; `found` are the tables seen so far.
    """

    true: Table
    effort: Effort
    moves: list[Row]
    found: list[Table] = field(default_factory=list)

    @classmethod
    def unseen(cls, true: Sequence[int], effort: Effort) -> Tables:
        """All tables of this size: nothing is shown."""
        size = len(true)
        moves = [[int(place == number) for place in range(size)] for number in range(size)]
        return cls(tuple(true), effort, moves, [tuple(true)])

    def show(self, places: Collection[int]) -> Tables:
        """The tables that are left once the sum of these places is shown.

        The same object if it was known already.
        """
        changes = [sum(move[place] for place in places) for move in self.moves]
        used = min(
            (number for number, change in enumerate(changes) if change), key=lambda n: abs(changes[n]), default=None
        )
        if used is None:
            return self
        self.effort.left -= len(self.moves) * len(self.true)
        by, pivot = changes[used], self.moves[used]
        moves = [
            _smallest([by * one - change * other for one, other in zip(move, pivot, strict=True)]) if change else move
            for number, (move, change) in enumerate(zip(self.moves, changes, strict=True))
            if number != used
        ]
        total = sum_of(self.true, places)
        return Tables(self.true, self.effort, moves, [one for one in self.found if sum_of(one, places) == total])

    def differ(self, places: Collection[int], *, by: int, highest: int) -> bool:
        """Whether the sum of these places differs by so much between two tables, in which it is at most `highest`.

        It must be so in the true table. False also if no such tables are found with the effort that is left.
        """
        known = [one for table in self.found if (one := sum_of(table, places)) <= highest]
        low, high = min(known), max(known)
        # Downwards; then up to the highest; then only as far as needed, which has other corners.
        for sign, is_near in ((-1, False), (1, False), (1, True)):
            limit = low + by if is_near else highest
            if high - low >= by or limit > highest or (sign > 0 and limit <= high):
                continue
            for table in self._corners(places, sign, limit):
                self.found.append(table)
                low, high = min(low, sum_of(table, places)), max(high, sum_of(table, places))
                if high - low >= by:
                    break
        return high - low >= by

    def _corners(self, places: Collection[int], sign: int, limit: int) -> Iterator[Table]:
        """Whole tables on the way to the lowest (-1) or highest (1) sum of these places, at most the limit.

        Row `i` says that `scale` times an entry is its first number plus the sum of its others times the variables at
        zero. It begins at the true table, with the moves as variables.
        """
        size, scale = len(self.true), 1
        rows = [[count, *(move[place] for move in self.moves)] for place, count in enumerate(self.true)]
        goal = [sign * sum(rows[place][column] for place in places) for column in range(len(self.moves) + 1)]
        goal[0] = 0
        names = list(range(size))
        if sign > 0:
            rows.append([limit - sum_of(self.true, places), *(-one for one in goal[1:])])
            names.append(size)
        at_zero = [_FREE] * len(self.moves)
        while self.effort.left > 0 and (entering := _entering(goal, at_zero)) is not None:
            if goal[entering] < 0:  # only a move: its opposite is one too
                for row in (goal, *rows):
                    row[entering] = -row[entering]
            leaving = _leaving(rows, names, entering)
            if leaving is None:
                return
            self.effort.left -= len(rows) * len(goal)
            pivot, name, freed = rows.pop(leaving), names.pop(leaving), at_zero[entering - 1]
            by, has_moved = -pivot[entering], pivot[0] > 0
            rows = [_without(row, pivot, entering, by, scale) for row in rows]
            goal = _without(goal, pivot, entering, by, scale)
            if freed != _FREE:  # a move may take any value from now on
                pivot[entering] = -scale
                rows.append(pivot)
                names.append(freed)
            at_zero[entering - 1], scale = name, by
            if has_moved and all(row[0] % scale == 0 for row in rows):
                counts = {one: row[0] // scale for one, row in zip(names, rows, strict=True)}
                yield tuple(counts.get(place, 0) for place in range(size))


def _entering(goal: Row, at_zero: Sequence[int]) -> int | None:
    """The column of a variable that brings the goal nearer.

    A move, else the first by name (Bland's rule).
    """
    better = [
        (name, column)
        for column, name in enumerate(at_zero, start=1)
        if goal[column] > 0 or (name == _FREE and goal[column])
    ]
    return min(better)[1] if better else None


def _leaving(rows: Sequence[Row], names: Sequence[int], entering: int) -> int | None:
    """The row that reaches zero first when the variable grows; of several, the first by name."""
    leaving: int | None = None
    for number, row in enumerate(rows):
        if row[entering] >= 0:
            continue
        if leaving is not None:
            nearer = row[0] * -rows[leaving][entering] - rows[leaving][0] * -row[entering]
            if nearer > 0 or (nearer == 0 and names[number] > names[leaving]):
                continue
        leaving = number
    return leaving


def _without(row: Row, pivot: Row, entering: int, by: int, scale: int) -> Row:
    """The row with the entering variable replaced by what the pivot row says of it."""
    share = row[entering]
    if not share:
        return row if by == scale else [by * one // scale for one in row]
    if by == scale == 1:
        new = [one + share * other for one, other in zip(row, pivot, strict=True)]
    else:
        new = [(by * one + share * other) // scale for one, other in zip(row, pivot, strict=True)]
    new[entering] = -share
    return new


def _smallest(move: Row) -> Row:
    """The move divided by what its numbers have in common."""
    common = gcd(*move)
    return [row // common for row in move] if common > 1 else move


def tables_that_fit(
    shown: Sequence[tuple[Collection[int], int]], size: int, *, highest: int, limit: int
) -> list[Table] | None:
    """All tables that agree with the shown sums of places.

    None if they are too many, or hard to find. Entries that no shown sum counts are at most `highest`.
    """
    over = [[number for number, (places, _) in enumerate(shown) if place in places] for place in range(size)]
    last = [max(places) for places, _ in shown]
    tables: list[Table] = []
    steps = limit * size * _STEPS
    waiting: list[tuple[Table, tuple[int, ...]]] = [((), tuple(total for _, total in shown))]
    while waiting:
        begun, left = waiting.pop()
        steps -= 1
        if len(tables) > limit or steps < 0:
            return None
        if len(begun) == size:
            tables.append(begun)
            continue
        place = len(begun)
        top = min((left[number] for number in over[place]), default=highest)
        for entry in range(top + 1):
            rest = tuple(one - entry if number in over[place] else one for number, one in enumerate(left))
            if all(rest[number] == 0 for number in over[place] if last[number] == place):
                waiting.append(((*begun, entry), rest))
    return tables if len(tables) <= limit else None


def sum_of(table: Table, places: Collection[int]) -> int:
    """The sum of some places of a table."""
    return sum(table[place] for place in places)
