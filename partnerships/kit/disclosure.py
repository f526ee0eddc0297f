"""Mask small counts in tables, so that readers cannot work them out by subtraction.

**What is masked.** Counts under the floor are masked. Zero is one of them, because "none of seven" says something about
seven people. A reader could subtract other figures from a total to find a masked count. So further figures are masked
until each count under the floor has two *witnesses*. These are tables that agree in every shown figure, but in which
the count differs by more than `SLACK`. A reader cannot tell which of them is the true table. All tables of one release
are masked together, because they share totals.

**How.** First whole rows and columns of counts protect each other (the hypercube method of statistical offices,
Giessing and Repsilber). That masks too much. So figures are then shown again, one after the other, as long as every
small count keeps its witnesses.

**Readers who run this code.** Such a reader could run it on every table that fits the shown figures, and rule out the
tables that it would publish differently. Tables of up to six combinations are protected from that too. If a masked
count then had only one possible value under the floor, all figures are masked. This check tries each table that fits,
and uses only what is published, so it has the same result for each of these tables.

**Words.** An *atom* is the count of one combination of categories. A *cell* names a figure, with one category for each
dimension, or None for the total over the dimension. Every figure is the sum of some atoms.

**Not prevented.** Larger tables are not protected from readers who run this code. Nothing is protected from readers who
know some of the people counted, or who find figures published elsewhere. A reader may also find out a smaller range for
a figure that is only masked to protect others.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from partnerships.kit.witnesses import Effort, Tables, sum_of, tables_that_fit

#: No count below this is ever shown. A release may have a higher floor, never a lower one.
MIN_FLOOR = 5
#: The possible values of a masked figure, as far as a reader can tell, must be further apart than this (highest less
#: lowest).
SLACK = 2
#: The owner of the second largest part of a sum can subtract this part. It must not be able to work out the largest
#: part to within this many per cent.
DOMINANCE_PERCENT = 20
#: At most this many multiplications, about half a second, are spent on showing figures again. In larger tables, no
#: figure is shown again.
_EFFORT = 5_000_000
#: Every table that fits the shown figures is tried if it has at most this many combinations. With more combinations,
#: too many tables would fit.
_MAX_TRIED = 6
#: Limit on these trials, which take at most two seconds. It is for tables × figures × the square of combinations.
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


class _Exchange(NamedTuple):
    """By how much the count of one combination of categories can fall and rise, if units move to other categories."""

    down: int
    up: int
    combination: tuple[str, ...]


def release(
    counts: Mapping[tuple[str, ...], int],
    *,
    tables: Iterable[Collection[int]],
    floor: int = MIN_FLOOR,
    masked_before: Collection[Cell] = (),
) -> dict[Cell, int | None]:
    """Return the figures of all tables with their totals. A masked figure is None.

    A key of `counts` has one category for each dimension, such as `("Fareham", "social rent")`. Combinations that are
    possible but did not occur have a count of zero. `tables` has the dimensions of each table, such as
    `[(0, 1), (0, 2)]`. A table includes its totals over every dimension. Figures in `masked_before`, from an earlier
    release of nearly the same counts, remain masked. Raises `ValueError` for a floor below `MIN_FLOOR`, negative
    counts, or dimensions that do not exist.
    """
    if floor < MIN_FLOOR:
        raise ValueError(f"The floor is at least {MIN_FLOOR}.")
    table_shapes = [frozenset(table) for table in tables]
    true_release = _Release(counts, table_shapes, floor, masked_before)
    figures = true_release.masked()
    combinations = list(true_release.atoms)
    if not 0 < len(combinations) <= _MAX_TRIED:
        return figures

    # Run the code on every table that fits the shown figures, as a reader could, and keep those that it masks alike.
    shown_sums = [(true_release.places[cell], count) for cell, count in figures.items() if count is not None]
    limit = _TRIALS // (len(combinations) ** 2 * len(figures))
    alike_tables = []
    for table in tables_that_fit(shown_sums, len(combinations), highest=2 * floor, limit=limit) or []:
        table_counts = dict(zip(combinations, table, strict=True))
        if _Release(table_counts, table_shapes, floor, masked_before).masked() == figures:
            alike_tables.append(table)

    masked_cells = [cell for cell, count in figures.items() if count is None]
    for cell in masked_cells:
        possible_counts = {sum_of(table, true_release.places[cell]) for table in alike_tables}
        if len(possible_counts.intersection(range(floor))) == 1:
            return dict.fromkeys(figures)
    return figures


def is_dominated(parts: Sequence[float], *, floor: int = MIN_FLOOR) -> bool:
    """Return whether a sum or a mean of these parts reveals too much about one of them.

    It does if there are fewer parts than the floor. It also does if the owner of the second largest part could subtract
    that part and find the largest part to within `DOMINANCE_PERCENT` (the p % rule of statistical offices). No part is
    negative.
    """
    if floor < MIN_FLOOR:
        raise ValueError(f"The floor is at least {MIN_FLOOR}.")
    if len(parts) < floor:
        return True
    largest, _second, *others = sorted(parts, reverse=True)
    return largest > 0 and sum(others) * 100 < largest * DOMINANCE_PERCENT


class _Release:
    """The figures of one release, and the cells that are masked while the release is computed.

    `masked` first masks figures until every small count is protected, and then unmasks as many as it can.
    """

    def __init__(
        self,
        counts: Mapping[tuple[str, ...], int],
        table_shapes: Collection[Shape],
        floor: int,
        masked_before: Collection[Cell],
    ) -> None:
        self.floor = floor
        dimension_count = len(next(iter(counts), ()))
        _check_counts(counts, dimension_count)
        if counts:
            _check_tables(table_shapes, dimension_count)

        self.categories = [sorted({key[dimension] for key in counts}) for dimension in range(dimension_count)]
        combinations: Iterable[tuple[str, ...]] = itertools.product(*self.categories) if counts else ()
        self.atoms = {combination: counts.get(combination, 0) for combination in combinations}
        #: The dimensions of each table and of each of its totals.
        self.shapes: set[Shape] = set()
        for table_shape in table_shapes:
            for size in range(len(table_shape) + 1):
                self.shapes.update(frozenset(dimensions) for dimensions in _choices_of(table_shape, size))

        #: The places (indexes) of the atoms that add up to each figure.
        self.places: dict[Cell, list[int]] = {}
        for place, combination in enumerate(self.atoms):
            for shape in self.shapes:
                self.places.setdefault(_cell(combination, shape), []).append(place)

        true_counts = tuple(self.atoms.values())
        self.figures = {cell: sum_of(true_counts, places) for cell, places in self.places.items()}
        self.small_cells = sorted((cell for cell, count in self.figures.items() if count < floor), key=_order)
        #: Cells that are never unmasked again.
        self.always_hidden = {*self.small_cells, *self.figures.keys() & set(masked_before)}
        self.hidden = set(self.always_hidden)

    def masked(self) -> dict[Cell, int | None]:
        """Return every figure. A masked figure is None."""
        for cell in self.small_cells:
            self.hidden |= self._cheapest_move(cell).changed
        if len(self.atoms) ** 2 * len(self.figures) <= _EFFORT:
            self.hidden = self._unmask_figures()
        return {cell: None if cell in self.hidden else count for cell, count in self.figures.items()}

    def _unmask_figures(self) -> set[Cell]:
        """Unmask as many figures as possible, and return the cells that are still masked.

        The result depends on the order in which the figures are tried. So several orders are tried, each once from the
        cells that the moves masked and once from all cells. Then each shown figure is masked in turn, to see whether
        other figures can be shown instead.
        """

        def largest_first(cell: Cell) -> tuple[int, ...]:
            return (-self.figures[cell],)

        def smallest_first(cell: Cell) -> tuple[int, ...]:
            return (self.figures[cell],)

        def most_detailed_first(cell: Cell) -> tuple[int, ...]:
            return (cell.count(None), -self.figures[cell])

        effort = Effort(_EFFORT)
        # Sorted, so that the result never depends on the order of a set. The total comes first.
        candidates = sorted(
            self.figures.keys() - self.always_hidden, key=lambda cell: (not _is_total(cell), _order(cell))
        )
        orders = [sorted(candidates, key=key) for key in (largest_first, smallest_first, most_detailed_first)]
        attempts = [
            self._show_in_order(hidden, order, effort)
            for hidden in (self.hidden, set(self.figures))
            for order in orders
        ]
        best = min(attempts, key=self._cost)

        for shown_cell in sorted(candidates, key=smallest_first):
            if shown_cell not in best:
                other_cells = [cell for cell in candidates if cell != shown_cell]
                alternative = self._show_in_order(best | {shown_cell}, [*other_cells, shown_cell], effort)
                best = min(best, alternative, key=self._cost)
        return best

    def _show_in_order(self, hidden: set[Cell], order: Iterable[Cell], effort: Effort) -> set[Cell]:
        """Unmask figures in this order, and return the cells that are still masked.

        A figure is unmasked only if every small count keeps its witnesses.
        """
        tables = Tables.unseen(tuple(self.atoms.values()), effort)
        for cell in self.figures.keys() - hidden:
            tables = tables.show(self.places[cell])

        still_hidden = set(hidden)
        for cell in order:
            if cell not in still_hidden or effort.remaining <= 0:
                continue
            narrowed_tables = tables.show(self.places[cell])
            reveals_nothing = narrowed_tables is tables
            if reveals_nothing or all(self._has_witnesses(narrowed_tables, small) for small in self.small_cells):
                tables = narrowed_tables
                still_hidden.discard(cell)
        return still_hidden

    def _has_witnesses(self, tables: Tables, small_cell: Cell) -> bool:
        """Return whether two of these tables differ enough in a small count."""
        return tables.differ(self.places[small_cell], by=SLACK + 1, highest=self.floor - 1)

    def _cost(self, hidden: set[Cell]) -> tuple[int, int]:
        """Return the cost of masking these figures, which is their number and then the sum of their counts.

        The total of all counts is counted twice if at least ten figures are shown, because readers need it most.
        """
        is_total_hidden = any(_is_total(cell) for cell in hidden)
        shown_count = len(self.figures) - len(hidden)
        surcharge = 1 if is_total_hidden and shown_count >= 10 else 0
        return len(hidden) + surcharge, sum(self.figures[cell] for cell in hidden)

    def _cheapest_move(self, cell: Cell) -> _Move:
        """Return the move that protects a small count and masks the fewest further figures."""

        def cost(move: _Move) -> tuple[int, int, list[tuple[str, ...]]]:
            newly_hidden = move.changed - self.hidden
            return (
                len(newly_hidden),
                sum(self.figures[hidden_cell] for hidden_cell in newly_hidden),
                # Only to choose the same move on every run.
                sorted(_order(hidden_cell) for hidden_cell in newly_hidden),
            )

        return min((move for move in self._moves(cell) if self._protects(cell, move.down, move.up)), key=cost)

    def _protects(self, cell: Cell, down: int, up: int) -> bool:
        """Return whether the possible values of a small count under the floor are more than `SLACK` apart."""
        count = self.figures[cell]
        highest = min(count + up, self.floor - 1)
        lowest = count - down
        return highest - lowest > SLACK

    def _moves(self, cell: Cell) -> Iterator[_Move]:
        """Yield the moves that change one figure. The last one adds units from outside, which always protects."""
        dimensions = [dimension for dimension, category in enumerate(cell) if category is not None]
        for size in range(len(dimensions), -1, -1):
            for swapped in _choices_of(dimensions, size):
                other_categories = [self._other_categories(cell, dimension) for dimension in swapped]
                for partners in itertools.product(*other_categories):
                    yield self._move(cell, dict(zip(swapped, partners, strict=True)))

    def _other_categories(self, cell: Cell, dimension: int) -> list[str]:
        """Return the categories of a dimension, without the cell's own."""
        return [category for category in self.categories[dimension] if category != cell[dimension]]

    def _move(self, cell: Cell, partners: Mapping[int, str]) -> _Move:
        """Return the exchange of units between the cell's categories and their partners.

        For example, one home moves from 1 to 2 bedrooms in Fareham, and another from 2 to 1 bedrooms in Gosport. The
        totals are then unchanged. Corners with an even number of partners gain what corners with an odd number lose. In
        all other dimensions, units do not change their categories. The combinations in which most units can move are
        used first, until the count is protected.
        """
        count = self.figures[cell]
        shapes = [shape for shape in self.shapes if shape.issuperset(partners)]
        down = up = 0
        changed: set[Cell] = set()
        for exchange in self._exchanges(cell, partners):
            down += exchange.down
            up += exchange.up
            for corner in itertools.chain(*self._corners(partners, exchange.combination)):
                changed.update(_cell(corner, shape) for shape in shapes)
            if self._protects(cell, min(down, count), up):
                break
        return _Move(min(down, count), up, frozenset(changed))

    def _exchanges(self, cell: Cell, partners: Mapping[int, str]) -> list[_Exchange]:
        """Return the exchanges at each combination of the cell, beginning where most units can move."""
        categories = [
            self.categories[dimension] if category is None else [category] for dimension, category in enumerate(cell)
        ]
        exchanges = []
        for combination in itertools.product(*categories):
            gaining, losing = self._corners(partners, combination)
            exchanges.append(
                _Exchange(
                    down=min(self.atoms[corner] for corner in gaining),
                    # Without partners, any number of units can be added from outside the table.
                    up=min((self.atoms[corner] for corner in losing), default=self.floor),
                    combination=combination,
                )
            )
        return sorted(exchanges, key=lambda exchange: (-(exchange.down + exchange.up), exchange.combination))

    @staticmethod
    def _corners(
        partners: Mapping[int, str], combination: tuple[str, ...]
    ) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        """Return the combinations that gain units and those that lose units, if units move at this combination."""
        gaining: list[tuple[str, ...]] = []
        losing: list[tuple[str, ...]] = []
        for size in range(len(partners) + 1):
            for swapped in _choices_of(partners, size):
                corner = list(combination)
                for dimension in swapped:
                    corner[dimension] = partners[dimension]
                if size % 2:
                    losing.append(tuple(corner))
                else:
                    gaining.append(tuple(corner))
        return gaining, losing


