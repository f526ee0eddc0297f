"""Find tables of counts that a reader of some sums cannot rule out.

A reader who sees some sums of a table can rule out every table with other sums. If a masked count differs between two
of the remaining tables, these tables are its *witnesses*: the reader does not know which of them is the true table.

A table is a tuple of counts, and a *place* is the index of a count in it.

The search is the simplex method in whole numbers (Edmonds 1967, Bareiss 1968), so nothing is rounded. It only looks at
corners whose entries are whole numbers, so it may miss witnesses. The witnesses that it finds are certain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import TypeAlias

Table: TypeAlias = tuple[int, ...]
Row: TypeAlias = list[int]

#: Limit on the steps of a search for tables that fit, for each table and each of its entries.
_STEPS = 50
#: The name of a variable that may be negative, because it is a move of units.
_FREE = -1


@dataclass(slots=True)
class Effort:
    """The number of multiplications that are still allowed.

    It is not a number of seconds, so that results are the same on every machine.
    """

    remaining: int


@dataclass(slots=True)
class Tables:
    """The tables that agree with the true table in every shown sum.

    There may be far too many to list, so they are described by moves. A move says by how much each count of a table
    changes, and leaves every shown sum as it is.
    """

    true_table: Table
    effort: Effort
    moves: list[Row]
    #: The tables that searches have found so far. The true table is one of them.
    known_tables: list[Table] = field(default_factory=list)

    @classmethod
    def unseen(cls, true_table: Sequence[int], effort: Effort) -> Tables:
        """Return all tables of this size, because no sum is shown yet. Each entry may change independently."""
        moves = []
        for changed_place in range(len(true_table)):
            move = [0] * len(true_table)
            move[changed_place] = 1
            moves.append(move)
        return cls(tuple(true_table), effort, moves, [tuple(true_table)])

    def show(self, places: Collection[int]) -> Tables:
        """Return the tables that remain when the sum of these places is shown.

        Returns the same object if the sum follows from the sums that are already shown.
        """
        changes = [sum_of(move, places) for move in self.moves]
        changing = [index for index, change in enumerate(changes) if change]
        if not changing:
            return self
        self.effort.remaining -= len(self.moves) * len(self.true_table)

        # Combine every other move that changes the sum with one such move, so that the sum stays the same.
        pivot_index = min(changing, key=lambda index: abs(changes[index]))
        pivot_change, pivot = changes[pivot_index], self.moves[pivot_index]
        moves = []
        for index, (move, change) in enumerate(zip(self.moves, changes, strict=True)):
            if index == pivot_index:
                continue
            if change == 0:
                moves.append(move)
                continue
            combined_move = [
                pivot_change * entry - change * pivot_entry for entry, pivot_entry in zip(move, pivot, strict=True)
            ]
            moves.append(_smallest_move(combined_move))

        total = sum_of(self.true_table, places)
        fitting_tables = [table for table in self.known_tables if sum_of(table, places) == total]
        return Tables(self.true_table, self.effort, moves, fitting_tables)

    def differ(self, places: Collection[int], *, by: int, highest: int) -> bool:
        """Return whether the sum of these places differs by at least `by` between two tables.

        In both tables, and in the true table, the sum must be at most `highest`. Also returns False if the remaining
        effort is too small to find two such tables.
        """
        sums = [sum_of(table, places) for table in self.known_tables]
        sums_to_compare = [total for total in sums if total <= highest]
        lowest_sum, highest_sum = min(sums_to_compare), max(sums_to_compare)

        # Search downwards first, then up to `highest`, then up only as far as needed. Each limit has other corners.
        for sign, is_near in ((-1, False), (1, False), (1, True)):
            limit = lowest_sum + by if is_near else highest
            is_within_known_sums = sign > 0 and limit <= highest_sum
            if highest_sum - lowest_sum >= by or limit > highest or is_within_known_sums:
                continue
            for table in self._corners(places, sign, limit):
                self.known_tables.append(table)
                total = sum_of(table, places)
                lowest_sum, highest_sum = min(lowest_sum, total), max(highest_sum, total)
                if highest_sum - lowest_sum >= by:
                    break
        return highest_sum - lowest_sum >= by

    def _corners(self, places: Collection[int], sign: int, limit: int) -> Iterator[Table]:
        """Yield tables of whole numbers on the way to the lowest (-1) or highest (1) sum of these places.

        The sum is at most the limit. This is the simplex method. Each row is an equation: `scale` times an entry of the
        table is the row's first number, plus the sum of its other numbers times the variables that are at zero. The
        search starts at the true table, with the moves as variables.
        """
        size, scale = len(self.true_table), 1
        rows = [[count, *(move[place] for move in self.moves)] for place, count in enumerate(self.true_table)]
        goal = [0, *(sign * sum_of(move, places) for move in self.moves)]
        names = list(range(size))
        if sign > 0:
            # One more equation keeps the sum at or below the limit.
            rows.append([limit - sum_of(self.true_table, places), *(-factor for factor in goal[1:])])
            names.append(size)
        at_zero = [_FREE] * len(self.moves)

        while self.effort.remaining > 0:
            entering = _entering(goal, at_zero)
            if entering is None:
                return
            if goal[entering] < 0:  # only possible for a move, so the opposite move is used
                for row in (goal, *rows):
                    row[entering] = -row[entering]
            leaving = _leaving(rows, names, entering)
            if leaving is None:
                return

            self.effort.remaining -= len(rows) * len(goal)
            pivot, leaving_name, entering_name = rows.pop(leaving), names.pop(leaving), at_zero[entering - 1]
            new_scale, has_moved = -pivot[entering], pivot[0] > 0
            rows = [_without(row, pivot, entering, new_scale, scale) for row in rows]
            goal = _without(goal, pivot, entering, new_scale, scale)
            if entering_name != _FREE:  # a move needs no row, because it may have any value
                pivot[entering] = -scale
                rows.append(pivot)
                names.append(entering_name)
            at_zero[entering - 1], scale = leaving_name, new_scale

            if has_moved and all(row[0] % scale == 0 for row in rows):
                counts = {name: row[0] // scale for name, row in zip(names, rows, strict=True)}
                yield tuple(counts.get(place, 0) for place in range(size))


def _entering(goal: Row, at_zero: Sequence[int]) -> int | None:
    """Return the column of a variable that increases the goal, or None if no variable does.

    Moves come first, then variables by name (Bland's rule, which prevents endless loops).
    """
    increasing = [
        (name, column)
        for column, name in enumerate(at_zero, start=1)
        if goal[column] > 0 or (name == _FREE and goal[column])
    ]
    return min(increasing)[1] if increasing else None


def _leaving(rows: Sequence[Row], names: Sequence[int], entering: int) -> int | None:
    """Return the row that is the first to become zero when the entering variable grows.

    Of several rows, it is the one with the lowest name.
    """
    leaving: int | None = None
    for index, row in enumerate(rows):
        if row[entering] >= 0:
            continue
        if leaving is not None:
            nearer = row[0] * -rows[leaving][entering] - rows[leaving][0] * -row[entering]
            if nearer > 0 or (nearer == 0 and names[index] > names[leaving]):
                continue
        leaving = index
    return leaving


def _without(row: Row, pivot: Row, entering: int, new_scale: int, scale: int) -> Row:
    """Return the row with the entering variable replaced by the equation of the pivot row.

    The divisions leave no remainder (Bareiss).
    """
    share = row[entering]
    if not share:
        return row if new_scale == scale else [new_scale * a // scale for a in row]
    if new_scale == scale == 1:  # the usual case, which needs no multiplication and division by 1
        new_row = [a + share * b for a, b in zip(row, pivot, strict=True)]
    else:
        new_row = [(new_scale * a + share * b) // scale for a, b in zip(row, pivot, strict=True)]
    new_row[entering] = -share
    return new_row


def _smallest_move(move: Row) -> Row:
    """Return the move divided by the greatest common divisor of its numbers."""
    divisor = gcd(*move)
    return [change // divisor for change in move] if divisor > 1 else move


def tables_that_fit(
    shown: Sequence[tuple[Collection[int], int]], size: int, *, highest: int, limit: int
) -> list[Table] | None:
    """Return all tables that agree with the shown sums, which are pairs of places and their sum.

    Returns None if there are more than `limit`, or if the search takes too many steps. Entries that no shown sum
    includes are at most `highest`. The search fills in one entry after the other, depth first.
    """
    #: For each place, the indexes of the shown sums that include the place, and of those that it completes.
    sums_with: list[list[int]] = [[] for _ in range(size)]
    sums_ending_at: list[list[int]] = [[] for _ in range(size)]
    for index, (places, _) in enumerate(shown):
        for place in places:
            sums_with[place].append(index)
        sums_ending_at[max(places)].append(index)

    tables: list[Table] = []
    steps = limit * size * _STEPS
    # Each incomplete table has its first entries, and what remains of each shown sum.
    incomplete_tables: list[tuple[Table, tuple[int, ...]]] = [((), tuple(total for _, total in shown))]
    while incomplete_tables:
        entries, remainders = incomplete_tables.pop()
        steps -= 1
        if len(tables) > limit or steps < 0:
            return None
        if len(entries) == size:
            tables.append(entries)
            continue

        place = len(entries)
        highest_entry = min((remainders[index] for index in sums_with[place]), default=highest)
        for entry in range(highest_entry + 1):
            new_remainders = list(remainders)
            for index in sums_with[place]:
                new_remainders[index] -= entry
            if all(new_remainders[index] == 0 for index in sums_ending_at[place]):
                incomplete_tables.append(((*entries, entry), tuple(new_remainders)))
    return tables if len(tables) <= limit else None


def sum_of(table: Sequence[int], places: Collection[int]) -> int:
    """Return the sum of some places of a table or of a move."""
    return sum(table[place] for place in places)
