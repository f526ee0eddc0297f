"""Masking of small counts in tables, so that no small count follows by subtraction.

Counts under the floor are masked, zero included: "none of seven" says something about seven people. A masked count
beside its total could be had by subtraction, so further figures are masked until each count under the floor has
*witnesses*: two tables that agree in every shown figure, and in which this count differs by more than `SLACK`. A reader
who knows the floor cannot tell which of them is the true one. All tables of one release are masked together, because
they share totals.

A reader may also run this code on every table that fits the shown figures, and leave out those that it would publish
otherwise. Tables of up to six combinations are protected from that too: all is masked if a masked count would be
left with one possible value under the floor. The check tries each table that fits. It looks only at what is published,
so it says the same for each of these tables, and what it leaves is what such a reader can find out.

Not guarded against: that reader in larger tables, and where more tables fit than can be tried; anybody who knows some
of the people counted; figures published elsewhere.

First whole rows and columns of counts protect each other (the hypercube method of statistical offices, Giessing and
Repsilber). That masks too much, so figures are then shown again, one after the other, as long as every small count
keeps its witnesses. What is masked only to protect others may be narrowed down; it tells nothing about few people.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from partnerships.kit.witnesses import Effort, Tables, sum_of, tables_that_fit

#: No count of fewer is ever shown; a release may ask for a higher floor, never for a lower one.
MIN_FLOOR = 5
#: A reader must not be able to narrow a masked figure down to this much (highest less lowest possible value).
SLACK = 2
#: The largest part of a sum must stay unknown by more than this, in per cent of itself, even to the second largest.
DOMINANCE_PERCENT = 20
#: Multiplications that showing figures again may cost: about half a second. Larger tables stay as the moves mask them.
_EFFORT = 5_000_000
#: Combinations of a table for which the tables that fit are tried; in larger ones too many fit.
_MAX_TRIED = 6
#: What trying them may cost, in tables times figures times the square of combinations: two seconds at most.
_TRIALS = 60_000

#: One category for each dimension; None stands for all categories of it.
Cell: TypeAlias = tuple[str | None, ...]
#: The numbers of the dimensions that a table shows.
Shape: TypeAlias = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Move:
    """Units moved to and fro, and the figures that this changes."""

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
    """The figures of all tables with their totals; None for a masked one.

    `counts` has one category for each dimension, and zeros for combinations that are possible; `tables` names the
    dimensions of each table, such as `[(0, 1), (0, 2)]`. Totals over every dimension of a table belong to it. Figures
    `masked_before`, in an earlier release of nearly the same counts, stay masked. Raises `ValueError` for a floor below
    `MIN_FLOOR`, negative counts, or dimensions that do not exist.
    """
    if floor < MIN_FLOOR:
        raise ValueError(f"The floor is at least {MIN_FLOOR}.")
    wanted = [frozenset(table) for table in tables]
    first = _Release(counts, wanted, floor, masked_before)
    figures, keys = first.masked(), list(first.atoms)
    if not 0 < len(keys) <= _MAX_TRIED:
        return figures
    shown = [(first.places[cell], count) for cell, count in figures.items() if count is not None]
    limit = _TRIALS // (len(keys) ** 2 * len(figures))
    fitting = tables_that_fit(shown, len(keys), highest=2 * floor, limit=limit) or []
    releases = ((cell, _Release(dict(zip(keys, cell, strict=True)), wanted, floor, masked_before)) for cell in fitting)
    same = [one for one, its in releases if its.masked() == figures]
    for places in (first.places[cell] for cell, count in figures.items() if count is None):
        if len({sum_of(cell, places) for cell in same}.intersection(range(floor))) == 1:
            return dict.fromkeys(figures)
    return figures


def is_dominated(parts: Sequence[float], *, floor: int = MIN_FLOOR) -> bool:
    """Whether a sum or a mean of these parts says too much about one of them.

    So does a figure of fewer parts than the floor, and a sum from which the second largest part could work out the
    largest one to within `DOMINANCE_PERCENT` (the p % rule). Parts are not negative.
    """
    if floor < MIN_FLOOR:
        raise ValueError(f"The floor is at least {MIN_FLOOR}.")
    if len(parts) < floor:
        return True
    largest, _second, *others = sorted(parts, reverse=True)
    return largest > 0 and sum(others) * 100 < largest * DOMINANCE_PERCENT


class _Release:
    """The figures of one release while it is decided which are masked."""

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
        self.categories = [sorted({key[number] for key in counts}) for number in range(width)]
        self.atoms = {key: counts.get(key, 0) for key in itertools.product(*self.categories)} if counts else {}
        wanted = [frozenset(table) for table in tables]
        if any(not 0 <= number < width for table in wanted for number in table) and counts:
            raise ValueError("A table names a dimension that the counts do not have.")
        self.shapes: set[Shape] = {
            frozenset(some) for table in wanted for size in range(len(table) + 1) for some in _some(table, size)
        }
        #: Of each figure, the places of the atoms that it counts.
        self.places: dict[Cell, list[int]] = {}
        for place, key in enumerate(self.atoms):
            for shape in self.shapes:
                cell = tuple(one if number in shape else None for number, one in enumerate(key))
                self.places.setdefault(cell, []).append(place)
        true = tuple(self.atoms.values())
        self.figures = {cell: sum_of(true, places) for cell, places in self.places.items()}
        self.small = sorted((cell for cell, count in self.figures.items() if count < floor), key=_order)
        self.kept = {*self.small, *(cell for cell in masked_before if cell in self.figures)}
        self.hidden = set(self.kept)

    def masked(self) -> dict[Cell, int | None]:
        """Every figure, or None where it is masked."""
        for cell in self.small:
            self.hidden |= self._best(cell).changed
        if len(self.atoms) ** 2 * len(self.figures) <= _EFFORT:
            self.hidden = self._shown_again()
        return {cell: None if cell in self.hidden else count for cell, count in self.figures.items()}

    def _shown_again(self) -> set[Cell]:
        """What stays masked once as many figures as possible are shown again.

        Tries some orders, from what the moves masked and from nothing shown. Then masks each shown figure in turn, to
        see whether others can be shown instead.
        """
        effort = Effort(_EFFORT)
        rest = sorted(self.figures.keys() - self.kept, key=lambda cell: (set(cell) != {None}, _order(cell)))
        orders: list[Callable[[Cell], tuple[object, ...]]] = [
            lambda cell: (-self.figures[cell],),
            lambda cell: (self.figures[cell],),
            lambda cell: (cell.count(None), -self.figures[cell]),
        ]
        tries = [
            self._show_in_order(hidden, sorted(rest, key=order), effort)
            for hidden in (self.hidden, set(self.figures))
            for order in orders
        ]
        best = min(tries, key=self._cost)
        for again in sorted(rest, key=orders[1]):
            if again not in best:
                other_cells = [cell for cell in rest if cell != again]
                best = min(best, self._show_in_order(best | {again}, [*other_cells, again], effort), key=self._cost)
        return best

    def _show_in_order(self, hidden: set[Cell], order: Iterable[Cell], effort: Effort) -> set[Cell]:
        """What stays masked once figures are shown in this order, each if every small count keeps its witnesses."""
        tables = Tables.unseen(tuple(self.atoms.values()), effort)
        for cell in self.figures.keys() - hidden:
            tables = tables.show(self.places[cell])
        hidden = set(hidden)
        for cell in order:
            if cell not in hidden or effort.left <= 0:
                continue
            fewer = tables.show(self.places[cell])
            if fewer is tables or all(self._has_witnesses(fewer, small) for small in self.small):
                tables = fewer
                hidden.discard(cell)
        return hidden

    def _has_witnesses(self, tables: Tables, small: Cell) -> bool:
        return tables.differ(self.places[small], by=SLACK + 1, highest=self.floor - 1)

    def _cost(self, hidden: set[Cell]) -> tuple[int, int]:
        """How many figures are masked, then how much they count.

        The total of all is worth two where at least ten are shown: it costs one other figure in ten at most.
        """
        is_total_hidden = any(set(cell) == {None} for cell in hidden)
        dear = is_total_hidden and len(self.figures) - len(hidden) >= 10
        return len(hidden) + dear, sum(self.figures[cell] for cell in hidden)

    def _best(self, cell: Cell) -> _Move:
        """The move that protects a small count and masks least besides."""

        def cost(move: _Move) -> tuple[int, int, list[tuple[str, ...]]]:
            new = move.changed - self.hidden
            return len(new), sum(self.figures[move] for move in new), sorted(_order(move) for move in new)

        return min((move for move in self._moves(cell) if self._protects(cell, move)), key=cost)

    def _protects(self, cell: Cell, move: _Move) -> bool:
        """Whether the move changes a small count enough, within what the floor tells of it."""
        count = self.figures[cell]
        return min(count + move.up, self.floor - 1) - (count - move.down) > SLACK

    def _moves(self, cell: Cell) -> Iterator[_Move]:
        """Moves that change one figure.

        The last adds units from outside, which always protects.
        """
        own = [number for number, category in enumerate(cell) if category is not None]
        for size in range(len(own), -1, -1):
            for swapped in _some(own, size):
                others = [[one for one in self.categories[number] if one != cell[number]] for number in swapped]
                for partners in itertools.product(*others):
                    yield self._move(cell, dict(zip(swapped, partners, strict=True)))

    def _move(self, cell: Cell, partners: Mapping[int, str]) -> _Move:
        """Units exchanged between the cell's categories and their partners.

        Corners with an even number of partners gain what those with an odd number lose. Units stay in their categories
        of all other dimensions; there, the places where most can move are used first, until it is enough.
        """
        count = self.figures[cell]
        places = [self.categories[number] if category is None else [category] for number, category in enumerate(cell)]
        exchanges: list[tuple[int, int, tuple[str, ...]]] = []
        for place in itertools.product(*places):
            gain, lose = self._corners(partners, place)
            # Without partners units come from outside, and any number can.
            up = min((self.atoms[move] for move in lose), default=self.floor)
            exchanges.append((min(self.atoms[move] for move in gain), up, place))
        exchanges.sort(key=lambda move: (-(move[0] + move[1]), move[2]))
        down = up = 0
        changed: set[Cell] = set()
        for fall, rise, place in exchanges:
            down, up = down + fall, up + rise
            for corner in itertools.chain(*self._corners(partners, place)):
                for shape in self.shapes:
                    if shape.issuperset(partners):
                        changed.add(tuple(one if number in shape else None for number, one in enumerate(corner)))
            if self._protects(cell, _Move(min(down, count), up, frozenset())):
                break
        return _Move(min(down, count), up, frozenset(changed))

    @staticmethod
    def _corners(
        partners: Mapping[int, str], place: tuple[str, ...]
    ) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        """The combinations that gain and those that lose when units gather at a place."""
        gain: list[tuple[str, ...]] = []
        lose: list[tuple[str, ...]] = []
        for size in range(len(partners) + 1):
            for moved in _some(partners, size):
                corner = tuple(partners[number] if number in moved else one for number, one in enumerate(place))
                (lose if size % 2 else gain).append(corner)
        return gain, lose


def _some(numbers: Iterable[int], size: int) -> Iterator[tuple[int, ...]]:
    """All choices of this many dimensions."""
    return itertools.combinations(sorted(numbers), size)


def _order(cell: Cell) -> tuple[str, ...]:
    """A key that sorts cells, totals last."""
    return tuple("\uffff" if part is None else part for part in cell)
