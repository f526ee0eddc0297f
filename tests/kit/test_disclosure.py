"""Readers cannot work out masked counts by subtraction, and nearly every safe figure is shown."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import highspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.kit.disclosure import MIN_FLOOR, SLACK, Cell, is_dominated, release
from partnerships.kit.witnesses import tables_that_fit

Counts: TypeAlias = dict[tuple[str, ...], int]
Shown: TypeAlias = list[tuple[int, ...]]

#: The sizes of the dimensions, and the tables of a release.
LAYOUTS: list[tuple[tuple[int, ...], Shown]] = [
    ((4,), [(0,)]),
    ((2, 3), [(0, 1)]),
    ((3, 3), [(0, 1)]),
    ((3, 3), [(0,), (1,)]),
    ((2, 2, 2), [(0, 1), (1, 2)]),
    ((2, 2, 2), [(0, 1), (0, 2), (1, 2)]),
    ((2, 2, 2), [(0, 1, 2)]),
]


def counts_of(sizes: tuple[int, ...], values: list[int]) -> Counts:
    """Return the counts of a table: dimension a has the categories a0, a1 …, dimension b has b0, b1 …"""
    categories = [[f"{name}{number}" for number in range(size)] for name, size in zip("abc", sizes, strict=False)]
    keys = itertools.product(*categories)
    return dict(zip(keys, values, strict=True))


def covers(cell: Cell, key: tuple[str, ...]) -> bool:
    """Return whether a figure counts the units of this combination."""
    return all(category in (None, key_category) for category, key_category in zip(cell, key, strict=True))


def is_possible(counts: Counts, shown: Mapping[Cell, int]) -> bool:
    """Return whether any table has all of these figures, by trying every value."""
    keys = list(counts)
    cells_of_key = [[cell for cell in shown if covers(cell, key)] for key in keys]
    indexes_of_cell = {cell: [index for index, key in enumerate(keys) if covers(cell, key)] for cell in shown}
    # For each figure, the sum that its remaining entries must add up to.
    remainders = dict(shown)

    def highest(index: int) -> int:
        """Return the highest value that an entry may still have."""
        return min((remainders[cell] for cell in cells_of_key[index]), default=counts[keys[index]] + 2 * MIN_FLOOR)

    def can_be_filled(index: int) -> bool:
        """Return whether this entry and all later entries can have values. Values near the true one are tried first."""
        if index == len(keys):
            return True
        true_count = counts[keys[index]]
        for value in sorted(range(highest(index) + 1), key=lambda value: abs(value - true_count)):
            for cell in cells_of_key[index]:
                remainders[cell] -= value
            is_reachable = all(
                remainders[cell] <= sum(highest(later) for later in indexes_of_cell[cell] if later > index)
                for cell in cells_of_key[index]
            )
            is_filled = is_reachable and can_be_filled(index + 1)
            for cell in cells_of_key[index]:
                remainders[cell] += value
            if is_filled:
                return True
        return False

    return can_be_filled(0)


def can_be_narrowed_down(counts: Counts, shown: Mapping[Cell, int], cell: Cell) -> bool:
    """Return whether a reader can rule out all but a few neighbouring values of a small count.

    The reader knows that the count is masked because it is under the floor.
    """
    distance = SLACK + 1
    return not any(
        is_possible(counts, {**shown, cell: low}) and is_possible(counts, {**shown, cell: low + distance})
        for low in range(MIN_FLOOR - distance)
    )


def true_figures(counts: Counts, cells: Iterable[Cell]) -> dict[Cell, int]:
    """Return the true value of these figures, added up by the test."""
    return {cell: sum(count for key, count in counts.items() if covers(cell, key)) for cell in cells}


def is_safe(counts: Counts, shown: Mapping[Cell, int], small: Iterable[Cell]) -> bool:
    """Return whether no small count can be narrowed down."""
    return not any(can_be_narrowed_down(counts, shown, cell) for cell in small)


def safe_figure_count(counts: Counts, figures: Mapping[Cell, int], at_least: int) -> int:
    """Return how many figures can safely be shown, by trying all choices. `at_least` figures are known to be safe."""
    small = [cell for cell, count in figures.items() if count < MIN_FLOOR]
    other_cells = sorted(figures.keys() - set(small), key=lambda cell: (figures[cell], str(cell)))
    highest_count = at_least

    def show(index: int, shown: dict[Cell, int]) -> None:
        nonlocal highest_count
        highest_count = max(highest_count, len(shown))
        if len(shown) + len(other_cells) - index <= highest_count:
            return
        with_next_figure = shown | {other_cells[index]: figures[other_cells[index]]}
        if is_safe(counts, with_next_figure, small):
            show(index + 1, with_next_figure)
        show(index + 1, shown)

    show(0, {})
    return highest_count


@settings(max_examples=40)
@given(st.sampled_from(LAYOUTS), st.data())
def test_no_small_count_can_be_narrowed_down(layout: tuple[tuple[int, ...], Shown], data: st.DataObject) -> None:
    sizes, tables = layout
    number = len(list(itertools.product(*map(range, sizes))))
    counts = counts_of(sizes, data.draw(st.lists(st.integers(0, 9), min_size=number, max_size=number)))

    figures = release(counts, tables=tables)

    shown_figures = {cell: value for cell, value in figures.items() if value is not None}
    true = true_figures(counts, figures)
    assert all(value >= MIN_FLOOR for value in shown_figures.values())
    assert is_safe(counts, shown_figures, [cell for cell, count in true.items() if count < MIN_FLOOR]), figures


def test_reader_who_tries_every_table_finds_no_small_count() -> None:
    total = 14  # the sum of 4, 5 and 5
    releases: dict[tuple[object, ...], list[Counts]] = {}
    for low, high in itertools.combinations_with_replacement(range(total + 1), 2):
        counts = counts_of((3,), [low, high - low, total - high])
        figures = release(counts, tables=[(0,)])
        releases.setdefault(tuple(figures.items()), []).append(counts)

    releases_with_total = [
        (dict(figures), alike_counts) for figures, alike_counts in releases.items() if (((None,), total)) in figures
    ]
    assert len(releases_with_total) > 5
    for figures, alike_counts in releases_with_total:
        for cell in (cell for cell, count in figures.items() if count is None):
            values = {true_figures(counts, [cell])[cell] for counts in alike_counts}
            assert len(values.intersection(range(MIN_FLOOR))) != 1, (figures, alike_counts)


def test_tables_that_fit_are_all_found_or_none() -> None:
    shown_sums = [((0, 1, 2), 4), ((0,), 1)]

    fitting_tables = tables_that_fit(shown_sums, 4, highest=1, limit=8)

    assert sorted(fitting_tables or []) == [(1, first, 3 - first, other) for first in range(4) for other in range(2)]
    assert tables_that_fit(shown_sums, 4, highest=1, limit=7) is None


def test_small_tables_show_nearly_all_figures_that_are_safe() -> None:
    chance = random.Random(18)
    shown_count = possible_count = 0
    for sizes, tables in [LAYOUTS[number] for number in (0, 1, 3, 4)]:
        number = len(list(itertools.product(*map(range, sizes))))
        counts = counts_of(sizes, [chance.choice((0, 1, 3, 6, 8)) for _ in range(number)])
        figures = release(counts, tables=tables)
        shown_in_table = sum(value is not None for value in figures.values())
        shown_count += shown_in_table
        possible_count += safe_figure_count(counts, true_figures(counts, figures), at_least=shown_in_table)

    assert shown_count >= 0.9 * possible_count > 0


def sparse_quarter(number: int, seed: int) -> Counts:
    """Return invented lettings of a quarter by size, kind and source, in which most counts are small."""
    chance = random.Random(seed)
    counts = counts_of((5, 2, 2), [0] * 20)
    likely = [a * b * c for a in (1, 6, 8, 4, 1) for b in (1, 4) for c in (7, 3)]
    for key in chance.choices(list(counts), likely, k=number):
        counts[key] += 1
    return counts


def bounds_of(counts: Counts, shown: Mapping[Cell, int], cell: Cell) -> tuple[int, int]:
    """Return the lowest and highest value under the floor that a small count can have, given the shown figures.

    HiGHS finds them by integer programming, which considers every table.
    """
    programme = highspy.Highs()
    programme.silent()
    highest = sum(counts.values()) + 2 * MIN_FLOOR
    entries = {key: programme.addIntegral(0, highest) for key in counts}
    sums = {figure: sum(entry for key, entry in entries.items() if covers(figure, key)) for figure in (*shown, cell)}
    for figure, value in shown.items():
        programme.addConstr(sums[figure] == value)
    programme.addConstr(sums[cell] <= MIN_FLOOR - 1)
    bounds = []
    for solve in (programme.minimize, programme.maximize):
        solve(sums[cell])
        assert programme.getModelStatus() == highspy.HighsModelStatus.kOptimal
        bounds.append(round(programme.getObjectiveValue()))
    return bounds[0], bounds[1]


@pytest.mark.parametrize("number", [30, 45, 60])
def test_a_sparse_quarter_shows_figures_and_no_small_count_can_be_worked_out(number: int) -> None:
    counts = sparse_quarter(number, seed=number)

    figures = release(counts, tables=[(0, 1, 2)])

    shown_figures = {cell: value for cell, value in figures.items() if value is not None}
    true = true_figures(counts, figures)
    assert all(true[cell] == value >= MIN_FLOOR for cell, value in shown_figures.items())
    for cell in (cell for cell, count in true.items() if count < MIN_FLOOR):
        low, high = bounds_of(counts, shown_figures, cell)
        assert high - low > SLACK, (cell, low, high)
    assert len(shown_figures) >= number // 5


def test_figures_that_were_masked_before_stay_masked_after_a_correction() -> None:
    before = release(counts_of((2, 2), [3, 20, 30, 40]), tables=[(0, 1)])
    masked = [cell for cell, value in before.items() if value is None]

    after = release(counts_of((2, 2), [6, 20, 30, 40]), tables=[(0, 1)], masked_before=masked)

    assert {cell for cell, value in after.items() if value is None} == set(masked)


def test_a_large_table_stays_as_the_moves_mask_it() -> None:
    counts = counts_of((20, 8), [(7 * n) % 23 for n in range(160)])

    figures = release(counts, tables=[(0, 1)])

    assert figures[None, None] == sum(counts.values())
    assert all(value is None or value >= MIN_FLOOR for value in figures.values())


@settings(max_examples=60)
@given(st.lists(st.integers(0, 80), min_size=12, max_size=12))
def test_shown_figures_are_true_and_complete(values: list[int]) -> None:
    counts = counts_of((3, 4), values)

    figures = release(counts, tables=[(0, 1)])

    assert len(figures) == 4 * 5
    for cell, value in figures.items():
        assert value in {None, sum(count for key, count in counts.items() if covers(cell, key))}


def test_a_table_without_small_counts_is_shown_completely() -> None:
    figures = release(counts_of((2, 3), [5, 6, 7, 8, 9, 10]), tables=[(0, 1)])

    assert None not in figures.values()
    assert figures[None, None] == 45


def test_the_only_small_count_does_not_follow_from_its_total() -> None:
    figures = release(counts_of((1, 3), [3, 20, 30]), tables=[(0, 1)])

    hidden = {cell for cell, value in figures.items() if value is None}
    assert ("a0", "b0") in hidden
    assert len(hidden) > 1


def test_tables_that_share_a_total_are_masked_together() -> None:
    values = [2, 30, 30, 30, 30, 30, 30, 30]

    apart = release(counts_of((2, 2, 2), values), tables=[(0, 1)])
    together = release(counts_of((2, 2, 2), values), tables=[(0, 1, 2)])

    assert None not in apart.values()
    assert together["a0", "b0", "c0"] is None


def test_nothing_is_shown_of_fewer_than_the_floor() -> None:
    assert set(release(counts_of((2, 2), [1, 1, 1, 1]), tables=[(0, 1)]).values()) == {None}


def test_nobody_can_lower_the_floor() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        release({("a",): 3}, tables=[(0,)], floor=4)
    with pytest.raises(ValueError, match="at least 5"):
        is_dominated([1, 2, 3, 4, 5], floor=4)

    assert release({("a",): 9, ("b",): 30, ("c",): 30}, tables=[(0,)], floor=10)["a",] is None


def test_counts_must_fit_their_tables() -> None:
    for counts in ({("a",): -1}, {("a",): 1, ("a", "b"): 1}):
        with pytest.raises(ValueError, match="Every count"):
            release(counts, tables=[(0,)])
    with pytest.raises(ValueError, match="dimension"):
        release({("a",): 1}, tables=[(1,)])

    assert release({}, tables=[(0,)]) == {}


@pytest.mark.parametrize(
    ("parts", "is_masked"),
    [
        ([10, 10, 10, 10], True),
        ([10, 10, 10, 10, 10], False),
        ([1000, 500, 10, 10, 10], True),
        ([1000, 500, 100, 100, 10], False),
        ([0, 0, 0, 0, 0], False),
    ],
)
def test_a_sum_that_reveals_its_largest_part_is_masked(parts: list[float], is_masked: bool) -> None:
    assert is_dominated(parts) is is_masked