def _check_counts(counts: Mapping[tuple[str, ...], int], dimension_count: int) -> None:
    """Raise `ValueError` if a count lacks a category of a dimension, or is negative."""
    is_ragged = any(len(key) != dimension_count for key in counts)
    if is_ragged or any(count < 0 for count in counts.values()):
        raise ValueError("Every count has one category for each dimension and is not negative.")


def _check_tables(table_shapes: Iterable[Shape], dimension_count: int) -> None:
    """Raise `ValueError` if a table has a dimension that the counts do not have."""
    if not frozenset().union(*table_shapes) <= set(range(dimension_count)):
        raise ValueError("A table names a dimension that the counts do not have.")


def _cell(combination: Sequence[str], shape: Shape) -> Cell:
    """Return the cell of a combination in a table of these dimensions. Other dimensions are None."""
    return tuple(category if dimension in shape else None for dimension, category in enumerate(combination))


def _is_total(cell: Cell) -> bool:
    """Return whether the cell is the total of all counts."""
    return set(cell) == {None}


def _choices_of(dimensions: Iterable[int], size: int) -> Iterator[tuple[int, ...]]:
    """Yield all choices of this many dimensions, in a fixed order."""
    return itertools.combinations(sorted(dimensions), size)


def _order(cell: Cell) -> tuple[str, ...]:
    """Return a sort key for a cell that puts totals last."""
    return tuple("\uffff" if part is None else part for part in cell)
