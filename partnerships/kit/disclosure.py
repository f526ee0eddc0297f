"""Mask small counts in tables, so that readers cannot work them out by subtraction.

**What is masked.** Counts under the floor, zero included: "none of seven" says something about seven people. A reader
could subtract other figures from a total to find a masked count. So further figures are masked until each count under
the floor has *witnesses*: two tables that agree in every shown figure, and in which this count differs by more than
`SLACK`. A reader who knows the floor cannot tell which table is the true one. All tables of one release are masked
together, because they share totals.

**How.** First whole rows and columns of counts protect each other (the hypercube method of statistical offices,
Giessing and Repsilber). That masks too much. So figures are then shown again, one after the other, as long as every
small count keeps its witnesses.

**Readers who run this code.** Such a reader could run it on every table that fits the shown figures, and rule out the
tables that it would publish differently. Tables of up to six combinations are protected from that too: if a masked
count would be left with only one possible value under the floor, all figures are masked. This check tries each table
that fits, and uses only what is published, so it gives the same result for each of these tables.

**Not prevented.** That reader in larger tables; readers who know some of the people counted; figures published
elsewhere. Figures of the floor and above that are masked only to protect others may be narrowed down.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.kit.witnesses import Effort, Tables, sum_of, tables_that_fit

#: No count below this is ever shown. A release may have a higher floor, never a lower one.
MIN_FLOOR = 5
#: The possible values of a masked figure, as far as a reader can tell, must be further apart than this (highest less
#: lowest).
SLACK = 2
#: The owner of the second largest part of a sum must not be able to work out the largest part to within this many per
#: cent of that part.
DOMINANCE_PERCENT = 20
#: Limit on multiplications while figures are unmasked again: about half a second. Larger tables are left as they are.
_EFFORT = 5_000_000
#: Every table that fits the shown figures is tried if it has at most this many combinations. Of larger tables too many
#: would fit.
_MAX_TRIED = 6
#: Limit on these trials, in tables times figures times the square of combinations: two seconds at most.
_TRIALS = 60_000

#: One category for each dimension. None means all categories of the dimension.
Cell: TypeAlias = tuple[str | None, ...]
#: The numbers of the dimensions that a table shows.
Shape: TypeAlias = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Move:
    """An exchange of units between categories, and the figures that it changes."""

    #: By how much the figure can fall and rise.
    down: int
    up: int
    changed: frozenset[Cell]


def release(
    counts: Mapping[tuple[str, ...], int],
    *,
    tables: Iterable[Collection[int]],
    floor: int = MIN_FLOOR,
    masked_before: Collection[Cell] = (),
) -> dict[Cell, int | None]:
    """Return the figures of all tables with their totals; None for each masked figure.

    `counts` has one category for each dimension, and zeros for combinations that are possible; `tables` names the
    dimensions of each table, such as `[(0, 1), (0, 2)]`. Totals over every dimension of a table belong to it. Figures
    `masked_before`, in an earlier release of nearly the same counts, stay masked. Raises `ValueError` for a floor below
    `MIN_FLOOR`, negative counts, or dimensions that do not exist.
    """
    if floor < MIN_FLOOR:
        raise ValueError(f"The floor is at least {MIN_FLOOR}.")
    table_shapes = [frozenset(table) for table in tables]
    first_release = _Release(counts, table_shapes, floor, masked_before)
    figures, keys = first_release.masked(), list(first_release.atoms)
    if not 0 < len(keys) <= _MAX_TRIED:
        return figures

    # Run the code on every table that fits the shown figures, as a reader could, and keep those that it masks alike.
    shown_sums = [(first_release.places[cell], count) for cell, count in figures.items() if count is not None]
    limit = _TRIALS // (len(keys) ** 2 * len(figures))
    alike_tables = []
    for table in tables_that_fit(shown_sums, len(keys), highest=2 * floor, limit=limit) or []:
        release_of_table = _Release(dict(zip(keys, table, strict=True)), table_shapes, floor, masked_before)
        if release_of_table.masked() == figures:
            alike_tables.append(table)

    masked_cells = [cell for cell, count in figures.items() if count is None]
    for cell in masked_cells:
        possible_counts = {sum_of(table, first_release.places[cell]) for table in alike_tables}
        if len(possible_counts.intersection(range(floor))) == 1:
            return dict.fromkeys(figures)
    return figures


def is_dominated(parts: Sequence[float], *, floor: int = MIN_FLOOR) -> bool:
    """Return whether a sum or a mean of these parts reveals too much about one of them.

    It does if there are fewer parts than the floor. It also does if the owner of the second largest part could work out
    the largest part to within `DOMINANCE_PERCENT` (the p % rule of statistical offices). No part is negative.
    """
    if floor < MIN_FLOOR:
        raise ValueError(f"The floor is at least {MIN_FLOOR}.")
    if len(parts) < floor:
        return True
    largest, _second, *others = sorted(parts, reverse=True)
    return largest > 0 and sum(others) * 100 < largest * DOMINANCE_PERCENT


class _Release:
    """The figures of one release, and which of them are masked so far."""

    def __init__(
        self,
        counts: Mapping[tuple[str, ...], int],
        tables: Iterable[Collection[int]],
        floor: int,
        masked_before: Collection[Cell],
    ) -> None:
        self.floor = floor
        width = len(next(iter(counts), ()))
        if any(len(key) != width for key in counts) or any(count < 0 for count in counts.values()):
            raise ValueError("Every count has one category for each dimension and is not negative.")
        self.categories = [sorted({key[dimension] for key in counts}) for dimension in range(width)]
        self.atoms = {key: counts.get(key, 0) for key in itertools.product(*self.categories)} if counts else {}

        table_shapes = [frozenset(table) for table in tables]
        if any(not 0 <= dimension < width for table in table_shapes for dimension in table) and counts:
            raise ValueError("A table names a dimension that the counts do not have.")
        #: The dimensions by which figures are published: those of each table, and of each of its totals.
        self.shapes: set[Shape] = {
            frozenset(dimensions)
            for table in table_shapes
            for size in range(len(table) + 1)
            for dimensions in _combinations(table, size)
        }

        #: For each figure, the indexes of the atoms (counts of one combination) whose sum it is.
        self.places: dict[Cell, list[int]] = {}
        for place, key in enumerate(self.atoms):
            for shape in self.shapes:
                cell = tuple(category if dimension in shape else None for dimension, category in enumerate(key))
                self.places.setdefault(cell, []).append(place)

        true_counts = tuple(self.atoms.values())
        self.figures = {cell: sum_of(true_counts, places) for cell, places in self.places.items()}
        self.small = sorted((cell for cell, count in self.figures.items() if count < floor), key=_order)
        self.kept = {*self.small, *(cell for cell in masked_before if cell in self.figures)}
        self.hidden = set(self.kept)

    def masked(self) -> dict[Cell, int | None]:
        """Return every figure; None where it is masked."""
        for cell in self.small:
            self.hidden |= self._best(cell).changed
        if len(self.atoms) ** 2 * len(self.figures) <= _EFFORT:
            self.hidden = self._unmask_figures()
        return {cell: None if cell in self.hidden else count for cell, count in self.figures.items()}

    def _unmask_figures(self) -> set[Cell]:
        """Unmask as many figures as possible, and return those that stay masked.

        Tries several orders, starting from what the moves masked and from all figures masked. Then masks each shown
        figure in turn, to see whether others can be shown instead.
        """
        effort = Effort(_EFFORT)
        may_be_shown = sorted(self.figures.keys() - self.kept, key=lambda cell: (set(cell) != {None}, _order(cell)))
        orders: list[Callable[[Cell], tuple[object, ...]]] = [
            lambda cell: (-self.figures[cell],),
            lambda cell: (self.figures[cell],),
            lambda cell: (cell.count(None), -self.figures[cell]),
        ]
        tries = [
            self._show_in_order(hidden, sorted(may_be_shown, key=order), effort)
            for hidden in (self.hidden, set(self.figures))
            for order in orders
        ]
        fewest_hidden = min(tries, key=self._cost)
        for shown_cell in sorted(may_be_shown, key=orders[1]):
            if shown_cell not in fewest_hidden:
                other_cells = [cell for cell in may_be_shown if cell != shown_cell]
                alternative = self._show_in_order(fewest_hidden | {shown_cell}, [*other_cells, shown_cell], effort)
                fewest_hidden = min(fewest_hidden, alternative, key=self._cost)
        return fewest_hidden

    def _show_in_order(self, hidden: set[Cell], order: Iterable[Cell], effort: Effort) -> set[Cell]:
        """Unmask figures in this order, and return those that stay masked.

        A figure is unmasked only if every small count keeps its witnesses.
        """
        tables = Tables.unseen(tuple(self.atoms.values()), effort)
        for cell in self.figures.keys() - hidden:
            tables = tables.show(self.places[cell])
        hidden = set(hidden)
        for cell in order:
            if cell not in hidden or effort.left <= 0:
                continue
            narrowed_tables = tables.show(self.places[cell])
            if narrowed_tables is tables or all(self._has_witnesses(narrowed_tables, small) for small in self.small):
                tables = narrowed_tables
                hidden.discard(cell)
        return hidden

    def _has_witnesses(self, tables: Tables, small: Cell) -> bool:
        """Return whether two of these tables differ enough in a small count."""
        return tables.differ(self.places[small], by=SLACK + 1, highest=self.floor - 1)

    def _cost(self, hidden: set[Cell]) -> tuple[int, int]:
        """Return the cost of masking these figures: the number of figures, then the sum of their counts.

        The total of all counts is counted twice if at least ten figures are shown, because readers want it most.
        """
        is_total_hidden = any(set(cell) == {None} for cell in hidden)
        surcharge = is_total_hidden and len(self.figures) - len(hidden) >= 10
        return len(hidden) + surcharge, sum(self.figures[cell] for cell in hidden)

    def _best(self, cell: Cell) -> _Move:
        """Return the move that protects a small count and masks the fewest further figures."""

        def cost(move: _Move) -> tuple[int, int, list[tuple[str, ...]]]:
            newly_hidden = move.changed - self.hidden
            return (
                len(newly_hidden),
                sum(self.figures[cell] for cell in newly_hidden),
                sorted(_order(cell) for cell in newly_hidden),
            )

        return min((move for move in self._moves(cell) if self._protects(cell, move)), key=cost)

    def _protects(self, cell: Cell, move: _Move) -> bool:
        """Return whether the move changes a small count by more than `SLACK` and leaves it under the floor."""
        count = self.figures[cell]
        return min(count + move.up, self.floor - 1) - (count - move.down) > SLACK

    def _moves(self, cell: Cell) -> Iterator[_Move]:
        """Yield the moves that change one figure. The last one adds units from outside, which always protects."""
        dimensions = [dimension for dimension, category in enumerate(cell) if category is not None]
        for size in range(len(dimensions), -1, -1):
            for swapped in _combinations(dimensions, size):
                other_categories = [
                    [category for category in self.categories[dimension] if category != cell[dimension]]
                    for dimension in swapped
                ]
                for partners in itertools.product(*other_categories):
                    yield self._move(cell, dict(zip(swapped, partners, strict=True)))

    def _move(self, cell: Cell, partners: Mapping[int, str]) -> _Move:
        """Return the exchange of units between the cell's categories and their partners.

        Corners with an even number of partners gain what corners with an odd number lose. In all other dimensions
        units stay in their categories; the combinations where most units can move are used first, until it is enough.
        """
        count = self.figures[cell]
        places = [
            self.categories[dimension] if category is None else [category] for dimension, category in enumerate(cell)
        ]
        exchanges: list[tuple[int, int, tuple[str, ...]]] = []
        for place in itertools.product(*places):
            gain, lose = self._corners(partners, place)
            # Without partners, units come from outside: any number of them.
            up = min((self.atoms[corner] for corner in lose), default=self.floor)
            exchanges.append((min(self.atoms[corner] for corner in gain), up, place))
        exchanges.sort(key=lambda exchange: (-(exchange[0] + exchange[1]), exchange[2]))
        down = up = 0
        changed: set[Cell] = set()
        for fall, rise, place in exchanges:
            down, up = down + fall, up + rise
            for corner in itertools.chain(*self._corners(partners, place)):
                for shape in self.shapes:
                    if shape.issuperset(partners):
                        changed.add(
                            tuple(category if dimension in shape else None for dimension, category in enumerate(corner))
                        )
            if self._protects(cell, _Move(min(down, count), up, frozenset())):
                break
        return _Move(min(down, count), up, frozenset(changed))

    @staticmethod
    def _corners(
        partners: Mapping[int, str], place: tuple[str, ...]
    ) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        """Return the combinations that gain units, and those that lose units, when units move to this place."""
        gain: list[tuple[str, ...]] = []
        lose: list[tuple[str, ...]] = []
        for size in range(len(partners) + 1):
            for moved in _combinations(partners, size):
                corner = tuple(
                    partners[dimension] if dimension in moved else category for dimension, category in enumerate(place)
                )
                (lose if size % 2 else gain).append(corner)
        return gain, lose


def _combinations(dimensions: Iterable[int], size: int) -> Iterator[tuple[int, ...]]:
    """Yield all choices of this many dimensions, in a fixed order."""
    return itertools.combinations(sorted(dimensions), size)


def _order(cell: Cell) -> tuple[str, ...]:
    """Return a sort key for a cell that puts totals last."""
    return tuple("\uffff" if part is None else part for part in cell)
